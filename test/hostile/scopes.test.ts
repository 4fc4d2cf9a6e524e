import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doors } from '../../src/app.ts';
import { DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import type { Scope } from '../../src/core/principal.ts';
import type { CreateKey } from '../../src/engine/index.ts';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { openChatSocket } from '../support/chat-socket.ts';
import { inParallel } from '../support/parallel.ts';
import { exchange, type RawAnswer } from './byte-exchange.ts';
import { shapeProblem } from './error-shapes.ts';
import { namesUser, requestAs } from './named-request.ts';
import { refusalProblem, type Verdict } from './refusal-words.ts';
import type { Route } from './routes.ts';
import { startTarget, type Target } from './target.ts';

let target: Target;
let routes: readonly Route[];

beforeAll(async () => {
  target = await startTarget();
  // A plain request to the chat socket's address is answered alike whoever sends it; sockets have tests of their own below.
  routes = target.routes.filter(({ dialect }) => dialect !== 'chat-ws');
});

afterAll(() => target.close());

type Judge = (route: Route) => Verdict;
interface Case {
  readonly credential: string;
  /** The user whom requests name wherever their dialect lets them; null names nobody but in paths and bodies that must name somebody. */
  readonly user: string | null;
  readonly judge: Judge;
}

const isReading = ({ method }: Route) => method === 'GET';
const isAdministration = ({ key }: Route) => /^native \w+ \/keys/.test(key);
const isServerOnly = (route: Route) => isAdministration(route) || route.key === 'native POST /tokens';
const always: (verdict: Verdict) => Judge = (verdict) => () => verdict;

async function answerTo(route: Route, { credential, user }: Pick<Case, 'credential' | 'user'>): Promise<RawAnswer> {
  return exchange(target.app.url, requestAs(route, { credential, user, known: target.ann }));
}

/** Sends every route's request and compares: what is let in is answered as to the development key, what is not in the dialect's own words. */
async function expectVerdicts(testCase: Case): Promise<void> {
  const problems: string[] = [];
  await inParallel(routes, 4, async (route) => {
    const verdict = testCase.judge(route);
    const answer = await answerTo(route, testCase);
    const problem = verdict === 'let in' ? await differsFromUsual(route, testCase, answer) : refusalProblem(route, verdict, answer);
    if (problem) problems.push(`${route.key} at ${route.path} ${problem}: ${answer.status} ${answer.body.slice(0, 120)}`);
  });
  expect(problems.slice(0, 20)).toEqual([]);
  expect(routes.length).toBeGreaterThan(30);
}

async function differsFromUsual(route: Route, { user }: Case, answer: RawAnswer): Promise<string | null> {
  // Whether something runs for a user just now is chance.
  if (route.key === 'levia GET /request/:user_id' && answer.status === 200) return null;
  const usual = await answerTo(route, { credential: DEVELOPMENT_KEY, user });
  if (route.key === 'levia GET /request/:user_id' && usual.status === 200) return answer.status === 404 ? null : 'is not 404';
  if (usual.status !== answer.status) return `is not answered as usual, ${usual.status}`;
  return answer.status < 400 ? null : shapeProblem(route.dialect, answer);
}

async function keyWith(...scopes: readonly Scope[]): Promise<string> {
  return target.app.key({ scopes });
}

async function makeKey(but: Partial<CreateKey> = {}) {
  return target.app.access.createKey({ applicationId: DEFAULT_APPLICATION, name: 'K', scopes: ['read', 'write', 'act_as'], ...but });
}

async function tokenOf(but: Partial<CreateKey> = {}): Promise<{ token: string; revoke: () => Promise<unknown> }> {
  const { key } = await makeKey(but);
  const claims = { applicationId: DEFAULT_APPLICATION, userId: 'ann', keyId: key.id, expiresInSeconds: 600 };
  const { token } = await target.app.access.issueToken(claims);
  return { token, revoke: () => target.app.access.revokeKey(null, key.id) };
}

describe('a key', () => {
  test('with every scope is let in everywhere', async () => {
    const credential = await keyWith('read', 'write', 'admin', 'act_as');
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
    await expectVerdicts({ credential, user: 'ann', judge: (route) => (isAdministration(route) ? 'scope_denied' : 'let in') });
  });

  test('without act_as names nobody', async () => {
    const credential = await keyWith('read', 'write', 'admin');
    await expectVerdicts({ credential, user: 'ann', judge: (route) => (namesUser(route) ? 'scope_denied' : 'let in') });
  });

  test('without act_as acts for the application', async () => {
    const credential = await keyWith('read', 'write', 'admin');
    const must: Judge = (route) => {
      const named = namesUser(route, { unasked: true }) || route.key === 'native POST /tokens' || route.key === 'native POST /keys';
      return named ? 'scope_denied' : 'let in';
    };
    await expectVerdicts({ credential, user: null, judge: must });
  });

  test.each(doors.map(({ name }) => name).filter((name) => name !== 'chat-ws'))('for %s does not count elsewhere', async (dialect) => {
    const scopes = ['read', 'write', 'admin', 'act_as'] as const;
    const own = await target.app.key({ scopes, dialects: [dialect] });
    await expectVerdicts({ credential: own, user: 'ann', judge: (route) => (route.dialect === dialect ? 'let in' : 'scope_denied') });
    const others = doors.map(({ name }) => name).filter((name) => name !== dialect);
    const foreign = await target.app.key({ scopes, dialects: others });
    // The example asks for a key that counts in native.
    const judge: Judge = (route) => (route.dialect === dialect ? 'scope_denied' : 'let in');
    await expectVerdicts({ credential: foreign, user: 'ann', judge });
  });
});

/** What speaks for ann alone. */
const judgeAnn: Judge = (route) => (isServerOnly(route) ? 'scope_denied' : 'let in');

function judgeOther(whenHeader: Verdict): Judge {
  return (route) => {
    if (isServerOnly(route)) return 'scope_denied';
    if (!namesUser(route)) return 'let in';
    switch (route.dialect) {
      case 'levia':
        return 'unknown';
      case 'graph':
      case 'user-chat':
        return 'auth_other_user';
      default:
        return whenHeader;
    }
  };
}

describe('a key that is bound to a user', () => {
  test('is let in as that user', async () => {
    const credential = await target.app.key({ userId: 'ann', scopes: ['read', 'write'] });
    await expectVerdicts({ credential, user: 'ann', judge: judgeAnn });
  });

  test('does not act for another one', async () => {
    const credential = await target.app.key({ userId: 'ann', scopes: ['read', 'write'] });
    await expectVerdicts({ credential, user: 'bob', judge: judgeOther('scope_denied') });
  });
});

describe('a token', () => {
  test('signed by the application is let in as its user', async () => {
    await expectVerdicts({ credential: await target.app.token('ann'), user: 'ann', judge: judgeAnn });
  });

  test('signed by the application does not act for another user', async () => {
    await expectVerdicts({ credential: await target.app.token('ann'), user: 'bob', judge: judgeOther('let in') });
  });

  test('minted by a key is let in as its user, and does not act for another one', async () => {
    const { token } = await tokenOf();
    await expectVerdicts({ credential: token, user: 'ann', judge: judgeAnn });
    await expectVerdicts({ credential: token, user: 'bob', judge: judgeOther('let in') });
  });

  test('minted by a key can do no more than the key', async () => {
    const { token: reader } = await tokenOf({ scopes: ['read', 'act_as'] });
    await expectVerdicts({ credential: reader, user: 'ann', judge: (route) => (isReading(route) ? judgeAnn(route) : 'scope_denied') });
    const { token: ofGraph } = await tokenOf({ dialects: ['graph'] });
    await expectVerdicts({ credential: ofGraph, user: 'ann', judge: (route) => (route.dialect === 'graph' ? 'let in' : 'scope_denied') });
  });

  test('minted by a key ends with it', async () => {
    const { token, revoke } = await tokenOf();
    expect((await target.app.send('/polylogue/v1/me', { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    await revoke();
    await expectVerdicts({ credential: token, user: 'ann', judge: always('auth_invalid') });
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

  test('and one of another application are no help', async () => {
    const wrong = `${(await makeKey()).secret.slice(0, -1)}`;
    await expectVerdicts({ credential: wrong, user: 'ann', judge: always('auth_invalid') });
  });
});

describe('a chat socket', () => {
  const code = async (credential: string, query = '') => {
    const chat = await openChatSocket(target.app.url, `?key=${credential}${query}`);
    chat.send({ type: 'ping' });
    const answer = await chat.next('pong').then(
      () => 'let in',
      async () => (await chat.closed).reason,
    );
    await chat.close();
    return answer;
  };

  test('takes the keys that count there', async () => {
    const bound = await target.app.key({ userId: 'ann', scopes: ['read', 'write'] });
    expect(await code(await keyWith('read'))).toBe('let in');
    expect(await code(await keyWith('write', 'act_as'), '&user_id=ann')).toBe('let in');
    expect([await code(bound), await code(bound, '&user_id=ann')]).toEqual(['let in', 'let in']);
    expect(await code(await target.app.key({ dialects: ['chat-ws'] }))).toBe('let in');
  });

  test('takes no other', async () => {
    const bound = await target.app.key({ userId: 'ann', scopes: ['read', 'write'] });
    expect(await code(bound, '&user_id=bob')).toBe('scope_denied');
    expect(await code(await keyWith('read', 'write'), '&user_id=ann')).toBe('scope_denied');
    expect(await code(await target.app.key({ dialects: ['native'] }))).toBe('scope_denied');
    const { key, secret } = await makeKey();
    await target.app.access.revokeKey(null, key.id);
    expect(await code(secret)).toBe('auth_invalid');
  });
});
