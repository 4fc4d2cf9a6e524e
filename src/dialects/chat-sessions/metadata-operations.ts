import { threadNotFound } from '../../core/refusals.ts';
import type { Answer, Operation, Refused } from '../../http/docs/operation.ts';
import { sampleAnswer, sampleThread } from '../../http/docs/samples.ts';
import { count, list, object, orNull, text, time } from '../../http/docs/schema.ts';
import { actingUser, number } from './operation-parts.ts';
import { toMetadata } from './translate.ts';
import { readSessionNumber } from './wire.ts';

const UNKNOWN = '4711';
const parameters = [actingUser, { name: 'session_id', in: 'path', description: "The session's number.", schema: number }] as const;
const needs = { operation: 'createSession', parameters: { session_id: '$response.body#/id' } };
const figures = { messages: 2, lastMessageAt: sampleAnswer.createdAt, totalTokens: 16 };

const tagged = (message: string, tags: readonly string[]): Answer => ({
  status: 200,
  description: "All of the session's tags as they are now.",
  headers: ['X-Session-Id', 'X-Thread-Id'],
  json: { schema: object({ message: text, tags: list(text) }), example: { message, tags } },
});

const unknownSession: readonly Refused[] = [
  { request: { path: { session_id: UNKNOWN } }, fail: threadNotFound },
  { request: { path: { session_id: 'first' } }, fail: () => readSessionNumber('first') },
];
const refused: readonly Refused[] = [...unknownSession, { request: { body: { tags: [] } } }, { request: { body: { tags: 'support' } } }];

const addTags: Operation = {
  id: 'addTags',
  summary: 'Add tags to a session',
  description: 'Those that it has already are no mistake. At most 100 in all.',
  parameters,
  body: { examples: { tags: { tags: ['support', 'billing'] } } },
  needs,
  answers: [tagged('Tags added successfully', ['support', 'billing'])],
  refused,
};

const removeTags: Operation = {
  id: 'removeTags',
  summary: 'Take tags away from a session',
  description: 'Those that it does not have are no mistake.',
  parameters,
  body: { examples: { tags: { tags: ['billing'] } } },
  needs,
  answers: [tagged('Tags removed successfully', [])],
  refused,
};

const showMetadata: Operation = {
  id: 'showMetadata',
  summary: "A session's figures and tags",
  description:
    'message_count is of the branch in view, total_tokens of all branches: what the answers took as their providers say, and the text of ' +
    'messages of which no provider says anything, counted here.',
  parameters,
  needs,
  answers: [
    {
      status: 200,
      description: 'The figures.',
      headers: ['X-Session-Id', 'X-Thread-Id'],
      json: {
        schema: object({
          message_count: count,
          total_tokens: count,
          last_message_at: orNull(time),
          tags: list(text),
          summary: { type: 'null' },
        }),
        example: toMetadata(sampleThread, figures),
      },
    },
  ],
  refused: unknownSession,
};

/** What the routes of a session's tags and figures do. */
export const metadataOperations: Readonly<Record<string, Operation>> = {
  'POST /sessions/:session_id/tags': addTags,
  'DELETE /sessions/:session_id/tags': removeTags,
  'GET /sessions/:session_id/metadata': showMetadata,
};
