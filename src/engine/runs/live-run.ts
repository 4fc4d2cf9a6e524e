import type { RunId } from '../../core/ids.ts';
import type { Run } from '../../core/run.ts';
import { isTerminal, type LoggedEvent, logEvent, parseLoggedEvent, startedFact } from '../../core/run-event.ts';
import { type Answer, createAnswer } from './answer.ts';
import type { Ending, Pending } from './pending.ts';

/** Why an execution is told to stop before its model has finished. */
export type StopReason = 'cancelled' | 'interrupted' | 'timed_out' | 'answer_too_long' | 'lost';

const PAGE_CHARACTERS = 65_536;

type Listener = (events: readonly LoggedEvent[]) => void;

/** A run that this process executes: its committed log in memory, and the readers that wait for more. */
export interface LiveRun {
  readonly run: Run;
  readonly answer: Answer;
  /** Aborts when the execution must stop; `stopReason` says why. */
  readonly signal: AbortSignal;
  readonly stopReason: StopReason | null;
  /** Offset of the last committed event. */
  readonly last: number;
  /** True once the terminal event is committed, or the run has left this process. */
  readonly ended: boolean;
  /** True when the run goes on elsewhere: in another process, or behind a decision that it waits for. */
  readonly left: boolean;
  /** What it has appended and the log's writer has not yet taken; null when nothing. Only the writer touches it, and the next. */
  pending: Pending | null;
  /** When its readers last got something, by the clock's `elapsed`; null before that. */
  deliveredAt: number | null;
  /** How it ended and when, exactly as it is stored; null before that, and when only the store knows. The writer sets it. */
  outcome: { readonly ending: Ending; readonly at: number } | null;
  stop(reason: StopReason): void;
  /** Lets go of the run, which waits for people from now on: its readers find what follows in the store. */
  release(): void;
  /** At most `limit` committed events behind an offset, and no more than the first 65,536 characters of JSON and what their last event adds. */
  after(offset: number, limit: number): LoggedEvent[];
  /** Adds events that the store has taken and hands them to every listener. */
  commit(events: readonly LoggedEvent[]): void;
  /** Calls back with every later commit, and with an empty batch when the run leaves this process. */
  listen(listener: Listener): () => void;
}

/** `earlier` is the log of the attempts before, if there were any. */
export function createLiveRun(run: Run, onListenerError: (error: unknown) => void, earlier: readonly LoggedEvent[] = []): LiveRun {
  const controller = new AbortController();
  const log: string[] = earlier.length > 0 ? earlier.map(({ json }) => json) : [logEvent(run.id, 1, startedFact(run)).json];
  const answer = createAnswer();
  for (const { event } of earlier) answer.add(event);
  const listeners = new Set<Listener>();
  let stopReason: StopReason | null = null;
  let ended = false;
  let released = false;

  function tell(events: readonly LoggedEvent[]): void {
    for (const listener of listeners) {
      try {
        listener(events);
      } catch (error) {
        listeners.delete(listener);
        onListenerError(error);
      }
    }
  }

  return {
    run,
    answer,
    pending: null,
    deliveredAt: null,
    outcome: null,
    signal: controller.signal,
    get stopReason() {
      return stopReason;
    },
    get last() {
      return log.length;
    },
    get ended() {
      return ended;
    },
    get left() {
      return released || stopReason === 'lost';
    },
    stop(reason) {
      // Whoever is told to stop may still lose the run to another process, and must tell its readers so.
      if (ended || (stopReason !== null && reason !== 'lost')) return;
      stopReason = reason;
      controller.abort();
      if (reason === 'lost') {
        ended = true;
        tell([]);
      }
    },
    release() {
      if (ended) return;
      ended = true;
      released = true;
      tell([]);
    },
    after: (offset, limit) => page(log, offset, limit).map(parseLoggedEvent),
    commit(events) {
      for (const event of events) log.push(event.json);
      const last = events.at(-1);
      if (last && isTerminal(last.event)) ended = true;
      tell(events);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Bounded in characters too, because a reader that is held back keeps its page, and one event can be large. */
function page(log: readonly string[], offset: number, limit: number): string[] {
  const events: string[] = [];
  let characters = 0;
  for (const json of log.slice(offset, offset + limit)) {
    if (characters >= PAGE_CHARACTERS) break;
    characters += json.length;
    events.push(json);
  }
  return events;
}

/** The runs that this process executes now. */
export interface LiveRuns {
  get(id: RunId): LiveRun | undefined;
  all(): Iterable<LiveRun>;
  readonly size: number;
  add(live: LiveRun): void;
  remove(live: LiveRun): void;
  /**
   * Stops a run that this process executes, or is about to: between a claim in the store and its execution here, a run is not live yet. False
   * when it is not live now.
   */
  stop(id: RunId, reason: StopReason): boolean;
}

/** Stops kept for runs that were not live; a run that is about to be becomes live within a turn of the event loop. */
const MAX_EARLY_STOPS = 1_000;

export function createLiveRuns(): LiveRuns {
  const runs = new Map<RunId, LiveRun>();
  const early = new Map<RunId, StopReason>();
  return {
    get: (id) => runs.get(id),
    all: () => runs.values(),
    get size() {
      return runs.size;
    },
    add(live) {
      runs.set(live.run.id, live);
      const reason = early.get(live.run.id);
      if (reason) live.stop(reason);
      early.delete(live.run.id);
    },
    stop(id, reason) {
      const live = runs.get(id);
      live?.stop(reason);
      if (!live) early.set(id, reason);
      for (const oldest of early.keys()) if (early.size > MAX_EARLY_STOPS) early.delete(oldest);
      return live !== undefined;
    },
    remove(live) {
      if (runs.get(live.run.id) === live) runs.delete(live.run.id);
    },
  };
}
