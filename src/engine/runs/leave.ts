import type { LogStore } from '../../core/ports/store.ts';
import { unlessUnavailable } from '../unless-unavailable.ts';
import type { LiveRun, LiveRuns } from './live-run.ts';
import type { RecoverPorts } from './recover.ts';
import { readWholeLog } from './whole-log.ts';

interface LeavePorts {
  readonly store: Pick<LogStore, 'readLog'>;
  readonly live: Pick<LiveRuns, 'all'>;
  readonly canResume: RecoverPorts['canResume'];
}

/**
 * Stops what a process that ends still executes. A run that its agent's next attempt can take up is left as a crash would leave it, for the next
 * process; every other one ends here, as interrupted.
 */
export async function leaveRuns(ports: LeavePorts): Promise<void> {
  for (const run of [...ports.live.all()]) run.stop((await canBeTakenUp(ports, run)) ? 'lost' : 'interrupted');
}

async function canBeTakenUp({ store, canResume }: LeavePorts, { run }: LiveRun): Promise<boolean> {
  if (run.snapshot.agent === null) return false;
  const log = await unlessUnavailable(readWholeLog(store, run));
  return log !== 'unavailable' && canResume(run, log);
}
