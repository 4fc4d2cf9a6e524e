import type { RunEnd, Segment } from '../../core/ports/store.ts';
import { lineOf } from '../../core/run-event.ts';
import { partsOf } from './answer.ts';
import type { Pending } from './live-run.ts';
import type { Ending } from './outcome.ts';

/** What a run has pending, as the store takes it. */
export function segmentOf({ live, events, first }: Pending): Segment {
  const { id: runId, attempt } = live.run;
  let lines = '';
  for (const event of events) lines += lines === '' ? lineOf(event) : `\n${lineOf(event)}`;
  return { runId, attempt, first, last: first + events.length - 1, events: lines };
}

/** The run's end as the store takes it, with the answer that the run has collected. */
export function endOf(pending: Pending, { fact, status, failure }: Ending): RunEnd {
  const { live } = pending;
  const completed = fact.type === 'run.completed' ? fact : null;
  return {
    segment: segmentOf(pending),
    status,
    answer: {
      parts: completed?.message.parts ?? partsOf(live),
      status,
      model: live.run.snapshot.model,
      usage: completed?.usage ?? null,
    },
    failure,
    finishReason: completed?.finish_reason ?? null,
  };
}
