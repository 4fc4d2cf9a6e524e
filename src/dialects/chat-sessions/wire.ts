import { AppError } from '../../core/errors.ts';
import { type Static, Type } from '../../core/schema.ts';
import type { SearchWord } from '../../core/search-words.ts';
import { createQueryReader } from '../../http/query.ts';
import { readTags } from '../../http/read-tags.ts';
import { readSearch } from '../../http/search-query.ts';

const nullable = { nullable: true } as const;
const ModelName = Type.String({ minLength: 1, maxLength: 255 });

/** Body of POST `/stream`. A field that is null counts as left out. */
export const StreamBody = Type.Object({
  model: ModelName,
  messages: Type.Array(Type.Object({ role: Type.Enum(['system', 'user', 'assistant']), content: Type.String() }), {
    minItems: 1,
    maxItems: 1000,
  }),
  temperature: Type.Optional(Type.Unsafe<number | null>(Type.Number({ minimum: 0, maximum: 2, ...nullable }))),
  max_tokens: Type.Optional(Type.Unsafe<number | null>(Type.Integer({ minimum: 1, maximum: 2_147_483_647, ...nullable }))),
  stream: Type.Optional(Type.Unsafe<boolean | null>(Type.Boolean(nullable))),
  session_id: Type.Optional(Type.Unsafe<number | null>(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, ...nullable }))),
  tags: Type.Optional(
    Type.Unsafe<string[] | null>(Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 100, ...nullable })),
  ),
});
export type StreamBody = Static<typeof StreamBody>;

/** Body of POST `/sessions`. */
export const CreateSessionBody = Type.Object({ model: ModelName });
export type CreateSessionBody = Static<typeof CreateSessionBody>;

/** Body of POST `/switch-model`. */
export const SwitchModelBody = Type.Object({
  session_id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  model: ModelName,
});
export type SwitchModelBody = Static<typeof SwitchModelBody>;

/** Body of POST and DELETE `/sessions/{id}/tags`. */
export const TagsBody = Type.Object({
  tags: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { minItems: 1, maxItems: 100 }),
});
export type TagsBody = Static<typeof TagsBody>;

/** The query of GET `/history`. */
export interface HistoryQuery {
  readonly page: number;
  readonly pageSize: number;
  readonly model: string | null;
  readonly createdAfter: number | null;
  readonly createdBefore: number | null;
  readonly words: readonly SearchWord[] | null;
  readonly tags: readonly string[];
}

const PAGE = { min: 1, max: 2_147_483_647, default: 1 };
const PAGE_SIZE = { min: 1, max: 100, default: 10 };
const MAX_NAME = 255;

/** Reads the query strictly; `request_invalid` when the dates end before they start. */
export function readHistoryQuery(query: unknown): HistoryQuery {
  const reader = createQueryReader(query);
  const createdAfter = reader.time('start_date');
  const createdBefore = reader.time('end_date');
  if (createdAfter !== null && createdBefore !== null && createdAfter > createdBefore) {
    throw new AppError('request_invalid', 'start_date must not be after end_date.');
  }
  return {
    page: reader.integer('page', PAGE),
    pageSize: reader.integer('page_size', PAGE_SIZE),
    model: reader.text('model', MAX_NAME) || null,
    createdAfter,
    createdBefore,
    words: readSearch(reader, 'search_term'),
    tags: readTags(reader),
  };
}

/** Reads a session id from a path: 1 to 2^53-1 in decimal digits without sign or leading zero, else `validation_failed`. */
export function readSessionNumber(text: string): number {
  return readNumber('session_id', text);
}

/** The same for an id of another kind, which its parameter's name tells. */
export function readNumber(name: string, text: string): number {
  const number = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  const message = 'must be a whole number from 1 to 9007199254740991';
  throw new AppError('validation_failed', `${name} ${message}.`, { fields: [{ path: [name], message, keyword: 'range' }] });
}
