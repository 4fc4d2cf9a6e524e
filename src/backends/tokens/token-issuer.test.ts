import { createHmac, hkdfSync } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { expect, test } from 'vitest';
import { forgeHmac } from '../../../test/hostile/forge.ts';
import { NOW, OTHER_SECRET, openKnownCredentials, ROOTS, SECRET } from '../../../test/support/known-credentials.ts';
import { DEFAULT_APPLICATION } from '../../core/ids.ts';
import { deriveKeys } from './derived-key.ts';
import { createTokenIssuer } from './token-issuer.ts';

const forAnn = { applicationId: DEFAULT_APPLICATION, userId: 'ann', keyId: null, expiresInSeconds: 600 };
/** Nobody outside has it; here so that tokens can be wrong in one thing only. */
const [derived = Buffer.alloc(0)] = deriveKeys(ROOTS, 'user tokens');
const asIssued = (claims: object) => forgeHmac({ header: { alg: 'HS256', kid: 'polylogue' }, claims, secret: derived });

test('an issued token is its user for as long as was asked', async () => {
  const { verify, hasExpired, issuer, clock } = await openKnownCredentials();
  const { token, expiresAt } = await issuer.issue(forAnn);
  expect(expiresAt).toBe((NOW + 600) * 1000);
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'polylogue' });
  expect(decodeJwt(token)).toEqual({ sub: 'ann', iat: NOW, exp: NOW + 600, jti: expect.any(String) });
  expect(await verify(token)).toEqual({
    kind: 'user',
    by: 'token',
    applicationId: 'default',
    userId: 'ann',
    keyId: null,
    scopes: new Set(['read', 'write']),
    dialects: null,
    tier: 'default',
    expiresAt: expiresAt + 30_000,
    revoked: null,
  });
  clock.advance(629_999);
  expect([await verify(token), await hasExpired(token)]).toEqual([expect.objectContaining({ userId: 'ann' }), false]);
  clock.advance(1);
  expect([await verify(token), await hasExpired(token)]).toEqual([null, true]);
});

test('a token can do no more than the key that asked for it, and ends with it', async () => {
  const { verify, refresh, issuer, createKey, createApplication, store, calls } = await openKnownCredentials();
  const applicationId = await createApplication('bakery', { tier: 'gold' });
  const expiresAt = (NOW + 300) * 1000;
  const { key } = await createKey({ applicationId, scopes: ['read', 'admin', 'act_as'], dialects: ['levia'], expiresAt });
  const { token } = await issuer.issue({ ...forAnn, applicationId, keyId: key.id });
  const principal = await verify(token);
  expect(principal).toMatchObject({
    kind: 'user',
    applicationId: 'bakery',
    userId: 'ann',
    keyId: key.id,
    scopes: new Set(['read']),
    dialects: new Set(['levia']),
    tier: 'gold',
    expiresAt,
  });
  calls();
  expect(await verify(token)).toBe(principal);
  expect(calls()).toEqual({});
  await store.revokeKey({ applicationId: null, id: key.id, now: NOW * 1000 });
  await refresh();
  expect(principal?.revoked?.aborted).toBe(true);
  expect(await verify(token)).toBeNull();
});

test('a token ends when its key does', async () => {
  const { verify, issuer, createKey, clock } = await openKnownCredentials();
  const { key } = await createKey({ expiresAt: (NOW + 60) * 1000 });
  const { token } = await issuer.issue({ ...forAnn, keyId: key.id });
  expect(await verify(token)).toMatchObject({ userId: 'ann' });
  clock.advance(60_000);
  expect(await verify(token)).toBeNull();
});

test('no key stands in for another', async () => {
  const { verify, createKey, createApplication } = await openKnownCredentials();
  const applicationId = await createApplication('brewery');
  const foreign = await createKey({ applicationId });
  const bound = await createKey({ userId: 'bob' });
  const revoked = await createKey({ revokedAt: NOW * 1000 });
  const plain = await createKey();
  const claims = { sub: 'ann', exp: NOW + 600 };
  expect(await verify(asIssued({ ...claims, key: plain.key.id }))).toMatchObject({ userId: 'ann' });
  for (const key of [foreign.key.id, bound.key.id, revoked.key.id, crypto.randomUUID(), '', null, 1, [plain.key.id]]) {
    expect(await verify(asIssued({ ...claims, key })), String(key)).toBeNull();
  }
  expect(await verify(asIssued({ ...claims, application: 'brewery', key: plain.key.id }))).toBeNull();
  expect(await verify(asIssued({ ...claims, application: 'nobody' }))).toBeNull();
});

test('only the derived key verifies what looks issued, and nothing else', async () => {
  const { verify, issuer } = await openKnownCredentials();
  const claims = { sub: 'ann', exp: NOW + 600 };
  expect(await verify(asIssued(claims))).toMatchObject({ userId: 'ann' });
  expect(await verify(forgeHmac({ claims, secret: derived }))).toBeNull();
  expect(await verify(forgeHmac({ header: { alg: 'HS256', kid: 'polylogue' }, claims, secret: SECRET }))).toBeNull();
  const { token } = await issuer.issue(forAnn);
  const elsewhere = await openKnownCredentials({ roots: { ...ROOTS, stored: 'of another store' } });
  expect(await elsewhere.verify(token)).toBeNull();
});

test('neither the secret that is set nor a copy of the store makes tokens without the other', async () => {
  const { verify, clock } = await openKnownCredentials();
  const guesses = [
    { stored: ROOTS.stored, set: [] },
    { stored: ROOTS.stored, set: [OTHER_SECRET] },
    { stored: '', set: [SECRET] },
    { stored: SECRET, set: [] },
    { stored: SECRET, set: [SECRET] },
  ];
  for (const roots of guesses) {
    const { token } = await createTokenIssuer({ roots, clock }).issue(forAnn);
    expect(await verify(token), JSON.stringify(roots)).toBeNull();
  }
  const former = createHmac('sha256', SECRET).update('polylogue user tokens v1').digest();
  const published = Buffer.from(hkdfSync('sha256', SECRET, '', 'polylogue user tokens v1', 32));
  for (const secret of [former, published]) {
    expect(
      await verify(forgeHmac({ header: { alg: 'HS256', kid: 'polylogue' }, claims: { sub: 'ann', exp: NOW + 600 }, secret })),
    ).toBeNull();
  }
});

test('while one set secret follows another the tokens of both count', async () => {
  const rotating = await openKnownCredentials({ roots: { ...ROOTS, set: [OTHER_SECRET, SECRET] } });
  const after = await openKnownCredentials({ roots: { ...ROOTS, set: [OTHER_SECRET] } });
  const { token } = await rotating.issuer.issue(forAnn);
  const { token: newer } = await createTokenIssuer({ roots: { ...ROOTS, set: [OTHER_SECRET, SECRET] }, clock: rotating.clock }).issue(
    forAnn,
  );
  expect([await rotating.verify(token), await after.verify(token)]).toEqual([expect.objectContaining({ userId: 'ann' }), null]);
  for (const { verify } of [rotating, after]) expect(await verify(newer)).toMatchObject({ userId: 'ann' });
});

test('what the development key asked for counts only beside it', async () => {
  const { verify, issuer, createKey } = await openKnownCredentials();
  const production = await openKnownCredentials({ developmentKey: null });
  const { token } = await issuer.issue({ ...forAnn, byDevelopmentKey: true });
  expect([await verify(token), await production.verify(token)]).toEqual([expect.objectContaining({ userId: 'ann' }), null]);
  const { key, secret } = await createKey({ tier: 'development' });
  const { token: ofKey } = await issuer.issue({ ...forAnn, keyId: key.id });
  for (const credential of [secret, ofKey]) {
    expect([await verify(credential), await production.verify(credential)]).toEqual([expect.objectContaining({ keyId: key.id }), null]);
  }
});

test.each([0, -1, 86_401, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('no token is issued for %d seconds', async (expiresInSeconds) => {
  const { issuer } = await openKnownCredentials();
  await expect(issuer.issue({ ...forAnn, expiresInSeconds })).rejects.toMatchObject({ code: 'validation_failed' });
});

test('the bounds themselves are fine, and users must be users', async () => {
  const { issuer } = await openKnownCredentials();
  for (const expiresInSeconds of [1, 86_400]) {
    expect((await issuer.issue({ ...forAnn, expiresInSeconds })).expiresAt).toBe((NOW + expiresInSeconds) * 1000);
  }
  for (const userId of ['', 'a\0b', '\ud800', 'x'.repeat(256), 'service', 'anonymous']) {
    await expect(issuer.issue({ ...forAnn, userId })).rejects.toMatchObject({ code: 'validation_failed' });
  }
});
