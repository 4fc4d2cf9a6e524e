import { modelUnknown } from '../../core/refusals.ts';
import { queueFull } from '../../engine/index.ts';
import type { DialectDocument, Operation, Parameter, Refused } from '../../http/docs/operation.ts';
import { sampleAnswer, sampleQuestion, sampleRun, sampleThread } from '../../http/docs/samples.ts';
import { anyObject, flag, type JsonSchema, list, named, object, oneOf, only, orNull, text, time, uuid } from '../../http/docs/schema.ts';
import { NOBODY } from '../../http/docs/typical-failures.ts';
import { checkUserId } from '../../http/doorkeeper.ts';
import { readThreadCursor } from '../../http/list-cursor.ts';
import { createQueryReader } from '../../http/query.ts';
import { runCancelled } from '../../http/run-answer.ts';
import { toChatAnswer, toConversation, toConversationWithMessages, userChatErrors } from './translate.ts';
import { checkContent, readConversationId, toConversationId } from './wire.ts';

const userId: Parameter = {
  name: 'user_id',
  in: 'path',
  description: "The user: a token's own, or the one that a key acts for.",
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  example: 'user123',
};
const conversationId: Parameter = { name: 'conversation_id', in: 'path', description: "The conversation's id.", schema: uuid };
const needs = { operation: 'createConversation', parameters: { conversation_id: '$response.body#/id', user_id: 'user123' } };
const LIMIT = { min: 1, max: 100, default: 20 };

const messageFields = { id: uuid, content: text, role: oneOf('user', 'assistant'), timestamp: time, type: only('text') };
const toolCall = object({ name: text, arguments: {} }, { result: text, status: text });
const conversationFields: Readonly<Record<string, JsonSchema>> = {
  id: uuid,
  user_id: text,
  title: orNull(text),
  status: oneOf('active', 'archived'),
  created_at: time,
  updated_at: time,
};
const conversation = named('user-chat.Conversation', object(conversationFields));

const LONG_USER = 'x'.repeat(256);
const longUser: Refused = { request: { path: { user_id: LONG_USER } }, fail: () => checkUserId(LONG_USER) };
const inConversation = { request: { fields: { conversation_id: '{thread_id}' } } };
const blank: Refused = { request: { body: { message: { content: '  ' } } }, fail: () => checkContent('  ') };

const chat: Operation = {
  id: 'chat',
  summary: 'Send a message, get the whole answer',
  description:
    'Without `conversation_id` a new conversation begins. After a 504 the same call with its `Idempotency-Key` waits for the answer again.',
  parameters: [
    userId,
    {
      name: 'conversation_id',
      in: 'query',
      description: 'As in the body; only one of them, or both the same.',
      schema: { type: 'string', maxLength: 64 },
    },
  ],
  body: { examples: { hello: { message: { content: 'Hello, how can you help me?' } } } },
  repeatable: true,
  answers: [
    {
      status: 200,
      description: 'The answer.',
      headers: ['X-Thread-Id', 'X-Run-Id'],
      json: {
        schema: object({
          success: { type: 'boolean', const: true },
          message: object(messageFields),
          conversation_id: uuid,
          tool_calls: list(toolCall),
        }),
        example: toChatAnswer({ run: sampleRun, message: sampleAnswer }),
      },
    },
  ],
  errors: ['auth_expired', 'auth_other_user', 'run_limit', 'run_failed', 'run_timeout'],
  refused: [
    longUser,
    { request: { body: { message: 'Hello' } } },
    { request: { body: { message: { content: '' } } } },
    blank,
    { request: { fields: { conversation_id: NOBODY } }, fail: () => toConversationId('none') },
    {
      request: { fields: { conversation_id: sampleThread.id }, query: { conversation_id: NOBODY } },
      fail: () => readConversationId(sampleThread.id, NOBODY),
    },
    { given: 'retiredModel', ...inConversation, fail: () => modelUnknown('retired') },
    { given: 'fullQueue', ...inConversation, fail: () => queueFull(20) },
    { given: 'cancelled', request: { fields: { message: { content: '/long 2000' } } }, fail: () => runCancelled(sampleRun.id) },
  ],
};

const listConversations: Operation = {
  id: 'listConversations',
  summary: "The user's conversations, newest update first",
  parameters: [
    userId,
    { name: 'limit', in: 'query', description: 'How many.', schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } },
    { name: 'cursor', in: 'query', description: 'The next_cursor of the page before.', schema: { type: 'string', maxLength: 200 } },
    { name: 'status', in: 'query', description: 'Which ones.', schema: { ...oneOf('active', 'archived'), default: 'active' } },
  ],
  answers: [
    {
      status: 200,
      description: 'One page.',
      json: {
        schema: object({ conversations: list(conversation), next_cursor: orNull(text) }),
        example: { conversations: [toConversation(sampleThread)], next_cursor: null },
      },
    },
  ],
  errors: ['auth_expired', 'auth_other_user'],
  refused: [
    longUser,
    { request: { query: { limit: '0' } }, fail: () => createQueryReader({ limit: '0' }).integer('limit', LIMIT) },
    { request: { query: { cursor: 'abc' } }, fail: () => readThreadCursor('abc') },
  ],
};

const createConversation: Operation = {
  id: 'createConversation',
  summary: 'Make an empty conversation',
  parameters: [userId],
  body: { optional: true, examples: { titled: { title: 'Hello' }, untitled: {} } },
  repeatable: true,
  answers: [
    {
      status: 200,
      description: 'The conversation.',
      headers: ['X-Thread-Id'],
      json: { schema: conversation, example: toConversation(sampleThread) },
    },
  ],
  errors: ['auth_expired', 'auth_other_user'],
  refused: [longUser, { request: { body: { title: 5 } } }],
};

const showConversation: Operation = {
  id: 'showConversation',
  summary: 'A conversation with its newest 200 messages, oldest of them first',
  parameters: [userId, conversationId],
  needs,
  answers: [
    {
      status: 200,
      description: 'The conversation.',
      headers: ['X-Thread-Id'],
      json: {
        schema: object(
          { ...conversationFields, messages: list(object({ ...messageFields, status: oneOf('completed', 'failed', 'cancelled') })) },
          { messages_truncated: flag },
        ),
        example: toConversationWithMessages(sampleThread, { messages: [sampleQuestion, sampleAnswer], truncated: false }),
      },
    },
  ],
  errors: ['auth_expired', 'auth_other_user', 'thread_not_found'],
  refused: [longUser],
};

const deleteConversation: Operation = {
  id: 'deleteConversation',
  summary: 'Delete a conversation with everything in it',
  parameters: [userId, conversationId],
  needs,
  answers: [
    {
      status: 200,
      description: 'It is gone.',
      headers: ['X-Thread-Id'],
      json: {
        schema: object({ success: flag, deleted: flag, conversation_id: uuid }),
        example: { success: true, deleted: true, conversation_id: sampleThread.id },
      },
    },
  ],
  errors: ['auth_expired', 'auth_other_user', 'thread_not_found'],
  refused: [longUser],
};

/** What user-chat tells about itself. */
export const userChatDocument: DialectDocument = {
  operations: {
    'POST /chat': chat,
    'GET /conversations': listConversations,
    'POST /conversations': createConversation,
    'GET /conversations/:conversation_id': showConversation,
    'DELETE /conversations/:conversation_id': deleteConversation,
  },
  errors: userChatErrors,
  errorSchema: object({ success: { type: 'boolean', const: false }, detail: text, error: text, code: text }, { details: anyObject }),
};
