import type { RunId } from '../../core/ids.ts';
import type { RunStore } from '../../core/ports/store.ts';
import type { Owner } from '../../core/principal.ts';
import { runNotFound } from '../../core/refusals.ts';
import type { Run } from '../../core/run.ts';
import type { WakeUps } from '../wake-ups.ts';
import type { AwaitEnd } from './await.ts';
import type { LiveRuns } from './live-run.ts';
import { type QueuePorts, startQueued } from './queue.ts';
import { cancelElsewhere, type RecoverPorts } from './recover.ts';

/** How long a request waits for a run to reach its end after it was told to. */
const STOP_MS = 10_000;

interface CancelPorts extends QueuePorts {
  readonly store: RecoverPorts['store'] & Pick<RunStore, 'cancelRun' | 'claimQueued'>;
  readonly tell: RecoverPorts['tell'];
  readonly canResume: RecoverPorts['canResume'];
  readonly wakeUps: WakeUps;
  readonly live: LiveRuns;
  readonly awaitEnd: AwaitEnd;
}

/** Ends a run as cancelled and keeps its text so far; a run that has ended stays as it is. */
export function createCancel(ports: CancelPorts): (owner: Owner, id: RunId) => Promise<Run> {
  const { store, live, clock, wakeUps } = ports;
  return async (owner, runId) => {
    const run = await store.cancelRun({ owner, runId, now: clock.now() });
    if (!run) throw runNotFound();
    if (run.status === 'running') {
      const lease = ports.lease();
      const stopped = live.stop(runId, 'cancelled');
      if (!stopped && lease && store.capabilities.shared) await cancelElsewhere({ ...ports, lease }, runId);
      // What was running just now may meanwhile wait for people, and then nobody is there to stop it.
      if (!stopped) await store.cancelRun({ owner, runId, now: clock.now() });
      return ports.awaitEnd(owner, runId, { timeoutMs: STOP_MS, signal: new AbortController().signal });
    }
    wakeUps.hint(runId);
    wakeUps.hint(run.threadKey);
    // A run that has waited held up those behind it; one that was queued did not.
    if (run.attempt > 0) await startQueued(ports);
    return run;
  };
}
