import { AppError } from '../../core/errors.ts';
import { SCOPES } from '../../core/principal.ts';
import { type Static, Type } from '../../core/schema.ts';

const MAX_TEXT = 200_000;
const MAX_METADATA_BYTES = 16_384;

const strict = { additionalProperties: false };
const name = Type.String({ minLength: 1, maxLength: 255 });
const nameOrNull = Type.Unsafe<string | null>({ type: ['string', 'null'], minLength: 1, maxLength: 255 });
const tags = Type.Array(Type.String({ minLength: 1, maxLength: 50 }), { maxItems: 20 });
const metadata = Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', maxProperties: 64 });

/** Body of POST `/threads`. */
export const CreateThreadBody = Type.Object(
  {
    title: Type.Optional(nameOrNull),
    model: Type.Optional(nameOrNull),
    agent: Type.Optional(nameOrNull),
    tags: Type.Optional(tags),
    metadata: Type.Optional(metadata),
  },
  strict,
);
export type CreateThreadBody = Static<typeof CreateThreadBody>;

/** Body of PATCH `/threads/{id}`: what is left out stays. */
export const ChangeThreadBody = Type.Object({ ...CreateThreadBody.properties, archived: Type.Optional(Type.Boolean()) }, strict);
export type ChangeThreadBody = Static<typeof ChangeThreadBody>;

const TextPart = Type.Object({ type: Type.Literal('text'), text: Type.String({ maxLength: MAX_TEXT }) }, strict);
const IncomingMessage = Type.Object({ parts: Type.Array(TextPart, { minItems: 1, maxItems: 50 }) }, strict);

/** Body of POST `/threads/{id}/runs`; `readAsk` says which of its forms it has. */
export const StartRunBody = Type.Object(
  {
    text: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_TEXT })),
    message: Type.Optional(IncomingMessage),
    regenerate: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    parent_id: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 64 })),
    model: Type.Optional(name),
    agent: Type.Optional(name),
    temperature: Type.Optional(Type.Number({ minimum: 0, maximum: 2 })),
    max_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  },
  strict,
);
export type StartRunBody = Static<typeof StartRunBody>;

/** Body of PUT `/threads/{id}/head`. */
export const HeadBody = Type.Object({ message_id: Type.String({ minLength: 1, maxLength: 64 }) }, strict);
export type HeadBody = Static<typeof HeadBody>;

const userId = Type.String({ minLength: 1, maxLength: 255 });

/** Body of POST `/tokens`; `expires_in` counts seconds. */
export const CreateTokenBody = Type.Object(
  { user_id: userId, expires_in: Type.Optional(Type.Integer({ minimum: 60, maximum: 86_400 })) },
  strict,
);
export type CreateTokenBody = Static<typeof CreateTokenBody>;

/** Body of POST `/keys`: what is left out comes from the asking key. */
export const CreateKeyBody = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    scopes: Type.Optional(Type.Array(Type.Enum([...SCOPES]), { minItems: 1, maxItems: SCOPES.length })),
    dialects: Type.Optional(
      Type.Unsafe<readonly string[] | null>({
        type: ['array', 'null'],
        items: { type: 'string', maxLength: 64 },
        minItems: 1,
        maxItems: 32,
      }),
    ),
    user_id: Type.Optional(nameOrNull),
    tier: Type.Optional(nameOrNull),
    expires_at: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 64 })),
  },
  strict,
);
export type CreateKeyBody = Static<typeof CreateKeyBody>;

/** What a run is to answer. `parent` undefined: the thread's head. */
export type Ask =
  | { readonly kind: 'parts'; readonly parts: readonly { type: 'text'; text: string }[]; readonly parent: string | null | undefined }
  | { readonly kind: 'regenerate'; readonly messageId: string };

/** Checks what a schema cannot say: exactly one of the three forms, and the length of all parts together. */
export function readAsk(body: StartRunBody): Ask {
  const { text, message, regenerate, parent_id } = body;
  if ([text, message, regenerate].filter((form) => form !== undefined).length !== 1) {
    throw invalid('message', 'or text or regenerate must be given, and only one of them');
  }
  if (regenerate !== undefined) {
    if (parent_id !== undefined) throw invalid('parent_id', 'cannot be given with regenerate');
    return { kind: 'regenerate', messageId: regenerate };
  }
  const parts = message?.parts ?? [{ type: 'text' as const, text: text ?? '' }];
  const length = parts.reduce((sum, part) => sum + part.text.length, 0);
  if (length < 1 || length > MAX_TEXT) throw invalid('message', `must have 1 to ${MAX_TEXT} characters in all its parts together`);
  return { kind: 'parts', parts, parent: parent_id };
}

/** Refuses metadata of more than 16 KB as JSON. */
export function checkMetadata(value: unknown): void {
  if (value !== undefined && Buffer.byteLength(JSON.stringify(value)) > MAX_METADATA_BYTES) {
    throw invalid('metadata', `must have at most ${MAX_METADATA_BYTES} bytes as JSON`);
  }
}

/** A `validation_failed` about one field of the body. */
export function invalid(field: string, message: string): AppError {
  return new AppError('validation_failed', `${field} ${message}.`, { fields: [{ path: [field], message, keyword: 'invalid' }] });
}
