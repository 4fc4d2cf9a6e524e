import { textOf } from '../../core/message.ts';
import type { RunEvent, RunFact } from '../../core/run-event.ts';
import { cutText } from '../../http/raw-text.ts';
import type { Frame, StreamFormat } from '../../http/stream-format.ts';

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

function streamFrames(content: string, type: Kind): Frame[] {
  const pieces = cutText(content, MAX_UNITS);
  return pieces.map((piece, at) => frame({ type: 'stream', data: { content: piece, type } }, pieces.length > 1 ? at + 1 : null));
}

/** The one frame of a stream that has nothing else to say. */
export function errorFrame(error: string): Frame {
  return frame({ type: 'error', data: { error } });
}

function encode(event: RunEvent): readonly Frame[] {
  switch (event.type) {
    case 'text.appended':
      return streamFrames(event.text, 'text');
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
    case 'approval.decided':
      return streamFrames(decisionWords(event), 'steps');
    case 'run.restarted':
      return streamFrames('Continuing', 'steps');
    case 'run.completed':
      return [frame({ type: 'complete', data: { reply: textOf(event.message.parts) } })];
    case 'run.failed':
      return [errorFrame(event.detail)];
    case 'run.cancelled':
      return [errorFrame('The request was cancelled')];
    case 'run.started':
    case 'usage.recorded':
      return [];
  }
}

function decisionWords({ decision, expired }: Extract<RunFact, { type: 'approval.decided' }>): string {
  if (expired) return 'Nobody approved in time';
  return decision === 'approve' ? 'Approved' : 'Denied';
}

/** `stream`, `complete` and `error` objects as ASCII JSON; the `text` contents joined are exactly the `reply`. */
export const leviaStream: StreamFormat = {
  name: 'levia',
  ids: true,
  stateless: true,
  pings: true,
  contentType: 'text/event-stream',
  createEncoder: () => encode,
};
