import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doors } from '../../src/app.ts';
import { keyMaker } from '../../src/backends/tokens/api-key.ts';
import { DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import { SCOPES, type Scope } from '../../src/core/principal.ts';
import type { CreateKey } from '../../src/engine/index.ts';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { namesUser } from './named-request.ts';
import { startTarget, type Target } from './target.ts';
import { always, type Bench, type Case, createBench, isAdministration, isMetrics, isReading, type Judge, judgeAnn } from './verdicts.ts';

let target: Target;
let bench: Bench;

beforeAll(async () => {
  target = await startTarget({ file: { metrics: { public: false } } });
  bench = createBench(target);
});

afterAll(() => target.close());

/** Shows a key everywhere. */
function expectVerdicts(testCase: Omit<Case, 'kind'>): Promise<void> {
  return bench.expectVerdicts({ kind: 'key', ...testCase });
}

async function keyWith(...scopes: readonly Scope[]): Promise<string> {
  return target.app.key({ scopes });
}

async function makeKey(but: Partial<CreateKey> = {}) {
  return target.app.access.createKey({ applicationId: DEFAULT_APPLICATION, name: 'K', scopes: ['read', 'write', 'act_as'], ...but });
}

describe('a key', () => {
  test('for development, or with every scope, is let in everywhere', async () => {
    await expectVerdicts({ credential: DEVELOPMENT_KEY, user: 'ann', judge: always('let in') });
    const credential = await keyWith(...SCOPES);
    await expectVerdicts({ credential, user: 'ann', judge: always('let in') });
    await expectVerdicts({ credential, user: null, judge: always('let in') });
  });

  test('without write only reads', async () => {
    const credential = await keyWith('read', 'admin', 'act_as');
    await expectVerdicts({ credential, user: 'ann', judge: (route) => (isReading(route) ? 'let in' : 'scope_denied') });
  });

  test('without read only writes', async () => {
    const credential = await keyWith('write', 'admin', 'act_as');
    const judge: Judge = (route) => {
      // The example asks for a key that reads, which this one cannot give.
      if (route.key === 'native POST /keys') return 'scope_denied';
      return isReading(route) ? 'scope_denied' : 'let in';
    };
    await expectVerdicts({ credential, user: 'ann', judge });
  });

  test('without admin makes, shows and revokes no keys', async () => {
    const credential = await keyWith('read', 'write', 'act_as');
    await expectVerdicts({
      credential,
      user: 'ann',
      judge: (route) => (isAdministration(route) || isMetrics(route) ? 'scope_denied' : 'let in'),
    });
  });

  test('without act_as names nobody', async () => {
    const credential = await keyWith('read', 'write', 'admin');
    await expectVerdicts({
      credential,
      user: 'ann',
      judge: (route) => (namesUser(route) && !isMetrics(route) ? 'scope_denied' : 'let in'),
    });
  });

  test('without act_as acts for the application', async () => {
    const credential = await keyWith('read', 'write', 'admin');
    const must: Judge = (route) => {
      const named = namesUser(route, { unasked: true }) || route.key === 'native POST /tokens' || route.key === 'native POST /keys';
      return named ? 'scope_denied' : 'let in';
    };
    await expectVerdicts({ credential, user: null, judge: must });
  });

  test('of another application is let in everywhere but to what is not its own', async () => {
    const judge: Judge = (route) => {
      if (isMetrics(route)) return 'scope_denied';
      return route.key === 'levia POST /' ? 'unknown' : 'let in';
    };
    await expectVerdicts({ credential: target.foreignKey, user: 'ann', judge });
    await expectVerdicts({ credential: target.foreignKey, user: null, judge });
  });

  test.each(doors.map(({ name }) => name).filter((name) => name !== 'chat-ws'))('for %s does not count elsewhere', async (dialect) => {
    const scopes = [...SCOPES];
    const own = await target.app.key({ scopes, dialects: [dialect] });
    await expectVerdicts({ credential: own, user: 'ann', judge: (route) => (route.dialect === dialect ? 'let in' : 'scope_denied') });
    const others = doors.map(({ name }) => name).filter((name) => name !== dialect);
    const foreign = await target.app.key({ scopes, dialects: others });
    // The example asks for a key that counts in native.
    const judge: Judge = (route) => (route.dialect === dialect || isMetrics(route) ? 'scope_denied' : 'let in');
    await expectVerdicts({ credential: foreign, user: 'ann', judge });
  });
});

/** What a key that speaks for ann alone is told where it names bob. */
const judgeOther: Judge = (route) => {
  if (judgeAnn(route) !== 'let in') return judgeAnn(route);
  if (!namesUser(route)) return 'let in';
  if (route.dialect === 'levia') return 'unknown';
  return route.dialect === 'graph' || route.dialect === 'user-chat' ? 'auth_other_user' : 'scope_denied';
};

describe('a key that is bound to a user', () => {
  test('is let in as that user', async () => {
    const credential = await target.app.key({ userId: 'ann', scopes: ['read', 'write'] });
    await expectVerdicts({ credential, user: 'ann', judge: judgeAnn });
  });

  test('does not act for another one', async () => {
    const credential = await target.app.key({ userId: 'ann', scopes: ['read', 'write'] });
    await expectVerdicts({ credential, user: 'bob', judge: judgeOther });
  });
});

describe('a key that counts no more', () => {
  test('because it was revoked is a wrong one', async () => {
    const { key, secret } = await makeKey();
    expect((await target.app.send('/polylogue/v1/me', { headers: { authorization: `Bearer ${secret}` } })).status).toBe(200);
    await target.app.access.revokeKey(null, key.id);
    await expectVerdicts({ credential: secret, user: 'ann', judge: always('auth_invalid') });
  });

  test('because its time is over is a wrong one', async () => {
    const { secret } = await makeKey({ expiresAt: Date.now() + 1_500 });
    const me = async () => (await target.app.send('/polylogue/v1/me', { headers: { authorization: `Bearer ${secret}` } })).status;
    expect(await me()).toBe(200);
    while ((await me()) === 200) await new Promise((resolve) => setTimeout(resolve, 50));
    const judge: Judge = ({ dialect }) => (dialect === 'user-chat' ? 'auth_expired' : 'auth_invalid');
    await expectVerdicts({ credential: secret, user: 'ann', judge });
  });

  test.each([
    ['a character was lost', async () => (await makeKey()).secret.slice(0, -1)],
    ['nobody made it', async () => keyMaker.make().secret],
    ['of its case', async () => DEVELOPMENT_KEY.toUpperCase()],
  ])('because %s is a wrong one', async (_name, make) => {
    await expectVerdicts({ credential: await make(), user: 'ann', judge: always('auth_invalid') });
  });
});
