import type { EventSourceMessage } from 'eventsource-parser';
import type { RunEvent } from '../../src/core/run-event.ts';
import { rawTokenStream } from '../../src/dialects/chat-sessions/encode.ts';
import { leviaStream } from '../../src/dialects/levia/encode.ts';
import { nativeStream } from '../../src/dialects/native/translate.ts';
import type { StreamFormat } from '../../src/http/stream-format.ts';
import { readAsLeviaClient, readAsLineClient, withoutLineEnds, withoutSpace } from './documented-clients.ts';

/** What a reader of a stream has understood. */
interface Understood {
  /** The answer's text. */
  readonly text: string;
  /** How often it was told that the answer is over. */
  readonly ends: number;
  /** Whether the last thing it got was such an end. */
  readonly endsLast: boolean;
}

/** A stream of one run, complete. */
export interface SentRun {
  readonly bytes: Buffer;
  readonly text: string;
  readonly terminal: Extract<RunEvent, { type: 'run.completed' | 'run.failed' | 'run.cancelled' }>;
  /** Bytes of the largest frame. */
  readonly largestFrame: number;
}

/** A dialect's stream and how its clients read it. */
export interface FramedFormat {
  readonly format: StreamFormat;
  /** What a client that follows the SSE rules understands. */
  understand(events: readonly EventSourceMessage[]): Understood;
  /** What is wrong with what the documented client of the protocol gets from the bytes; null when nothing is. */
  documentedClient?(sent: SentRun): string | null;
}

function understood<Item>(items: readonly Item[], textOf: (item: Item) => string, isEnd: (item: Item) => boolean): Understood {
  const last = items.at(-1);
  return { text: items.map(textOf).join(''), ends: items.filter(isEnd).length, endsLast: last !== undefined && isEnd(last) };
}

const nativeEnds = ['run.completed', 'run.failed', 'run.cancelled'];

const native: FramedFormat = {
  format: nativeStream,
  understand(events) {
    const read = events.map(({ event, data }) => ({ event, fact: JSON.parse(data) as { type: string; text?: string } }));
    const mislabelled = read.find(({ event, fact }) => event !== fact.type);
    if (mislabelled) throw new Error(`event ${mislabelled.event} holds ${mislabelled.fact.type}`);
    return understood(
      read,
      ({ event, fact }) => (event === 'text.appended' ? String(fact.text) : ''),
      ({ event }) => nativeEnds.includes(event ?? ''),
    );
  },
};

interface LeviaObject {
  readonly type: 'stream' | 'complete' | 'error';
  readonly data: { readonly type?: string; readonly content?: string };
}

const levia: FramedFormat = {
  format: leviaStream,
  understand: (events) =>
    understood(
      events.map(({ data }) => JSON.parse(data) as LeviaObject),
      ({ type, data }) => (type === 'stream' && data.type === 'text' ? String(data.content) : ''),
      ({ type }) => type !== 'stream',
    ),
  documentedClient({ bytes, text, terminal }) {
    const { content, last } = readAsLeviaClient(bytes);
    if (content !== text) return 'the contents are not the text';
    const wanted =
      terminal.type === 'run.completed'
        ? { type: 'complete', data: { reply: text } }
        : { type: 'error', data: { error: terminal.type === 'run.failed' ? terminal.detail : 'The request was cancelled' } };
    return JSON.stringify(last) === JSON.stringify(wanted) ? null : `ends with ${JSON.stringify(last).slice(0, 200)}`;
  },
};

/** A frame may be cut by force from here on: 16 KB as its cutter counts them, which takes a pair of surrogates for six bytes. */
const FORCED_CUT_BYTES = 10_000;

const chatSessions: FramedFormat = {
  format: rawTokenStream,
  understand: (events) =>
    understood(
      events,
      ({ event, data }) => (event === undefined && data !== '[DONE]' ? data : ''),
      ({ event, data }) => event === 'error' || data === '[DONE]',
    ),
  documentedClient({ bytes, text, terminal, largestFrame }) {
    const { printed, done, unread } = readAsLineClient(bytes);
    const failed = terminal.type === 'run.failed';
    if (done === failed || (done && unread > 0)) return done ? 'stops before the end' : 'never stops';
    const wanted = withoutLineEnds(text) + (failed ? withoutLineEnds(JSON.stringify({ detail: terminal.detail })) : '');
    if (printed === wanted) return null;
    // A text without a legal cut is cut at a white space after 16 KB, which this client strips.
    const loosely = largestFrame >= FORCED_CUT_BYTES && withoutSpace(printed) === withoutSpace(wanted);
    return loosely ? null : 'prints another text';
  },
};

/** Every stream format of the house. A new dialect adds its own. */
export const framedFormats: readonly FramedFormat[] = [native, levia, chatSessions];
