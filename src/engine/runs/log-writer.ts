import type { RunId } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Observer } from '../../core/ports/observer.ts';
import type { Lease, LogBatch, LogBatchResult, LogStore, RunEnd, RunWait, Segment } from '../../core/ports/store.ts';
import type { Run } from '../../core/run.ts';
import type { RunFact } from '../../core/run-event.ts';
import { type Composed, compose, endOf } from './compose.ts';
import { createFlushSchedule, type FlushScope } from './flush-schedule.ts';
import type { LiveRun } from './live-run.ts';
import { addEnding, addFact, createPending, type Ending, type Pending, type Waiting } from './pending.ts';

/**
 * Adaptive group commit over all runs: what runs append is collected, stored in one transaction, and handed to readers only then. One flush
 * is in flight at a time. Urgent facts do not wait for the window, and take only their own run along. When the store fails, nothing is
 * delivered and the same offsets are tried again.
 */
export interface LogWriter {
  /** The promise asks the caller to wait: too much of this run is not stored yet. */
  append(live: LiveRun, fact: RunFact, lane: Lane): void | Promise<void>;
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
}

export function createLogWriter(ports: LogWriterPorts): LogWriter {
  let dirty: LiveRun[] = [];
  let flushing: readonly Composed[] = [];
  const batches = createBatchStore(ports);
  const schedule = createFlushSchedule({
    clock: ports.clock,
    windowMs: ports.windowMs,
    flush,
    waiting: () => ({ any: dirty.length > 0, urgent: dirty.some(isUrgent) }),
    onFault: (error) => ports.observer.faulted('log writer', error),
  });

  function pendingOf(live: LiveRun): Pending {
    if (live.pending) return live.pending;
    dirty.push(live);
    live.pending = createPending();
    return live.pending;
  }

  function take(scope: FlushScope): readonly LiveRun[] {
    const taken = scope === 'all' ? dirty : dirty.filter(isUrgent);
    dirty = scope === 'all' ? [] : dirty.filter((live) => !isUrgent(live));
    return taken;
  }

  function flush(scope: FlushScope): Promise<void> | null {
    const composed = take(scope).map(compose);
    if (composed.length === 0) return null;
    flushing = composed;
    return batches.store(composed).then((result) => {
      flushing = [];
      if (!result) return;
      deliver(ports, composed, result);
      reportGaps(ports, composed);
    });
  }

  return {
    get failing() {
      return batches.failing;
    },
    append(live, fact, lane) {
      if (live.stopReason === 'lost') return undefined;
      const entry = pendingOf(live);
      addFact(entry, fact);
      if (lane === 'urgent') entry.urgent = true;
      schedule.request(entry.urgent ? 'urgent' : 'all');
      return entry.size > MAX_UNSTORED ? new Promise((resolve) => entry.waiting.push(resolve)) : undefined;
    },
    end(live, ending) {
      if (live.stopReason === 'lost') return Promise.resolve();
      const entry = pendingOf(live);
      addEnding(entry, ending);
      schedule.request('urgent');
      return new Promise((resolve) => entry.waiting.push(resolve));
    },
    stored(live) {
      const entry = live.pending ?? flushing.find((composed) => composed.live === live)?.pending;
      return entry ? new Promise((resolve) => entry.waiting.push(resolve)) : Promise.resolve();
    },
    close: batches.close,
  };
}

function reportGaps({ clock, observer }: LogWriterPorts, composed: readonly Composed[]): void {
  const now = clock.elapsed();
  const gaps: number[] = [];
  for (const { live } of composed) {
    if (live.deliveredAt !== null) gaps.push(now - live.deliveredAt);
    live.deliveredAt = now;
  }
  if (gaps.length > 0) observer.delivered(gaps);
}

function isUrgent({ pending }: LiveRun): boolean {
  return pending?.urgent === true;
}

/** What became of a batch, and when it was stored if that is known. */
interface Stored extends LogBatchResult {
  readonly at: number | null;
}

/** Stores batches, each until it is stored or the writer is closed. */
function createBatchStore({ log, clock, observer, lease }: LogWriterPorts) {
  const closing = new AbortController();
  let failing = false;

  async function store(composed: readonly Composed[]): Promise<Stored | null> {
    const batch = batchOf(composed);
    for (let retryMs = FIRST_RETRY_MS; !closing.signal.aborted; retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)) {
      const startedAt = clock.elapsed();
      const now = clock.now();
      try {
        const result = await log.appendLog({ ...batch, now, lease: lease() });
        failing = false;
        const { segments, ends } = batch;
        const bytes = composed.reduce((sum, { segment }) => sum + segment.events.length, 0);
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

function batchOf(composed: readonly Composed[]): Pick<LogBatch, 'segments' | 'waits' | 'ends' | 'durable'> {
  const segments: Segment[] = [];
  const waits: RunWait[] = [];
  const ends: RunEnd[] = [];
  for (const run of composed) {
    const [first, ...others] = run.pending.approvals;
    if (run.pending.ending) ends.push(endOf(run, run.pending.ending));
    else if (first) waits.push({ segment: run.segment, approvals: [first, ...others] });
    else segments.push(run.segment);
  }
  return { segments, waits, ends, durable: composed.some(({ pending }) => pending.durable) };
}

function deliver(ports: LogWriterPorts, composed: readonly Composed[], { fenced, started, at }: Stored): void {
  ports.onCommitted?.(composed.map(({ live }) => live.run.id));
  for (const { live, pending, events } of composed) {
    if (fenced.includes(live.run.id)) live.stop('lost');
    else {
      if (pending.ending && at !== null) live.outcome = { ending: pending.ending, at };
      live.commit(events);
    }
    if (pending.approvals.length > 0) live.release();
    if (live.ended) ports.onEnded(live);
    for (const resolve of pending.waiting) resolve();
  }
  if (started.length > 0) ports.onStarted(started);
}
