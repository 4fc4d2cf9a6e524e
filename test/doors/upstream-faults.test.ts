import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answer, refuse } from '../support/upstream.ts';
import type { Door } from './door.ts';
import { createDoorClient, type DoorClient, type DoorHouse, PROVIDER_KEY, startDoorHouse } from './door-client.ts';
import { allDoors } from './doors.ts';
import { ANSWER_CANARY, ANSWER_LIMIT, endlessFault, faults, oddities } from './upstream-faults.ts';

const QUESTION_CANARY = 'cAnArY-question-41d7';
const SECRETS = [PROVIDER_KEY, PROVIDER_KEY.slice(3), '10.0.0.7'];

let house: DoorHouse;
const shown: string[] = [];

beforeAll(async () => {
  house = await startDoorHouse({ limits: { idleSeconds: 1, answerChars: ANSWER_LIMIT } });
});
afterAll(() => house.close());

async function clientOf(door: Door): Promise<{ client: DoorClient; place: string }> {
  const client = await createDoorClient(house, door, 'ann');
  return { client, place: await client.begin() };
}

/** Asks, reads to the end, and gives what the thread and the log say of it. */
async function converse(door: Door) {
  const { client, place } = await clientOf(door);
  const asked = await client.ask(place, QUESTION_CANARY);
  const read = await asked.read();
  const log = await client.call({ method: 'GET', path: `/polylogue/v1/runs/${asked.runId}/events?wait=false` });
  const { data } = (await log.json()) as { data: { type: string }[] };
  const run = await client.run(asked.runId);
  const messages = await client.messages(asked.threadId);
  shown.push(read.body, JSON.stringify([data, run, messages]));
  const stored = messages.at(-1);
  const text = (stored?.parts ?? []).map((part) => (part.text === undefined ? '' : part.text)).join('');
  return {
    ...read,
    run,
    stored: { status: stored?.status, text, parts: stored?.parts },
    types: data.map(({ type }) => type),
    count: messages.length,
  };
}

const terminals = (types: readonly string[]) => types.filter((type) => /^run\.(completed|failed|cancelled)$/.test(type));

describe.each(allDoors.map((door) => [door.dialect.name, door] as const))('through %s', (_name, door) => {
  test.each(faults.map((fault) => [fault.name, fault] as const))('%s fails the answer and keeps its text', async (_fault, fault) => {
    const before = house.upstream.requests.length;
    house.script(fault.steps);
    const { text, end, run, stored, types, count } = await converse(door);
    expect({ text, kind: end.kind, stored: stored.text, status: stored.status, count }).toEqual({
      text: door.hearJson ? '' : fault.text,
      kind: 'failed',
      stored: fault.text,
      status: 'failed',
      count: 2,
    });
    expect(run).toMatchObject({ status: 'failed', error: { code: fault.code, detail: end.detail } });
    expect(terminals(types)).toEqual(['run.failed']);
    expect(types.at(-1)).toBe('run.failed');
    const requests = house.upstream.requests.slice(before);
    expect(requests.length).toBeGreaterThan(0);
    if (fault.text !== '') expect(requests).toHaveLength(1);
    if (fault.hangsUp) await Promise.all(requests.map(({ closedEarly }) => closedEarly));
  });

  test.each(oddities.map((oddity) => [oddity.name, oddity] as const))('%s is an answer all the same', async (_oddity, { steps, text }) => {
    house.script(steps);
    const read = await converse(door);
    expect([read.text, read.end.kind, read.stored.text, read.stored.status]).toEqual([text, 'completed', text, 'completed']);
    expect(terminals(read.types)).toEqual(['run.completed']);
  });

  test('a stream that never ends is cut off at the limit', async () => {
    house.script(endlessFault);
    const { text, end, run, stored, types } = await converse(door);
    expect([end.kind, stored.status, terminals(types)]).toEqual(['failed', 'failed', ['run.failed']]);
    expect(run.error).toMatchObject({ code: expect.stringMatching(/too_long/) });
    if (!door.hearJson) expect(stored.text).toBe(text);
    expect(stored.text.length).toBeGreaterThan(ANSWER_LIMIT / 2);
    expect(stored.text.length).toBeLessThanOrEqual(ANSWER_LIMIT);
    await house.upstream.requests.at(-1)?.closedEarly;
  });

  test('one refusal because of the rate is tried again', async () => {
    const before = house.upstream.requests.length;
    house.script(refuse(429, 'slow down', { 'retry-after': '2' }));
    const reading = converse(door);
    await expect.poll(() => house.upstream.requests.length, { timeout: 1_900 }).toBe(before + 1);
    house.script(answer(['in the end']));
    expect(await reading).toMatchObject({ text: 'in the end', end: { kind: 'completed' } });
    expect(house.upstream.requests.length).toBe(before + 2);
  });
});

describe('answers as one JSON object', () => {
  const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
    house.script(refuse(401, `bad key ${PROVIDER_KEY}`));
    const response = await house.app.post(path, body, headers);
    const content = await response.text();
    shown.push(content);
    return { status: response.status, content: JSON.parse(content) };
  };

  test('say in native that the run failed', async () => {
    const thread = (await (await house.app.post('/polylogue/v1/threads', {})).json()) as { id: string };
    const path = `/polylogue/v1/threads/${thread.id}/runs`;
    expect(await post(path, { text: QUESTION_CANARY }, { prefer: 'respond-sync' })).toMatchObject({
      status: 502,
      content: { code: 'run_failed', status: 502 },
    });
  });

  test('say in chat-sessions that the run failed', async () => {
    const body = { model: 'gpt-4', stream: false, messages: [{ role: 'user', content: QUESTION_CANARY }] };
    const { status, content } = await post('/v1/chat/stream', body);
    expect([status, Object.keys(content).sort(), content.code]).toEqual([502, ['code', 'detail'], 'run_failed']);
  });
});

test('a provider that nobody can reach fails the answer', async () => {
  const lonely = await startDoorHouse({ baseUrl: 'http://127.0.0.1:9/v1' });
  for (const door of allDoors) {
    const client = await createDoorClient(lonely, door, 'ann');
    const asked = await client.ask(await client.begin(), QUESTION_CANARY);
    const { text, end, body } = await asked.read();
    expect([text, end.kind]).toEqual(['', 'failed']);
    expect((await client.run(asked.runId)).error).toMatchObject({ code: 'upstream_unavailable' });
    expect(body).not.toContain('127.0.0.1:9');
  }
  await lonely.close();
}, 60_000);

test('no key was shown to anybody, and neither keys nor texts are in the log', () => {
  expect(shown.length).toBeGreaterThan(100);
  for (const secret of SECRETS) {
    expect(shown.filter((content) => content.includes(secret))).toEqual([]);
    expect(house.app.log()).not.toContain(secret);
  }
  expect(house.app.log()).not.toContain(QUESTION_CANARY);
  expect(house.app.log()).not.toContain(ANSWER_CANARY);
  expect(house.app.log()).toContain('upstream_unauthorized');
});
