import type { RunId } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { Lease, LogBatch, LogBatchResult, LogStore, RunEnd, RunWait, Segment } from '../../core/ports/store.ts';
import type { Run } from '../../core/run.ts';
import type { RunFact } from '../../core/run-event.ts';
import { endOf, segmentOf } from './compose.ts';
import { createFlushSchedule, type FlushScope } from './flush-schedule.ts';
import type { LiveRun, Pending } from './live-run.ts';
import type { Ending, Waiting } from './outcome.ts';
import { addEnding, addFact, addText, createPending, type TextPiece, untilStored } from './pending.ts';

/**
 * Adaptive group commit over all runs: what runs append is collected, stored in one transaction, and handed to readers only then. One flush
 * is in flight at a time. Text waits for the window; urgent is all else, which takes only its own run along. When the store fails, nothing is
 * delivered and the same offsets are tried again.
 */
export interface LogWriter {
  /**
   * Takes text. The promise asks the caller to wait: too much of this run is not stored yet, or, where the piece `gathers`, this process is busy
   * and what comes until the next window can as well come at once.
   */
  appendText(live: LiveRun, piece: TextPiece & { readonly gathers?: boolean }, lane: Lane): void | Promise<void>;
  /** Takes a fact that is no text, which is urgent. The promise asks to wait. */
  append(live: LiveRun, fact: RunFact): void | Promise<void>;
  /** Resolves when the end, or that the run waits, is stored and delivered, or when the run turned out to be another process's. */
  end(live: LiveRun, ending: Ending | Waiting): Promise<void>;
  /** Resolves when everything that the run has appended so far is stored and delivered. */
  stored(live: LiveRun): Promise<void>;
  /** True while a flush is being tried again. */
  readonly failing: boolean;
  /** Gives up on what cannot be stored. */
  close(): void;
}

type Lane = 'window' | 'urgent';

const MAX_UNSTORED = 65_536;
/** Of so many runs sources go on, or readers get something, in a turn of the loop: what else there is to do waits no longer than that. */
const RUNS_A_TURN = 128;
/** Text is quick that comes before so many windows are over. */
const QUICK_WINDOWS = 1.5;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;

export interface LogWriterPorts {
  readonly log: Pick<LogStore, 'appendLog'>;
  readonly clock: Clock;
  readonly observer: Observer;
  /** The claim for runs that follow on ended ones; null while draining. */
  readonly lease: () => Lease | null;
  /** Gets the runs that were queued behind ended ones. */
  readonly onStarted: (runs: readonly Run[]) => void;
  /** Gets the runs whose events were stored. */
  readonly onCommitted?: (runs: readonly RunId[]) => void;
  /** Gets each run after its end. */
  readonly onEnded: (live: LiveRun) => void;
  /** Milliseconds between the starts of two flushes of deltas, as of now. */
  readonly windowMs: () => number;
  /** Whether sources are to pause, as of now. */
  readonly isBusy: () => boolean;
}

export function createLogWriter(ports: LogWriterPorts): LogWriter {
  const { clock, windowMs } = ports;
  const waiting = createWaitingRuns();
  const batches = createBatchStore(ports);
  const pauses = createPauses();
  const schedule = createFlushSchedule({
    clock,
    windowMs,
    release: pauses.endSome,
    flush,
    waiting: () => ({ any: waiting.any || pauses.any, urgent: waiting.urgent }),
    onFault: (error) => ports.observer.faulted('log writer', error),
  });

  function pendingOf(live: LiveRun, lane: Lane): Pending {
    const isNew = live.pending === null;
    const pending = live.pending ?? waiting.add(live);
    if (lane === 'urgent') waiting.hurry(pending);
    if (isNew || lane === 'urgent') schedule.request(lane === 'urgent' ? 'urgent' : 'all');
    return pending;
  }

  /** Whether text comes before it was missed: nothing is won by a pause of a source that brings nothing meanwhile. */
  function isQuick({ deliveredAt }: LiveRun): boolean {
    return deliveredAt !== null && clock.elapsed() - deliveredAt < QUICK_WINDOWS * windowMs();
  }

  function flush(scope: FlushScope): Promise<unknown> | null {
    const taken = waiting.take(scope);
    if (taken.length === 0) return null;
    return batches.store(taken).then((result) => result && deliver(ports, taken, result));
  }

  return {
    get failing() {
      return batches.failing;
    },
    appendText(live, piece, lane) {
      if (live.stopReason === 'lost') return undefined;
      const pending = pendingOf(live, lane);
      addText(pending, piece);
      if (pending.size > MAX_UNSTORED) return untilStored(pending);
      return piece.gathers && ports.isBusy() && isQuick(live) ? pauses.begin() : undefined;
    },
    append(live, fact) {
      if (live.stopReason === 'lost') return undefined;
      const pending = pendingOf(live, 'urgent');
      addFact(pending, fact);
      return pending.size > MAX_UNSTORED ? untilStored(pending) : undefined;
    },
    end(live, ending) {
      if (live.stopReason === 'lost') return Promise.resolve();
      const pending = pendingOf(live, 'urgent');
      addEnding(pending, ending);
      return untilStored(pending);
    },
    stored(live) {
      const pending = live.pending ?? live.flushing;
      return pending ? untilStored(pending) : Promise.resolve();
    },
    close() {
      batches.close();
      while (pauses.any) pauses.endSome();
    },
  };
}

/** The sources that wait for the next window: one promise for those that then go on in the same turn. */
function createPauses() {
  let places = 0;
  let waiting: PromiseWithResolvers<void>[] = [];
  let ending: PromiseWithResolvers<void>[] | null = null;
  return {
    get any() {
      return waiting.length > 0 || ending !== null;
    },
    begin(): Promise<void> {
      if (places === 0) {
        waiting.push(Promise.withResolvers<void>());
        places = RUNS_A_TURN;
      }
      places -= 1;
      return (waiting.at(-1) as PromiseWithResolvers<void>).promise;
    },
    endSome(): boolean {
      if (ending === null) {
        ending = waiting;
        waiting = [];
        places = 0;
      }
      const ended = ending.shift();
      if (ended === undefined) ending = null;
      ended?.resolve();
      return ended !== undefined;
    },
  };
}

/** The runs that have something for the next flush. */
function createWaitingRuns() {
  let all: Pending[] = [];
  let urgent: Pending[] = [];

  return {
    get any() {
      return all.length > 0;
    },
    get urgent() {
      return urgent.length > 0;
    },
    add(live: LiveRun): Pending {
      const pending = createPending(live);
      live.pending = pending;
      all.push(pending);
      return pending;
    },
    hurry(pending: Pending): void {
      if (!pending.urgent) urgent.push(pending);
      pending.urgent = true;
    },
    take(scope: FlushScope): readonly Pending[] {
      // What went with an urgent flush is still on the other list.
      const taken = endsLast(scope === 'urgent' ? urgent : all.filter((pending) => pending.live.pending === pending));
      urgent = [];
      if (scope === 'all') all = [];
      for (const pending of taken) {
        pending.live.pending = null;
        pending.live.flushing = pending;
      }
      return taken;
    },
  };
}

/** Whoever has seen an end may ask again at once, and would wait for what is handed over behind it. */
function endsLast(pendings: readonly Pending[]): readonly Pending[] {
  const ends = pendings.filter(({ ending }) => ending !== null);
  return ends.length === 0 ? pendings : [...pendings.filter(({ ending }) => ending === null), ...ends];
}

function reportGaps({ clock, observer }: LogWriterPorts, stored: readonly Pending[]): void {
  // A whole number needs no object that each of the runs would keep alive.
  const now = Math.round(clock.elapsed());
  const gaps: number[] = [];
  for (const { live } of stored) {
    if (live.deliveredAt !== null) gaps.push(now - live.deliveredAt);
    live.deliveredAt = now;
  }
  if (gaps.length > 0) observer.delivered(gaps);
}

/** What became of a batch, and when it was stored if that is known. */
interface Stored extends LogBatchResult {
  readonly at: number | null;
}

/** Stores batches, each until it is stored or the writer is closed. */
function createBatchStore({ log, clock, observer, lease }: LogWriterPorts) {
  const closing = new AbortController();
  let failing = false;

  async function store(taken: readonly Pending[]): Promise<Stored | null> {
    const batch = batchOf(taken);
    for (let retryMs = FIRST_RETRY_MS; !closing.signal.aborted; retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)) {
      const startedAt = clock.elapsed();
      const now = clock.now();
      try {
        const result = await log.appendLog({ ...batch, now, lease: lease() });
        failing = false;
        const { segments, ends } = batch;
        const bytes = taken.reduce((sum, { size }) => sum + size, 0);
        observer.flushed({ segments: segments.length, ends: ends.length, bytes, durationMs: clock.elapsed() - startedAt });
        // What is tried again may have been stored before, at a time that only the store knows.
        return { ...result, at: retryMs === FIRST_RETRY_MS ? now : null };
      } catch (error) {
        failing = true;
        observer.flushFailed(error);
        await clock.sleep(retryMs);
      }
    }
    return null;
  }

  return {
    store,
    close: () => closing.abort(),
    get failing() {
      return failing;
    },
  };
}

function batchOf(taken: readonly Pending[]): Pick<LogBatch, 'segments' | 'waits' | 'ends' | 'durable'> {
  const segments: Segment[] = [];
  const waits: RunWait[] = [];
  const ends: RunEnd[] = [];
  let durable = false;
  for (const pending of taken) {
    const { ending, approvals } = pending;
    if (ending) ends.push(endOf(pending, ending));
    else if (approvals.length === 0) segments.push(segmentOf(pending));
    else waits.push({ segment: segmentOf(pending), approvals: approvals as RunWait['approvals'] });
    durable ||= pending.durable;
  }
  return { segments, waits, ends, durable };
}

async function deliver(ports: LogWriterPorts, stored: readonly Pending[], result: Stored): Promise<void> {
  ports.onCommitted?.(stored.map(({ live }) => live.run.id));
  for (let from = 0; from < stored.length; from += RUNS_A_TURN) {
    if (from > 0) await new Promise(setImmediate);
    const some = stored.slice(from, from + RUNS_A_TURN);
    deliverSome(ports, some, result);
    reportGaps(ports, some);
  }
  if (result.started.length > 0) ports.onStarted(result.started);
}

function deliverSome({ onEnded }: LogWriterPorts, stored: readonly Pending[], { fenced, at }: Stored): void {
  for (const { live, events, approvals, waiting, ending } of stored) {
    live.flushing = null;
    if (fenced.length > 0 && fenced.includes(live.run.id)) live.stop('lost');
    else {
      if (ending && at !== null) live.outcome = { ending, at };
      live.commit(events);
    }
    if (approvals.length > 0) live.release();
    if (live.ended) onEnded(live);
    for (const resolve of waiting) resolve();
  }
}
