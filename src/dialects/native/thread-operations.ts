import { messageNotFound } from '../../core/refusals.ts';
import type { Operation } from '../../http/docs/operation.ts';
import { sampleAnswer, sampleNewThread, sampleQuestion, sampleThread } from '../../http/docs/samples.ts';
import { flag, list, text } from '../../http/docs/schema.ts';
import { NOBODY } from '../../http/docs/typical-failures.ts';
import { readMessageCursor, readThreadCursor } from '../../http/list-cursor.ts';
import { readSearch } from '../../http/search-query.ts';
import {
  actingUser,
  after,
  cursor,
  lastEventId,
  limit,
  messageView,
  page,
  refusedPosition,
  refusedQuery,
  threadEvent,
  threadId,
  threadView,
  unknownNames,
} from './operation-parts.ts';
import { toMessageView, toThreadFrames, toThreadView } from './translate.ts';

const PAGE = { min: 1, max: 100, default: 20 };
const ofNewThread = { thread_id: '$response.body#/id' };
const shown = { status: 200, headers: ['X-Thread-Id'], json: { schema: threadView, example: toThreadView(sampleThread) } } as const;

const tooManyWords = Array.from({ length: 65 }, (_, index) => `w${index}`).join(' ');

const listThreads: Operation = {
  id: 'listThreads',
  summary: 'The threads of the user, newest update first',
  parameters: [
    actingUser,
    cursor,
    limit,
    { name: 'model', in: 'query', description: 'Only those of this model.', schema: { type: 'string', maxLength: 255 } },
    {
      name: 'q',
      in: 'query',
      description: 'Only those whose title, or one of whose messages, has all of these words; the last one may be unfinished.',
      schema: { type: 'string', maxLength: 1_000 },
      example: 'hello hel',
    },
    {
      name: 'tag',
      in: 'query',
      description: 'Only those with this tag; repeated, with all of them.',
      schema: list({ type: 'string', maxLength: 255 }),
      example: ['support'],
    },
    { name: 'archived', in: 'query', description: 'The archived ones instead.', schema: { ...flag, default: false } },
    { name: 'before', in: 'query', description: 'Made before: a date or an RFC 3339 time.', schema: text, example: '2030-01-01' },
    { name: 'after', in: 'query', description: 'Made after.', schema: text, example: '2020-01-01T00:00:00Z' },
  ],
  answers: [
    {
      status: 200,
      description: 'One page.',
      json: { schema: page(threadView), example: { data: [toThreadView(sampleThread)], next_cursor: null } },
    },
  ],
  refused: [
    refusedQuery({ limit: '0' }, (reader) => reader.integer('limit', PAGE)),
    refusedQuery({ before: 'yesterday' }, (reader) => reader.time('before')),
    refusedQuery({ q: tooManyWords }, (reader) => readSearch(reader, 'q')),
    { request: { query: { cursor: 'abc' } }, fail: () => readThreadCursor('abc') },
  ],
};

const createThread: Operation = {
  id: 'createThread',
  summary: 'Make an empty thread',
  parameters: [actingUser],
  body: { optional: true, examples: { empty: {}, named: { title: 'Hello', tags: ['support'], metadata: { plan: 'pro' } } } },
  repeatable: true,
  answers: [
    {
      status: 201,
      description: 'It is there.',
      headers: ['X-Thread-Id', 'Location'],
      json: { schema: threadView, example: toThreadView(sampleNewThread) },
    },
  ],
  refused: [{ request: { body: { tittle: 'Hello' } } }, { request: { body: { tags: 'support' } } }, ...unknownNames],
};

const showThread: Operation = {
  id: 'showThread',
  summary: 'One thread',
  parameters: [actingUser, threadId],
  needs: { operation: 'createThread', parameters: ofNewThread },
  answers: [{ ...shown, description: 'The thread.' }],
  errors: ['thread_not_found'],
};

const changeThread: Operation = {
  id: 'changeThread',
  summary: 'Change what the body names; the rest stays',
  parameters: [actingUser, threadId],
  body: { examples: { title: { title: 'Greetings' }, archive: { archived: true } } },
  needs: { operation: 'createThread', parameters: ofNewThread },
  answers: [{ ...shown, description: 'The thread as it is now.' }],
  errors: ['thread_not_found'],
  refused: [{ request: { body: { archived: 'yes' } } }, ...unknownNames],
};

const deleteThread: Operation = {
  id: 'deleteThread',
  summary: 'Delete a thread with everything in it; what is being answered ends as cancelled',
  parameters: [actingUser, threadId],
  needs: { operation: 'createThread', parameters: ofNewThread },
  answers: [{ status: 204, description: 'It is gone.', headers: ['X-Thread-Id'] }],
  errors: ['thread_not_found'],
};

const listMessages: Operation = {
  id: 'listMessages',
  summary: 'The messages of one branch, newest first',
  parameters: [
    actingUser,
    threadId,
    cursor,
    limit,
    {
      name: 'branch',
      in: 'query',
      description: "The id of the branch's last message, or `head`.",
      schema: { type: 'string', maxLength: 64, default: 'head' },
    },
  ],
  needs: { operation: 'startRun', parameters: { thread_id: '$response.body#/thread_id' } },
  answers: [
    {
      status: 200,
      description: 'One page.',
      headers: ['X-Thread-Id'],
      json: {
        schema: page(messageView),
        example: { data: [toMessageView(sampleAnswer), toMessageView(sampleQuestion)], next_cursor: null },
      },
    },
  ],
  errors: ['thread_not_found'],
  refused: [
    { request: { query: { branch: NOBODY } }, fail: messageNotFound },
    refusedQuery({ limit: 'ten' }, (reader) => reader.integer('limit', PAGE)),
    { request: { query: { cursor: 'abc' } }, fail: () => readMessageCursor('abc') },
  ],
};

const setHead: Operation = {
  id: 'setHead',
  summary: 'Choose the branch that is shown and continued, by its last message',
  parameters: [actingUser, threadId],
  body: { examples: { question: { message_id: sampleQuestion.id } } },
  needs: {
    operation: 'startRun',
    parameters: { thread_id: '$response.body#/thread_id' },
    body: { message_id: '$response.body#/message_id' },
  },
  answers: [{ ...shown, description: 'The thread as it is now.' }],
  errors: ['thread_not_found'],
  refused: [{ request: { body: {} } }, { request: { body: { message_id: NOBODY } }, fail: messageNotFound }],
};

const followThread: Operation = {
  id: 'followThread',
  summary: 'What happens in the thread, as it happens',
  description: 'Begins with what comes next, or behind the event that the reader names. The stream ends when the thread is deleted.',
  parameters: [actingUser, threadId, lastEventId, { ...after, example: '0' }],
  needs: { operation: 'startRun', parameters: { thread_id: '$response.body#/thread_id' } },
  answers: [
    {
      status: 200,
      description: 'Server-sent events. A comment keeps an idle stream open.',
      headers: ['X-Thread-Id'],
      stream: {
        contentType: 'text/event-stream',
        example: toThreadFrames([
          { number: 1, type: 'message.added', message_id: sampleQuestion.id, seq: 1, role: 'user', run_id: sampleQuestion.runId },
          { number: 2, type: 'run.ended', run_id: sampleQuestion.runId ?? '', status: 'completed' },
        ]),
        data: threadEvent,
      },
    },
  ],
  errors: ['thread_not_found', 'too_many_readers', 'too_many_connections'],
  refused: [refusedPosition],
};

/** What the routes of threads do. */
export const threadOperations: Readonly<Record<string, Operation>> = {
  'GET /threads': listThreads,
  'POST /threads': createThread,
  'GET /threads/:thread_id': showThread,
  'PATCH /threads/:thread_id': changeThread,
  'DELETE /threads/:thread_id': deleteThread,
  'GET /threads/:thread_id/messages': listMessages,
  'PUT /threads/:thread_id/head': setHead,
  'GET /threads/:thread_id/events': followThread,
};
