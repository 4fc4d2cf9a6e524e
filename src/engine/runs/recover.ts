import type { Clock } from '../../core/ports/clock.ts';
import type { Lease, LogStore, LostRun, RunEnd, RunStore, Store } from '../../core/ports/store.ts';
import type { Run } from '../../core/run.ts';
import { logEvent, parseLoggedEvent } from '../../core/run-event.ts';
import { createAnswer } from './answer.ts';
import { INTERRUPTED } from './execute.ts';

interface RecoverPorts {
  readonly store: Pick<RunStore, 'takeLost'> & Pick<LogStore, 'appendLog'> & Pick<Store, 'capabilities'>;
  readonly clock: Clock;
  readonly lease: Lease;
  readonly execute: (run: Run) => void;
}

const ENDS_PER_BATCH = 100;

/**
 * Ends the runs that an earlier process left running: a model's stream cannot be taken up again, so each ends as failed (`interrupted`) with
 * the text that its readers may have seen. A store that only one process can open needs no lease to run out. Gives the number of runs.
 */
export async function endLostRuns({ store, clock, lease, execute }: RecoverPorts): Promise<number> {
  const now = clock.now();
  const lost = await store.takeLost({ now: store.capabilities.shared ? now : Number.MAX_SAFE_INTEGER, lease });
  for (let start = 0; start < lost.length; start += ENDS_PER_BATCH) {
    const ends = lost.slice(start, start + ENDS_PER_BATCH).map(endOf);
    const { started } = await store.appendLog({ now, segments: [], ends, durable: true, lease });
    for (const run of started) execute(run);
  }
  return lost.length;
}

function endOf({ run, events }: LostRun): RunEnd {
  const answer = createAnswer();
  let last = 0;
  for (const json of events) {
    const { event, offset } = parseLoggedEvent(json);
    answer.add(event);
    last = offset;
  }
  const offset = last + 1;
  const terminal = logEvent(run.id, offset, { type: 'run.failed', ...INTERRUPTED });
  return {
    segment: { runId: run.id, attempt: run.attempt, first: offset, last: offset, events: terminal.json },
    status: 'failed',
    answer: { parts: answer.parts(), status: 'failed', model: run.snapshot.model, usage: null },
    failure: INTERRUPTED,
    finishReason: null,
  };
}
