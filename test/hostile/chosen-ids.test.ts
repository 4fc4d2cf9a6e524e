import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { openChatSocket } from '../support/chat-socket.ts';
import { exchange } from './byte-exchange.ts';
import { answerTo } from './frame-slots.ts';
import { inputsThat } from './named-inputs.ts';
import { OTHER_APPLICATION, startTarget, type Target } from './target.ts';

/** Somebody who chooses an id. */
interface Sender {
  readonly headers: readonly (readonly [string, string])[];
  /** Of a chat socket. */
  readonly query: string;
  /** Whom a body names; null when the credential alone says who asks. */
  readonly user_id: string | null;
}

const senders = [
  'another user',
  'a key of another user',
  'a key acting for another user',
  'a key acting for the same name in another application',
  'a token of the same name in another application',
] as const;

let target: Target;
let token: (user: string) => string;
let known: Readonly<Record<(typeof senders)[number], Sender>>;

beforeAll(async () => {
  target = await startTarget();
  const tokens = new Map(await Promise.all(['ann', 'bob', 'cleo'].map(async (user) => [user, await target.app.token(user)] as const)));
  token = (user) => tokens.get(user) ?? expect.fail(user);
  const elsewhere = { applicationId: OTHER_APPLICATION, userId: 'ann', keyId: null, expiresInSeconds: 600 };
  const namesake = await target.app.access.issueToken(elsewhere);
  const byToken = (text: string): Sender => ({ headers: [bearer(text)], query: `?token=${text}`, user_id: null });
  const byKey = (key: string, user_id: string): Sender => ({
    headers: [bearer(key), ['x-user-id', user_id]],
    query: `?key=${key}&user_id=${user_id}`,
    user_id,
  });
  known = {
    'another user': byToken(token('bob')),
    'a key of another user': byKey(target.bobsKey, 'bob'),
    'a key acting for another user': byKey(DEVELOPMENT_KEY, 'bob'),
    'a key acting for the same name in another application': byKey(target.foreignKey, 'ann'),
    'a token of the same name in another application': byToken(namesake.token),
  };
});

afterAll(() => target.close());

const bearer = (credential: string) => ['authorization', `Bearer ${credential}`] as const;
const asToken = (user: string) => [bearer(token(user))] as const;

const post = async (path: string, body: object, headers: Sender['headers']) => {
  const request = {
    method: 'POST',
    path,
    headers: [['content-type', 'application/json'] as const, ...headers],
    body: JSON.stringify(body),
  };
  return JSON.stringify(await exchange(target.app.url, request));
};

/** Ways to begin a thread under an id that the client chose: each gives everything that was answered. */
const ways: Readonly<Record<string, (sender: Sender, thread_id: string) => Promise<string>>> = {
  'graph POST /graph/invoke': ({ headers, user_id }, thread_id) =>
    post('/api/v1/graph/invoke', { message: 'Hi', user_id, thread_id }, headers),
  'graph POST /graph/stream': ({ headers, user_id }, thread_id) =>
    post('/api/v1/graph/stream', { message: 'Hi', user_id, thread_id }, headers),
  'chat-ws': async ({ query }, thread_id) =>
    JSON.stringify(await answerTo(target.app.url, { query }, { type: 'message', thread_id, content: 'Hi' })),
};
const doors = Object.entries(ways);
const attempts = senders.flatMap((sender) => doors.map(([door, begin]) => [door, sender, begin] as const));

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

test('every route that takes such an id is tried', () => {
  const routes = target.routes.filter((route) => inputsThat('choice', route).length > 0).map(({ key }) => key);
  expect(new Set([...routes, 'chat-ws'])).toEqual(new Set(Object.keys(ways)));
});

describe("another user's thread id", () => {
  test.each(attempts)('opens, through %s, to %s an empty thread of their own as an unused one does', async (_door, name, begin) => {
    const sender = known[name];
    const { thread_id: foreign } = target.ann;
    const [taken, unused] = [await begin(sender, foreign), await begin(sender, randomUUID())];
    expect(comparable(taken)).toBe(comparable(unused));
    expect(taken).toContain(foreign);
    expect(taken).not.toMatch(/secret of ann/);
    const own = { headers: Object.fromEntries(sender.headers) };
    const theirs = await messagesFor(own.headers);
    expect(new Set(theirs.filter(({ role }) => role === 'user').map(textOf))).toEqual(new Set(['Hi']));
    const anns = await messagesFor(Object.fromEntries(asToken('ann')));
    expect(anns.map(textOf)).toEqual([expect.any(String), 'The secret of ann']);
    await target.app.send(`/polylogue/v1/threads/${foreign}`, { method: 'DELETE', ...own });
  });

  test.each(doors)('is refused, through %s, to nobody', async (_door, begin) => {
    const answer = await begin({ headers: [], query: '', user_id: null }, target.ann.thread_id);
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

interface Message {
  readonly role: string;
  readonly parts: readonly { readonly text?: string }[];
}

/** What stands, for whoever shows these headers, in the thread of ann's id. */
async function messagesFor(headers: Readonly<Record<string, string>>): Promise<readonly Message[]> {
  const answer = await target.app.send(`/polylogue/v1/threads/${target.ann.thread_id}/messages`, { headers });
  const { data }: { data: readonly Message[] } = JSON.parse(await answer.text());
  return data;
}

function textOf({ parts }: Message): string {
  return parts.map(({ text = '' }) => text).join('');
}

test.each(senders)('an Idempotency-Key that ann used is, to %s, a key of their own', async (name) => {
  const { headers, user_id } = known[name];
  const repeatable = ['idempotency-key', `shared with ${name}`.replaceAll(' ', '-')] as const;
  const path = '/api/v1/graph/invoke';
  const anns = [...asToken('ann'), repeatable];
  const first = await post(path, { message: 'Hi' }, anns);
  expect(await post(path, { message: 'Hi' }, anns)).toContain('"idempotent-replayed","true"');
  const other = await post(path, { message: 'Hi', user_id }, [...headers, repeatable]);
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
