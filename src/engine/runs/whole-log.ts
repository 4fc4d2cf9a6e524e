import type { RunId } from '../../core/ids.ts';
import type { LogStore } from '../../core/ports/store.ts';
import { type LoggedEvent, parseLoggedEvent } from '../../core/run-event.ts';

const PAGE_BYTES = 1_048_576;

/** Everything that stands in a run's log now. */
export async function readWholeLog(log: Pick<LogStore, 'readLog'>, runId: RunId): Promise<readonly LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for (;;) {
    const page = await log.readLog({ runId, after: events.at(-1)?.offset ?? 0, maxBytes: PAGE_BYTES });
    if (page.events.length === 0) return events;
    for (const json of page.events) events.push(parseLoggedEvent(json));
  }
}
