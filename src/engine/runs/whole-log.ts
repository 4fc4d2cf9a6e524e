import type { LogStore } from '../../core/ports/store.ts';
import type { Run } from '../../core/run.ts';
import { parseLines, type RunEvent } from '../../core/run-event.ts';

const PAGE_BYTES = 1_048_576;

/** Everything that stands in a run's log now. */
export async function readWholeLog(log: Pick<LogStore, 'readLog'>, { id: runId, answerId }: Run): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const page = await log.readLog({ runId, after: events.length, maxBytes: PAGE_BYTES });
    if (page.events.length === 0) return events;
    for (const event of parseLines(page.events, { runId, answerId, first: events.length + 1 })) events.push(event);
  }
}
