import { createHash, createSecretKey, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forgeHmac, forgeSigned } from '../../../test/hostile/forge.ts';
import { type KeySetServer, startKeySetServer } from '../../../test/support/key-set-server.ts';
import { createKeyPair, type KnownCredentials, NOW, openKnownCredentials } from '../../../test/support/known-credentials.ts';

const [first, second] = [createKeyPair('first'), createKeyPair('second')];
const ec = createKeyPair('ec', 'ec');
const ed = createKeyPair('ed', 'ed');
const claims = { sub: 'ann', exp: NOW + 200_000 };
const ann = { kind: 'user', by: 'token', userId: 'ann', applicationId: 'default' };
const MINUTE = 60_000;

let server: KeySetServer;
beforeEach(async () => {
  server = await startKeySetServer([first.jwk]);
});
afterEach(() => server.close());

const open = () => openKnownCredentials({ jwksUrl: server.url });

/** A token of a pair, by default RS256 with its kid; each one new, so that none is remembered. */
let made = 0;
function sign(pair: typeof first, header: Record<string, unknown> = {}): string {
  made += 1;
  return forgeSigned({ header: { alg: 'RS256', kid: pair.kid, ...header }, claims: { ...claims, made }, key: pair.privateKey });
}

/** Waits until a fetch in the background is over: the next token is verified with what it brought. */
async function asked(times: number): Promise<void> {
  await expect.poll(() => server.asked()).toBe(times);
}

test.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])('%s is verified with an RSA key', async (alg) => {
  const { verify } = await open();
  expect(await verify(sign(first, { alg }))).toMatchObject({
    ...ann,
    scopes: new Set(['read', 'write']),
    expiresAt: (claims.exp + 30) * 1000,
  });
  expect(await verify(sign(second, { alg, kid: 'first' }))).toBeNull();
});

test.each([
  ['ES256', 'P-256'],
  ['ES384', 'P-384'],
  ['ES512', 'P-521'],
])('%s is verified with a key on %s, and no other algorithm with it', async (alg, namedCurve) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  server.publish([{ ...publicKey.export({ format: 'jwk' }), kid: 'e' }]);
  const { verify } = await open();
  for (const other of ['ES256', 'ES384', 'ES512']) {
    const token = forgeSigned({ header: { alg: other, kid: 'e' }, claims, key: privateKey });
    expect((await verify(token))?.kind ?? null, other).toBe(other === alg ? 'user' : null);
  }
});

test('EdDSA is verified with an Ed25519 key', async () => {
  server.publish([ec.jwk, ed.jwk]);
  const { verify } = await open();
  expect(await verify(sign(ed, { alg: 'EdDSA' }))).toMatchObject(ann);
  expect(await verify(sign(ec, { alg: 'ES256' }))).toMatchObject(ann);
  expect(await verify(sign(ec, { alg: 'ES256', kid: 'ed' }))).toBeNull();
});

test('the set is fetched once for many tokens, and tokens seen before cost no check', async () => {
  const { verify } = await open();
  await Promise.all(Array.from({ length: 20 }, () => verify(sign(first))));
  const token = sign(first);
  expect(await verify(token)).toBe(await verify(token));
  expect(server.asked()).toBe(1);
});

test.each([
  ['an encryption key', { use: 'enc' }],
  ['a key for other operations', { key_ops: ['encrypt'] }],
  ['operations that are no list', { key_ops: 'verify' }],
  ['a key for another algorithm', { alg: 'RS512' }],
  ['a key of another type', { kty: 'EC' }],
  ['a private key', { d: 'AQAB' }],
  ['an even exponent', { e: 'AQAA' }],
  ['no exponent', { e: undefined }],
  ['a number that is none', { n: 'not base64url!' }],
])('%s in the set verifies nothing', async (_name, changes) => {
  server.publish([{ ...first.jwk, ...changes }]);
  const { verify } = await open();
  expect(await verify(sign(first))).toBeNull();
  expect(await verify(sign(first, { kid: undefined }))).toBeNull();
});

test('an exponent of 1, with which every message signs itself, verifies nothing', async () => {
  server.publish([{ ...first.jwk, e: 'AQ' }]);
  const { verify } = await open();
  const signed = sign(first).split('.').slice(0, 2).join('.');
  const digestInfo = Buffer.from('3031300d060960864801650304020105000420', 'hex');
  const padding = Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(256 - 3 - 51, 255), Buffer.from([0])]);
  const message = Buffer.concat([padding, digestInfo, createHash('sha256').update(signed).digest()]);
  expect(await verify(`${signed}.${message.toString('base64url')}`)).toBeNull();
});

test('neither a short RSA key nor a secret in the set verifies anything', async () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const secret = createSecretKey(Buffer.alloc(32, 7)).export({ format: 'jwk' });
  server.publish([{ ...short.publicKey.export({ format: 'jwk' }), kid: 'short' }, { ...secret, kid: 'oct' }, null, 7, [], 'x']);
  const { verify } = await open();
  expect(await verify(sign({ ...first, ...short, kid: 'short' }))).toBeNull();
  expect(await verify(forgeHmac({ header: { alg: 'HS256', kid: 'oct' }, claims, secret: Buffer.alloc(32, 7) }))).toBeNull();
});

test('a token without kid is tried with the keys that fit, unless they are many', async () => {
  const more = Array.from({ length: 3 }, (_, index) => createKeyPair(`more-${index}`));
  server.publish([ec.jwk, ...more.map(({ jwk }) => jwk), first.jwk]);
  const { verify } = await open();
  expect(await verify(sign(first, { kid: undefined }))).toMatchObject(ann);
  expect(await verify(sign(second, { kid: undefined }))).toBeNull();
  server.publish([...more.map(({ jwk }) => jwk), first.jwk, second.jwk]);
  const { verify: verifyAmongMany } = await open();
  expect(await verifyAmongMany(sign(first, { kid: undefined }))).toBeNull();
  expect(await verifyAmongMany(sign(first))).toMatchObject(ann);
});

test('a new key counts as soon as a token names it, but unknown names cost one fetch in 30 seconds', async () => {
  const { verify, clock } = await open();
  await verify(sign(first));
  clock.advance(1_000);
  server.publish([first.jwk, second.jwk]);
  expect(await verify(sign(second))).toMatchObject(ann);
  expect(server.asked()).toBe(2);
  clock.advance(1_000);
  const forged = Array.from({ length: 30 }, (_, index) => verify(sign(second, { kid: `unknown-${index}` })));
  expect(await Promise.all(forged)).toEqual(forged.map(() => null));
  expect(server.asked()).toBe(2);
  clock.advance(29_000);
  await Promise.all(Array.from({ length: 30 }, (_, index) => verify(sign(second, { kid: `unknown-${index}` }))));
  expect(server.asked()).toBe(3);
});

test('a key that was taken out of the set counts no more after the next fetch, also for tokens seen before', async () => {
  const { verify, clock } = await open();
  const token = sign(first);
  expect(await verify(token)).toMatchObject(ann);
  server.publish([second.jwk]);
  clock.advance(7 * MINUTE);
  expect(await verify(token)).toMatchObject(ann);
  expect(server.asked()).toBe(1);
  clock.advance(MINUTE);
  await expect.poll(() => verify(token)).toBeNull();
  expect(server.asked()).toBe(2);
  const next = sign(second);
  expect(await verify(next)).toMatchObject(ann);
  server.publish([first.jwk]);
  clock.advance(MINUTE);
  expect(await verify(sign(first))).toMatchObject(ann);
  expect(await verify(next)).toBeNull();
});

test('who came in by a key of the set is put out when the set has it no more, though nobody asks, and by no fetch before', async () => {
  server.publish([first.jwk, second.jwk]);
  const { verify, clock } = await open();
  const [one, other] = [await verify(sign(first)), await verify(sign(first))];
  const stays = await verify(sign(second));
  expect(one?.revoked).toBe(other?.revoked);
  clock.advance(8 * MINUTE);
  await asked(2);
  await expect.poll(async () => (await verify(sign(second)))?.revoked).toBe(stays?.revoked);
  expect(one?.revoked?.aborted).toBe(false);
  server.publish([second.jwk]);
  clock.advance(8 * MINUTE);
  await expect.poll(() => one?.revoked?.aborted).toBe(true);
  expect(stays?.revoked?.aborted).toBe(false);
});

test('a set on which nobody relies any more is not fetched again', async () => {
  const { verify, clock } = await open();
  expect(
    await verify(forgeSigned({ header: { alg: 'RS256', kid: 'first' }, claims: { sub: 'ann', exp: NOW + 60 }, key: first.privateKey })),
  ).toMatchObject(ann);
  for (let minute = 0; minute < 30; minute += 1) {
    clock.advance(MINUTE);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(server.asked()).toBe(1);
});

test('after a day without its server nobody stays in by a key of a set', async () => {
  const known = await open();
  const principal = await known.verify(sign(first));
  server.answer((_request, response) => response.destroy());
  await offline(known, 23 * 60);
  expect(principal?.revoked?.aborted).toBe(false);
  await offline(known, 60);
  expect(principal?.revoked?.aborted).toBe(true);
});

test('a set is fetched again in the background before it is too old', async () => {
  const { verify, clock } = await open();
  const token = sign(first);
  await verify(token);
  clock.advance(8 * MINUTE);
  server.answer(() => undefined);
  expect(await verify(token)).toMatchObject(ann);
  await asked(2);
});

async function offline({ clock, verify }: KnownCredentials, minutes: number): Promise<unknown> {
  for (let passed = 0; passed < minutes; passed += 60) {
    clock.advance(60 * MINUTE);
    await verify(sign(first)).catch(() => null);
  }
  return await verify(sign(first)).catch((error: unknown) => error);
}

test('while its server cannot be reached the last good set counts, for a day, and that is logged once', async () => {
  const known = await open();
  await known.verify(sign(first));
  server.answer((_request, response) => response.destroy());
  expect(await offline(known, 23 * 60)).toMatchObject(ann);
  expect(known.faults).toEqual([expect.stringMatching(/^the keys at http:\/\/127\.0\.0\.1:\d+\/jwks\.json cannot be fetched: /)]);
  expect(await offline(known, 60)).toMatchObject({ code: 'overloaded' });
  server.publish([first.jwk]);
  known.clock.advance(MINUTE);
  expect(await known.verify(sign(first))).toMatchObject(ann);
  server.answer((_request, response) => response.destroy());
  await offline(known, 60);
  expect(known.faults).toHaveLength(2);
});

test('as long as nobody knows the keys a token is neither good nor bad, and the server is asked again every 30 seconds', async () => {
  server.answer((_request, response) => response.writeHead(503).end());
  const { verify, clock, faults } = await open();
  for (let round = 0; round < 10; round += 1) await expect(verify(sign(first))).rejects.toMatchObject({ code: 'overloaded' });
  expect([server.asked(), faults.length]).toEqual([1, 1]);
  server.publish([first.jwk]);
  clock.advance(30_000);
  expect(await verify(sign(first))).toMatchObject(ann);
});

test('without an address no public key counts, and a shared secret goes on counting beside one', async () => {
  const { verify } = await openKnownCredentials();
  expect(await verify(sign(first))).toBeNull();
  const both = await open();
  const token = forgeHmac({ claims, secret: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c' });
  expect(await both.verify(token)).toMatchObject(ann);
  expect(server.asked()).toBe(0);
});
