import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRows } from '../hostile/stored-rows.ts';
import type { ProofStore } from '../proofs/stores.ts';
import { proofStores } from '../support/proof-stores.ts';
import { answer } from '../support/upstream.ts';
import type { Door } from './door.ts';
import { createDoorClient, type DoorClient, type DoorHouse, startDoorHouse } from './door-client.ts';
import { houseDoors } from './doors.ts';

const CANARY = 'cAnArY-3e7f';
const NEVER_USED = '01900000-0000-7000-8000-00000000dead';

let house: DoorHouse;
/** Where the house stores; null for its data directory. */
let database: string | null;
let clients: Readonly<Record<string, DoorClient>>;

/** Starts a house on this store and a client at each of its doors. */
async function openHouse(store: ProofStore): Promise<void> {
  house = await startDoorHouse({ store });
  database = store.databaseUrl;
  clients = Object.fromEntries(
    await Promise.all(houseDoors.map(async (door) => [door.dialect.name, await createDoorClient(house, door, 'ann')] as const)),
  );
}

function clientAt(name: string): DoorClient {
  return clients[name] ?? expect.fail(`no door ${name}`);
}

/** Asks through a door what only this turn says, and reads the answer to its end. */
async function turn(door: string, place: string, number: number) {
  house.script(answer([`${CANARY} answer `, String(number)]));
  const asked = await clientAt(door).ask(place, `${CANARY} question ${number}`);
  expect(await asked.read()).toMatchObject({ text: `${CANARY} answer ${number}`, end: { kind: 'completed' } });
  const run = await clientAt('native').run(asked.runId);
  return { ...asked, question: run.message_id, answer: run.answer_id };
}

function lastPrompt(): string[] {
  const body = house.upstream.requests.at(-1)?.body as { messages: { content: string }[] } | undefined;
  return (body?.messages ?? []).map(({ content }) => content);
}

/** The files, or in a database the tables, that hold this text. */
async function placesWith(text: string): Promise<readonly string[]> {
  if (database === null) return filesWith(text);
  const tables = await readRows({ dataDir: house.app.dataDir, databaseUrl: database });
  return [...tables].flatMap(([table, rows]) => (rows.some((row) => row.includes(text)) ? [table] : []));
}

async function filesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(house.app.dataDir, { withFileTypes: true })) {
    // The socket of the command line holds nothing.
    if (!entry.isFile()) continue;
    const { name } = entry;
    const path = join(house.app.dataDir, name);
    if ((await readFile(path)).includes(text)) found.push(name);
  }
  return found;
}

/** What all doors say to somebody who uses these ids. */
async function everythingAbout(ids: { thread: string; session: string; run: string; message: string }): Promise<string[]> {
  const answers: string[] = [];
  const native = clientAt('native');
  const ask = ({ ask }: Door, place: string) => ask({ user: 'ann', place, text: 'Still there?' });
  for (const door of houseDoors) {
    const place = door.dialect.name === 'chat-sessions' ? ids.session : ids.thread;
    const calls = [...(door.opensUnknown ? [] : [ask(door, place)]), ...(door.follow ? [door.follow(ids.run)] : [])];
    for (const call of calls) {
      const response = await clientAt(door.dialect.name).call(call);
      answers.push(`${response.status} ${await response.text()}`);
    }
  }
  const paths = ['', '/messages', `/messages?branch=${ids.message}`, '/events'].map((path) => `/polylogue/v1/threads/${ids.thread}${path}`);
  for (const path of [...paths, `/polylogue/v1/runs/${ids.run}`, `/polylogue/v1/runs/${ids.run}/events?wait=false`]) {
    const response = await native.call({ method: 'GET', path });
    answers.push(`${response.status} ${await response.text()}`);
  }
  return answers.map((text) => text.replace(/"request_id":"[^"]*"/, ''));
}

async function checkOneThread(): Promise<void> {
  const other = await turn('levia', await clientAt('levia').begin(), 0);

  // chat-sessions numbers its sessions, and only its own answers tell the number.
  const session = await clientAt('chat-sessions').begin();
  const first = await turn('chat-sessions', session, 1);
  expect((await first.response).headers.get('x-session-id')).toBe(session);
  const thread = first.threadId;
  const second = await turn('levia', thread, 2);
  const third = await turn('native', thread, 3);
  const fourth = await turn('chat-sessions', session, 4);
  expect([second, third, fourth].map(({ threadId }) => threadId)).toEqual([thread, thread, thread]);
  expect(lastPrompt().slice(-7)).toEqual(
    [1, 2, 3].flatMap((n) => [`${CANARY} question ${n}`, `${CANARY} answer ${n}`]).concat(`${CANARY} question 4`),
  );

  const native = clientAt('native');
  const turns = [first, second, third, fourth];
  const messages = await native.messages(thread);
  const ids = turns.flatMap(({ question, answer: reply }) => [question, reply]);
  expect(messages.map(({ id, seq, parent_id }) => [id, seq, parent_id])).toEqual(ids.map((id, at) => [id, at + 1, ids[at - 1] ?? null]));
  expect(messages.map(({ parts }) => parts[0]?.text)).toEqual(
    [1, 2, 3, 4].flatMap((n) => [`${CANARY} question ${n}`, `${CANARY} answer ${n}`]),
  );

  house.script(answer([`${CANARY} better`]));
  const path = `/polylogue/v1/threads/${thread}/runs`;
  const again = await native.call({ method: 'POST', path, body: { regenerate: fourth.answer } }, { prefer: 'respond-sync' });
  const regenerated = (await again.json()) as { id: string; answer_id: string; answer: { seq: number; parent_id: string } };
  expect(regenerated.answer).toMatchObject({ seq: 9, parent_id: fourth.question });
  expect((await native.messages(thread)).map(({ id }) => id)).toEqual([...ids.slice(0, -1), regenerated.answer_id]);
  await turn('levia', thread, 5);
  expect(lastPrompt().slice(-3)).toEqual([`${CANARY} question 4`, `${CANARY} better`, `${CANARY} question 5`]);
  expect((await turn('graph', thread, 6)).threadId).toBe(thread);
  expect((await turn('user-chat', thread, 7)).threadId).toBe(thread);
  expect(lastPrompt().slice(-4)).toEqual([`${CANARY} answer 5`, `${CANARY} question 6`, `${CANARY} answer 6`, `${CANARY} question 7`]);

  expect(await placesWith(CANARY)).not.toEqual([]);
  expect((await native.call({ method: 'DELETE', path: `/polylogue/v1/threads/${other.threadId}` })).status).toBe(204);
  expect((await native.call({ method: 'DELETE', path: `/polylogue/v1/threads/${thread}` })).status).toBe(204);
  const gone = await everythingAbout({ thread, session, run: fourth.runId, message: fourth.answer });
  const never = await everythingAbout({ thread: NEVER_USED, session: '4611686018427387', run: NEVER_USED, message: NEVER_USED });
  expect(gone).toEqual(never);
  expect(gone.join()).not.toContain(CANARY);
  expect(await placesWith(CANARY)).toEqual([]);
  expect((await native.messages((await turn('levia', await clientAt('levia').begin(), 8)).threadId)).length).toBe(2);
}

for (const { name, skip, open } of await proofStores()) {
  test.skipIf(skip)(`a thread is one and the same through every door, and gone from all of them at once (${name})`, async () => {
    await openHouse(await open());
    await checkOneThread().finally(() => house.close());
  });
}
