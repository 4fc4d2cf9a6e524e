import { sampleAnswer, sampleQuestion, sampleRun, sampleThread } from '../../http/docs/samples.ts';
import { anyObject, count, flag, type JsonSchema, object, oneOf, only, text, time, uuid } from '../../http/docs/schema.ts';
import type { FrameDocument, SocketDocument } from '../../http/docs/socket-document.ts';
import { toMessageFrame } from './translate.ts';

const thread_id = sampleThread.id;
const job_id = sampleRun.id;
const job = { thread_id: uuid, job_id: uuid };
const ids = { thread_id, job_id };

function frame(type: string, summary: string, parts: FrameParts): FrameDocument {
  const { fields = {}, optional = {}, example = {} } = parts;
  return { summary, schema: object({ type: only(type), ...fields }, optional), example: { type, ...example } };
}

interface FrameParts {
  readonly fields?: Readonly<Record<string, JsonSchema>>;
  readonly optional?: Readonly<Record<string, JsonSchema>>;
  readonly example?: object;
}

const fromClient: Readonly<Record<string, FrameDocument>> = {
  history: frame('history', 'Show a thread and tell from now on what happens in it', {
    fields: { thread_id: uuid },
    optional: { limit: { type: 'integer', minimum: 1, maximum: 500, default: 100 }, before: uuid },
    example: { thread_id, limit: 50 },
  }),
  message: frame('message', 'Send a message to a thread, which comes to be with its first one', {
    fields: { thread_id: uuid, content: { type: 'string', minLength: 1, pattern: '\\S' } },
    optional: { agent_id: text, client_id: { type: 'string', pattern: '^[!-~]{1,255}$', description: 'Makes the message repeatable.' } },
    example: { thread_id, content: 'Hello', agent_id: 'assistant-graph', client_id: 'message-1' },
  }),
  cancel: frame('cancel', 'End an answer', { fields: { job_id: uuid }, example: { job_id } }),
  delete_thread: frame('delete_thread', 'Delete a thread', { fields: { thread_id: uuid }, example: { thread_id } }),
  approve: frame('approve', 'Allow or refuse the call of a tool that waits for that', {
    fields: { job_id: uuid, call_id: { type: 'string', minLength: 1, maxLength: 255 }, decision: oneOf('approve', 'deny') },
    optional: {
      arguments: {
        anyOf: [anyObject, text],
        description: 'What the call is made with instead, or words where a graph has asked for some.',
      },
    },
    example: { job_id, call_id: 'call_1', decision: 'approve' },
  }),
  ping: frame('ping', 'Ask for a pong', {}),
};

const fromServer: Readonly<Record<string, FrameDocument>> = {
  message: frame('message', 'A whole message: of a history, of another device, or a finished answer', {
    fields: { id: uuid, thread_id: uuid, role: oneOf('user', 'assistant'), content: text, created_at: time },
    optional: { status: { ...oneOf('failed', 'cancelled'), description: 'Missing in a completed message.' } },
    example: toMessageFrame(sampleAnswer),
  }),
  history_end: frame('history_end', "The end of a history's messages", {
    fields: { thread_id: uuid, has_more: flag },
    example: { thread_id, has_more: false },
  }),
  message_received: frame('message_received', 'The message is stored and will be answered by the job', {
    fields: { id: uuid, ...job },
    example: { id: sampleQuestion.id, ...ids },
  }),
  token: frame('token', "A piece of an answer; `at` counts UTF-16 code units from the answer's start", {
    fields: { ...job, id: uuid, role: only('assistant'), content: text, at: count },
    example: { ...ids, id: sampleAnswer.id, role: 'assistant', content: 'Hello! How', at: 0 },
  }),
  node: frame('node', 'The graph that answers enters a node', { fields: { ...job, name: text }, example: { ...ids, name: 'supervisor' } }),
  tool: frame('tool', 'A tool is called, or has returned', {
    fields: { ...job, name: text, call_id: text, status: oneOf('running', 'completed', 'failed', 'cancelled', 'denied') },
    example: { ...ids, name: 'search', call_id: 'call_1', status: 'running' },
  }),
  approval: frame(
    'approval',
    'A call of a tool waits for an approval, until it is decided about or `expires_at`; or somebody has decided',
    {
      fields: { ...job, call_id: text },
      optional: {
        name: text,
        arguments: { type: 'string', description: 'JSON.' },
        expires_at: time,
        change: { ...anyObject, description: 'The tool `before` and `after`, where it is no longer what its agent has trusted.' },
        decision: { ...oneOf('approve', 'deny'), description: 'Only where it was decided.' },
        expired: { ...flag, description: 'Nobody has decided in time.' },
      },
      example: { ...ids, call_id: 'call_1', name: 'search', arguments: '{"q":"moss"}', expires_at: '2026-11-21T09:30:00Z' },
    },
  ),
  thread_deleted: frame('thread_deleted', 'A thread is gone', { fields: { thread_id: uuid }, example: { thread_id } }),
  error: frame('error', 'Something was refused, or an answer failed', {
    fields: { message: text, code: text },
    optional: {
      thread_id: { ...text, description: 'As the client named it.' },
      job_id: { ...text, description: 'As the client named it.' },
      retry_after: { type: 'number', minimum: 0, description: 'Seconds.' },
    },
    example: { message: 'Thread ID is required', code: 'validation_failed' },
  }),
  pong: frame('pong', 'The answer to a ping', {}),
};

/** What the chat socket takes and gives. Fields of client frames that nobody knows are ignored. */
export const chatSocket: SocketDocument = {
  description:
    'One socket for many threads. Whoever asks for the history of a thread is told what happens in it from then on. ' +
    'A credential that does not count is told so in an `error` frame before the close.',
  query: {
    type: 'object',
    properties: {
      key: { type: 'string', description: 'An API key.' },
      token: { type: 'string', description: 'A token of one user.' },
      user_id: { type: 'string', minLength: 1, maxLength: 255, description: 'The user that a key acts for.' },
    },
  },
  fromClient,
  fromServer,
};
