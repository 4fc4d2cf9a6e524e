import { describe, expect, it } from 'vitest';
import { type DialectServer, serveDialect } from '../../../test/support/dialect-server.ts';
import { serverKey, userToken } from '../../../test/support/principals.ts';
import { type ExpectedCalls, stubEngine } from '../../../test/support/stub-engine.ts';
import type { ApiKey } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { type ApplicationId, DEFAULT_APPLICATION, type KeyId } from '../../core/ids.ts';
import type { TokenClaims } from '../../core/ports/secrets.ts';
import type { Principal } from '../../core/principal.ts';
import type { CreateKey } from '../../engine/index.ts';
import { native } from './index.ts';

const base = '/polylogue/v1';
const keyId = '01890000-0000-7000-8000-00000000000a' as KeyId;
const NOW = Date.parse('2099-01-01T00:00:00Z');

const storedKey: ApiKey = {
  id: keyId,
  applicationId: DEFAULT_APPLICATION,
  name: 'Server',
  hint: 'wxyz',
  scopes: ['read', 'write', 'admin'],
  dialects: null,
  userId: null,
  tier: 'gold',
  createdAt: NOW,
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
};

const view = {
  id: keyId,
  name: 'Server',
  hint: 'wxyz',
  scopes: ['read', 'write', 'admin'],
  dialects: null,
  user_id: null,
  tier: 'gold',
  created_at: '2099-01-01T00:00:00.000Z',
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
};

/** A server that knows one credential, `asker`. */
async function serveAsker<Result>(
  { asker, calls = {} }: { asker: Principal; calls?: ExpectedCalls['access'] },
  use: (server: DialectServer) => Promise<Result>,
): Promise<Result> {
  const server = await serveDialect(native, stubEngine({ access: { findKey: async () => storedKey, ...calls } }), { asker });
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

const authorization = 'Bearer asker';

describe('GET /me', () => {
  it('shows what a credential is', async () => {
    const key = serverKey({
      keyId,
      scopes: new Set(['act_as', 'read']),
      dialects: new Set(['native', 'graph']),
      tier: 'gold',
      expiresAt: NOW,
    });
    const ofKey = await serveAsker({ asker: key }, async ({ send }) => (await send(`${base}/me`, { headers: { authorization } })).json());
    expect(ofKey).toEqual({
      credential: 'key',
      key_id: keyId,
      application: 'default',
      user_id: null,
      scopes: ['read', 'act_as'],
      dialects: ['graph', 'native'],
      tier: 'gold',
      expires_at: '2099-01-01T00:00:00.000Z',
    });
    const ofToken = await serveAsker({ asker: userToken('ann') }, async ({ send }) =>
      (await send(`${base}/me`, { headers: { authorization, 'x-user-id': 'bob' } })).json(),
    );
    expect(ofToken).toMatchObject({ credential: 'token', key_id: null, user_id: 'ann', scopes: ['read', 'write'], dialects: null });
  });
});

describe('POST /tokens', () => {
  const mint = (asker: Principal, body: object, headers = {}) => {
    const asked: TokenClaims[] = [];
    const issueToken = async (claims: TokenClaims) => {
      asked.push(claims);
      return { token: 'the-token', expiresAt: NOW };
    };
    return serveAsker({ asker, calls: { issueToken } }, async ({ post }) => {
      const response = await post(`${base}/tokens`, body, { authorization, ...headers });
      return { status: response.status, body: (await response.json()) as Record<string, unknown>, asked };
    });
  };

  it('gives a token that ends with the key that asks', async () => {
    const minted = await mint(serverKey({ keyId, applicationId: 'other' as ApplicationId }), { user_id: 'ann', expires_in: 60 });
    expect([minted.status, minted.body]).toEqual([201, { token: 'the-token', user_id: 'ann', expires_at: '2099-01-01T00:00:00.000Z' }]);
    expect(minted.asked).toEqual([{ applicationId: 'other', userId: 'ann', keyId, expiresInSeconds: 60 }]);
    expect((await mint(serverKey(), { user_id: 'ann' })).asked).toMatchObject([{ keyId: null, expiresInSeconds: 3_600 }]);
    const soon = await mint(serverKey({ expiresAt: Date.now() + 600_000 }), { user_id: 'ann' });
    expect(soon.asked[0]?.expiresInSeconds).toBeLessThanOrEqual(600);
    expect(soon.asked[0]?.expiresInSeconds).toBeGreaterThan(500);
  });

  it.each([
    ['a token', userToken('ann')],
    ['a token with every scope', userToken('ann', { scopes: new Set(['read', 'write', 'admin', 'act_as']) })],
    ['a bound key', userToken('ann', { by: 'key', scopes: new Set(['read', 'write', 'act_as']) })],
    ['a key without act_as', serverKey({ scopes: new Set(['read', 'write', 'admin']) })],
    ['a key without write', serverKey({ scopes: new Set(['read', 'act_as']) })],
  ])('is not for %s', async (_name, asker) => {
    for (const body of [{ user_id: 'ann' }, { nonsense: 1 }]) {
      expect(await mint(asker, body)).toMatchObject({ status: 403, body: { code: 'scope_denied' }, asked: [] });
    }
  });

  it.each([
    [{}, 'validation_failed'],
    [{ user_id: '' }, 'validation_failed'],
    [{ user_id: 'x'.repeat(256) }, 'validation_failed'],
    [{ user_id: 'a\0b' }, 'unicode_invalid'],
    [{ user_id: 'ann', expires_in: 59 }, 'validation_failed'],
    [{ user_id: 'ann', expires_in: 86_401 }, 'validation_failed'],
    [{ user_id: 'ann', expires_in: 60.5 }, 'validation_failed'],
    [{ user_id: 'ann', scopes: ['admin'] }, 'validation_failed'],
  ])('refuses %j', async (body, code) => {
    expect(await mint(serverKey(), body)).toMatchObject({ status: 422, body: { code }, asked: [] });
  });

  it('cannot be repeated', async () => {
    const answer = await mint(serverKey(), { user_id: 'ann' }, { 'idempotency-key': 'k' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'idempotency_key_invalid' }, asked: [] });
  });
});

describe('POST /keys', () => {
  const create = (asker: Principal, body: object, headers = {}) => {
    const asked: CreateKey[] = [];
    const createKey = async (input: CreateKey) => {
      asked.push(input);
      return { key: storedKey, secret: 'plg_secret' };
    };
    return serveAsker({ asker, calls: { createKey } }, async ({ post }) => {
      const response = await post(`${base}/keys`, body, { authorization, ...headers });
      return { status: response.status, body: (await response.json()) as Record<string, unknown>, asked };
    });
  };
  const admin = serverKey({ keyId, tier: 'gold' });
  const usual = {
    applicationId: 'default',
    name: 'N',
    userId: null,
    scopes: ['read', 'write'],
    dialects: null,
    tier: 'gold',
    expiresAt: null,
  };

  it('shows the secret once', async () => {
    const made = await create(admin, { name: 'N' });
    expect([made.status, made.body, made.asked]).toEqual([
      201,
      { ...view, key: 'plg_secret' },
      [{ ...usual, by: { applicationId: 'default', keyId } }],
    ]);
  });

  const expiresAt = Date.parse('2098-01-01T00:00:00Z');
  const limited = serverKey({
    keyId,
    tier: 'gold',
    scopes: new Set(['write', 'admin']),
    dialects: new Set(['native', 'levia']),
    expiresAt,
  });

  it.each([
    [admin, { scopes: ['admin'], dialects: ['levia'], user_id: null, tier: 'gold' }, { scopes: ['admin'], dialects: ['levia'] }],
    [admin, { user_id: 'ann', expires_at: '2099-01-01' }, { userId: 'ann', expiresAt: NOW }],
    [admin, { expires_at: null }, { expiresAt: null }],
    [serverKey({ tier: 'development' }), {}, { tier: 'development' }],
    [serverKey({ tier: 'development' }), { tier: 'development' }, { tier: 'development' }],
    [limited, {}, { scopes: ['write'], dialects: ['native', 'levia'], expiresAt }],
    [
      limited,
      { dialects: ['levia'], expires_at: '2097-01-01' },
      { scopes: ['write'], dialects: ['levia'], expiresAt: Date.parse('2097-01-01') },
    ],
  ])('gives what the asker has: %#', async (asker, body, expected) => {
    const { status, asked } = await create(asker, { name: 'N', ...body });
    const by = { applicationId: asker.applicationId, keyId: asker.keyId };
    expect([status, asked]).toEqual([201, [{ ...usual, ...expected, by }]]);
  });

  it.each([
    [limited, { scopes: ['read'] }],
    [limited, { scopes: ['write', 'act_as'] }],
    [limited, { dialects: ['graph'] }],
    [limited, { dialects: ['native', 'graph'] }],
    [limited, { dialects: null }],
    [limited, { user_id: 'ann' }],
    [limited, { expires_at: '2098-01-01T00:00:01Z' }],
    [limited, { expires_at: null }],
    [admin, { tier: 'platinum' }],
    [admin, { tier: null }],
    [serverKey(), { tier: 'gold' }],
  ])('gives nothing more: %#', async (asker, body) => {
    expect(await create(asker, { name: 'N', ...body })).toMatchObject({ status: 403, body: { code: 'scope_denied' }, asked: [] });
  });

  it.each([
    {},
    { name: '' },
    { name: 'x'.repeat(101) },
    { name: 'N', scopes: ['root'] },
    { name: 'N', scopes: [] },
    { name: 'N', scopes: null },
    { name: 'N', dialects: [] },
    { name: 'N', dialects: 'levia' },
    { name: 'N', expires_at: 'tomorrow' },
    { name: 'N', expires_at: 5 },
    { name: 'N', application: 'other' },
  ])('refuses %j', async (body) => {
    expect(await create(admin, body)).toMatchObject({ status: 422, body: { code: 'validation_failed' }, asked: [] });
  });

  it('is refused to a key that the store knows as revoked', async () => {
    const calls: ExpectedCalls['access'] = { findKey: async () => ({ ...storedKey, revokedAt: NOW }) };
    await serveAsker({ asker: serverKey({ keyId }), calls }, async ({ post }) => {
      const answer = await post(`${base}/keys`, { name: 'successor' }, { authorization });
      expect([answer.status, await answer.json()]).toEqual([401, expect.objectContaining({ code: 'auth_revoked' })]);
    });
  });

  it('cannot be repeated', async () => {
    const answer = await create(admin, { name: 'N' }, { 'idempotency-key': 'k' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'idempotency_key_invalid' }, asked: [] });
  });
});

describe('the keys of an application', () => {
  it('are listed and revoked by its administrators only', async () => {
    const asked: unknown[] = [];
    const calls: ExpectedCalls['access'] = {
      listKeys: async (application: unknown) => {
        asked.push(application);
        return [storedKey];
      },
      revokeKey: async (application, id) => {
        asked.push(application, id);
        if (id !== keyId) throw new AppError('key_not_found', 'There is no such API key');
        return { ...storedKey, revokedAt: NOW };
      },
    };
    const headers = { authorization };
    const asker = serverKey({ applicationId: 'other' as ApplicationId });
    await serveAsker({ asker, calls }, async ({ send }) => {
      expect(await (await send(`${base}/keys`, { headers })).json()).toEqual({ data: [view], next_cursor: null });
      const revoked = await send(`${base}/keys/${keyId.toUpperCase()}`, { method: 'DELETE', headers });
      expect([revoked.status, await revoked.json()]).toEqual([200, { ...view, revoked_at: '2099-01-01T00:00:00.000Z' }]);
      const unknown = await Promise.all(
        [keyId.replace('a', 'b'), 'x'].map(async (id) => {
          const response = await send(`${base}/keys/${id}`, { method: 'DELETE', headers: { ...headers, 'x-request-id': 'same' } });
          return [response.status, await response.text()];
        }),
      );
      expect(unknown[0]).toEqual(unknown[1]);
      expect(unknown[0]?.[0]).toBe(404);
    });
    expect(asked).toEqual(['other', 'other', keyId, 'other', keyId.replace('a', 'b')]);
    for (const other of [
      serverKey({ scopes: new Set(['read', 'write', 'act_as']) }),
      userToken('ann', { scopes: new Set(['read', 'admin']) }),
    ]) {
      await serveAsker({ asker: other, calls }, async ({ send }) => {
        expect((await send(`${base}/keys`, { headers })).status).toBe(403);
        expect((await send(`${base}/keys/${keyId}`, { method: 'DELETE', headers })).status).toBe(403);
      });
    }
    expect(asked).toHaveLength(5);
  });
});
