import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ProofStore } from '../proofs/stores.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { openChatSocket, tokensOf } from '../support/chat-socket.ts';
import { proofStores } from '../support/proof-stores.ts';
import { answer, type Step, startUpstream, type Upstream } from '../support/upstream.ts';

const USER = 'ann';
const NEXT_MODEL = 'gpt-3.5-turbo';
const TEXTS = ['One?', 'One, 🦜\nline', 'Two?', 'Two — «zwei»', 'Three?', 'Three\n\nthree'];

interface House {
  readonly app: TestApp;
  readonly upstream: Upstream;
  /** What the model says from now on. */
  script(text: string): void;
}

/** A message as one door shows it: its id where the door tells ids. */
type Shown = readonly [id: string | undefined, role: string, text: string];

interface AnyMessage {
  readonly id?: string;
  readonly role: string;
  readonly content: string;
}

interface NativeMessage {
  readonly id: string;
  readonly seq: number;
  readonly role: string;
  readonly parent_id: string | null;
  readonly parts: readonly { readonly text: string }[];
}

const show = ({ id, role, content }: AnyMessage): Shown => [id, role, content];
const modelOf = (upstream: Upstream) => (upstream.requests.at(-1)?.body as { model: string } | undefined)?.model;

async function getJson<Body>({ app }: House, path: string): Promise<Body> {
  const response = await app.send(path, { headers: { 'x-user-id': USER } });
  expect(response.status, path).toBe(200);
  return (await response.json()) as Body;
}

async function withHouse(store: ProofStore, work: (house: House) => Promise<void>): Promise<void> {
  const steps: Step[] = [];
  const upstream = await startUpstream(steps);
  const app = await startTestApp({
    env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'k' },
    file: { defaultModel: 'gpt-4', models: { 'gpt-4': { provider: 'openai' }, [NEXT_MODEL]: { provider: 'openai' } } },
    databaseUrl: store.databaseUrl ?? '',
  });
  try {
    await work({ app, upstream, script: (text) => void steps.splice(0, steps.length, ...answer([...text])) });
  } finally {
    await app.close();
    await upstream.close();
    await store.remove();
  }
}

async function beginAtChatWs({ app, script }: House, threadId: string): Promise<void> {
  const chat = await openChatSocket(app.url, `?key=dev-api-key-change-in-production&user_id=${USER}`);
  script(TEXTS[1] ?? '');
  chat.send({ type: 'message', thread_id: threadId, content: TEXTS[0] });
  const frames = await chat.until('message');
  expect([tokensOf(frames), frames.at(-1)?.content]).toEqual([TEXTS[1], TEXTS[1]]);
  await chat.close();
}

async function continueAtLevia({ app, script, upstream }: House, threadId: string): Promise<void> {
  script(TEXTS[3] ?? '');
  const asked = await app.post('/levia/chat', { user_id: USER, session_id: threadId, intent: TEXTS[2] });
  const { request_id } = (await asked.json()) as { request_id: string };
  const stream = await (await app.send(`/levia/chat/stream/${request_id}`)).text();
  expect(stream).toContain(`"reply":${JSON.stringify(TEXTS[3]).replace(/[^\x20-\x7e]/g, toEscape)}`);
  expect(modelOf(upstream)).toBe('gpt-4');
}

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Finds the session's number as a client does, in its list, and switches the model; gives the number. */
async function switchAtChatSessions(house: House, threadId: string): Promise<number> {
  const { sessions } = await getJson<{ sessions: { id: number; messages: AnyMessage[] }[] }>(house, '/v1/chat/history');
  const number = sessions.find(({ messages }) => messages.some(({ content }) => content === TEXTS[2]))?.id ?? 0;
  const body = { session_id: number, model: NEXT_MODEL };
  const switched = await house.app.post('/v1/chat/switch-model', body, { 'x-user-id': USER });
  expect([switched.status, switched.headers.get('x-thread-id')]).toEqual([200, threadId]);
  expect(((await switched.json()) as { messages: AnyMessage[] }).messages.map(({ content }) => content)).toEqual(TEXTS.slice(0, 4));
  return number;
}

async function atGraph(house: House, threadId: string): Promise<readonly Shown[]> {
  const { history } = await getJson<{ history: AnyMessage[] }>(house, `/api/v1/threads/${threadId}?user_id=${USER}`);
  return history.map(show);
}

async function finishAtUserChat({ app, script, upstream }: House, threadId: string): Promise<void> {
  script(TEXTS[5] ?? '');
  const said = await app.post(`/api/${USER}/chat`, { message: { content: TEXTS[4] }, conversation_id: threadId });
  expect(await said.json()).toMatchObject({ success: true, message: { content: TEXTS[5] }, conversation_id: threadId });
  const asked = upstream.requests.at(-1)?.body as { messages: readonly { content: string }[] } | undefined;
  expect(asked?.messages.map(({ content }) => content).slice(-5)).toEqual(TEXTS.slice(0, 5));
  expect(modelOf(upstream)).toBe(NEXT_MODEL);
}

async function atNative(house: House, threadId: string): Promise<readonly NativeMessage[]> {
  const page = await getJson<{ data: NativeMessage[] }>(house, `/polylogue/v1/threads/${threadId}/messages?limit=100`);
  return page.data.reverse();
}

async function atChatWs({ app }: House, threadId: string): Promise<readonly Shown[]> {
  const chat = await openChatSocket(app.url, `?key=dev-api-key-change-in-production&user_id=${USER}`);
  chat.send({ type: 'history', thread_id: threadId });
  const frames = await chat.until('history_end');
  await chat.close();
  return frames.flatMap(({ type, id, role = '', content = '' }) => (type === 'message' ? [[id, role, content] as const] : []));
}

for (const { name, skip, open } of await proofStores()) {
  test.skipIf(skip)(`a thread goes through every door and is the same at each (${name})`, async () => {
    await withHouse(await open(), async (house) => {
      const threadId = randomUUID();
      await beginAtChatWs(house, threadId);
      await continueAtLevia(house, threadId);
      const session = await switchAtChatSessions(house, threadId);
      expect((await atGraph(house, threadId)).map(([, , text]) => text)).toEqual(TEXTS.slice(0, 4));
      await finishAtUserChat(house, threadId);

      const native = await atNative(house, threadId);
      expect(native.map(({ seq, parent_id, parts }) => [seq, parent_id, parts[0]?.text])).toEqual(
        TEXTS.map((text, at) => [at + 1, native[at - 1]?.id ?? null, text]),
      );
      const shown = native.map(({ id, role, parts }): Shown => [id, role, parts.map(({ text }) => text).join('')]);
      expect(shown.map(([, role]) => role)).toEqual(['user', 'assistant', 'user', 'assistant', 'user', 'assistant']);
      expect(await atChatWs(house, threadId)).toEqual(shown);
      expect(await atGraph(house, threadId)).toEqual(shown);
      const conversation = await getJson<{ messages: AnyMessage[] }>(house, `/api/${USER}/conversations/${threadId}`);
      expect(conversation.messages.map(show)).toEqual(shown);
      const { sessions } = await getJson<{ sessions: { id: number; messages: AnyMessage[]; model_used?: string }[] }>(
        house,
        '/v1/chat/history',
      );
      expect(sessions.map(({ id }) => id)).toEqual([session]);
      expect(sessions[0]?.messages.map(({ role, content }) => [role, content])).toEqual(shown.map(([, role, text]) => [role, text]));
    });
  });
}
