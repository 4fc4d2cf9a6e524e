import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApplicationId, DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import type { CreateKey } from '../../src/engine/index.ts';
import { SECRET as TEST_SECRET } from '../support/app.ts';
import { type KeySetServer, startKeySetServer } from '../support/key-set-server.ts';
import { createKeyPair, OTHER_SECRET } from '../support/known-credentials.ts';
import { forgeHmac, forgeSigned } from './forge.ts';
import { namesUser } from './named-request.ts';
import { OTHER_APPLICATION, startTarget, type Target } from './target.ts';
import { always, type Bench, type Case, createBench, isReading, type Judge, judgeAnn } from './verdicts.ts';

const BAKERY = 'bakery' as ApplicationId;
const pairs = [
  ['RS256', createKeyPair('rsa-1')],
  ['ES256', createKeyPair('ec-1', 'ec')],
  ['EdDSA', createKeyPair('ed-1', 'ed')],
] as const;

let keySet: KeySetServer;
let target: Target;
let bench: Bench;

beforeAll(async () => {
  keySet = await startKeySetServer(pairs.map(([, { jwk }]) => jwk));
  target = await startTarget({ env: { JWKS_URL: keySet.url }, file: { metrics: { public: false } } });
  await target.app.access.createApplication(BAKERY, { name: 'Bakery', secrets: [OTHER_SECRET] });
  bench = createBench(target);
});

afterAll(async () => {
  await target.close();
  await keySet.close();
});

/** Shows a token everywhere. */
function expectVerdicts(testCase: Omit<Case, 'kind'>): Promise<void> {
  return bench.expectVerdicts({ kind: 'token', ...testCase });
}

const claimsOf = (sub: string) => ({ sub, exp: Math.floor(Date.now() / 1000) + 600 });

function signedBy(alg: string): string {
  const [, pair] = pairs.find(([known]) => known === alg) ?? expect.fail(alg);
  return forgeSigned({ header: { alg, kid: pair.kid }, claims: claimsOf('ann'), key: pair.privateKey });
}

/** A token of ann's that a key minted, and how to revoke that. */
async function minted(but: Partial<CreateKey> = {}): Promise<{ token: string; revoke: () => Promise<unknown> }> {
  const { access } = target.app;
  const { key } = await access.createKey({ applicationId: DEFAULT_APPLICATION, name: 'K', scopes: ['read', 'write', 'act_as'], ...but });
  const { token } = await access.issueToken({ applicationId: key.applicationId, userId: 'ann', keyId: key.id, expiresInSeconds: 600 });
  return { token, revoke: () => access.revokeKey(null, key.id) };
}

/** What ann's token is told where a request names bob: a header is ignored, because whoever wrote it may not be who put in the token. */
const judgeOther: Judge = (route) => {
  if (judgeAnn(route) !== 'let in' || !namesUser(route)) return judgeAnn(route);
  if (route.dialect === 'levia') return 'unknown';
  return route.dialect === 'graph' || route.dialect === 'user-chat' ? 'auth_other_user' : 'let in';
};

/** What another application's ann is told: the conversation that there is belongs to the ann of the first one. */
const judgeNamesake: Judge = (route) => (route.key === 'levia POST /' ? 'unknown' : judgeAnn(route));

const ofAnn: readonly (readonly [string, () => Promise<string> | string])[] = [
  ['signed with the secret of the server', () => target.app.token('ann')],
  ...pairs.map(([alg]) => [`signed with ${alg} by a key of the JWKS`, () => signedBy(alg)] as const),
  ['minted by a key', async () => (await minted()).token],
];

describe.each(ofAnn)('a token %s', (_name, make) => {
  test('is let in as its user', async () => {
    await expectVerdicts({ credential: await make(), user: 'ann', judge: judgeAnn });
  });

  test('does not act for another one', async () => {
    await expectVerdicts({ credential: await make(), user: 'bob', judge: judgeOther });
  });
});

describe('a token of another application', () => {
  test.each([
    ['signed with its secret', () => forgeHmac({ claims: { ...claimsOf('ann'), application: BAKERY }, secret: OTHER_SECRET })],
    [
      'issued by the server',
      async () =>
        (await target.app.access.issueToken({ applicationId: OTHER_APPLICATION, userId: 'ann', keyId: null, expiresInSeconds: 60 })).token,
    ],
    ['minted by its key', async () => (await minted({ applicationId: OTHER_APPLICATION })).token],
  ])('%s is let in as its own user', async (_name, make) => {
    await expectVerdicts({ credential: await make(), user: 'ann', judge: judgeNamesake });
  });

  test.each([
    ['signed with the secret of the server', { application: BAKERY }, TEST_SECRET],
    ['signed with the secret of a third one', { application: OTHER_APPLICATION }, OTHER_SECRET],
    ['that does not say so', {}, OTHER_SECRET],
  ])('%s is a wrong one', async (_name, claims, secret) => {
    const credential = forgeHmac({ claims: { ...claimsOf('ann'), ...claims }, secret });
    await expectVerdicts({ credential, user: 'ann', judge: always('auth_invalid') });
  });
});

describe('a token that a key minted', () => {
  test('can do no more than the key', async () => {
    const { token: reader } = await minted({ scopes: ['read', 'act_as'] });
    await expectVerdicts({ credential: reader, user: 'ann', judge: (route) => (isReading(route) ? judgeAnn(route) : 'scope_denied') });
    const { token: writer } = await minted({ scopes: ['write', 'act_as'] });
    await expectVerdicts({ credential: writer, user: 'ann', judge: (route) => (isReading(route) ? 'scope_denied' : judgeAnn(route)) });
  });

  test('counts where the key does', async () => {
    const { token } = await minted({ dialects: ['graph'] });
    await expectVerdicts({ credential: token, user: 'ann', judge: ({ dialect }) => (dialect === 'graph' ? 'let in' : 'scope_denied') });
  });

  test('ends with it', async () => {
    const { token, revoke } = await minted();
    expect((await target.app.send('/polylogue/v1/me', { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    await revoke();
    await expectVerdicts({ credential: token, user: 'ann', judge: always('auth_invalid') });
  });
});
