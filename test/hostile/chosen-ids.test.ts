import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { openChatSocket } from '../support/chat-socket.ts';
import { exchange } from './byte-exchange.ts';
import { answerTo } from './frame-slots.ts';
import { startTarget, type Target } from './target.ts';

let target: Target;
let token: (user: string) => string;

beforeAll(async () => {
  target = await startTarget();
  const tokens = new Map(await Promise.all(['ann', 'bob', 'cleo'].map(async (user) => [user, await target.app.token(user)] as const)));
  token = (user) => tokens.get(user) ?? expect.fail(user);
});

afterAll(() => target.close());

const post = async (path: string, body: object, headers: readonly (readonly [string, string])[]) => {
  const request = {
    method: 'POST',
    path,
    headers: [['content-type', 'application/json'] as const, ...headers],
    body: JSON.stringify(body),
  };
  return JSON.stringify(await exchange(target.app.url, request));
};
const asToken = (user: string) => [['authorization', `Bearer ${token(user)}`]] as const;

/** Ways to begin a thread under an id that the client chose: each gives everything that was answered. */
const doors: readonly (readonly [string, (user: string, thread_id: string) => Promise<string>])[] = [
  ['graph invoke', (user, thread_id) => post('/api/v1/graph/invoke', { message: 'Hi', thread_id }, asToken(user))],
  ['graph stream', (user, thread_id) => post('/api/v1/graph/stream', { message: 'Hi', thread_id }, asToken(user))],
  [
    'graph invoke by a key',
    (user_id, thread_id) => post('/api/v1/graph/invoke', { message: 'Hi', user_id, thread_id }, [['x-api-key', DEVELOPMENT_KEY]]),
  ],
  [
    'chat-ws',
    async (user, thread_id) =>
      JSON.stringify(await answerTo(target.app.url, { query: `?token=${token(user)}` }, { type: 'message', thread_id, content: 'Hi' })),
  ],
  [
    'chat-ws by a key',
    async (user, thread_id) => {
      const query = `?key=${DEVELOPMENT_KEY}&user_id=${user}`;
      return JSON.stringify(await answerTo(target.app.url, { query }, { type: 'message', thread_id, content: 'Hi' }));
    },
  ],
];

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** How an answer is cut into tokens is chance, and with it their ids; the finished answer is compared. */
const TOKENS = /\{"type":"token",[^}]*\},|id: \d+\\n(event: token\\n(data: .*?\\n)+\\n)?/g;
const TIMES = /\["(date|x-request-id|x-session-id)","[^"]*"\]|"created_at":"[^"]*"/g;

/** The answer without times, with each id as the place where it came first. */
function comparable(answer: string): string {
  const ids: string[] = [];
  const placeOf = (id: string) => {
    if (!ids.includes(id)) ids.push(id);
    return `id ${ids.indexOf(id)}`;
  };
  return answer.replace(TOKENS, '').replace(TIMES, '').replace(UUID, placeOf);
}

describe("another user's thread id", () => {
  test.each(doors)('opens, through %s, an empty thread of the sender as an unused one does', async (_door, begin) => {
    const { thread_id: foreign } = target.ann;
    const [taken, unused] = [await begin('bob', foreign), await begin('bob', randomUUID())];
    expect(comparable(taken)).toBe(comparable(unused));
    expect(taken).toContain(foreign);
    expect(taken).not.toMatch(/secret of ann/);
    const path = `/polylogue/v1/threads/${foreign}/messages`;
    const bobs = (await (await target.app.send(path, { headers: { authorization: `Bearer ${token('bob')}` } })).json()) as Page;
    expect(new Set(bobs.data.filter(({ role }) => role === 'user').map(textOf))).toEqual(new Set(['Hi']));
    const anns = (await (await target.app.send(path, { headers: { authorization: `Bearer ${token('ann')}` } })).json()) as Page;
    expect(anns.data.map(textOf)).toEqual([expect.any(String), 'The secret of ann']);
    await target.app.send(`/polylogue/v1/threads/${foreign}`, { method: 'DELETE', headers: { authorization: `Bearer ${token('bob')}` } });
  });

  test.each(doors)('is refused, through %s, to nobody', async (door) => {
    const body = { message: 'Hi', thread_id: target.ann.thread_id };
    const answer = door.startsWith('graph')
      ? await post(`/api/v1/graph/${door.includes('stream') ? 'stream' : 'invoke'}`, body, [])
      : JSON.stringify(await answerTo(target.app.url, { query: '' }, { type: 'message', content: 'Hi', ...body }));
    expect(answer).toMatch(/"status":401|"closed":1008/);
  });

  test('tells whoever watches it nothing of what happens there', async () => {
    const { thread_id } = target.ann;
    const [watching, control] = await Promise.all(['cleo', 'ann'].map((user) => openChatSocket(target.app.url, `?token=${token(user)}`)));
    for (const chat of [watching, control]) {
      chat?.send({ type: 'history', thread_id });
      await chat?.next('history_end');
    }
    await answerTo(target.app.url, { query: `?token=${token('ann')}` }, { type: 'message', thread_id, content: 'Another secret' });
    expect(await control?.next('message', ({ role }) => role === 'assistant')).toBeDefined();
    watching?.send({ type: 'ping' });
    await watching?.next('pong');
    expect(watching?.frames.map(({ type }) => type)).toEqual(['message', 'history_end', 'pong']);
    await Promise.all([watching?.close(), control?.close()]);
  });
});

interface Page {
  readonly data: readonly { readonly role: string; readonly parts: readonly { readonly text?: string }[] }[];
}

function textOf({ parts }: Page['data'][number]): string {
  return parts.map(({ text = '' }) => text).join('');
}

test("an Idempotency-Key of another user's is a key of one's own", async () => {
  const headers = (user: string) => [...asToken(user), ['idempotency-key', 'shared'] as const];
  const body = { message: 'Hi' };
  const path = '/api/v1/graph/invoke';
  const first = await post(path, body, headers('ann'));
  expect(await post(path, body, headers('ann'))).toContain('"idempotent-replayed","true"');
  const other = await post(path, { message: 'Hello' }, headers('bob'));
  expect(other).toContain('"status":200');
  expect(other).not.toContain('idempotent-replayed');
  expect(other.match(UUID)?.filter((id) => first.includes(id))).toEqual([]);
});

test('after all this nothing that was there is lost', async () => {
  expect(target.app.log()).not.toMatch(/"level":50|request failed/);
  const lost = await target.stopAndFindLost();
  // Ann's own question moves her thread on.
  expect(lost.filter((row) => !row.startsWith('threads: ') || !row.includes(target.ann.thread_id))).toEqual([]);
});
