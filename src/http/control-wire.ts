import type { ApiKey, Application } from '../core/access.ts';
import { type Static, Type } from '../core/schema.ts';
import { formatTime } from './time.ts';

const strict = { additionalProperties: false };
const text = Type.String({ minLength: 1, maxLength: 2048 });
const textOrNull = Type.Unsafe<string | null>({ type: ['string', 'null'], minLength: 1, maxLength: 2048 });
const texts = Type.Array(text, { minItems: 1, maxItems: 100 });
const seconds = Type.Integer({ minimum: 1, maximum: 400 * 86_400 });

/** Body of POST `/keys`. */
export const CreateKeyBody = Type.Object(
  {
    application: text,
    name: text,
    scopes: texts,
    dialects: Type.Optional(texts),
    user_id: Type.Optional(text),
    tier: Type.Optional(text),
    expires_in: Type.Optional(seconds),
  },
  strict,
);
export type CreateKeyBody = Static<typeof CreateKeyBody>;

/** Body of PATCH `/applications/{id}`: what is left out stays. */
export const ChangeApplicationBody = Type.Object(
  {
    name: Type.Optional(text),
    tier: Type.Optional(textOrNull),
    jwks_url: Type.Optional(textOrNull),
    issuer: Type.Optional(textOrNull),
    audience: Type.Optional(textOrNull),
    secrets: Type.Optional(Type.Array(Type.String(), { maxItems: 2 })),
  },
  strict,
);
export type ChangeApplicationBody = Static<typeof ChangeApplicationBody>;

/** Body of POST `/applications`. */
export const CreateApplicationBody = Type.Object({ id: text, ...ChangeApplicationBody.properties, name: text }, strict);
export type CreateApplicationBody = Static<typeof CreateApplicationBody>;

/** Body of POST `/tokens`. */
export const TokenBody = Type.Object({ application: text, user_id: Type.String(), expires_in: seconds }, strict);
export type TokenBody = Static<typeof TokenBody>;

/** A key as the command shows it. */
export type KeyView = ReturnType<typeof keyView>;

export function keyView(key: ApiKey) {
  const time = (ms: number | null) => (ms === null ? null : formatTime(ms));
  return {
    id: key.id as string,
    application: key.applicationId as string,
    name: key.name,
    hint: key.hint,
    scopes: key.scopes as readonly string[],
    dialects: key.dialects,
    user_id: key.userId,
    tier: key.tier,
    created_at: formatTime(key.createdAt),
    expires_at: time(key.expiresAt),
    last_used_at: time(key.lastUsedAt),
    revoked_at: time(key.revokedAt),
  };
}

/** An application as the command shows it: how many secrets it has, but not what they are. */
export type ApplicationView = ReturnType<typeof applicationView>;

export function applicationView({ id, name, tier, tokens, createdAt }: Application) {
  const { jwksUrl, sealedSecrets, issuer, audience } = tokens;
  return {
    id: id as string,
    name,
    tier,
    jwks_url: jwksUrl,
    issuer,
    audience,
    secrets: sealedSecrets.length,
    created_at: formatTime(createdAt),
  };
}

/** What an examination of the server's surroundings found. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  /** What was looked at, in a word or two. */
  readonly subject: string;
  /** A sentence; never a secret. */
  readonly message: string;
  /** What to do about it; null when all is well. */
  readonly advice: string | null;
}

/** Who answers at the socket. */
export interface ServerFacts {
  readonly pid: number;
  readonly node: string;
  /** `embedded` or `postgresql`. */
  readonly store: string;
}
