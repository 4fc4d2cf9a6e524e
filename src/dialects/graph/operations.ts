import { modelUnknown } from '../../core/refusals.ts';
import { queueFull } from '../../engine/index.ts';
import { credentialRefused } from '../../http/authenticate.ts';
import type { DialectDocument, Operation, Parameter, Refused } from '../../http/docs/operation.ts';
import {
  sampleAnswer,
  sampleGraphEvents,
  sampleNewThread,
  sampleQuestion,
  sampleRun,
  sampleStream,
  sampleThread,
} from '../../http/docs/samples.ts';
import { anyObject, flag, type JsonSchema, list, object, oneOf, orNull, text, time, uuid } from '../../http/docs/schema.ts';
import { createQueryReader } from '../../http/query.ts';
import { readersExceeded } from '../../http/reader-bound.ts';
import { runCancelled } from '../../http/run-answer.ts';
import { readStreamCursor } from '../../http/stream-cursor.ts';
import { graphStream } from './encode.ts';
import { severalOwners } from './request.ts';
import { graphErrors, toThreadHistory } from './translate.ts';
import { checkSize } from './wire.ts';

const ask = { message: 'What grows in dry soil?', user_id: 'partner_app_user_123' };
const tooMuch = { message: 'Hello', scenario_context: 'x'.repeat(16_384) };
const RUN_HEADERS = ['X-Thread-Id', 'X-Run-Id'] as const;
const runErrors = ['agent_unknown', 'run_limit'] as const;
const LONG_USER = 'x'.repeat(256);
const inThread = { request: { fields: { thread_id: '{thread_id}' } } };
const otherToken: Refused = {
  given: 'otherToken',
  request: { fields: { user_id: 'partner_app_user_123' }, headers: { authorization: 'Bearer {token}' } },
  fail: () => credentialRefused('auth_other_user'),
};
const runRefusals: readonly Refused[] = [
  otherToken,
  { given: 'retiredModel', ...inThread, fail: () => modelUnknown('retired') },
  { given: 'fullQueue', ...inThread, fail: () => queueFull(20) },
];
const threadRefusals: readonly Refused[] = [
  { ...otherToken, request: { query: { user_id: 'partner_app_user_123' }, headers: { authorization: 'Bearer {token}' } } },
  { request: { query: { user_id: LONG_USER } }, fail: () => createQueryReader({ user_id: LONG_USER }).text('user_id', 255) },
  { given: 'sharedThread', request: { path: { thread_id: '{thread_id}' } }, fail: severalOwners },
];

const user: Parameter = {
  name: 'user_id',
  in: 'query',
  description: 'Whose thread it is; may be left out by a key when only one user of the application has such a thread.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};
const threadId: Parameter = { name: 'thread_id', in: 'path', description: "The thread's id.", schema: uuid };

const invoke: Operation = {
  id: 'invoke',
  summary: 'Send a message, get the whole answer',
  body: { examples: { message: ask, context: { ...ask, message: 'Hello', language: 'en', scenario_context: { garden: 'dry' } } } },
  repeatable: true,
  answers: [
    {
      status: 200,
      description: 'The answer.',
      headers: RUN_HEADERS,
      json: {
        schema: object({ response: text, thread_id: uuid, model: text, metadata: object({ nodes_visited: list(text) }, { intent: text }) }),
        example: {
          response: 'Hello! How can I help?',
          thread_id: sampleThread.id,
          model: sampleRun.snapshot.model,
          metadata: { nodes_visited: ['supervisor', 'answer'], intent: 'answer' },
        },
      },
    },
  ],
  errors: [...runErrors, 'run_failed', 'run_timeout'],
  refused: [
    { request: { body: { user_id: 'partner_app_user_123' } } },
    { request: { body: { message: 5 } } },
    ...runRefusals,
    { given: 'cancelled', request: { fields: { message: '/long 2000' } }, fail: () => runCancelled(sampleRun.id) },
  ],
};

const stream: Operation = {
  id: 'stream',
  summary: 'Send a message, get nodes and tokens as they come',
  description:
    'The last event is `done` or `error`. A stream that broke is resumed by the same POST with its `Idempotency-Key` and `Last-Event-ID`.',
  parameters: [
    {
      name: 'Last-Event-ID',
      in: 'header',
      description: 'With a repeated request: the id of the last frame that the reader has.',
      schema: { type: 'string', pattern: '^(0|[1-9][0-9]{0,15})(\\.[1-9][0-9]{0,5})?$' },
    },
  ],
  body: { examples: { message: ask } },
  repeatable: true,
  answers: [
    {
      status: 200,
      description: 'Server-sent events: `node`, `token`, `done`, `error`.',
      headers: RUN_HEADERS,
      stream: { contentType: graphStream.contentType, example: sampleStream(graphStream, sampleGraphEvents) },
    },
  ],
  errors: [...runErrors, 'too_many_connections'],
  refused: [
    { request: { body: { message: '' } } },
    { request: { body: tooMuch }, fail: () => checkSize('scenario_context', tooMuch.scenario_context) },
    ...runRefusals,
    {
      request: { headers: { 'last-event-id': 'abc' } },
      fail: () => readStreamCursor({ headers: { 'last-event-id': 'abc' }, query: {} }, null),
    },
    {
      given: 'crowdedAnswer',
      request: { headers: { 'idempotency-key': '{repeat_key}' }, fields: { message: '/long 2000' } },
      fail: () => readersExceeded(1_000),
    },
  ],
};

const health: Operation = {
  id: 'health',
  summary: 'Whether the graph takes work, and what answers',
  description: 'While it takes none, the status is 503 and the same body says `healthy: false` with the reason as `status`.',
  answers: [
    {
      status: 200,
      description: 'It does.',
      json: {
        schema: object({ healthy: flag, status: text, graph_id: orNull(text), provider: text, model: text }),
        example: { healthy: true, status: 'ok', graph_id: 'assistant-graph', provider: 'openai', model: 'gpt-4' },
      },
    },
  ],
};

const entry: JsonSchema = object({ id: uuid, role: oneOf('user', 'assistant'), content: text, created_at: time });
const under = (path: string, suffix: string): Readonly<Record<string, Operation>> => {
  const own = { needs: { operation: `createThread${suffix}`, parameters: { thread_id: '$response.body#/thread_id' } } };
  return {
    [`POST ${path}`]: {
      id: `createThread${suffix}`,
      summary: 'Make an empty thread',
      body: { optional: true, examples: { user: { user_id: 'partner_app_user_123', metadata: { plan: 'pro' } } } },
      repeatable: true,
      answers: [
        {
          status: 200,
          description: 'The thread.',
          headers: ['X-Thread-Id'],
          json: {
            schema: object({ thread_id: uuid, metadata: anyObject }),
            example: { thread_id: sampleNewThread.id, metadata: { plan: 'pro' } },
          },
        },
      ],
      refused: [{ request: { body: { metadata: 'pro' } } }, otherToken],
    },
    [`GET ${path}/:thread_id`]: {
      id: `showThread${suffix}`,
      summary: 'A thread with its newest 200 messages, oldest of them first',
      parameters: [threadId, user],
      ...own,
      answers: [
        {
          status: 200,
          description: 'The thread.',
          headers: ['X-Thread-Id'],
          json: {
            schema: object({ thread_id: uuid, metadata: anyObject, history: list(entry) }, { history_truncated: flag }),
            example: toThreadHistory(sampleThread, { messages: [sampleQuestion, sampleAnswer], truncated: false }),
          },
        },
      ],
      errors: ['thread_not_found'],
      refused: threadRefusals,
    },
    [`DELETE ${path}/:thread_id`]: {
      id: `deleteThread${suffix}`,
      summary: 'Delete a thread with everything in it',
      parameters: [threadId, user],
      ...own,
      answers: [
        {
          status: 200,
          description: 'It is gone.',
          headers: ['X-Thread-Id'],
          json: {
            schema: object({ deleted: { const: true, type: 'boolean' }, success: { const: true, type: 'boolean' }, thread_id: uuid }),
            example: { deleted: true, success: true, thread_id: sampleThread.id },
          },
        },
      ],
      errors: ['thread_not_found'],
      refused: threadRefusals,
    },
  };
};

/** What graph tells about itself; threads answer at two addresses. */
export const graphDocument: DialectDocument = {
  operations: {
    'POST /graph/invoke': invoke,
    'POST /graph/stream': stream,
    'GET /graph/health': health,
    ...under('/threads', ''),
    ...under('/graph/threads', 'OfGraph'),
  },
  errors: graphErrors,
  errorSchema: object({
    detail: {
      anyOf: [text, list(object({ type: text, loc: list({ type: ['string', 'integer'] }), msg: text, input: {} }))],
    },
  }),
};
