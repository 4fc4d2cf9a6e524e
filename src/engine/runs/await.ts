import { AppError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { RunStore } from '../../core/ports/store.ts';
import type { Owner } from '../../core/principal.ts';
import { runNotFound } from '../../core/refusals.ts';
import { hasEnded, type Run } from '../../core/run.ts';
import type { WakeUps } from '../wake-ups.ts';

const POLL_MS = 2_000;

interface AwaitPorts {
  readonly store: Pick<RunStore, 'findRun'>;
  readonly clock: Clock;
  readonly wakeUps: WakeUps;
}

interface AwaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type AwaitEnd = (owner: Owner, id: RunId, options: AwaitOptions) => Promise<Run>;

/** Waits for a run's end; `run_timeout` when it takes too long, while the run goes on. */
export function createAwait({ store, clock, wakeUps }: AwaitPorts): AwaitEnd {
  return async (owner, id, { timeoutMs, signal }) => {
    const wakeUp = wakeUps.listen(id);
    const until = clock.elapsed() + timeoutMs;
    try {
      while (true) {
        const run = await store.findRun(owner, id);
        if (!run) throw runNotFound();
        if (hasEnded(run.status)) return run;
        signal.throwIfAborted();
        const left = until - clock.elapsed();
        if (left <= 0) throw new AppError('run_timeout', `Run ${id} has not ended yet; it goes on`);
        await wakeUp.wait(Math.min(left, POLL_MS), signal);
      }
    } finally {
      wakeUp.close();
    }
  };
}
