import type { RunEvent } from '../../core/run-event.ts';
import type { Encoder, Frame, StreamFormat } from '../../http/stream-format.ts';

/** Code units of text in one frame: at six bytes an escaped one, its line stays below 64 KB. */
const MAX_UNITS = 10_000;

type Kind = 'text' | 'steps' | 'think';
type Payload =
  | { readonly type: 'stream'; readonly data: { readonly content: string; readonly type: Kind } }
  | { readonly type: 'complete'; readonly data: { readonly reply: string } }
  | { readonly type: 'error'; readonly data: { readonly error: string } };

/** JSON in ASCII: documented clients decode a stream in pieces of 1,024 bytes, which would cut a longer character in two. */
function asciiJson(payload: Payload): string {
  return JSON.stringify(payload).replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function frame(payload: Payload, part: number | null = null): Frame {
  return { part, event: null, data: asciiJson(payload) };
}

function cutText(text: string): string[] {
  const pieces: string[] = [];
  let from = 0;
  while (text.length - from > MAX_UNITS) {
    const high = (text.charCodeAt(from + MAX_UNITS - 1) & 0xfc00) === 0xd800;
    const to = from + MAX_UNITS - (high ? 1 : 0);
    pieces.push(text.slice(from, to));
    from = to;
  }
  pieces.push(text.slice(from));
  return pieces;
}

function streamFrames(content: string, type: Kind): Frame[] {
  const pieces = cutText(content);
  return pieces.map((piece, at) => frame({ type: 'stream', data: { content: piece, type } }, pieces.length > 1 ? at + 1 : null));
}

/** The one frame of a stream that has nothing else to say. */
export function errorFrame(error: string): Frame {
  return frame({ type: 'error', data: { error } });
}

function encodeOther(event: Exclude<RunEvent, { type: 'text.appended' | 'run.completed' }>): readonly Frame[] {
  switch (event.type) {
    case 'reasoning.appended':
      return streamFrames(event.text, 'think');
    case 'node.entered':
      return streamFrames(event.name, 'steps');
    case 'tool.called':
      return streamFrames(`Running ${event.name}`, 'steps');
    case 'tool.returned':
      return streamFrames(`${event.name}: ${event.status}`, 'steps');
    case 'approval.requested':
      return streamFrames(`Waiting for approval of ${event.name}`, 'steps');
    case 'run.restarted':
      return streamFrames('Continuing after an interruption', 'steps');
    case 'run.failed':
      return [errorFrame(event.detail)];
    case 'run.cancelled':
      return [errorFrame('The request was cancelled')];
    case 'run.started':
    case 'usage.recorded':
      return [];
  }
}

function createEncoder(): Encoder {
  let reply = '';
  return ({ event }) => {
    if (event.type === 'text.appended') {
      reply += event.text;
      return streamFrames(event.text, 'text');
    }
    return event.type === 'run.completed' ? [frame({ type: 'complete', data: { reply } })] : encodeOther(event);
  };
}

/** `stream`, `complete` and `error` objects as ASCII JSON; the `text` contents joined are exactly the `reply`. */
export const leviaStream: StreamFormat = {
  name: 'levia',
  ids: true,
  pings: true,
  contentType: 'text/event-stream',
  createEncoder,
};
