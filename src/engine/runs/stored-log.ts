import type { MessageId, RunId } from '../../core/ids.ts';
import type { LogStore } from '../../core/ports/store.ts';
import { answerIn, isTerminal, logEvent, parseLines, type RunEvent } from '../../core/run-event.ts';

const PAGE_BYTES = 65_536;

/** A page of a stored log. `ended`: nothing will follow the last of these events. */
interface EventPage {
  readonly events: readonly RunEvent[];
  readonly ended: boolean;
}

/** One reader's way into the stored log of a run of which it knows no more than the id. */
export interface StoredLog {
  /** A page of the events behind an offset. */
  read(after: number): Promise<EventPage>;
  /** The terminal event, for a cursor that is at or beyond it; a run whose thread was deleted ends as cancelled. */
  end(after: number): Promise<RunEvent>;
}

export function openStoredLog(log: Pick<LogStore, 'readLog'>, runId: RunId): StoredLog {
  /** Lines of text leave out whose answer it is; undefined until the log's first line, which says it, was read. */
  let answerId: MessageId | null | undefined;

  async function read(after: number): Promise<EventPage> {
    const { events: lines, ended } = await log.readLog({ runId, after, maxBytes: PAGE_BYTES });
    if (lines.length > 0 && answerId === undefined) {
      const first = after === 0 ? lines[0] : (await log.readLog({ runId, after: 0, maxBytes: 1 })).events[0];
      // It was deleted since.
      if (first === undefined) return { events: [], ended: true };
      answerId = answerIn(first);
    }
    return { events: parseLines(lines, { runId, answerId: answerId ?? null, first: after + 1 }), ended };
  }

  async function end(after: number): Promise<RunEvent> {
    for (let from = 0; ; ) {
      const last = (await read(from)).events.at(-1);
      if (last === undefined) return logEvent(runId, after + 1, { type: 'run.cancelled' });
      if (isTerminal(last)) return last;
      from = last.offset;
    }
  }

  return { read, end };
}
