import { AppError } from '../../core/errors.ts';
import { type Static, Type } from '../../core/schema.ts';
import type { JsonObject } from '../../core/thread.ts';

const MAX_CONTEXT_BYTES = 16_384;
const nullable = { nullable: true } as const;
const textOrNull = (limits: object) => Type.Optional(Type.Unsafe<string | null>(Type.String({ ...limits, ...nullable })));
const name = { minLength: 1, maxLength: 255 };

/** Body of POST `/graph/invoke` and `/graph/stream`. A field that is null counts as left out. */
export const RunBody = Type.Object({
  message: Type.String({ minLength: 1 }),
  user_id: textOrNull(name),
  thread_id: textOrNull({ maxLength: 64 }),
  language: textOrNull({ minLength: 1, maxLength: 64 }),
  agent: textOrNull(name),
  scenario_context: Type.Optional(Type.Unsafe<string | JsonObject | null>({ type: ['string', 'object', 'null'] })),
});
export type RunBody = Static<typeof RunBody>;

/** Body of POST `/threads`. */
export const CreateThreadBody = Type.Object({
  user_id: textOrNull(name),
  metadata: Type.Optional(Type.Unsafe<JsonObject | null>({ type: 'object', maxProperties: 64, ...nullable })),
});
export type CreateThreadBody = Static<typeof CreateThreadBody>;

/** Refuses a `scenario_context` or `metadata` of more than 16 KB as JSON. */
export function checkSize(field: 'scenario_context' | 'metadata', value: unknown): void {
  if (value === undefined || value === null || Buffer.byteLength(JSON.stringify(value)) <= MAX_CONTEXT_BYTES) return;
  throw invalidField(field, `must have at most ${MAX_CONTEXT_BYTES} bytes as JSON`, 'too_long');
}

/** A `validation_failed` about one field of the body. */
export function invalidField(field: string, message: string, keyword: string): AppError {
  return new AppError('validation_failed', `${field} ${message}.`, { fields: [{ path: [field], message, keyword }] });
}
