import type { RunId } from '../../core/ids.ts';
import type { Part } from '../../core/message.ts';
import type { RequestedApproval } from '../../core/ports/approval-store.ts';
import type { Run } from '../../core/run.ts';
import { isTerminal, logEvent, type RunEvent, startedFact } from '../../core/run-event.ts';
import { addToLog, type LiveLog, pageOf } from './live-log.ts';
import type { Ending } from './outcome.ts';

/** Why an execution is told to stop before its model has finished. */
export type StopReason = 'cancelled' | 'interrupted' | 'timed_out' | 'answer_too_long' | 'lost';

type Listener = (events: readonly RunEvent[]) => void;

/** What a run has appended since the last flush, each event at the place that it will have in the log. */
export interface Pending {
  readonly live: LiveRun;
  events: RunEvent[];
  /** Offset of the first event. */
  readonly first: number;
  /** Characters of text in the events, roughly. */
  size: number;
  urgent: boolean;
  /** Whether a crash of the machine must not take it back: everything but text, of which it may take the last piece. */
  durable: boolean;
  ending: Ending | null;
  /** What the run waits for when all of this is stored; empty unless it lets go of its process. */
  approvals: readonly RequestedApproval[];
  /** Callers to be told when all of this is stored. */
  waiting: readonly (() => void)[];
}

/** A run that this process executes: its committed log in memory, and the readers that wait for more. */
export interface LiveRun {
  readonly run: Run;
  /** Aborts when the execution must stop; `stopReason` says why. */
  readonly signal: AbortSignal;
  readonly stopReason: StopReason | null;
  readonly log: Readonly<LiveLog>;
  /** True once the terminal event is committed, or the run has left this process. */
  readonly ended: boolean;
  /** True when the run goes on elsewhere: in another process, or behind a decision that it waits for. */
  readonly left: boolean;
  /** What it has appended and the log's writer has not yet taken; null when nothing. Only the writer touches these two, and the next three. */
  pending: Pending | null;
  /** What the writer has taken and not yet stored. */
  flushing: Pending | null;
  /** UTF-16 code units of visible text so far: the `at` of the next piece. */
  textLength: number;
  /** When its readers last got something, by the clock's `elapsed`, in whole milliseconds; null before that. */
  deliveredAt: number | null;
  /** How it ended and when, exactly as it is stored; null before that, and when only the store knows. The writer sets it. */
  outcome: { readonly ending: Ending; readonly at: number } | null;
  /** Which passages of files the answer names. */
  citations: readonly Part[];
  /** Who gets what is committed, here in this process. */
  readonly listeners: readonly Listener[];
  stop(reason: StopReason): void;
  /** Lets go of the run, which waits for people from now on: its readers find what follows in the store. */
  release(): void;
  /** A page of at most `limit` committed events behind an offset. */
  after(offset: number, limit: number): RunEvent[];
  /** Adds events that the store has taken and hands them to every listener. */
  commit(events: readonly RunEvent[]): void;
  /** Calls back with every later commit, and with an empty batch when the run leaves this process. */
  listen(listener: Listener): () => void;
}

/** `earlier` is the log of the attempts before, if there were any. */
export function createLiveRun(run: Run, onListenerError: (error: unknown) => void, earlier: readonly RunEvent[] = []): LiveRun {
  const controller = new AbortController();
  const log: LiveLog = [];
  addToLog(log, earlier.length > 0 ? earlier : [logEvent(run.id, 1, startedFact(run))]);

  function tell(events: readonly RunEvent[]): void {
    for (const listener of live.listeners) {
      try {
        listener(events);
      } catch (error) {
        forget(listener);
        onListenerError(error);
      }
    }
  }

  function forget(listener: Listener): void {
    live.listeners = live.listeners.filter((other) => other !== listener);
  }

  function leave(): void {
    live.ended = true;
    live.left = true;
    tell([]);
  }

  // Plain fields: with getters V8 would make a dictionary of it, and it is looked at for every token.
  const live: Mutable<LiveRun> = {
    run,
    signal: controller.signal,
    stopReason: null,
    log,
    ended: false,
    left: false,
    pending: null,
    flushing: null,
    textLength: log.reduce((length, entry) => length + (typeof entry === 'string' ? entry.length : 0), 0),
    deliveredAt: null,
    outcome: null,
    citations: [],
    listeners: [],
    stop(reason) {
      // Whoever is told to stop may still lose the run to another process, and must tell its readers so.
      if (live.ended || (live.stopReason !== null && reason !== 'lost')) return;
      live.stopReason = reason;
      controller.abort();
      if (reason === 'lost') leave();
    },
    release() {
      if (!live.ended) leave();
    },
    after: (offset, limit) => pageOf(log, run, { after: offset, limit }),
    commit(events) {
      addToLog(log, events);
      const last = events[events.length - 1];
      if (last && isTerminal(last)) live.ended = true;
      tell(events);
    },
    listen(listener) {
      live.listeners = [...live.listeners, listener];
      return () => forget(listener);
    },
  };
  return live;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

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
