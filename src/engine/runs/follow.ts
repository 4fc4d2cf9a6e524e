import type { Clock } from '../../core/ports/clock.ts';
import type { LogStore } from '../../core/ports/store.ts';
import { isTerminal, type LoggedEvent, logEvent, parseLoggedEvent } from '../../core/run-event.ts';
import type { Engine, Follow } from '../engine.ts';
import { unlessUnavailable } from '../unless-unavailable.ts';
import type { WakeUps } from '../wake-ups.ts';
import type { LiveRun, LiveRuns } from './live-run.ts';

const BATCH_EVENTS = 256;
const PAGE_BYTES = 65_536;
/** A reader that no hint reaches looks for itself. */
const POLL_MS = 2_000;

interface FollowPorts {
  readonly live: LiveRuns;
  readonly log: Pick<LogStore, 'readLog'>;
  readonly wakeUps: WakeUps;
  readonly clock: Clock;
}

/**
 * Reads a run's log from a cursor to its end: from memory while this process executes the run, from the store otherwise. First connection,
 * reconnection and second reader are this one call.
 */
export function createFollow(ports: FollowPorts): (input: Follow) => Promise<void> {
  return async (input) => {
    const reader = createReader(input);
    const wakeUp = ports.wakeUps.listen(input.runId);
    try {
      while (!reader.done && !input.signal.aborted) {
        const live = ports.live.get(input.runId);
        if (live && !live.ended) await followLive(live, reader, input.signal);
        else if (!(await readPage(ports, reader, input))) await wakeUp.wait(POLL_MS, input.signal);
      }
    } finally {
      wakeUp.close();
    }
  };
}

/** Reads what stands in a run's log behind a cursor now, a page of it. `ended`: the last of these events is the run's last. */
export function createRead({ live, log }: Pick<FollowPorts, 'live' | 'log'>): Engine['runs']['read'] {
  return async ({ runId, after }) => {
    const running = live.get(runId);
    if (running) return pageOf(running.after(after, BATCH_EVENTS), running.ended && !running.left && after >= running.last);
    const page = await log.readLog({ runId, after, maxBytes: PAGE_BYTES });
    if (page.events.length > 0 || !page.ended) return pageOf(page.events.map(parseLoggedEvent), page.ended && page.events.length === 0);
    return pageOf([await endBehindCursor(log, { runId, after })], true);
  };
}

function pageOf(events: readonly LoggedEvent[], ended: boolean): { events: readonly LoggedEvent[]; ended: boolean } {
  const last = events.at(-1);
  return { events, ended: ended || (last !== undefined && isTerminal(last.event)) };
}

/** A reader's place in the log. */
interface Reader {
  readonly position: number;
  readonly done: boolean;
  hand(events: readonly LoggedEvent[]): void | Promise<void>;
}

function createReader({ after, onEvents }: Follow): Reader {
  let position = after;
  let done = false;
  return {
    get position() {
      return position;
    },
    get done() {
      return done;
    },
    hand(events) {
      const last = events.at(-1);
      if (!last || done) return;
      position = Math.max(position, last.offset);
      done = isTerminal(last.event);
      return onEvents(events);
    },
  };
}

/** Catches up from memory, then takes commits as they come; a reader that was held back reads from memory again. */
function followLive(live: LiveRun, reader: Reader, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let held = false;
    const stopListening = live.listen(onCommit);
    signal.addEventListener('abort', finish);
    goOn();

    function finish(): void {
      stopListening();
      signal.removeEventListener('abort', finish);
      resolve();
    }
    function fail(error: unknown): void {
      finish();
      reject(error);
    }
    function goOn(): void {
      try {
        take(handRest(live, reader, signal));
      } catch (error) {
        fail(error);
      }
    }
    function take(wait: void | Promise<void>): void {
      held = wait !== undefined;
      if (wait) wait.then(goOn, fail);
      else if (live.ended || reader.done || signal.aborted) finish();
    }
    function onCommit(events: readonly LoggedEvent[]): void {
      if (held) return;
      const next = events[0]?.offset === reader.position + 1;
      try {
        take(next ? reader.hand(events) : handRest(live, reader, signal));
      } catch (error) {
        fail(error);
      }
    }
  });
}

/** Hands over everything that the reader lacks, until it holds back; a cursor beyond the end gets the end. */
function handRest(live: LiveRun, reader: Reader, signal: AbortSignal): void | Promise<void> {
  while (!reader.done && !signal.aborted && reader.position < live.last) {
    const wait = reader.hand(live.after(reader.position, BATCH_EVENTS));
    if (wait) return wait;
  }
  if (live.ended && !live.left) return reader.hand(live.after(live.last - 1, 1));
  return undefined;
}

/** Hands over one page of the stored log. False: nothing new yet. */
async function readPage(ports: FollowPorts, reader: Reader, { runId }: Follow): Promise<boolean> {
  const page = await unlessUnavailable(ports.log.readLog({ runId, after: reader.position, maxBytes: PAGE_BYTES }));
  if (page === 'unavailable') return false;
  if (page.events.length > 0) {
    await reader.hand(page.events.map(parseLoggedEvent));
    return true;
  }
  if (!page.ended) return false;
  const end = await unlessUnavailable(endBehindCursor(ports.log, { runId, after: reader.position }));
  if (end === 'unavailable') return false;
  await reader.hand([end]);
  return true;
}

/** The terminal event for a cursor that is at or beyond it; a run whose thread was deleted ends as cancelled. */
async function endBehindCursor(log: FollowPorts['log'], { runId, after }: Pick<Follow, 'runId' | 'after'>): Promise<LoggedEvent> {
  for (let from = 0; ; ) {
    const page = await log.readLog({ runId, after: from, maxBytes: PAGE_BYTES });
    const last = page.events.at(-1);
    if (last === undefined) return logEvent(runId, after + 1, { type: 'run.cancelled' });
    const event = parseLoggedEvent(last);
    if (isTerminal(event.event)) return event;
    from = event.offset;
  }
}
