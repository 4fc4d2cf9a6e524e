import type { ProcessId } from '../../core/ids.ts';
import type { Lease } from '../../core/ports/store.ts';
import type { Run } from '../../core/run.ts';
import { assembleRequest } from '../context/assemble.ts';
import type { EnginePorts } from '../engine.ts';
import { createWakeUps, type WakeUps } from '../wake-ups.ts';
import { createExecutor } from './execute.ts';
import { createLiveRuns, type LiveRuns } from './live-run.ts';
import { createLogWriter } from './log-writer.ts';

const LEASE_MS = 10_000;
const RENEW_MS = 3_000;
const FORGET_MS = 3_600_000;
const FLUSH_WINDOW_MS = 10;

/** What this process holds to execute runs: its claim, the live runs, the writer of their logs, the ears of their readers. */
export interface RunHost {
  readonly live: LiveRuns;
  readonly wakeUps: WakeUps;
  /** This process's claim as of now; null while draining. */
  lease(): Lease | null;
  /** Executes a claimed run and tells its readers. */
  execute(run: Run): void;
  readonly draining: boolean;
  /** True while the store refuses writes. */
  readonly failing: boolean;
  /** From now on keeps the claim alive and forgets old idempotency keys. */
  startUpkeep(): void;
  /** Claims nothing more. */
  startDraining(): void;
  close(): void;
}

export function createRunHost(ports: EnginePorts): RunHost {
  const { store, clock, observer, settings, counter } = ports;
  const processId = ports.ids.uuid<ProcessId>();
  const live = createLiveRuns();
  const wakeUps = createWakeUps(clock);
  let draining = false;
  let upkeep: readonly (() => void)[] = [];

  const claim = (): Lease => ({ processId, until: clock.now() + LEASE_MS });
  const lease = () => (draining ? null : claim());
  const writer = createLogWriter({
    log: store,
    clock,
    observer,
    lease,
    onStarted: (runs) => runs.forEach(execute),
    onEnded: ({ run }) => tell(run),
    windowMs: FLUSH_WINDOW_MS,
  });
  const executeOnly = createExecutor({
    ...ports,
    writer,
    live,
    assemble: (run, model) => assembleRequest({ store, counter }, run, model),
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
  function onFault(error: unknown): void {
    observer.faulted('upkeep', error);
  }

  return {
    live,
    wakeUps,
    lease,
    execute,
    startUpkeep() {
      upkeep = [
        clock.every(RENEW_MS, async () => (live.size > 0 ? store.renewLeases(claim()).catch(onFault) : undefined)),
        clock.every(FORGET_MS, () => store.forgetOldKeys(clock.now()).catch(onFault)),
      ];
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
    },
  };
}
