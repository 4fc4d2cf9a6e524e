import type { ApiKey } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { DEFAULT_APPLICATION, type KeyId } from '../../core/ids.ts';
import { SCOPES, type Scope } from '../../core/principal.ts';
import type { Operation, Refused } from '../../http/docs/operation.ts';
import { list, named, object, oneOf, orNull, text, time, uuid } from '../../http/docs/schema.ts';
import { requireScope } from '../../http/doorkeeper.ts';
import { readKeyCursor } from '../../http/list-cursor.ts';
import { formatTime } from '../../http/time.ts';
import { toCredentialView, toKeyView } from './access-view.ts';
import { actingUser, cursor, limit, page, refusedQuery } from './operation-parts.ts';

const CREATED = Date.UTC(2026, 10, 20, 9, 30);
const sampleKey: ApiKey = {
  id: '019a9e2f-2c11-7d22-8e33-3f4455667788' as KeyId,
  applicationId: DEFAULT_APPLICATION,
  name: 'web app',
  hint: 'k3Qz',
  scopes: ['read', 'write'],
  dialects: null,
  userId: 'user123',
  tier: null,
  createdAt: CREATED,
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
};
const keyFields = {
  id: uuid,
  name: text,
  hint: { ...text, description: "The end of the key's secret." },
  scopes: list(oneOf(...SCOPES)),
  dialects: { ...orNull(list(text)), description: 'Null: all.' },
  user_id: { ...orNull(text), description: 'The only user it acts for.' },
  tier: orNull(text),
  created_at: time,
  expires_at: orNull(time),
  last_used_at: orNull(time),
  revoked_at: orNull(time),
};
const keyView = named('native.Key', object(keyFields));

/** What a key cannot do without this scope. */
const needing = (scope: Scope, given: NonNullable<Refused['given']>): Refused => ({
  given,
  request: { headers: { authorization: 'Bearer {key}' } },
  fail: () => requireScope({ scopes: new Set() }, scope),
});
const administration = needing('admin', 'keyWithoutAdmin');

/** Whoever repeats such a request would have to get the secret again. */
const repeated = (body: object): Refused => ({
  request: { headers: { 'idempotency-key': 'a-key' }, body },
  fail: () => {
    const message = 'Secrets are shown once and never stored: send this request without Idempotency-Key.';
    throw new AppError('idempotency_key_invalid', message);
  },
});

const showCredential: Operation = {
  id: 'showCredential',
  summary: 'What the credential of this request is and may do',
  parameters: [actingUser],
  answers: [
    {
      status: 200,
      description: 'The credential.',
      json: {
        schema: object({
          credential: oneOf('key', 'token'),
          key_id: orNull(uuid),
          application: text,
          user_id: orNull(text),
          scopes: keyFields.scopes,
          dialects: keyFields.dialects,
          tier: text,
          expires_at: orNull(time),
        }),
        example: toCredentialView({
          kind: 'key',
          applicationId: DEFAULT_APPLICATION,
          by: 'key',
          keyId: sampleKey.id,
          scopes: new Set(['read', 'write', 'act_as']),
          dialects: null,
          tier: 'default',
          expiresAt: null,
          revoked: null,
        }),
      },
    },
  ],
};

const createToken: Operation = {
  id: 'createToken',
  summary: 'Make a short-lived token for one user, to hand to its browser',
  description:
    'Needs a key with the scope act_as. The token can do no more than the key, and ends with it. Cannot be repeated by an Idempotency-Key.',
  parameters: [actingUser],
  body: { examples: { hour: { user_id: 'user123' }, day: { user_id: 'user123', expires_in: 86_400 } } },
  answers: [
    {
      status: 201,
      description: 'The token.',
      json: {
        schema: object({ token: text, user_id: text, expires_at: time }),
        example: {
          token: 'eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoidXNlcjEyMyJ9.c2lnbmF0dXJl',
          user_id: 'user123',
          expires_at: formatTime(CREATED),
        },
      },
    },
  ],
  refused: [
    { request: { body: {} } },
    { request: { body: { user_id: 'user123', expires_in: 5 } } },
    repeated({ user_id: 'user123' }),
    needing('act_as', 'keyWithoutActAs'),
  ],
};

const listKeys: Operation = {
  id: 'listKeys',
  summary: "The application's keys, newest first, without their secrets",
  description: 'Needs a key with the scope admin.',
  parameters: [actingUser, cursor, limit],
  answers: [
    {
      status: 200,
      description: 'One page, revoked ones too.',
      json: { schema: page(keyView), example: { data: [toKeyView(sampleKey)], next_cursor: null } },
    },
  ],
  refused: [
    administration,
    refusedQuery({ limit: '0' }, (reader) => reader.integer('limit', { min: 1, max: 100, default: 20 })),
    { request: { query: { cursor: 'abc' } }, fail: () => readKeyCursor('abc') },
  ],
};

const createKey: Operation = {
  id: 'createKey',
  summary: 'Make a key; its secret is shown here and never again',
  description:
    'Needs a key with the scope admin. The new key can do no more than the asking one. Cannot be repeated by an Idempotency-Key.',
  parameters: [actingUser],
  body: {
    examples: {
      server: { name: 'backend', scopes: ['read', 'write', 'act_as'] },
      browser: { name: 'web app', user_id: 'user123', dialects: ['native'], expires_at: '2099-01-01T00:00:00Z' },
    },
  },
  answers: [
    {
      status: 201,
      description: 'The key.',
      json: {
        schema: object({ ...keyFields, key: { ...text, description: 'The secret.' } }),
        example: { ...toKeyView(sampleKey), key: 'plg_...k3Qz' },
      },
    },
  ],
  refused: [
    { request: { body: {} } },
    { request: { body: { name: 'backend', scopes: ['everything'] } } },
    repeated({ name: 'backend' }),
    administration,
  ],
};

const revokeKey: Operation = {
  id: 'revokeKey',
  summary: 'End a key everywhere within a second, its open streams and its tokens too. Twice does no harm',
  description: 'Needs a key with the scope admin.',
  parameters: [actingUser, { name: 'key_id', in: 'path', description: "The key's id.", schema: uuid }],
  needs: { operation: 'createKey', parameters: { key_id: '$response.body#/id' } },
  answers: [
    {
      status: 200,
      description: 'The key as it is now.',
      json: { schema: keyView, example: toKeyView({ ...sampleKey, revokedAt: CREATED + 60_000 }) },
    },
  ],
  errors: ['key_not_found'],
  refused: [administration],
};

/** What the routes about credentials do. */
export const accessOperations: Readonly<Record<string, Operation>> = {
  'GET /me': showCredential,
  'POST /tokens': createToken,
  'GET /keys': listKeys,
  'POST /keys': createKey,
  'DELETE /keys/:key_id': revokeKey,
};
