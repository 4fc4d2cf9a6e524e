import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createDoorClient, type DoorClient, type DoorHouse, readAnswer, startDoorHouse } from './doors/door-client.ts';
import { houseDoors } from './doors/doors.ts';
import { loggedText } from './proofs/framing.ts';
import { hostileText, randomCuts } from './proofs/random-texts.ts';
import { type ChatSocket, openChatSocket, tokensOf } from './support/chat-socket.ts';
import { proofStores } from './support/proof-stores.ts';
import { chooseSeed, createRandom } from './support/random.ts';
import { answer } from './support/upstream.ts';

const USER = 'ann';
const RANDOM_TEXTS = 80;
const SEED = chooseSeed();
/** Whatever the seed: each kind of character that a log, a column or a frame may not bear as it is. */
const CERTAIN_TEXTS = [
  '\u2028\u2029\u0085',
  '[DONE]',
  'a\n[DONE]\n\ndata: [DONE]\n\nevent: error\ndata: b\n\n',
  '\ufeffa\ufeff',
  'a\r\r\nb\r',
  'a\0b',
  '\0',
  '\ud83d',
  'a\udfffb\ud83d\ude00',
  '\\u0000 \\x00 \'); -- "',
  '[DONE]\n\u2028 '.repeat(5_000),
];

interface Readers {
  readonly house: DoorHouse;
  readonly clients: Readonly<Record<string, DoorClient>>;
  readonly chat: ChatSocket;
}

/** Random texts after the certain ones; without empty ones, since an answer without any text is a failure. */
function textsOf(seed: number): readonly (readonly string[])[] {
  const random = createRandom(seed);
  const texts = Array.from({ length: RANDOM_TEXTS }, () => hostileText(random)).filter((text) => text !== '');
  return [...CERTAIN_TEXTS, ...texts].map((text) => randomCuts(text, random));
}

async function openThread(client: DoorClient): Promise<{ session: string; thread: string }> {
  const opened = await client.call({ method: 'POST', path: '/v1/chat/sessions', body: { model: 'gpt-4' } });
  const { id, thread_id } = (await opened.json()) as { id: number; thread_id: string };
  return { session: String(id), thread: thread_id };
}

/** Asks while all doors listen, and gives the answer as each of them shows it: live, from the log, and from the stored messages. */
async function shownBy({ house, clients, chat }: Readers, pieces: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const clientAt = (door: string) => clients[door] ?? expect.fail(`no door ${door}`);
  const sessions = clientAt('chat-sessions');
  const native = clientAt('native');
  house.script(answer(pieces));
  const { session, thread } = await openThread(sessions);
  chat.send({ type: 'history', thread_id: thread });
  await chat.next('history_end');
  const headers = { 'idempotency-key': randomUUID() };
  const asked = await sessions.ask(session, 'Question', { headers });
  const live = await asked.read();
  const final = await chat.next('message', ({ role, thread_id }) => role === 'assistant' && thread_id === thread);
  const tokens = chat.frames.filter(({ job_id }) => job_id === asked.runId);
  const shown: Record<string, unknown> = { 'chat-sessions, live': live.text, 'chat-ws, tokens': tokensOf(tokens) };
  shown['chat-ws, message'] = final.content;
  for (const door of houseDoors) {
    if (door.follow === null) continue;
    const read = await readAnswer(door, await clientAt(door.dialect.name).call(door.follow(asked.runId)));
    shown[`${door.dialect.name}, log`] = read.text;
    expect(read.end.kind).toBe('completed');
  }
  shown['chat-sessions, log'] = (await (await sessions.ask(session, 'Question', { headers })).read()).text;
  shown['native, messages'] = (await native.messages(thread))
    .at(-1)
    ?.parts.map(({ text }) => text)
    .join();
  chat.send({ type: 'history', thread_id: thread });
  const history = await chat.until('history_end');
  shown['chat-ws, history'] = history
    .filter(({ role }) => role === 'assistant')
    .map(({ content }) => content)
    .join();
  return shown;
}

for (const { name, skip, open } of await proofStores()) {
  test.skipIf(skip)(`hostile answers are the same at every door, live and stored (${name})`, { timeout: 120_000 }, async () => {
    const house = await startDoorHouse({ store: await open() });
    try {
      const clients = Object.fromEntries(
        await Promise.all(houseDoors.map(async (door) => [door.dialect.name, await createDoorClient(house, door, USER)] as const)),
      );
      const chat = await openChatSocket(house.app.url, `?token=${await house.app.token(USER)}`);
      for (const pieces of textsOf(SEED)) {
        const shown = await shownBy({ house, clients, chat }, pieces);
        const text = loggedText(pieces.join(''));
        expect(Object.keys(shown)).toHaveLength(8);
        expect(shown).toEqual(Object.fromEntries(Object.keys(shown).map((reader) => [reader, text])));
      }
      await chat.close();
    } finally {
      await house.close();
    }
  });
}
