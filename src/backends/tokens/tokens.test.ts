import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { DEVELOPMENT_KEY, NOW, OTHER_SECRET, openKnownCredentials, SECRET } from '../../../test/support/known-credentials.ts';
import { mintToken } from './jwt.ts';

async function createVerifier(options: { secrets?: readonly string[]; developmentKey?: string | null } = {}) {
  const { verify, clock } = await openKnownCredentials(options);
  return { verify, clock, advance: (seconds: number) => clock.advance(seconds * 1000) };
}

const encode = (part: unknown) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** Signs whatever it is given, as a careless or hostile issuer would. Texts are taken as JSON already written. */
function forge(claims: unknown, header: unknown = { alg: 'HS256', typ: 'JWT' }, secret = SECRET): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const valid = { sub: 'ann', exp: NOW + 60 };
const ann = { kind: 'user', by: 'token', applicationId: 'default', userId: 'ann', keyId: null };

test('the development key may act for every user of the default application', async () => {
  const { verify } = await createVerifier();
  expect(await verify(DEVELOPMENT_KEY)).toMatchObject({
    kind: 'key',
    applicationId: 'default',
    by: 'key',
    keyId: null,
    scopes: new Set(['read', 'write', 'admin', 'act_as']),
    dialects: null,
    tier: 'development',
    revoked: null,
  });
  for (const near of ['', 'dev-api-key', `${DEVELOPMENT_KEY} `, DEVELOPMENT_KEY.toUpperCase(), 'plg_', `plg_${'x'.repeat(40)}`]) {
    expect(await verify(near)).toBeNull();
  }
});

test("a token's user is known until the token expires", async () => {
  expect(await (await createVerifier()).verify(forge(valid))).toEqual({
    ...ann,
    scopes: new Set(['read', 'write']),
    dialects: null,
    tier: 'default',
    expiresAt: (NOW + 90) * 1000,
    revoked: null,
  });
});

test('the digest of a token is no token, however long that is and however often it was seen', async () => {
  const { verify } = await createVerifier();
  for (const length of [10, 2000]) {
    const token = forge({ ...valid, more: 'x'.repeat(length) });
    expect(await verify(token)).toMatchObject(ann);
    expect(await verify(token)).toMatchObject(ann);
    for (const encoding of ['base64', 'hex'] as const) expect(await verify(createHash('sha256').update(token).digest(encoding))).toBeNull();
  }
});

test('without a development key nobody has it', async () => {
  expect(await (await createVerifier({ developmentKey: null })).verify(DEVELOPMENT_KEY)).toBeNull();
});

test('a minted token speaks for its user until it expires', async () => {
  const { verify, advance, clock } = await createVerifier();
  const token = await mintToken({ secret: SECRET, userId: 'ann', expiresInSeconds: 60, clock });
  expect(await verify(token)).toMatchObject(ann);
  advance(59);
  expect(await verify(token)).toMatchObject(ann);
  advance(32);
  expect(await verify(token)).toBeNull();
});

test('any of the secrets may have signed, and no other', async () => {
  const { verify } = await createVerifier({ secrets: [SECRET, OTHER_SECRET] });
  expect(await verify(forge(valid, undefined, SECRET))).toMatchObject(ann);
  expect(await verify(forge(valid, undefined, OTHER_SECRET))).toMatchObject(ann);
  expect(await verify(forge(valid, undefined, 'secret'))).toBeNull();
  expect(await (await createVerifier({ secrets: [] })).verify(forge(valid))).toBeNull();
});

test('a secret from a development set-up may be short', async () => {
  expect(await (await createVerifier({ secrets: ['short'] })).verify(forge(valid, undefined, 'short'))).toMatchObject(ann);
});

test('user_id names the user before sub does', async () => {
  const { verify } = await createVerifier();
  expect(await verify(forge({ ...valid, user_id: 'bob' }))).toMatchObject({ ...ann, userId: 'bob' });
  const long = '🦊'.repeat(255);
  expect(await verify(forge({ ...valid, sub: long }))).toMatchObject({ ...ann, userId: long });
});

test.each([1, [1], { $ne: 1 }, null, true, '', 'a\0b', 'x'.repeat(256), '🦊'.repeat(256)])(
  'user %j is refused as user_id and as sub',
  async (user) => {
    const { verify } = await createVerifier();
    expect(await verify(forge({ ...valid, user_id: user }))).toBeNull();
    expect(await verify(forge({ ...valid, sub: user }))).toBeNull();
  },
);

test('a user with a lone surrogate, or no user at all, is refused', async () => {
  const { verify } = await createVerifier();
  expect(await verify(forge(`{"sub":"a\\ud800","exp":${NOW + 60}}`))).toBeNull();
  expect(await verify(forge({ exp: NOW + 60 }))).toBeNull();
});

test.each([undefined, null, `${NOW + 60}`, -1, NOW - 31, true, [NOW + 60]])('exp %j is refused', async (exp) => {
  expect(await (await createVerifier()).verify(forge({ sub: 'ann', exp }))).toBeNull();
});

test('times behind the year 9999 are no times', async () => {
  const { verify, hasExpired } = await openKnownCredentials();
  const last = 253_402_300_799;
  for (const exp of [last + 1, 1e13, 1e300]) {
    const token = forge({ sub: 'ann', exp });
    expect([await verify(token), await hasExpired(token)]).toEqual([null, false]);
  }
  const principal = await verify(forge({ sub: 'ann', exp: last }));
  expect(new Date(principal?.expiresAt ?? 0).toISOString()).toBe('9999-12-31T23:59:59.999Z');
});

test.each(['service', 'anonymous'])('%s is the application itself, of whom no token speaks', async (user) => {
  const { verify, clock } = await createVerifier();
  for (const claims of [{ sub: user }, { user_id: user }, { sub: 'ann', user_id: user }]) {
    expect(await verify(forge({ ...claims, exp: NOW + 60 }))).toBeNull();
  }
  expect(await verify(forge({ sub: user.toUpperCase(), exp: NOW + 60 }))).toMatchObject({ userId: user.toUpperCase() });
  await expect(mintToken({ secret: SECRET, userId: user, expiresInSeconds: 60, clock })).rejects.toMatchObject({
    code: 'validation_failed',
  });
});

test.each([0, 0.25, 0.999])('a token is accepted exactly as long as its principal is said to last (exp + %d)', async (fraction) => {
  const { verify, advance, clock } = await createVerifier();
  const token = forge({ sub: 'ann', exp: NOW + 60 + fraction });
  const end = (await verify(token))?.expiresAt ?? 0;
  advance((end - clock.now() - 1) / 1000);
  expect(await (await createVerifier()).verify(token)).toMatchObject(ann);
  expect(await verify(token)).toMatchObject(ann);
  advance(0.001);
  expect(await verify(token)).toBeNull();
});

test.each(['1e309', '-1e309', 'NaN'])('exp written as %s is refused', async (exp) => {
  expect(await (await createVerifier()).verify(forge(`{"sub":"ann","exp":${exp}}`))).toBeNull();
});

test.each(['nbf', 'iat'])('%s may lie 30 seconds ahead and must be a number', async (claim) => {
  const { verify } = await createVerifier();
  expect(await verify(forge({ ...valid, [claim]: NOW + 30 }))).toMatchObject(ann);
  for (const value of [NOW + 31, `${NOW}`, null, [NOW]]) expect(await verify(forge({ ...valid, [claim]: value }))).toBeNull();
  expect(await verify(forge(`{"sub":"ann","exp":${NOW + 60},"${claim}":1e309}`))).toBeNull();
});

test('an expired token is still good for 30 seconds of clock difference', async () => {
  const { verify } = await createVerifier();
  expect(await verify(forge({ sub: 'ann', exp: NOW - 29 }))).toMatchObject(ann);
});

test.each(['none', 'None', 'nOnE', 'hs256', 'HS384', 'HS512', 'RS256', 'ES256', '', null, ['HS256']])('alg %j is refused', async (alg) => {
  const { verify } = await createVerifier();
  const token = forge(valid, { alg, typ: 'JWT' });
  expect(await verify(token)).toBeNull();
  expect(await verify(token.replace(/[^.]*$/, ''))).toBeNull();
});

test.each([
  { kid: '../../dev/null' },
  { kid: '1' },
  { jku: 'http://127.0.0.1:1/' },
  { x5u: 'http://127.0.0.1:1/' },
  { jwk: { kty: 'oct', k: 'AA' } },
  { crit: ['exp'] },
  { crit: ['b64'], b64: true },
  { zip: 'DEF' },
  { typ: 'refresh+jwt' },
  { typ: 'logout+jwt' },
  { typ: ['JWT'] },
])('the header %j is refused', async (extra) => {
  expect(await (await createVerifier()).verify(forge(valid, { alg: 'HS256', ...extra }))).toBeNull();
});

test.each([{}, { typ: 'JWT' }, { typ: 'jwt' }, { typ: 'at+jwt' }])('the header %j is accepted', async (extra) => {
  expect(await (await createVerifier()).verify(forge(valid, { alg: 'HS256', ...extra }))).toMatchObject(ann);
});

test('a token of another application is refused here', async () => {
  const { verify } = await createVerifier();
  expect(await verify(forge({ ...valid, application: 'default' }))).toMatchObject(ann);
  for (const application of ['acme', '', null, ['default']]) expect(await verify(forge({ ...valid, application }))).toBeNull();
});

test('names that stand twice are refused, wherever they stand', async () => {
  const { verify } = await createVerifier();
  const exp = NOW + 60;
  expect(await verify(forge(`{"sub":"ann","sub":"bob","exp":${exp}}`))).toBeNull();
  expect(await verify(forge(`{"sub":"ann","s\\u0075b":"bob","exp":${exp}}`))).toBeNull();
  expect(await verify(forge(`{"sub":"ann","exp":${exp},"a":[{"b":1,"b":2}]}`))).toBeNull();
  expect(await verify(forge(valid, '{"alg":"none","alg":"HS256"}'))).toBeNull();
  expect(await verify(forge(`{"sub":"ann","exp":${exp},"a":["x\\":",{"b":"\\\\"},{"b":{}}],"__proto__":1}`))).toMatchObject(ann);
});

test('no bit of the signature may change', async () => {
  const { verify } = await createVerifier();
  const token = forge(valid);
  const at = token.lastIndexOf('.') + 1;
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  for (let index = at; index < token.length; index += 1) {
    const value = alphabet.indexOf(token.charAt(index));
    for (let bit = 1; bit < 64; bit *= 2) {
      const forged = token.slice(0, index) + alphabet.charAt(value ^ bit) + token.slice(index + 1);
      expect(await verify(forged), forged).toBeNull();
    }
  }
  expect(await verify(token)).toMatchObject(ann);
});

test('other writings of a good token are refused', async () => {
  const { verify } = await createVerifier();
  const token = forge({ ...valid, x: '???>>>~~~' });
  const [header = '', payload = '', signature = ''] = token.split('.');
  const others = [
    `${token}.x`,
    `${token}.`,
    `${token}=`,
    ` ${token}`,
    `${token}\n`,
    `${header}=.${payload}.${signature}`,
    `${header}.${payload}`,
  ];
  others.push(
    `${header}.${payload.replace(/_/g, '/').replace(/-/g, '+')}.${signature}`,
    `${header}.${payload}.${signature}.a.b`,
    '...',
    '..',
    'a.b.c',
  );
  for (const other of others) expect(await verify(other), other).toBeNull();
  expect(await verify(token)).toMatchObject(ann);
});

test('size, depth and invalid UTF-8 are refused without harm', async () => {
  const { verify } = await createVerifier();
  expect(await verify(forge({ ...valid, fill: 'x'.repeat(8192) }))).toBeNull();
  expect(await verify('x'.repeat(1_000_000))).toBeNull();
  expect(await verify(forge(`${'['.repeat(5000)}${']'.repeat(5000)}`))).toBeNull();
  expect(await verify(forge(`{"sub":"ann","exp":${NOW + 60},"a":${'['.repeat(2500)}${']'.repeat(2500)}}`))).toMatchObject(ann);
  for (const json of ['null', '[]', '"x"', '1', '{', '']) expect(await verify(forge(json))).toBeNull();
  const broken = `${encode({ alg: 'HS256' })}.${Buffer.from(`{"sub":"\xff","exp":${NOW + 60}}`, 'latin1').toString('base64url')}`;
  expect(await verify(`${broken}.${createHmac('sha256', SECRET).update(broken).digest('base64url')}`)).toBeNull();
});

test('a token is refused after it expired although it was seen before', async () => {
  const { verify, advance } = await createVerifier();
  const token = forge(valid);
  for (const by of [0, 59, 30]) {
    advance(by);
    expect(await verify(token)).toMatchObject(ann);
  }
  advance(3);
  expect(await verify(token)).toBeNull();
});

test.each(['', 'a\0', 'x'.repeat(256), '\ud800'])('no token is minted for the user %j', async (userId) => {
  const { clock } = await createVerifier();
  await expect(mintToken({ secret: SECRET, userId, expiresInSeconds: 60, clock })).rejects.toMatchObject({ code: 'validation_failed' });
});
