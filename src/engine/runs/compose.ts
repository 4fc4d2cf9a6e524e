import type { RunEnd, Segment } from '../../core/ports/store.ts';
import { type LoggedEvent, logEvent } from '../../core/run-event.ts';
import type { LiveRun } from './live-run.ts';
import { createPending, type Ending, type Pending } from './pending.ts';

/** Pending facts with their places in the log, as one flush writes them. */
export interface Composed {
  readonly live: LiveRun;
  readonly pending: Pending;
  readonly events: readonly LoggedEvent[];
  readonly segment: Segment;
}

/** Gives what a live run has pending its places in the log, and leaves nothing pending. */
export function compose(live: LiveRun): Composed {
  const pending = live.pending ?? createPending();
  live.pending = null;
  const first = live.last + 1;
  const events = pending.facts.map((fact, index) => logEvent(live.run.id, first + index, fact));
  const { id: runId, attempt } = live.run;
  const segment = { runId, attempt, first, last: first + events.length - 1, events: events.map((event) => event.json).join('\n') };
  return { live, pending, events, segment };
}

/** The run's end as the store takes it, with the answer that the run has collected. */
export function endOf({ live, segment }: Composed, { fact, status, failure }: Ending): RunEnd {
  const completed = fact.type === 'run.completed' ? fact : null;
  const finishReason = completed?.finish_reason ?? null;
  return {
    segment,
    status,
    answer: { parts: live.answer.parts(), status, model: live.run.snapshot.model, usage: completed?.usage ?? null },
    failure,
    finishReason,
  };
}
