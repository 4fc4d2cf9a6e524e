import { AppError } from '../../core/errors.ts';
import { modelUnknown } from '../../core/refusals.ts';
import { queueFull } from '../../engine/index.ts';
import type { DialectDocument, Operation, Parameter } from '../../http/docs/operation.ts';
import { sampleRun, sampleStream, sampleThread } from '../../http/docs/samples.ts';
import { type JsonSchema, object, oneOf, only, text, uuid } from '../../http/docs/schema.ts';
import { checkUserId } from '../../http/doorkeeper.ts';
import { leviaStream } from './encode.ts';
import { leviaErrors } from './translate.ts';
import { readChatBody, readCreateBody } from './wire.ts';

const required: JsonSchema = { type: 'string', minLength: 1 };
const userId: JsonSchema = { type: 'string', minLength: 1, maxLength: 255 };
const LONG_USER = 'x'.repeat(256);
const otherToken = { given: 'otherToken', request: { headers: { authorization: 'Bearer {token}' } } } as const;
const EXPIRED = 'Session ID does not exist or has expired';
const unknownSession = { user_id: 'user123', session_id: '00000000-0000-7000-8000-000000000000', intent: 'Hello' };

const createSession: Operation = {
  id: 'createSession',
  summary: 'Begin a session of one user',
  body: { schema: object({ user_id: userId }), examples: { user: { user_id: 'user123' } } },
  repeatable: true,
  answers: [
    {
      status: 201,
      description: 'The session.',
      headers: ['X-Thread-Id'],
      json: {
        schema: object({ status: only('success'), session_id: uuid, message: text }),
        example: { status: 'success', session_id: sampleThread.id, message: 'New chat session created' },
      },
    },
  ],
  refused: [
    { request: { body: {} }, fail: () => readCreateBody({}) },
    { ...otherToken, fail: () => new AppError('auth_invalid', 'The token belongs to another user.') },
  ],
};

const ask: Operation = {
  id: 'ask',
  summary: 'Send a message; the answer is read by its request id',
  body: {
    schema: object({ user_id: userId, session_id: required, intent: required }),
    examples: { intent: { user_id: 'user123', session_id: sampleThread.id, intent: 'What is the capital of France?' } },
  },
  repeatable: true,
  needs: {
    operation: 'createSession',
    body: { user_id: 'user123', session_id: '$response.body#/session_id', intent: 'What is the capital of France?' },
  },
  answers: [
    {
      status: 202,
      description: 'The request, which is being answered.',
      headers: ['X-Thread-Id', 'X-Run-Id'],
      json: {
        schema: object({ status: only('success'), request_id: uuid, message: text }),
        example: {
          status: 'success',
          request_id: sampleRun.id,
          message: `Processing started, connect to /levia/chat/stream/${sampleRun.id} for updates`,
        },
      },
    },
  ],
  errors: ['run_limit'],
  refused: [
    { request: { body: { user_id: 'user123' } }, fail: () => readChatBody({ user_id: 'user123' }) },
    {
      request: { body: unknownSession },
      fail: () => {
        throw new AppError('thread_not_found', EXPIRED);
      },
    },
    { given: 'retiredModel', request: { fields: { session_id: '{thread_id}' } }, fail: () => modelUnknown('retired') },
    { given: 'fullQueue', request: { fields: { session_id: '{thread_id}' } }, fail: () => queueFull(20) },
  ],
};

const lastEventId: Parameter = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'The id of the last frame that the reader has; anything else is one `error` frame.',
  schema: { type: 'string', pattern: '^(0|[1-9][0-9]{0,15})(\\.[1-9][0-9]{0,5})?$' },
};

const frame = (type: string, data: JsonSchema) => object({ type: only(type), data });

const stream: Operation = {
  id: 'stream',
  summary: 'The answer to a request as it is written, as often as asked for',
  description:
    'The `content`s of type `text` joined are the `reply`. The last frame is `complete` or `error`; an unknown request id is an `error` too.',
  queryKey: 'api_key',
  parameters: [{ name: 'request_id', in: 'path', description: "The request's id.", schema: uuid }, lastEventId],
  needs: { operation: 'ask', parameters: { request_id: '$response.body#/request_id' } },
  answers: [
    {
      status: 200,
      description: 'Server-sent events.',
      headers: ['X-Thread-Id', 'X-Run-Id'],
      stream: {
        contentType: 'text/event-stream',
        example: sampleStream(leviaStream),
        data: {
          oneOf: [
            frame('stream', object({ content: text, type: oneOf('text', 'steps', 'think') })),
            frame('complete', object({ reply: text })),
            frame('error', object({ error: text })),
          ],
        },
      },
    },
  ],
  errors: ['too_many_readers', 'too_many_connections'],
};

const activeRequest: Operation = {
  id: 'activeRequest',
  summary: "The user's newest request that is not answered yet",
  queryKey: 'api_key',
  parameters: [{ name: 'user_id', in: 'path', description: "The application's name for the user.", schema: userId, example: 'user123' }],
  needs: { operation: 'ask', parameters: { user_id: 'user123' } },
  answers: [
    {
      status: 200,
      description: 'Its id.',
      headers: ['X-Thread-Id', 'X-Run-Id'],
      json: { schema: object({ status: only('success'), request_id: uuid }), example: { status: 'success', request_id: sampleRun.id } },
    },
  ],
  refused: [
    {
      request: { path: { user_id: 'nobody' } },
      fail: () => {
        throw new AppError('run_not_found', 'No active request found for this user');
      },
    },
    { request: { path: { user_id: LONG_USER } }, fail: () => checkUserId(LONG_USER) },
  ],
};

/** What levia tells about itself. */
export const leviaDocument: DialectDocument = {
  operations: {
    'POST /create': createSession,
    'POST /': ask,
    'GET /stream/:request_id': stream,
    'GET /request/:user_id': activeRequest,
  },
  errors: leviaErrors,
  errorSchema: object({ status: only('error'), message: text }),
};
