import type { MessageId, ThreadId } from '../../core/ids.ts';
import type { RunEvent } from '../../core/run-event.ts';
import type { Encoder, RunFormat } from '../../http/stream-format.ts';

type Words = Readonly<Record<string, unknown>>;

function createEncoder(): Encoder {
  let threadId: ThreadId | undefined;
  let answerId: MessageId | undefined;

  function encode(event: RunEvent): Words | null {
    const job = { thread_id: threadId, job_id: event.run_id };
    switch (event.type) {
      case 'run.started':
        threadId = event.thread_id;
        answerId = event.answer_id;
        return null;
      case 'text.appended':
        return { type: 'token', ...job, id: answerId, role: 'assistant', content: event.text, at: event.at };
      case 'node.entered':
        return { type: 'node', ...job, name: event.name };
      case 'tool.called':
        return { type: 'tool', ...job, name: event.name, call_id: event.call_id, status: 'running' };
      case 'tool.returned':
        return { type: 'tool', ...job, name: event.name, call_id: event.call_id, status: event.status };
      case 'approval.requested':
        return {
          type: 'approval',
          ...job,
          call_id: event.call_id,
          name: event.name,
          arguments: event.arguments,
          expires_at: event.expires_at,
          ...(event.change && { change: event.change }),
        };
      case 'approval.decided':
        return { type: 'approval', ...job, call_id: event.call_id, decision: event.decision, expired: event.expired };
      case 'run.failed':
        return { type: 'error', message: event.detail, code: event.code, ...job };
      // The final `message` is the stored one, which whoever shows the run sends behind these frames.
      case 'run.completed':
      case 'run.cancelled':
      case 'reasoning.appended':
      case 'usage.recorded':
      case 'run.restarted':
        return null;
    }
  }

  return (event) => {
    const words = encode(event);
    return words ? [{ part: null, event: null, data: JSON.stringify(words) }] : [];
  };
}

/** A run's events as JSON frames up to its end, without the final `message`; the `token`s' contents joined are the answer. */
export const chatWsFormat: RunFormat = { name: 'chat-ws', ids: false, lines: true, createEncoder };
