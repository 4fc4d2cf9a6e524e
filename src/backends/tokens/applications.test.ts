import { expect, test } from 'vitest';
import { forgeHmac, forgeSigned } from '../../../test/hostile/forge.ts';
import { startKeySetServer } from '../../../test/support/key-set-server.ts';
import { createKeyPair, NOW, OTHER_SECRET, openKnownCredentials, SECRET } from '../../../test/support/known-credentials.ts';
import { createSecretBox } from './secret-box.ts';

const THIRD_SECRET = '1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014';
const claims = { sub: 'ann', exp: NOW + 600 };
const token = (application: string, secret: string, more: object = {}) =>
  forgeHmac({ claims: { ...claims, application, ...more }, secret });

test("an application's tokens are signed by its own secrets and nobody else's", async () => {
  const { verify, createApplication, box } = await openKnownCredentials();
  await createApplication('bakery', { tier: 'gold', tokens: { sealedSecrets: [box.seal(OTHER_SECRET), box.seal(THIRD_SECRET)] } });
  await createApplication('brewery', { tokens: { sealedSecrets: [box.seal(SECRET.toUpperCase())] } });
  for (const secret of [OTHER_SECRET, THIRD_SECRET]) {
    expect(await verify(token('bakery', secret))).toMatchObject({ applicationId: 'bakery', userId: 'ann', tier: 'gold', by: 'token' });
    for (const other of ['brewery', 'default', 'nobody']) expect(await verify(token(other, secret))).toBeNull();
    expect(await verify(forgeHmac({ claims, secret }))).toBeNull();
  }
  expect(await verify(token('bakery', SECRET))).toBeNull();
});

test("an application's tokens are verified with the keys at its own address", async () => {
  const pair = createKeyPair('k');
  const server = await startKeySetServer([pair.jwk]);
  const { verify, createApplication } = await openKnownCredentials();
  await createApplication('dairy', { tokens: { jwksUrl: server.url } });
  const signed = (application: object) =>
    forgeSigned({ header: { alg: 'RS256', kid: 'k' }, claims: { ...claims, ...application }, key: pair.privateKey });
  expect(await verify(signed({ application: 'dairy' }))).toMatchObject({ applicationId: 'dairy', userId: 'ann' });
  expect(await verify(signed({}))).toBeNull();
  expect(await verify(signed({ application: 'bakery' }))).toBeNull();
  await server.close();
});

test('new secrets count after the next refresh, and the old ones no more, also for tokens seen before', async () => {
  const { verify, refresh, createApplication, store, box, calls } = await openKnownCredentials();
  const id = await createApplication('florist', { tokens: { sealedSecrets: [box.seal(OTHER_SECRET)] } });
  const old = token('florist', OTHER_SECRET);
  expect(await verify(old)).toMatchObject({ applicationId: 'florist' });
  calls();
  expect(await verify(old)).toMatchObject({ applicationId: 'florist' });
  expect(calls()).toEqual({});
  const tokens = { jwksUrl: null, sealedSecrets: [box.seal(THIRD_SECRET)], issuer: null, audience: null };
  await store.changeApplication(id, { tokens });
  await refresh();
  expect(await verify(old)).toBeNull();
  expect(await verify(token('florist', THIRD_SECRET))).toMatchObject({ applicationId: 'florist' });
});

test('a secret that was sealed by another server is no secret, and the operator hears of it', async () => {
  const { verify, createApplication, faults } = await openKnownCredentials();
  await createApplication('grocer', {
    tokens: { sealedSecrets: [createSecretBox({ stored: 'of another store', set: [] }).seal(OTHER_SECRET)] },
  });
  expect(await verify(token('grocer', OTHER_SECRET))).toBeNull();
  expect(faults).toEqual([expect.stringMatching(/^a token secret of the application grocer cannot be read: .*JWT_SECRET_KEY/)]);
});

test.each<[string, object, boolean]>([
  ['both as required', { iss: 'https://login.example', aud: 'chat' }, true],
  ['our audience among others', { iss: 'https://login.example', aud: ['other', 'chat'] }, true],
  ['another issuer', { iss: 'https://login.example/', aud: 'chat' }, false],
  ['issuers in a list', { iss: ['https://login.example'], aud: 'chat' }, false],
  ['no issuer', { aud: 'chat' }, false],
  ['another audience', { iss: 'https://login.example', aud: 'chats' }, false],
  ['an empty list of audiences', { iss: 'https://login.example', aud: [] }, false],
  ['no audience', { iss: 'https://login.example' }, false],
])('with %s', async (_name, said, good) => {
  const required = { issuer: 'https://login.example', audience: 'chat' };
  const { verify, createApplication, box } = await openKnownCredentials(required);
  expect((await verify(forgeHmac({ claims: { ...claims, ...said }, secret: SECRET }))) !== null).toBe(good);
  const id = `tenant-${Math.random()}`;
  await createApplication(id, { tokens: { sealedSecrets: [box.seal(OTHER_SECRET)], ...required } });
  expect((await verify(token(id, OTHER_SECRET, said))) !== null).toBe(good);
});

const ruled = { jwksUrl: null, issuer: 'https://login.example', audience: 'chat' };
const saying = { iss: 'https://login.example', aud: 'chat' };

test.each<[string, (seal: (secret: string) => string) => object, boolean]>([
  ['a name', () => ({ name: 'Another' }), false],
  ['a tier', () => ({ tier: 'gold' }), false],
  ['a secret more', (seal) => ({ tokens: { ...ruled, sealedSecrets: [seal(THIRD_SECRET), seal(OTHER_SECRET)] } }), false],
  ['public keys too', (seal) => ({ tokens: { ...ruled, jwksUrl: 'http://127.0.0.1:9/', sealedSecrets: [seal(OTHER_SECRET)] } }), false],
  ['another secret', (seal) => ({ tokens: { ...ruled, sealedSecrets: [seal(THIRD_SECRET)] } }), true],
  ['no secret', () => ({ tokens: { ...ruled, sealedSecrets: [] } }), true],
  ['another issuer', (seal) => ({ tokens: { ...ruled, issuer: 'x', sealedSecrets: [seal(OTHER_SECRET)] } }), true],
  ['another audience', (seal) => ({ tokens: { ...ruled, audience: 'x', sealedSecrets: [seal(OTHER_SECRET)] } }), true],
])('with %s, whoever came in by a token stays exactly when the token still counts', async (_what, change, ends) => {
  const { verify, refresh, createApplication, store, box } = await openKnownCredentials();
  const id = await createApplication(`shop-${Math.random()}`, { tokens: { ...ruled, sealedSecrets: [box.seal(OTHER_SECRET)] } });
  const [one, another] = [token(id, OTHER_SECRET, saying), token(id, OTHER_SECRET, { ...saying, jti: '2' })];
  const principal = await verify(one);
  expect(principal?.revoked).toBeInstanceOf(AbortSignal);
  expect((await verify(another))?.revoked).toBe(principal?.revoked);
  await store.changeApplication(id, change(box.seal));
  await refresh();
  expect(principal?.revoked?.aborted).toBe(ends);
  expect((await verify(one)) === null).toBe(ends);
});

test('whoever came in by public keys is put out when the application has others', async () => {
  const pair = createKeyPair('k');
  const [server, moved] = [await startKeySetServer([pair.jwk]), await startKeySetServer([pair.jwk])];
  const { verify, refresh, createApplication, store } = await openKnownCredentials();
  const tokens = (jwksUrl: string) => ({ jwksUrl, sealedSecrets: [], issuer: null, audience: null });
  const id = await createApplication('tailor', { tokens: tokens(server.url) });
  const sign = (jti: number) =>
    forgeSigned({ header: { alg: 'RS256', kid: 'k' }, claims: { ...claims, application: id, jti }, key: pair.privateKey });
  const principal = await verify(sign(1));
  expect((await verify(sign(2)))?.revoked).toBe(principal?.revoked);
  await store.changeApplication(id, { name: 'Another' });
  await refresh();
  expect(principal?.revoked?.aborted).toBe(false);
  await store.changeApplication(id, { tokens: tokens(moved.url) });
  await refresh();
  expect(principal?.revoked?.aborted).toBe(true);
  expect((await verify(sign(1)))?.revoked?.aborted).toBe(false);
  await Promise.all([server.close(), moved.close()]);
});
