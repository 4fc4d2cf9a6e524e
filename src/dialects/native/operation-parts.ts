import { agentUnknown, modelUnknown } from '../../core/refusals.ts';
import type { Parameter, Refused } from '../../http/docs/operation.ts';
import {
  anyObject,
  count,
  flag,
  type JsonSchema,
  list,
  named,
  object,
  oneOf,
  only,
  orNull,
  text,
  time,
  uuid,
} from '../../http/docs/schema.ts';
import { createQueryReader, type QueryReader } from '../../http/query.ts';
import { readStreamCursor } from '../../http/stream-cursor.ts';

export const actingUser: Parameter = {
  name: 'X-User-Id',
  in: 'header',
  description: 'The user that a key with the scope act_as acts for; without it the application itself. Of no meaning with a token.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

export const threadId: Parameter = { name: 'thread_id', in: 'path', description: "The thread's id.", schema: uuid };
export const runId: Parameter = { name: 'run_id', in: 'path', description: "The run's id.", schema: uuid };
export const cursor: Parameter = {
  name: 'cursor',
  in: 'query',
  description: 'The next_cursor of the page before.',
  schema: { type: 'string', maxLength: 200 },
};
export const limit: Parameter = {
  name: 'limit',
  in: 'query',
  description: 'Entries on the page.',
  schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
};
export const lastEventId: Parameter = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'The id of the last frame that the reader has.',
  schema: { type: 'string', pattern: '^(0|[1-9][0-9]{0,15})(\\.[1-9][0-9]{0,5})?$' },
};
export const after: Parameter = {
  name: 'after',
  in: 'query',
  description: 'The same as Last-Event-ID, which counts when both are given.',
  schema: { type: 'string', pattern: '^(0|[1-9][0-9]{0,15})(\\.[1-9][0-9]{0,5})?$' },
};

/** A query that the reader refuses. */
export function refusedQuery(query: Readonly<Record<string, string>>, read: (reader: QueryReader) => unknown): Refused {
  return { request: { query }, fail: () => read(createQueryReader(query)) };
}

/** A position that is none. */
export const refusedPosition: Refused = {
  request: { headers: { 'last-event-id': 'abc' } },
  fail: () => readStreamCursor({ headers: { 'last-event-id': 'abc' }, query: {} }, null),
};

/** A model and an agent that nobody has. */
export const unknownNames: readonly Refused[] = [
  { given: 'namedModels', request: { body: { model: 'nope' } }, fail: () => modelUnknown('nope') },
  { request: { body: { agent: 'nope' } }, fail: () => agentUnknown('nope') },
];

/** One page of a list. */
export function page(entry: JsonSchema): JsonSchema {
  return object({ data: list(entry), next_cursor: orNull(text) });
}

const usage = orNull(object({ input_tokens: count, output_tokens: count }));

export const threadView = named(
  'native.Thread',
  object({
    id: uuid,
    title: orNull(text),
    model: orNull(text),
    agent: orNull(text),
    tags: list(text),
    archived: flag,
    metadata: anyObject,
    head_id: orNull(uuid),
    created_at: time,
    updated_at: time,
  }),
);

const notes = { provider: anyObject };
const toolStatus = oneOf('completed', 'failed', 'cancelled', 'denied');
const part: JsonSchema = named('native.Part', {
  oneOf: [
    object({ type: only('text'), text }, notes),
    object({ type: only('reasoning'), text }, notes),
    object({ type: only('tool_call'), call_id: text, name: text, arguments: text }, { called_at: time, ...notes }),
    object({ type: only('tool_result'), call_id: text, name: text, status: toolStatus, result: text }, { returned_at: time }),
    object({ type: only('citation'), file_id: uuid, name: text, page: orNull({ type: 'integer', minimum: 1 }) }),
    object({ type: only('error'), code: text, detail: text }),
  ],
});
const messageStatus = oneOf('completed', 'failed', 'cancelled');
const role = oneOf('user', 'assistant');

export const messageView = named(
  'native.Message',
  object({
    id: uuid,
    thread_id: uuid,
    seq: { type: 'integer', minimum: 1 },
    parent_id: orNull(uuid),
    role,
    status: messageStatus,
    parts: list(part),
    run_id: orNull(uuid),
    model: orNull(text),
    usage,
    created_at: time,
  }),
);

const finishReason = oneOf('stop', 'length', 'tool_calls', 'content_filter');
const failure = { code: text, detail: text, retryable: flag };
const runFields = {
  id: uuid,
  thread_id: uuid,
  message_id: uuid,
  answer_id: uuid,
  status: oneOf('queued', 'running', 'waiting', 'completed', 'failed', 'cancelled'),
  model: text,
  agent: { ...orNull(text), description: 'The name of the agent that answers.' },
  agent_version: orNull(count),
  usage,
  finish_reason: orNull(finishReason),
  attempt: count,
  created_at: time,
  ended_at: orNull(time),
};

export const runView = named('native.Run', object(runFields, { error: object(failure) }));
export const answeredRun = named('native.AnsweredRun', object({ ...runFields, answer: messageView }, { error: object(failure) }));

const place = { run_id: uuid, offset: { type: 'integer', minimum: 1 } };
const event = (type: string, fields: Readonly<Record<string, JsonSchema>>) => object({ type: only(type), ...place, ...fields });
const call = { call_id: text, name: text };

const tool = object({ name: text, description: text, parameters: anyObject, readOnly: flag });
const approvalRequested = object(
  { type: only('approval.requested'), ...place, ...call, arguments: text, expires_at: time },
  { change: { ...object({ before: tool, after: tool }), description: 'What the tool was when it was trusted, and what it is now.' } },
);

/** An event of a run's log. */
export const runEvent: JsonSchema = named('native.RunEvent', {
  oneOf: [
    event('run.started', { thread_id: uuid, message_id: uuid, answer_id: uuid, model: text, attempt: count }),
    event('run.restarted', { attempt: count }),
    event('node.entered', { name: text }),
    event('text.appended', { message_id: uuid, text, at: count }),
    event('reasoning.appended', { message_id: uuid, text }),
    event('tool.called', { ...call, arguments: text, called_at: time }),
    event('tool.returned', { ...call, status: toolStatus, result: text, returned_at: time }),
    approvalRequested,
    event('approval.decided', { call_id: text, decision: oneOf('approve', 'deny'), arguments: orNull(text), expired: flag }),
    event('usage.recorded', { usage: object({ input_tokens: count, output_tokens: count }) }),
    event('run.completed', {
      message: object({ id: uuid, seq: count, role, status: messageStatus, parts: list(part) }),
      usage,
      model: text,
      finish_reason: finishReason,
    }),
    event('run.failed', failure),
    event('run.cancelled', {}),
  ],
});

const threadFact = (type: string, fields: Readonly<Record<string, JsonSchema>>) =>
  object({ type: only(type), number: { type: 'integer', minimum: 1 }, ...fields });

/** A fact about a thread. */
export const threadEvent: JsonSchema = named('native.ThreadEvent', {
  oneOf: [
    threadFact('message.added', { message_id: uuid, seq: count, role, run_id: orNull(uuid) }),
    threadFact('run.started', { run_id: uuid, message_id: uuid, answer_id: uuid }),
    threadFact('run.ended', { run_id: uuid, status: messageStatus }),
    threadFact('thread.changed', {}),
    threadFact('thread.deleted', {}),
  ],
});
