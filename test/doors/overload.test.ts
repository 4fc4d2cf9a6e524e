import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { LoadLevel } from '../../src/core/ports/load.ts';
import { openChatSocket } from '../support/chat-socket.ts';
import { answer } from '../support/upstream.ts';
import { createDoorClient, type DoorHouse, startDoorHouse } from './door-client.ts';
import { houseDoors } from './doors.ts';

const THREAD = '01900000-0000-4000-8000-000000000001';
let house: DoorHouse;
let level: LoadLevel = 'calm';

beforeAll(async () => {
  house = await startDoorHouse({ load: { level: () => level } });
  house.script(answer(['Yes.']));
});
beforeEach(() => {
  level = 'calm';
});
afterAll(async () => {
  level = 'calm';
  await house.close();
});

test.each(houseDoors.map((door) => ({ name: door.dialect.name, door })))(
  '$name turns new questions away while the server is overloaded',
  async ({ door }) => {
    const client = await createDoorClient(house, door, 'ann');
    const place = await client.begin();
    const first = door.ask({ user: 'ann', place, text: 'First?' });
    const repeat = { 'idempotency-key': `first-${door.dialect.name}` };
    const taken = await client.call(first, repeat);
    expect(taken.status).toBeLessThan(300);
    await taken.text();
    const thread = taken.headers.get('x-thread-id') ?? expect.fail('no thread id');
    const texts = async () => (await client.messages(thread)).map(({ parts }) => parts[0]?.text);
    await vi.waitFor(async () => expect(await texts()).toEqual(['First?', 'Yes.']), { timeout: 10_000 });
    const asked = house.upstream.requests.length;
    level = 'overloaded';

    const refused = await client.call(door.ask({ user: 'ann', place, text: 'Second?' }), {
      'idempotency-key': `second-${door.dialect.name}`,
    });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(door.isError((await refused.json()) as Record<string, unknown>)).toBe(true);

    const replayed = await client.call(first, repeat);
    expect([replayed.status < 300, replayed.headers.get('idempotent-replayed')]).toEqual([true, 'true']);
    await replayed.text();
    expect(await texts()).toEqual(['First?', 'Yes.']);
    expect(house.upstream.requests).toHaveLength(asked);

    level = 'busy';
    const again = await client.call(door.ask({ user: 'ann', place, text: 'Second?' }), {
      'idempotency-key': `second-${door.dialect.name}`,
    });
    expect(again.status).toBeLessThan(300);
    await again.text();
  },
);

/** The answer to an upgrade that is refused. */
function refusalOf(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url).on('open', () => reject(new Error('It was let in.')));
    socket.on('unexpected-response', (_request, response) => resolve(response.resume())).on('error', () => undefined);
  });
}

test('an open chat socket is told so and goes on reading, a further one is not let in', async () => {
  const { app } = house;
  const query = `?token=${await app.token('ann')}`;
  const socket = await openChatSocket(app.url, query);
  level = 'overloaded';
  socket.send({ type: 'message', thread_id: THREAD, content: 'Hello?' });
  expect(await socket.next('error')).toMatchObject({ code: 'overloaded', retry_after: 5 });
  socket.send({ type: 'history', thread_id: THREAD });
  expect(await socket.next('history_end')).toMatchObject({ has_more: false });
  const refusal = await refusalOf(`${app.url.replace('http', 'ws')}/chat/ws${query}`);
  expect([refusal.statusCode, refusal.headers['retry-after']]).toEqual([503, '5']);
  level = 'calm';
  socket.send({ type: 'message', thread_id: THREAD, content: 'Hello?' });
  expect(await socket.next('message', ({ role }) => role === 'assistant')).toMatchObject({ content: 'Yes.' });
  await socket.close();
});

test('what is there can be cancelled and watched while the server is overloaded, and what was turned away is counted', async () => {
  const { app } = house;
  house.script([...answer(['Slow']).slice(0, 1), { waitMs: 60_000 }, ...answer(['ly.'])]);
  const { id: thread } = (await (await app.post('/polylogue/v1/threads', {})).json()) as { id: string };
  const { id } = (await (await app.post(`/polylogue/v1/threads/${thread}/runs`, { text: 'Go' })).json()) as { id: string };
  level = 'overloaded';
  for (const path of ['/health', '/ready', '/metrics', `/polylogue/v1/runs/${id}`, '/polylogue/v1/models']) {
    expect([path, (await app.send(path)).status]).toEqual([path, 200]);
  }
  expect((await app.post(`/polylogue/v1/runs/${id}/cancel`, {})).status).toBe(200);
  const events = await (await app.send(`/polylogue/v1/runs/${id}/events`)).text();
  expect(events).toContain('run.cancelled');
  const before = (await (await app.send('/metrics')).text()).match(/polylogue_refused_total\{code="overloaded",limit="load"\} (\d+)/)?.[1];
  expect((await app.post(`/polylogue/v1/threads/${thread}/runs`, { text: 'Again' })).status).toBe(503);
  await vi.waitFor(async () => {
    const text = await (await app.send('/metrics')).text();
    expect(text).toContain(`polylogue_refused_total{code="overloaded",limit="load"} ${Number(before ?? 0) + 1}`);
  });
  expect(app.log()).not.toContain('"level":50');
  house.script(answer(['Yes.']));
});
