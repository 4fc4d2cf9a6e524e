import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import type { Scope } from '../../src/core/principal.ts';
import { frameTypes } from '../../src/dialects/chat-ws/wire.ts';
import type { CreateKey } from '../../src/engine/index.ts';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { inParallel } from '../support/parallel.ts';
import { answerTo, frameOf, type SocketAddress } from './frame-slots.ts';
import type { Kind } from './places.ts';
import { unknown } from './slots.ts';
import { OTHER_APPLICATION, startTarget, type Target } from './target.ts';

let target: Target;

beforeAll(async () => {
  target = await startTarget();
});

afterAll(() => target.close());

/** Where a credential may stand when a socket is opened, the kinds that count there, and what a request looks like with it. */
const places: readonly (readonly [name: string, kinds: readonly Kind[], put: (credential: string) => SocketAddress])[] = [
  ['?key=', ['key'], (credential) => ({ query: `?key=${credential}` })],
  ['?token=', ['token'], (credential) => ({ query: `?token=${credential}` })],
  ['Authorization', ['key', 'token'], (credential) => ({ query: '?', headers: { authorization: `Bearer ${credential}` } })],
  ['X-API-Key', ['key'], (credential) => ({ query: '?', headers: { 'x-api-key': credential } })],
];

/** What becomes of a frame: what is said to it first, or why its socket was closed. */
async function outcomeOf(type: string, address: SocketAddress): Promise<string> {
  const { frames, closed } = await answerTo(target.app.url, address, frameOf(type, { ...unknown, thread_id: randomUUID() }));
  const [first] = frames;
  const said = first?.code ?? first?.type ?? 'pong';
  return closed === null ? said : `closed with ${closed}: ${said}`;
}

const CLOSED = { invalid: 'closed with 1008: auth_invalid', denied: 'closed with 1008: scope_denied' } as const;
type Verdict = 'let in' | 'scope_denied' | (typeof CLOSED)[keyof typeof CLOSED];

interface Case {
  readonly credential: string;
  readonly kind: Kind;
  /** The user in the query; null for none. */
  readonly user: string | null;
  readonly judge: (type: string) => Verdict;
}

/** Sends every frame that there is with the credential in every place; what is let in is answered as to the development key. */
async function expectVerdicts({ credential, kind, user, judge }: Case): Promise<void> {
  const named = user === null ? '' : `&user_id=${user}`;
  const attempts = frameTypes.flatMap((type) => places.map(([place, kinds, put]) => ({ type, place, kinds, put })));
  const problems: string[] = [];
  await inParallel(attempts, 8, async ({ type, place, kinds, put }) => {
    const address = put(credential);
    const verdict = kinds.includes(kind) ? judge(type) : CLOSED.invalid;
    const expected = verdict === 'let in' ? await outcomeOf(type, { query: `?key=${DEVELOPMENT_KEY}&user_id=ann` }) : verdict;
    const outcome = await outcomeOf(type, { ...address, query: address.query + named });
    if (outcome !== expected) problems.push(`${type}, ${place}: ${outcome}, not ${expected}`);
  });
  expect(problems).toEqual([]);
  expect(attempts.length).toBeGreaterThanOrEqual(24);
}

/** What a frame needs: everything writes unless it is known to read, or to do nothing. */
function needOf(type: string): Scope | null {
  if (type === 'ping') return null;
  return type === 'history' ? 'read' : 'write';
}

const always = (verdict: Verdict) => () => verdict;

function judgeScopes(...scopes: readonly Scope[]): Case['judge'] {
  return (type) => {
    const need = needOf(type);
    return need === null || scopes.includes(need) ? 'let in' : 'scope_denied';
  };
}

/** A token that a key mints for ann. */
async function minted(but: Partial<CreateKey>): Promise<{ token: string; revoke: () => Promise<unknown> }> {
  const { access } = target.app;
  const { key } = await access.createKey({ applicationId: DEFAULT_APPLICATION, name: 'K', ...but });
  const { token } = await access.issueToken({ applicationId: key.applicationId, userId: 'ann', keyId: key.id, expiresInSeconds: 600 });
  return { token, revoke: () => access.revokeKey(null, key.id) };
}

const allowances: readonly (readonly [string, readonly Scope[]])[] = [
  ['read', ['read']],
  ['write', ['write']],
  ['read and write', ['read', 'write']],
];

describe('on a chat socket', () => {
  test.each([...allowances, ['administer', ['admin']] as const])('a key that may %s can do that', async (_name, scopes) => {
    const judge = judgeScopes(...scopes);
    await expectVerdicts({ credential: await target.app.key({ scopes }), kind: 'key', user: null, judge });
    await expectVerdicts({ credential: await target.app.key({ scopes: [...scopes, 'act_as'] }), kind: 'key', user: 'ann', judge });
  });

  test.each(allowances)('a token of a key that may %s can do that', async (_name, scopes) => {
    const { token } = await minted({ scopes: [...scopes, 'act_as'] });
    await expectVerdicts({ credential: token, kind: 'token', user: null, judge: judgeScopes(...scopes) });
  });

  test('a token is always its own user', async () => {
    await expectVerdicts({ credential: await target.app.token('ann'), kind: 'token', user: null, judge: always('let in') });
    await expectVerdicts({ credential: await target.app.token('ann'), kind: 'token', user: 'bob', judge: always('let in') });
  });

  test('a key that is bound to a user acts for no other', async () => {
    const bound = await target.app.key({ userId: 'ann', scopes: ['read', 'write'] });
    for (const user of [null, 'ann']) await expectVerdicts({ credential: bound, kind: 'key', user, judge: always('let in') });
    await expectVerdicts({ credential: bound, kind: 'key', user: 'bob', judge: always(CLOSED.denied) });
  });

  test('a key without act_as names nobody', async () => {
    const credential = await target.app.key({ scopes: ['read', 'write', 'admin'] });
    await expectVerdicts({ credential, kind: 'key', user: 'ann', judge: always(CLOSED.denied) });
  });

  test('a key or token counts only for its dialects', async () => {
    const key = (dialect: string) => target.app.key({ dialects: [dialect] });
    await expectVerdicts({ credential: await key('chat-ws'), kind: 'key', user: 'ann', judge: always('let in') });
    await expectVerdicts({ credential: await key('native'), kind: 'key', user: 'ann', judge: always(CLOSED.denied) });
    const { token } = await minted({ dialects: ['native', 'levia'] });
    await expectVerdicts({ credential: token, kind: 'token', user: null, judge: always(CLOSED.denied) });
  });

  test('what another application shows does what its own scopes allow', async () => {
    await expectVerdicts({ credential: target.foreignKey, kind: 'key', user: 'ann', judge: always('let in') });
    const { token } = await minted({ applicationId: OTHER_APPLICATION, scopes: ['read'] });
    await expectVerdicts({ credential: token, kind: 'token', user: null, judge: judgeScopes('read') });
  });

  test('what was revoked is a wrong one, and so is its token', async () => {
    const { key, secret } = await target.app.access.createKey({ applicationId: DEFAULT_APPLICATION, name: 'K', scopes: ['read', 'write'] });
    expect(await outcomeOf('ping', { query: `?key=${secret}` })).toBe('pong');
    await target.app.access.revokeKey(null, key.id);
    await expectVerdicts({ credential: secret, kind: 'key', user: null, judge: always(CLOSED.invalid) });
    const { token, revoke } = await minted({});
    expect(await outcomeOf('ping', { query: `?token=${token}` })).toBe('pong');
    await revoke();
    await expectVerdicts({ credential: token, kind: 'token', user: null, judge: always(CLOSED.invalid) });
  });
});
