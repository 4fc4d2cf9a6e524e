import type { EventSourceMessage } from 'eventsource-parser';
import type { MessageId, RunId, ThreadId } from '../../src/core/ids.ts';
import type { RunEvent } from '../../src/core/run-event.ts';
import { rawTokenStream } from '../../src/dialects/chat-sessions/encode.ts';
import { chatWsFormat } from '../../src/dialects/chat-ws/encode.ts';
import { toMessageFrame } from '../../src/dialects/chat-ws/translate.ts';
import { graphStream } from '../../src/dialects/graph/encode.ts';
import { leviaStream } from '../../src/dialects/levia/encode.ts';
import { nativeStream } from '../../src/dialects/native/translate.ts';
import type { RunFormat, StreamFormat } from '../../src/http/stream-format.ts';
import { readAsGraphClient, readAsLeviaClient, readAsLineClient, withoutLineEnds, withoutSpace } from './documented-clients.ts';

/** What a reader of a stream has understood. */
interface Understood {
  /** The answer's text. */
  readonly text: string;
  /** How often it was told that the answer is over. */
  readonly ends: number;
  /** Whether the last thing it got was such an end. */
  readonly endsLast: boolean;
}

type Terminal = Extract<RunEvent, { type: 'run.completed' | 'run.failed' | 'run.cancelled' }>;

/** A stream of one run, complete. */
export interface SentRun {
  readonly bytes: Buffer;
  readonly text: string;
  /** The stream as a client that follows the rules of its transport has read it. */
  readonly events: readonly EventSourceMessage[];
  readonly terminal: Terminal;
  /** Bytes of the largest frame. */
  readonly largestFrame: number;
}

/** A dialect's stream and how its clients read it. */
export interface FramedFormat {
  readonly format: StreamFormat | RunFormat;
  /** The JSON that the door sends by itself behind the run's frames; null for none. */
  behind?(terminal: Terminal, text: string): object | null;
  /** What a client that follows the rules of the transport understands. */
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

const graph: FramedFormat = {
  format: graphStream,
  understand: (events) =>
    understood(
      events,
      ({ event, data }) => (event === 'token' ? data : ''),
      ({ event }) => event === 'done' || event === 'error',
    ),
  documentedClient({ bytes, text, terminal, events }) {
    const { printed, done } = readAsGraphClient(bytes);
    if (done !== (terminal.type === 'run.completed')) return done ? 'takes a failure for the end' : 'never stops';
    // It prints names of nodes and failures where they come, which this reader of the standard tells apart.
    const wanted = events.map(({ event, data }) => (event === 'done' ? '' : data.replaceAll(event === 'token' ? '\n' : /\n|data: /g, '')));
    if (printed !== wanted.join('')) return 'prints another text';
    const tokens = events.filter(({ event }) => event === 'token').map(({ data }) => data.replaceAll('\n', ''));
    return tokens.join('') === text.replaceAll('\n', '') ? null : 'loses text';
  },
};

interface ChatFrame {
  readonly type: string;
  readonly content?: string;
  readonly at?: number;
}

/** The tokens of an answer, joined; throws where one does not stand behind those before it. */
function textOfTokens(frames: readonly ChatFrame[]): string {
  let text = '';
  for (const { type, content, at } of frames) {
    if (type !== 'token') continue;
    if (at !== text.length) throw new Error(`a token at ${at}, not ${text.length}`);
    text += content;
  }
  return text;
}

const chatWs: FramedFormat = {
  format: chatWsFormat,
  behind(terminal, text) {
    if (terminal.type === 'run.failed') return null;
    return toMessageFrame({
      id: 'answer' as MessageId,
      threadId: 'thread' as ThreadId,
      seq: 2,
      parentId: null,
      role: 'assistant',
      status: terminal.type === 'run.completed' ? 'completed' : 'cancelled',
      parts: [{ type: 'text', text }],
      runId: 'run' as RunId,
      model: null,
      usage: null,
      createdAt: 0,
    });
  },
  understand(events) {
    const frames = events.map(({ data }) => JSON.parse(data) as ChatFrame);
    const isEnd = ({ type }: ChatFrame) => type === 'message' || type === 'error';
    return { ...understood(frames, () => '', isEnd), text: textOfTokens(frames) };
  },
  documentedClient({ events, text, terminal }) {
    const last = JSON.parse(events.at(-1)?.data ?? '');
    if (terminal.type === 'run.failed') return last.message === terminal.detail ? null : 'words the failure differently';
    const status = terminal.type === 'run.cancelled' ? 'cancelled' : undefined;
    return last.role === 'assistant' && last.content === text && last.status === status ? null : 'shows another answer';
  },
};

/** Every stream format of the house. A new dialect adds its own. */
export const framedFormats: readonly FramedFormat[] = [native, levia, chatSessions, graph, chatWs];
