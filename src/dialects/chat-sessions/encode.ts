import { cutFalseEnds, DONE } from '../../http/raw-text.ts';
import type { Encoder, Frame, StreamFormat } from '../../http/stream-format.ts';
import { createChunkCutter, cutChunks, lastChunks } from './chunks.ts';

const NONE: readonly never[] = [];

function frame(data: string): Frame {
  return { part: null, event: null, data };
}

function textFrames(chunks: readonly string[]): readonly Frame[] {
  const [first, second] = chunks;
  if (first === undefined) return NONE;
  const pieces = second === undefined ? cutFalseEnds(first) : chunks.flatMap(cutFalseEnds);
  return pieces.map(frame);
}

function createEncoder(): Encoder {
  const cutter = createChunkCutter();
  return (event) => {
    switch (event.type) {
      case 'text.appended':
        return textFrames(cutChunks(cutter, event.text));
      case 'run.completed':
      case 'run.cancelled':
        return [...textFrames(lastChunks(cutter)), frame(DONE)];
      case 'run.failed':
        return [...textFrames(lastChunks(cutter)), { part: null, event: 'error', data: JSON.stringify({ detail: event.detail }) }];
      case 'run.started':
      case 'run.restarted':
      case 'node.entered':
      case 'reasoning.appended':
      case 'tool.called':
      case 'tool.returned':
      case 'approval.requested':
      case 'approval.decided':
      case 'usage.recorded':
        return [];
    }
  };
}

/** Raw answer text in `data:` frames up to `[DONE]`: nothing else on a good stream, because the documented client prints whatever it gets. */
export const rawTokenStream: StreamFormat = {
  name: 'chat-sessions',
  ids: false,
  pings: false,
  contentType: 'text/event-stream',
  createEncoder,
};
