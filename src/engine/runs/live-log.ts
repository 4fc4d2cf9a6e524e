import type { Run } from '../../core/run.ts';
import { lineOf, logEvent, type RunEvent } from '../../core/run-event.ts';

/**
 * A run's committed log in memory, in the order of the offsets. Nearly all of it is text, of which it keeps nothing but the text: all else follows
 * from its place.
 */
export type LiveLog = (string | RunEvent)[];

const PAGE_CHARACTERS = 65_536;

export function addToLog(log: LiveLog, events: readonly RunEvent[]): void {
  for (const event of events) log.push(event.type === 'text.appended' ? event.text : event);
}

interface PageOptions {
  readonly after: number;
  readonly limit: number;
}

/**
 * At most `limit` events behind an offset, and no more than the first 65,536 characters and what their last event adds: a reader that is held
 * back keeps its page, and one event can be large.
 */
export function pageOf(log: LiveLog, { id, answerId }: Run, { after, limit }: PageOptions): RunEvent[] {
  const events: RunEvent[] = [];
  let at = 0;
  for (const entry of log.slice(0, after)) if (typeof entry === 'string') at += entry.length;
  let characters = 0;
  for (const entry of log.slice(after, after + limit)) {
    if (characters >= PAGE_CHARACTERS) break;
    if (typeof entry === 'string') {
      events.push(logEvent(id, after + events.length + 1, { type: 'text.appended', message_id: answerId, text: entry, at }));
      at += entry.length;
      characters += entry.length;
    } else {
      events.push(entry);
      characters += lineOf(entry).length;
    }
  }
  return events;
}
