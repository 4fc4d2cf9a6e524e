import { threadNotFound } from '../../core/refusals.ts';
import { queueFull } from '../../engine/index.ts';
import type { DialectDocument, Operation } from '../../http/docs/operation.ts';
import { sampleAnswer, sampleNewThread, sampleQuestion, sampleRun, sampleStream, sampleThread } from '../../http/docs/samples.ts';
import { count, flag, list, named, object, oneOf, only, orNull, text, time, uuid } from '../../http/docs/schema.ts';
import { createQueryReader } from '../../http/query.ts';
import { readersExceeded } from '../../http/reader-bound.ts';
import { runCancelled } from '../../http/run-answer.ts';
import { rawTokenStream } from './encode.ts';
import { metadataOperations } from './metadata-operations.ts';
import { actingUser, number, query } from './operation-parts.ts';
import { promptOperations } from './prompt-operations.ts';
import { chatSessionsErrors, readConversation, toCompletion, toSession, toSwitched } from './translate.ts';
import { uploadOperations } from './upload-operations.ts';
import { readHistoryQuery, readSessionNumber } from './wire.ts';

const UNKNOWN = 4_711;
const defaultModel = 'gpt-4';
const messages = [sampleQuestion, sampleAnswer];
const figures = { messages: 2, lastMessageAt: sampleAnswer.createdAt, totalTokens: 16 };
const noFigures = { messages: 0, lastMessageAt: null, totalTokens: 0 };
const sessionExample = toSession({ thread: sampleThread, figures, defaultModel, messages, truncated: false });
const newSession = toSession({ thread: sampleNewThread, figures: noFigures, defaultModel, messages: [], truncated: false });

const message = object({ role: oneOf('user', 'assistant'), content: text });
const truncated = { messages_truncated: { ...flag, description: 'Older messages are left out.' } };
const session = named(
  'chat-sessions.Session',
  object(
    {
      id: number,
      user_id: number,
      application_id: number,
      model: text,
      title: text,
      messages: list(message),
      created_at: time,
      updated_at: time,
      thread_id: uuid,
      message_count: count,
      total_tokens: count,
      tags: list(text),
      summary: { type: 'null' },
      last_message_at: orNull(time),
    },
    truncated,
  ),
);
const usage = orNull(object({ prompt_tokens: count, completion_tokens: count, total_tokens: count }));
const completion = object({
  id: uuid,
  object: only('chat.completion'),
  created: count,
  model: text,
  choices: list(
    object({
      index: count,
      message: object({ role: only('assistant'), content: text }),
      finish_reason: oneOf('stop', 'length', 'tool_calls', 'content_filter'),
    }),
  ),
  usage,
  session_id: number,
});

const hello = { model: 'gpt-4', messages: [{ role: 'user' as const, content: 'Hello' }] };
const longQuestion = [{ role: 'user', content: '/long 2000' }];
const answerLast = { model: 'gpt-4', messages: [{ role: 'assistant' as const, content: 'Hello' }] };

const stream: Operation = {
  id: 'stream',
  summary: 'Send the conversation, get the answer',
  description:
    'Without `session_id` a new session begins. Messages that the session has already are not stored again. With the same ' +
    '`Idempotency-Key` the same answer is streamed again from its start.',
  parameters: [actingUser],
  body: {
    examples: { stream: { ...hello, temperature: 0.7 }, whole: { ...hello, stream: false, tags: ['support'] } },
  },
  repeatable: true,
  answers: [
    {
      status: 200,
      description: 'The raw text in server-sent events up to `[DONE]`, or with `"stream": false` one object.',
      headers: ['X-Session-Id', 'X-Thread-Id', 'X-Run-Id', 'X-Model'],
      stream: { contentType: 'text/event-stream', example: sampleStream(rawTokenStream) },
      json: { schema: completion, example: toCompletion({ run: sampleRun, message: sampleAnswer }) },
    },
  ],
  errors: ['model_unknown', 'state_conflict', 'run_limit', 'run_failed', 'run_timeout', 'too_many_connections'],
  refused: [
    { request: { body: { model: 'gpt-4', messages: [] } } },
    { request: { body: answerLast }, fail: () => readConversation(answerLast) },
    { request: { fields: { session_id: UNKNOWN } }, fail: threadNotFound },
    { given: 'fullQueue', request: { fields: { session_id: '{session_id}' } }, fail: () => queueFull(20) },
    { given: 'cancelled', request: { fields: { messages: longQuestion, stream: false } }, fail: () => runCancelled(sampleRun.id) },
    {
      given: 'crowdedAnswer',
      request: { headers: { 'idempotency-key': '{repeat_key}' }, fields: { messages: longQuestion } },
      fail: () => readersExceeded(1_000),
    },
  ],
};

const tooManyWords = Array.from({ length: 65 }, (_, index) => `w${index}`).join(' ');
const searchTerm = {
  ...query('search_term', 'Only those whose title, or one of whose messages, has all of these words; the last one may be unfinished.', {
    type: 'string',
    maxLength: 1_000,
  }),
  example: 'hello hel',
};
const tags = {
  ...query('tags', 'Only those with this tag; repeated, with all of them.', list({ type: 'string', maxLength: 255 })),
  example: ['support'],
};

const history: Operation = {
  id: 'history',
  summary: 'The sessions that are not archived, newest update first',
  parameters: [
    actingUser,
    query('page', 'Which page.', { type: 'integer', minimum: 1, maximum: 2_147_483_647, default: 1 }),
    query('page_size', 'Sessions on a page.', { type: 'integer', minimum: 1, maximum: 100, default: 10 }),
    query('model', 'Only those of this model.', { type: 'string', maxLength: 255 }),
    { ...query('start_date', 'Made after: a date or an RFC 3339 time.', text), example: '2020-01-01' },
    { ...query('end_date', 'Made before.', text), example: '2030-01-01T00:00:00Z' },
    searchTerm,
    tags,
  ],
  answers: [
    {
      status: 200,
      description: 'One page, and how many there are in all.',
      json: {
        schema: object({ total: count, page: count, page_size: count, sessions: list(session) }),
        example: { total: 1, page: 1, page_size: 10, sessions: [sessionExample] },
      },
    },
  ],
  refused: [
    { request: { query: { page: '0' } }, fail: () => readHistoryQuery({ page: '0' }) },
    { request: { query: { search_term: tooManyWords } }, fail: () => readHistoryQuery({ search_term: tooManyWords }) },
    {
      request: { query: { start_date: '2026-02-01', end_date: '2026-01-01' } },
      fail: () => readHistoryQuery({ start_date: '2026-02-01', end_date: '2026-01-01' }),
    },
  ],
};

const createSession: Operation = {
  id: 'createSession',
  summary: 'Make an empty session',
  parameters: [actingUser],
  body: { examples: { model: { model: 'gpt-4' } } },
  repeatable: true,
  answers: [
    {
      status: 200,
      description: 'The session.',
      headers: ['X-Session-Id', 'X-Thread-Id'],
      json: { schema: session, example: newSession },
    },
  ],
  errors: ['model_unknown'],
  refused: [{ request: { body: { model: '' } } }],
};

const switchModel: Operation = {
  id: 'switchModel',
  summary: 'Name the model of the answers to come',
  parameters: [actingUser],
  body: { examples: { model: { session_id: sampleThread.number, model: 'gpt-3.5-turbo' } } },
  needs: { operation: 'createSession', body: { session_id: '$response.body#/id', model: 'gpt-3.5-turbo' } },
  answers: [
    {
      status: 200,
      description: 'The session with its messages.',
      headers: ['X-Session-Id', 'X-Thread-Id', 'X-Model'],
      json: {
        schema: object({ session_id: number, model: text, messages: list(message), title: text }, truncated),
        example: toSwitched(sampleThread, { messages, truncated: false }),
      },
    },
  ],
  errors: ['model_unknown'],
  refused: [
    { request: { body: { session_id: String(UNKNOWN), model: 'gpt-4' } } },
    { request: { fields: { session_id: UNKNOWN } }, fail: threadNotFound },
  ],
};

const removeSession: Operation = {
  id: 'removeSession',
  summary: 'Delete a session with everything in it, or hide it',
  parameters: [
    actingUser,
    { name: 'session_id', in: 'path', description: "The session's number.", schema: number },
    query('archive', '`true` only hides it.', { ...flag, default: false }),
  ],
  needs: { operation: 'createSession', parameters: { session_id: '$response.body#/id' } },
  answers: [
    {
      status: 200,
      description: 'It is gone, or hidden.',
      headers: ['X-Session-Id', 'X-Thread-Id'],
      json: { schema: object({ message: text }), example: { message: 'Session deleted successfully' } },
    },
  ],
  refused: [
    { request: { path: { session_id: String(UNKNOWN) } }, fail: threadNotFound },
    { request: { path: { session_id: 'first' } }, fail: () => readSessionNumber('first') },
    { request: { query: { archive: 'yes' } }, fail: () => createQueryReader({ archive: 'yes' }).flag('archive') },
  ],
};

/** What chat-sessions tells about itself. */
export const chatSessionsDocument: DialectDocument = {
  operations: {
    'POST /stream': stream,
    'GET /history': history,
    'POST /switch-model': switchModel,
    'POST /sessions': createSession,
    'DELETE /sessions/:session_id': removeSession,
    ...metadataOperations,
    ...uploadOperations,
    ...promptOperations,
  },
  errors: chatSessionsErrors,
  errorSchema: object(
    { detail: text, code: text },
    { errors: list(object({ loc: list({ type: ['string', 'integer'] }), msg: text, type: text })) },
  ),
};
