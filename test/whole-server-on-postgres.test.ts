import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openPostgresStore } from '../src/backends/stores/postgres/index.ts';
import { DEFAULT_APPLICATION } from '../src/core/ids.ts';
import { append, begin, beginning, lease, segment } from './contracts/store-fixtures.ts';
import { createDoorClient, type DoorHouse } from './doors/door-client.ts';
import { houseDoors } from './doors/doors.ts';
import { startTestApp } from './support/app.ts';
import { createTestDatabase, findTestServer } from './support/test-database.ts';
import { answer, type Step, startUpstream, type Upstream } from './support/upstream.ts';

const server = await findTestServer();

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let upstream: Upstream;
const steps: Step[] = [];

async function startHouse(): Promise<DoorHouse> {
  const app = await startTestApp({
    databaseUrl: database.url,
    env: { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'k' },
    file: { models: { 'gpt-4': { provider: 'openai' } } },
  });
  return { app, upstream, script: (next) => void steps.splice(0, steps.length, ...next), close: () => app.close() };
}

describe.skipIf(server === null)('servers on one PostgreSQL', () => {
  let houses: readonly [DoorHouse, DoorHouse];
  beforeAll(async () => {
    database = await createTestDatabase(server ?? '');
    upstream = await startUpstream(steps);
    houses = await Promise.all([startHouse(), startHouse()]);
  });
  afterAll(async () => {
    await Promise.all(houses.map((house) => house.close()));
    await upstream.close();
    await database.drop();
  });

  for (const door of houseDoors) {
    test(`a conversation through ${door.dialect.name} goes on at the other server`, async () => {
      const clients = await Promise.all(houses.map((house) => createDoorClient(house, door, 'ann')));
      const place = (await clients[0]?.begin()) ?? '';
      let thread = '';
      for (const [index, text] of ['One, ', 'two and ', 'three.'].entries()) {
        houses[0].script(answer([text, '🦜']));
        const asked = await clients[index % 2]?.ask(place, `${index}?`);
        expect(await asked?.read()).toMatchObject({ text: `${text}🦜`, end: { kind: 'completed' } });
        thread = asked?.threadId ?? '';
      }
      const shown = (await clients[1]?.messages(thread)) ?? [];
      expect(shown.map(({ seq, parts }) => [seq, parts[0]?.text])).toEqual(
        ['0?', 'One, 🦜', '1?', 'two and 🦜', '2?', 'three.🦜'].map((text, index) => [index + 1, text]),
      );
    });
  }

  test('what a dead server left ends with the text that was seen, and what waited behind it is answered', async () => {
    const [native] = houseDoors;
    if (native === undefined) throw new Error('There is no door.');
    const client = await createDoorClient(houses[0], native, 'carl');
    const dead = await openPostgresStore({ url: database.url, log: { info: () => undefined, warn: () => undefined } });
    const owner = { applicationId: DEFAULT_APPLICATION, userId: 'carl' };
    const snapshot = { ...beginning().snapshot, model: 'gpt-4', provider: 'openai', upstream: 'gpt-4' };
    const left = await begin(dead, { owner, snapshot, lease: { ...lease, until: Date.now() + 300 } });
    await append(dead, { segments: [segment(left.run, 2, ['seen'])] });
    const waiting = await begin(dead, { owner, snapshot, thread: { ref: { id: left.thread.id } } });
    await dead.close();
    houses[0].script(answer(['Answered.']));
    await vi.waitUntil(async () => (await client.run(waiting.run.id)).status === 'completed', { timeout: 15_000, interval: 100 });
    expect(await client.run(left.run.id)).toMatchObject({ status: 'failed', error: { code: 'interrupted' } });
    const shown = await client.messages(left.thread.id);
    expect(shown.map(({ status, parts }) => [status, parts[0]?.text])).toEqual([
      ['completed', 'Hello?'],
      ['failed', 'seen'],
      ['completed', 'Hello?'],
      ['completed', 'Answered.'],
    ]);
  });

  test('a reader at one server sees what the other one writes, and can cancel it', async () => {
    const [native] = houseDoors;
    if (native?.follow == null) throw new Error('native has streams.');
    const [here, there] = await Promise.all([createDoorClient(houses[0], native, 'bob'), createDoorClient(houses[1], native, 'bob')]);
    const place = await here.begin();
    houses[0].script([...answer(['first words']).slice(0, 2), { hang: true }]);
    const asked = await here.ask(place, 'Go on for ever');
    const stream = await there.call(native.follow(asked.runId));
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    while (!seen.includes('first words')) seen += (await reader?.read())?.value ?? '';
    const cancelled = await there.call({ method: 'POST', path: `/polylogue/v1/runs/${asked.runId}/cancel` });
    expect(cancelled.status).toBeLessThan(300);
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) seen += next.value;
    expect(seen.match(/run\.cancelled/g)?.length).toBeGreaterThan(0);
    expect((await here.run(asked.runId)).status).toBe('cancelled');
    expect((await here.messages(asked.threadId)).at(-1)?.parts[0]?.text).toBe('first words');
  });
});
