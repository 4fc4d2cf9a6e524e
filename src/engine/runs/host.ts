import type { ProcessId } from '../../core/ids.ts';
import type { Lease, RunStore } from '../../core/ports/store.ts';
import type { Run } from '../../core/run.ts';
import { assembleRequest } from '../context/assemble.ts';
import { createFileContext } from '../context/files/file-context.ts';
import type { EnginePorts } from '../engine.ts';
import { startFillingSearch } from '../fill-search.ts';
import { createWakeUps, type WakeUps } from '../wake-ups.ts';
import { createExecutor } from './execute.ts';
import { createLiveRuns, type LiveRuns } from './live-run.ts';
import { createLogWriter } from './log-writer.ts';

const LEASE_MS = 10_000;
const RENEW_MS = 3_000;
const FORGET_MS = 3_600_000;
const SWEEP_MS = 2_000;
const SWEEP_FILES_MS = 600_000;
const FLUSH_WINDOW_MS = 10;
/** A busy server writes less often. */
const BUSY_FLUSH_WINDOW_MS = 34;

/** What this process holds to execute runs: its claim, the live runs, the writer of their logs, the ears of their readers. */
export interface RunHost {
  readonly live: LiveRuns;
  readonly wakeUps: WakeUps;
  /** This process's claim as of now; null while draining. */
  lease(): Lease | null;
  /** Executes a claimed run and tells its readers. */
  execute(run: Run): void;
  /** Tells a run's readers, and its thread's, that something is new. */
  tell(run: Run): void;
  readonly draining: boolean;
  /** True while the store refuses writes. */
  readonly failing: boolean;
  /** Prolongs the claim on the live runs. */
  renew(): Promise<void>;
  /** From now on keeps the claim alive, forgets old idempotency keys, removes files that nobody has and, where the store is shared, sweeps up what other processes left. */
  startUpkeep(tasks: Pick<Upkeep, 'sweep' | 'sweepFiles'>): void;
  /** Claims nothing more. */
  startDraining(): void;
  close(): void;
}

export function createRunHost(ports: EnginePorts): RunHost {
  const { store, clock, observer, settings, counter, load } = ports;
  const processId = ports.ids.uuid<ProcessId>();
  const live = createLiveRuns();
  const wakeUps = createWakeUps(clock, store.hints);
  let draining = false;
  let upkeep: readonly (() => void)[] = [];

  const claim = (): Lease => ({ processId, until: clock.now() + LEASE_MS });
  const lease = () => (draining ? null : claim());
  const renew = () => renewLeases(store, live, claim());
  const writer = createLogWriter({
    log: store,
    clock,
    observer,
    lease,
    onStarted: (runs) => runs.forEach(execute),
    onCommitted: (runs) => wakeUps.publish(runs),
    onEnded: ({ run }) => tell(run),
    windowMs: () => (load.level() === 'calm' ? FLUSH_WINDOW_MS : BUSY_FLUSH_WINDOW_MS),
  });
  const readFiles = createFileContext({ store, counter });
  const executeOnly = createExecutor({
    ...ports,
    writer,
    live,
    assemble: (run, signal) => assembleRequest({ store, counter, readFiles }, run, signal),
    limits: { runMs: settings.runSeconds * 1000, answerChars: settings.answerChars },
  });

  function tell(run: Run): void {
    wakeUps.hint(run.id);
    wakeUps.hint(run.threadKey);
  }
  function execute(run: Run): void {
    executeOnly(run);
    tell(run);
  }

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
      for (const stop of upkeep) stop();
      writer.close();
      wakeUps.close();
    },
  };
}

async function renewLeases(store: Pick<RunStore, 'renewLeases'>, live: LiveRuns, claim: Lease): Promise<void> {
  const runIds = [...live.all()].map(({ run }) => run.id);
  if (runIds.length > 0) await store.renewLeases({ ...claim, runIds });
}

interface Upkeep {
  readonly renew: () => Promise<void>;
  readonly sweep: () => Promise<void>;
  readonly sweepFiles: () => Promise<void>;
}

function startUpkeep({ store, clock, observer }: EnginePorts, { renew, sweep, sweepFiles }: Upkeep): readonly (() => void)[] {
  const every = (ms: number, task: () => Promise<void>) =>
    clock.every(ms, () => task().catch((error: unknown) => observer.faulted('upkeep', error)));
  const forget = every(FORGET_MS, () => store.forgetOldKeys(clock.now()));
  const upkeep = [every(RENEW_MS, renew), forget, every(SWEEP_FILES_MS, sweepFiles), startFillingSearch({ store, clock, observer })];
  return store.capabilities.shared ? [...upkeep, every(SWEEP_MS, sweep)] : upkeep;
}
