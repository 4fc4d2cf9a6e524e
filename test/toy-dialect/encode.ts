import type { Frame, StreamFormat } from '../../src/http/stream-format.ts';

const frame = (event: string, value: string): Frame => ({ part: null, event, data: JSON.stringify(value) });

/** Each text a `word`, then one `end` that says how: JSON strings both. */
export const toyStream: StreamFormat = {
  name: 'toy',
  ids: true,
  pings: true,
  contentType: 'text/event-stream',
  createEncoder: () => (event) => {
    switch (event.type) {
      case 'text.appended':
        return [frame('word', event.text)];
      case 'run.completed':
        return [frame('end', 'completed')];
      case 'run.cancelled':
        return [frame('end', 'cancelled')];
      case 'run.failed':
        return [frame('end', `failed: ${event.detail}`)];
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
  },
};
