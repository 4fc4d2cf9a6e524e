import type { ProcessId, RunId } from '../../core/ids.ts';
import type { RunContext } from '../../core/ports/message-store.ts';
import type { Lease, RunStore } from '../../core/ports/store.ts';
import type { Run } from '../../core/run.ts';
import type { RunEvent } from '../../core/run-event.ts';
import { createAnswerByAgent } from '../agents/answer-by-agent.ts';
import { prepareRequests } from '../context/assemble.ts';
import { createFileContext } from '../context/files/file-context.ts';
import type { EnginePorts } from '../engine.ts';
import { startFillingSearch } from '../fill-search.ts';
import { onceAvailable } from '../unless-unavailable.ts';
import { createWakeUps, type WakeUps } from '../wake-ups.ts';
import { createExecutor, type ExecutorPorts } from './execute.ts';
import { createLiveRuns, type LiveRuns } from './live-run.ts';
import { createLogWriter, type LogWriter } from './log-writer.ts';
import { type QueuePorts, startQueued } from './queue.ts';
import { readWholeLog } from './whole-log.ts';

const LEASE_MS = 10_000;
const RENEW_MS = 3_000;
const FORGET_MS = 3_600_000;
const SWEEP_MS = 2_000;
const SWEEP_FILES_MS = 600_000;
/** How late a denial may be, at most, because nobody has decided. */
const EXPIRE_MS = 30_000;
const FLUSH_WINDOW_MS = 10;
/** A busy server writes less often: two tokens at a time of those that bring fifty in a second. */
const BUSY_FLUSH_WINDOW_MS = 43;

/** What this process holds to execute runs: its claim, the live runs, the writer of their logs, the ears of their readers. */
export interface RunHost {
  readonly live: LiveRuns;
  readonly wakeUps: WakeUps;
  /** This process's claim as of now; null while draining. */
  lease(): Lease | null;
  /**
   * Executes a claimed run and tells its readers; `earlier` is the log of the attempts before, which is read when there were some, `context`
   * what its model may see, which is read unless it is known.
   */
  execute(run: Run, earlier?: readonly RunEvent[], context?: RunContext | null): void;
  /** Tells a run's readers, and its thread's, that something is new. */
  tell(run: Run): void;
  readonly draining: boolean;
  /** True while the store refuses writes. */
  readonly failing: boolean;
  /** Prolongs the claim on the live runs. */
  renew(): Promise<void>;
  /** From now on keeps the claim alive, forgets old idempotency keys, removes files that nobody has and, where the store is shared, sweeps up what other processes left. */
  startUpkeep(tasks: Pick<Upkeep, 'sweep' | 'sweepFiles' | 'expireApprovals'>): void;
  /** Claims nothing more. */
  startDraining(): void;
  close(): void;
}

export function createRunHost(ports: EnginePorts): RunHost {
  const { store, clock, observer, load } = ports;
  const processId = ports.ids.uuid<ProcessId>();
  const live = createLiveRuns();
  const wakeUps = createWakeUps(clock, store.hints);
  const closing = new AbortController();
  let draining = false;
  let upkeep: readonly (() => void)[] = [];

  const claim = (): Lease => ({ processId, until: clock.now() + LEASE_MS });
  const lease = () => (draining ? null : claim());
  const writer = createLogWriter({
    log: store,
    clock,
    observer,
    lease,
    onStarted: (runs) => {
      for (const run of runs) execute(run);
    },
    ...(store.hints && { onCommitted: wakeUps.publish }),
    onEnded: ({ run }) => tell(run),
    windowMs: () => (load.level() === 'calm' ? FLUSH_WINDOW_MS : BUSY_FLUSH_WINDOW_MS),
    isBusy: () => load.level() !== 'calm',
  });
  const { execute, tell } = createExecution(ports, { writer, live, wakeUps, lease, closing: closing.signal });
  const renew = () => renewLeases({ store, writer, live }, claim());
  // What another process says of a run that is executed here: it may have been cancelled or deleted there.
  const unsubscribe = store.hints?.subscribe((subject) => {
    if (live.get(subject as RunId)) renew().catch((error: unknown) => observer.faulted('upkeep', error));
  });

  return {
    live,
    wakeUps,
    lease,
    execute,
    tell,
    renew,
    startUpkeep(tasks) {
      upkeep = startUpkeep(ports, { renew, ...tasks });
    },
    get draining() {
      return draining;
    },
    get failing() {
      return writer.failing;
    },
    startDraining() {
      draining = true;
    },
    close() {
      closing.abort(new Error('The engine is closed'));
      for (const stop of upkeep) stop();
      unsubscribe?.();
      writer.close();
      wakeUps.close();
    },
  };
}

/** What answers runs, with an agent or without. */
function answering(ports: EnginePorts): Pick<ExecutorPorts, 'prepare' | 'answerByAgent'> {
  const { store, counter, settings } = ports;
  const readFiles = createFileContext({ store, counter });
  return {
    prepare: (preparation) => prepareRequests({ store, counter, readFiles }, preparation),
    answerByAgent: createAnswerByAgent({ ...ports, callMs: settings.callSeconds * 1000, approvalMs: settings.approvalSeconds * 1000 }),
  };
}

interface Execution {
  readonly writer: LogWriter;
  readonly live: LiveRuns;
  readonly wakeUps: WakeUps;
  readonly lease: () => Lease | null;
  /** Aborts when the engine is closed. */
  readonly closing: AbortSignal;
}

/** What executes runs and tells their readers so. */
function createExecution(ports: EnginePorts, { writer, live, wakeUps, lease, closing }: Execution): Pick<RunHost, 'execute' | 'tell'> {
  const { store, clock, observer, settings } = ports;
  const executeOnly = createExecutor({
    ...ports,
    ...answering(ports),
    writer,
    live,
    cancelWaiting: createCancelWaiting({ store, clock, lease, execute, tell, signal: closing }),
    limits: { runMs: settings.runSeconds * 1000, answerChars: settings.answerChars },
  });

  function tell(run: Run): void {
    wakeUps.hint(run.id);
    wakeUps.hint(run.threadKey);
  }
  function execute(run: Run, earlier?: readonly RunEvent[], context: RunContext | null = null): void {
    if (run.attempt > 1 && !earlier) {
      resume(run).catch((error: unknown) => closing.aborted || observer.faulted('run', error));
    } else {
      executeOnly(run, earlier, context);
      tell(run);
    }
  }
  async function resume(run: Run): Promise<void> {
    execute(run, await onceAvailable(() => readWholeLog(store, run), { clock, signal: closing }));
  }
  return { execute, tell };
}

interface CancelWaitingPorts extends QueuePorts {
  readonly store: QueuePorts['store'] & Pick<RunStore, 'cancelRun'>;
  readonly tell: (run: Run) => void;
  readonly signal: AbortSignal;
}

/** Makes what ends a run that was cancelled while it let go of its process. */
function createCancelWaiting(ports: CancelWaitingPorts): (run: Run) => Promise<void> {
  const { store, clock, tell, signal } = ports;
  return async ({ owner, id: runId }) => {
    const run = await onceAvailable(() => store.cancelRun({ owner, runId, now: clock.now() }), { clock, signal });
    if (run) tell(run);
    await startQueued(ports);
  };
}

interface RenewPorts {
  readonly store: Pick<RunStore, 'renewLeases'>;
  readonly writer: Pick<LogWriter, 'stored'>;
  readonly live: Pick<LiveRuns, 'all'>;
}

/** Prolongs the claim on the live runs, and breaks off those that were taken away: what waits for a tool writes nothing and would not notice. */
async function renewLeases({ store, writer, live }: RenewPorts, claim: Lease): Promise<void> {
  const claimed = [...live.all()];
  if (claimed.length === 0) return;
  const kept = new Set(await store.renewLeases({ ...claim, runIds: claimed.map(({ run }) => run.id) }));
  for (const run of claimed.filter(({ run: { id } }) => !kept.has(id))) {
    // It may just have come to its own end, of which the writer is about to hear.
    void writer.stored(run).then(() => run.stop('lost'));
  }
}

interface Upkeep {
  readonly expireApprovals: () => Promise<void>;
  readonly renew: () => Promise<void>;
  readonly sweep: () => Promise<void>;
  readonly sweepFiles: () => Promise<void>;
}

function startUpkeep(
  { store, clock, observer, settings }: EnginePorts,
  { renew, sweep, sweepFiles, expireApprovals }: Upkeep,
): readonly (() => void)[] {
  const every = (ms: number, task: () => Promise<void>) =>
    clock.every(ms, () => task().catch((error: unknown) => observer.faulted('upkeep', error)));
  const forget = every(FORGET_MS, () => store.forgetOldKeys(clock.now()));
  const expire = every(Math.min(EXPIRE_MS, settings.approvalSeconds * 250), expireApprovals);
  const upkeep = [
    every(RENEW_MS, renew),
    expire,
    forget,
    every(SWEEP_FILES_MS, sweepFiles),
    startFillingSearch({ store, clock, observer }),
  ];
  return store.capabilities.shared ? [...upkeep, every(SWEEP_MS, sweep)] : upkeep;
}
