import type { Clock } from '../../core/ports/clock.ts';
import type { LogStore } from '../../core/ports/store.ts';
import { isTerminal, type RunEvent } from '../../core/run-event.ts';
import type { Engine, Follow } from '../engine.ts';
import { unlessUnavailable } from '../unless-unavailable.ts';
import type { WakeUps } from '../wake-ups.ts';
import type { LiveRun, LiveRuns } from './live-run.ts';
import { openStoredLog, type StoredLog } from './stored-log.ts';

const BATCH_EVENTS = 256;
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
    const reader: Reader = { position: input.after, done: false, onEvents: input.onEvents };
    const stored = openStoredLog(ports.log, input.runId);
    const wakeUp = ports.wakeUps.listen(input.runId);
    try {
      while (!reader.done && !input.signal.aborted) {
        const live = ports.live.get(input.runId);
        if (live && !live.ended) await followLive(live, reader, input.signal);
        else if (!(await readPage(stored, reader))) await wakeUp.wait(POLL_MS, input.signal);
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
    if (running) return pageOf(running.after(after, BATCH_EVENTS), running.ended && !running.left && after >= running.log.length);
    const stored = openStoredLog(log, runId);
    const { events, ended } = await stored.read(after);
    return events.length > 0 || !ended ? pageOf(events, false) : pageOf([await stored.end(after)], true);
  };
}

function pageOf(events: readonly RunEvent[], ended: boolean): { events: readonly RunEvent[]; ended: boolean } {
  const last = events.at(-1);
  return { events, ended: ended || (last !== undefined && isTerminal(last)) };
}

/** A reader's place in the log. */
interface Reader {
  position: number;
  done: boolean;
  readonly onEvents: Follow['onEvents'];
}

function hand(reader: Reader, events: readonly RunEvent[]): void | Promise<void> {
  const last = events[events.length - 1];
  if (!last || reader.done) return undefined;
  reader.position = Math.max(reader.position, last.offset);
  reader.done = isTerminal(last);
  return reader.onEvents(events);
}

/** Catches up from memory, then takes commits as they come; a reader that was held back reads from memory again. */
function followLive(live: LiveRun, reader: Reader, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let held = false;
    // Asked with every token, where the signal would be one more object to look at.
    let over = false;
    const stopListening = live.listen(onCommit);
    signal.addEventListener('abort', finish);
    goOn();

    function finish(): void {
      over = true;
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
      else if (live.ended || reader.done || over) finish();
    }
    function onCommit(events: readonly RunEvent[]): void {
      if (held || over) return;
      const next = events[0]?.offset === reader.position + 1;
      try {
        take(next ? hand(reader, events) : handRest(live, reader, signal));
      } catch (error) {
        fail(error);
      }
    }
  });
}

/** Hands over everything that the reader lacks, until it holds back; a cursor beyond the end gets the end. */
function handRest(live: LiveRun, reader: Reader, signal: AbortSignal): void | Promise<void> {
  while (!reader.done && !signal.aborted && reader.position < live.log.length) {
    const wait = hand(reader, live.after(reader.position, BATCH_EVENTS));
    if (wait) return wait;
  }
  if (live.ended && !live.left) return hand(reader, live.after(live.log.length - 1, 1));
  return undefined;
}

/** Hands over one page of the stored log. False: nothing new yet. */
async function readPage(stored: StoredLog, reader: Reader): Promise<boolean> {
  const page = await unlessUnavailable(stored.read(reader.position));
  if (page === 'unavailable') return false;
  if (page.events.length > 0) {
    await hand(reader, page.events);
    return true;
  }
  if (!page.ended) return false;
  const end = await unlessUnavailable(stored.end(reader.position));
  if (end === 'unavailable') return false;
  await hand(reader, [end]);
  return true;
}
