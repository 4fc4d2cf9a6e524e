import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forgeSigned } from '../../../test/hostile/forge.ts';
import { type KeySetServer, startKeySetServer } from '../../../test/support/key-set-server.ts';
import { createKeyPair, NOW, openKnownCredentials } from '../../../test/support/known-credentials.ts';

const first = createKeyPair('first');
const ec = createKeyPair('ec', 'ec');
const claims = { sub: 'ann', exp: NOW + 200_000 };
const ann = { kind: 'user', by: 'token', userId: 'ann', applicationId: 'default' };

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

test('a server that says nothing is waited for 5 seconds', async () => {
  server.answer(() => undefined);
  const { verify, clock, faults } = await open();
  const waiting = expect(verify(sign(first))).rejects.toMatchObject({ code: 'overloaded' });
  await asked(1);
  clock.advance(5_000);
  await waiting;
  expect(faults).toEqual([expect.stringContaining('no answer within 5 s')]);
});

test('a body that comes drop by drop is waited for no longer', async () => {
  server.answer((_request, response) => {
    response.writeHead(200).write('{"keys":[');
  });
  const { verify, clock, faults } = await open();
  const waiting = expect(verify(sign(first))).rejects.toMatchObject({ code: 'overloaded' });
  await asked(1);
  clock.advance(5_000);
  await waiting;
  expect(faults).toEqual([expect.stringContaining('no answer within 5 s')]);
});

const padded = (bytes: number) => JSON.stringify({ keys: [first.jwk], pad: 'x'.repeat(bytes) });

test.each([
  ['longer than 262144 bytes', padded(262_144), {}],
  ['longer than 262144 bytes', gzipSync(padded(50_000_000)), { 'content-encoding': 'gzip' }],
  ['more than 100 keys', JSON.stringify({ keys: Array.from({ length: 101 }, () => first.jwk) }), {}],
  ['no JWK set', '[]', {}],
  ['no JWK set', '{"keys":{}}', {}],
  ['no JWK set', '{"keys":[],"keys":[]}', {}],
  ['no JWK set', '<html>', {}],
  ['no JWK set', '', {}],
])('a set that is %s is refused', async (reason, body, headers) => {
  server.answer((_request, response) => response.writeHead(200, headers).end(body));
  const { verify, faults } = await open();
  await expect(verify(sign(first))).rejects.toMatchObject({ code: 'overloaded' });
  expect(faults).toEqual([expect.stringContaining(reason)]);
});

test('100 keys are a set', async () => {
  const others = Array.from({ length: 99 }, (_, index) => ({ ...ec.jwk, kid: `other-${index}` }));
  server.publish([...others, first.jwk]);
  const { verify } = await open();
  expect(await verify(sign(first))).toMatchObject(ann);
});

test.each([301, 302, 303, 307, 308])('a redirect (%d) leads nowhere', async (status) => {
  const elsewhere = await startKeySetServer([first.jwk]);
  server.answer((_request, response) => response.writeHead(status, { location: elsewhere.url }).end());
  const { verify } = await open();
  await expect(verify(sign(first))).rejects.toMatchObject({ code: 'overloaded' });
  expect(elsewhere.asked()).toBe(0);
  await elsewhere.close();
});

test.each(['http://192.0.2.1/jwks.json', 'ftp://127.0.0.1/', 'file:///etc/passwd', 'http://localhost.example/', 'nonsense'])(
  'nothing is fetched from %s',
  async (jwksUrl) => {
    const { verify, faults } = await openKnownCredentials({ jwksUrl });
    await expect(verify(sign(first))).rejects.toMatchObject({ code: 'overloaded' });
    expect(faults).toEqual([expect.stringContaining('the address must')]);
  },
);
