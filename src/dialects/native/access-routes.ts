import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Administrator } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { type KeyId, parseUuid } from '../../core/ids.ts';
import type { Principal } from '../../core/principal.ts';
import { credentialRevoked, keyNotFound } from '../../core/refusals.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { checkUserId } from '../../http/doorkeeper.ts';
import { readKeyCursor, writeKeyCursor } from '../../http/list-cursor.ts';
import { createQueryReader } from '../../http/query.ts';
import { formatTime } from '../../http/time.ts';
import { toCredentialView, toKeyView } from './access-view.ts';
import { toCreateKey } from './key-grant.ts';
import { principalIn, type RouteNeeds } from './request.ts';
import { CreateKeyBody, CreateTokenBody } from './wire.ts';

const TOKEN_SECONDS = 3_600;
const PAGE = { min: 1, max: 100, default: 20 };

/** Adds what concerns credentials: the asker's own, tokens for users, keys of the asker's application. */
export function registerAccessRoutes(scope: FastifyInstance, deps: DialectDeps): void {
  scope.get('/me', async (request) => toCredentialView(principalIn(request)));
  const minting = { config: { needs: 'act_as' } satisfies RouteNeeds };
  const administration = { config: { needs: 'admin' } satisfies RouteNeeds };
  scope.post('/tokens', { ...minting, schema: { body: CreateTokenBody } }, (request, reply) => createToken(deps, request, reply));
  scope.get('/keys', administration, (request) => listKeys(deps, request));
  scope.post('/keys', { ...administration, schema: { body: CreateKeyBody } }, (request, reply) => createKey(deps, request, reply));
  scope.delete('/keys/:key_id', administration, (request) => revokeKey(deps, request));
}

/** A repeat would have to give the secret again, and nobody keeps it. */
function refuseRepeatKey({ headers }: FastifyRequest): void {
  if (headers['idempotency-key'] === undefined) return;
  throw new AppError('idempotency_key_invalid', 'Secrets are shown once and never stored: send this request without Idempotency-Key.');
}

async function createToken({ engine, clock }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  refuseRepeatKey(request);
  const { user_id, expires_in = TOKEN_SECONDS } = request.body as CreateTokenBody;
  checkUserId(user_id);
  const { applicationId, keyId, expiresAt } = principalIn(request);
  // The token ends with the key, so it does not promise more.
  const left = expiresAt === null ? expires_in : Math.max(1, Math.floor((expiresAt - clock.now()) / 1000));
  const expiresInSeconds = Math.min(expires_in, left);
  const issued = await engine.access.issueToken({
    ...{ applicationId, userId: user_id, keyId, expiresInSeconds },
    ...(keyId === null && { byDevelopmentKey: true }),
  });
  reply.code(201);
  return { token: issued.token, user_id, expires_at: formatTime(issued.expiresAt) };
}

async function listKeys({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const reader = createQueryReader(request.query);
  const limit = reader.integer('limit', PAGE);
  const cursor = reader.text('cursor', 200);
  const after = cursor === null ? null : readKeyCursor(cursor);
  const found = await engine.access.listKeys(principalIn(request).applicationId, { limit: limit + 1, after });
  const data = found.slice(0, limit);
  const last = data.at(-1);
  return { data: data.map(toKeyView), next_cursor: last && found.length > limit ? writeKeyCursor(last.id) : null };
}

async function createKey({ engine }: DialectDeps, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  refuseRepeatKey(request);
  const principal = principalIn(request);
  const own = principal.keyId === null ? null : await engine.access.findKey(principal.keyId);
  // The store may know already what this process is about to hear.
  if (own !== null && own.revokedAt !== null) throw credentialRevoked();
  const { key, secret } = await engine.access.createKey({
    ...toCreateKey(request.body as CreateKeyBody, principal, own),
    by: administrator(principal),
  });
  reply.code(201);
  return { ...toKeyView(key), key: secret };
}

async function revokeKey({ engine }: DialectDeps, request: FastifyRequest): Promise<object> {
  const id = parseUuid<KeyId>((request.params as { key_id?: string }).key_id);
  if (!id) throw keyNotFound();
  const principal = principalIn(request);
  return toKeyView(await engine.access.revokeKey(principal.applicationId, id, administrator(principal)));
}

function administrator({ applicationId, keyId }: Principal): Administrator {
  return { applicationId, keyId };
}
