import { createAnswerParts } from '../../core/answer-parts.ts';
import type { RunId } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Lease, LogStore, LostRun, RunEnd, RunStore, Store } from '../../core/ports/store.ts';
import type { Run } from '../../core/run.ts';
import { lineOf, logEvent, parseLines, type RunEvent, type RunFact } from '../../core/run-event.ts';
import { INTERRUPTED } from './endings.ts';

export interface RecoverPorts {
  readonly store: Pick<RunStore, 'takeLost'> & Pick<LogStore, 'appendLog'> & Pick<Store, 'capabilities'>;
  readonly clock: Clock;
  readonly lease: Lease;
  /** Executes a claimed run; `earlier` is the log of the attempts before. */
  readonly execute: (run: Run, earlier?: readonly RunEvent[]) => void;
  /** Whether the next attempt of a run can go on where its log ends. */
  readonly canResume: (run: Run, before: readonly RunFact[]) => Promise<boolean>;
  /** Tells the readers of an ended run. */
  readonly tell: (run: Run) => void;
}

const ENDS_PER_BATCH = 100;

/**
 * Takes up the runs that a process left running. Those of agents go on where their log allows it, as the next attempt. A model's stream cannot
 * be taken up again, so every other one ends as failed (`interrupted`) with the text that its readers may have seen. A store that only one
 * process can open needs no lease to run out. Gives the number of runs.
 */
export async function takeUpLostRuns(ports: RecoverPorts): Promise<number> {
  const { store, clock, lease } = ports;
  const now = store.capabilities.shared ? clock.now() : Number.MAX_SAFE_INTEGER;
  const lost = await store.takeLost({ now, lease });
  const ending: LostRun[] = [];
  for (const taken of lost) if (!(await resume(ports, taken))) ending.push(taken);
  for (let start = 0; start < ending.length; start += ENDS_PER_BATCH) {
    await endTaken(ports, ending.slice(start, start + ENDS_PER_BATCH), 'interrupted');
  }
  return lost.length;
}

/** Lets a run go on as its next attempt, unless it has no agent that could. */
async function resume({ store, clock, canResume, execute }: RecoverPorts, { run, events }: LostRun): Promise<boolean> {
  if (run.snapshot.agent === null) return false;
  const earlier = eventsOf(run, events);
  if (!(await canResume(run, earlier))) return false;
  const { id: runId, attempt } = run;
  const restarted = logEvent(runId, earlier.length + 1, { type: 'run.restarted', attempt });
  const segment = { runId, attempt, first: restarted.offset, last: restarted.offset, events: lineOf(restarted) };
  const { fenced } = await store.appendLog({ now: clock.now(), segments: [segment], waits: [], ends: [], durable: true, lease: null });
  if (!fenced.includes(runId)) execute(run, [...earlier, restarted]);
  return true;
}

/** Cancels a run that another process executes: it is taken from that process, which finds that it may write no more and stops its model. */
export async function cancelElsewhere(ports: RecoverPorts, runId: RunId): Promise<void> {
  const { store, clock, lease } = ports;
  await endTaken(ports, await store.takeLost({ now: clock.now(), lease, only: runId }), 'cancelled');
}

async function endTaken(ports: RecoverPorts, taken: readonly LostRun[], reason: 'interrupted' | 'cancelled'): Promise<void> {
  if (taken.length === 0) return;
  const { store, clock, lease, execute, tell } = ports;
  const ends = taken.map((run) => endOf(run, reason));
  const { started } = await store.appendLog({ now: clock.now(), segments: [], waits: [], ends, durable: true, lease });
  for (const { run } of taken) tell(run);
  for (const run of started) execute(run);
}

/** The end of a run that another process has begun: what its log holds, and why nothing follows. */
function endOf({ run, events }: LostRun, reason: 'interrupted' | 'cancelled'): RunEnd {
  const answered = createAnswerParts();
  for (const event of eventsOf(run, events)) answered.add(event);
  const offset = events.length + 1;
  const status = reason === 'cancelled' ? 'cancelled' : 'failed';
  const terminal = logEvent(run.id, offset, status === 'cancelled' ? { type: 'run.cancelled' } : { type: 'run.failed', ...INTERRUPTED });
  return {
    segment: { runId: run.id, attempt: run.attempt, first: offset, last: offset, events: lineOf(terminal) },
    status,
    answer: { parts: answered.parts, status, model: run.snapshot.model, usage: null },
    failure: status === 'failed' ? INTERRUPTED : null,
    finishReason: null,
  };
}

function eventsOf({ id: runId, answerId }: Run, lines: readonly string[]): readonly RunEvent[] {
  return parseLines(lines, { runId, answerId, first: 1 });
}
