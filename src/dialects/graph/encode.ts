import { cutFalseEnds, cutText, DONE } from '../../http/raw-text.ts';
import type { Encoder, Frame, StreamFormat } from '../../http/stream-format.ts';

/** Code units of text in one frame. */
const MAX_UNITS = 10_000;
const MAX_NAME = 100;
/** What the documented client removes wherever it stands in a line. */
const FIELD = 'data: ';
const INSIDE_FIELD = 2;
const BLANKS = /[\s\p{Cc}\p{Z}]+/gu;

function cutFields(text: string): readonly string[] {
  const pieces: string[] = [];
  let from = 0;
  for (let at = text.indexOf(FIELD); at >= 0; at = text.indexOf(FIELD, at + FIELD.length)) {
    pieces.push(text.slice(from, at + INSIDE_FIELD));
    from = at + INSIDE_FIELD;
  }
  pieces.push(text.slice(from));
  return pieces;
}

function tokenFrames(text: string): readonly Frame[] {
  const pieces = cutText(text, MAX_UNITS).flatMap(cutFalseEnds).flatMap(cutFields);
  return pieces.map((data, at) => ({ part: pieces.length > 1 ? at + 1 : null, event: 'token', data }));
}

/** A text that must stay one frame: none of its lines looks like the end of the stream. */
function wholeText(text: string): string {
  return cutFalseEnds(text).join(' ');
}

function frame(event: string, data: string): readonly Frame[] {
  return [{ part: null, event, data }];
}

const encode: Encoder = (event) => {
  switch (event.type) {
    case 'node.entered':
      return frame('node', wholeText(cutText(event.name.replace(BLANKS, ' ').trim(), MAX_NAME)[0] ?? ''));
    case 'text.appended':
      return tokenFrames(event.text);
    case 'run.completed':
      return frame('done', DONE);
    case 'run.failed':
      return frame('error', wholeText(event.detail));
    case 'run.cancelled':
      return frame('error', 'cancelled');
    case 'run.started':
    case 'run.restarted':
    case 'reasoning.appended':
    case 'tool.called':
    case 'tool.returned':
    case 'approval.requested':
    case 'approval.decided':
    case 'usage.recorded':
      return [];
  }
};

/**
 * `node`, `token`, `done` and `error` events with raw text as data. A client that prints every `data:` line, without any `data: ` in it, up to
 * `[DONE]` prints the whole answer but its line breaks.
 */
export const graphStream: StreamFormat = {
  name: 'graph',
  ids: true,
  pings: true,
  contentType: 'text/event-stream; charset=utf-8',
  createEncoder: () => encode,
};
