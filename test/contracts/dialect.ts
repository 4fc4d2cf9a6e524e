import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Call, Door } from '../doors/door.ts';
import { createDoorClient, type DoorClient, type DoorHouse, readAnswer, startDoorHouse } from '../doors/door-client.ts';
import { eventsOf } from '../support/chat-clients.ts';
import type { ProofStoreChoice } from '../support/proof-stores.ts';
import { answer, refuse, type Step } from '../support/upstream.ts';

const PIECES = ['Hello', ' there,', ' wor', 'ld'];
const WHOLE = PIECES.join('');
const UNICODE = '  "日本語" 👩‍👩‍👧 é\u2028\u0085 \\u0041 <b>&amp; [DONE]\ndata: x\n\nevent: y\n\n مرحبا ';

/** Text, then a pause in which a test can do something, then text. */
const slowly = (ms: number): Step[] => answer(PIECES).toSpliced(3, 0, { waitMs: ms });

interface ChatBody {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** What every dialect keeps to, whatever its words, on a store that is opened when the tests run. */
export function dialectContract(door: Door, { name, skip, open }: ProofStoreChoice): void {
  describe.skipIf(skip)(`${door.dialect.name} keeps the dialects' contract (${name}):`, () => {
    let house: DoorHouse;
    let ann: DoorClient;
    let bob: DoorClient;
    let place: string;

    beforeAll(async () => {
      house = await startDoorHouse({ store: await open() });
      ann = await createDoorClient(house, door, 'ann');
      bob = await createDoorClient(house, door, 'bob');
    });
    beforeEach(async () => {
      house.script(answer(PIECES));
      place = await ann.begin();
    });
    afterAll(() => house.close());

    const question = (text: string, where = place) => door.ask({ user: 'ann', place: where, text });
    const prompts = () => house.upstream.requests.map(({ body }) => (body as ChatBody).messages);

    async function expectError(response: Response, status: number): Promise<string> {
      expect(response.status).toBe(status);
      expect(response.headers.get('x-request-id')).toBeTruthy();
      const body = (await response.json()) as Record<string, unknown>;
      expect(door.isError(body), JSON.stringify(body)).toBe(true);
      const { request_id: _, ...rest } = body;
      return JSON.stringify(rest);
    }

    function allCalls(): Call[] {
      return [door.begin('ann'), question('Hi'), ...(door.follow ? [door.follow('01900000-0000-7000-8000-00000000dead')] : [])];
    }

    test('who sends no credential, or a wrong one, is refused', async () => {
      const { badCredential = 401 } = door.status;
      const refusals = ['', 'Bearer plg_wrong', 'Bearer a.b.c', 'Basic eDp5'].flatMap((authorization) =>
        allCalls().map((call) => ({ call, authorization, status: authorization === '' ? 401 : badCredential })),
      );
      for (const { call, authorization, status } of refusals) {
        const response = await ann.call(call, { authorization });
        expect(response.headers.get('www-authenticate')).toBe(status === 401 ? (door.challenge ?? 'Bearer') : null);
        await expectError(response, status);
      }
    });

    test('what is of somebody else is answered like what never was', async () => {
      const asked = await ann.ask(place, 'Mine');
      await asked.read();
      if (door.opensUnknown) return expectOwn(asked.threadId);
      const answers = [];
      for (const where of [place, door.nowhere]) {
        answers.push(await expectError(await bob.call(door.ask({ user: 'bob', place: where, text: 'Hi' })), door.status.unknownPlace));
      }
      expect(answers[0]).toBe(answers[1]);
      if (!door.follow) return;
      const streams = [];
      for (const run of [asked.runId, '01900000-0000-7000-8000-00000000dead']) {
        const response = await bob.call(door.follow(run));
        expect(response.status).toBe(door.status.unknownRun);
        streams.push((await response.text()).replace(/"request_id":"[^"]*"/, ''));
      }
      expect(streams[0]).toBe(streams[1]);
      expect(streams[0]).not.toContain(WHOLE);
    });

    /** A conversation of this name is there for each of its users, and nobody sees the other's. */
    async function expectOwn(threadId: string): Promise<void> {
      const his = await bob.ask(place, 'His');
      await his.read();
      expect(his.threadId).toBe(threadId);
      expect(prompts().at(-1)).toEqual([{ role: 'user', content: 'His' }]);
      const seen = await Promise.all([ann, bob].map((user) => user.messages(threadId)));
      expect(seen.map((messages) => messages.map(({ parts }) => parts[0]?.text))).toEqual([
        ['Mine', WHOLE],
        ['His', WHOLE],
      ]);
    }

    test('a bad body is refused and starts nothing', async () => {
      const before = house.upstream.requests.length;
      for (const body of [[], 'x', 5, null]) await expectError(await ann.call({ ...question('Hi'), body }), door.status.notObject);
      await expectError(await ann.call({ ...question('Hi'), body: {} }), door.status.missingField);
      await sleep(50);
      expect(house.upstream.requests.length).toBe(before);
    });

    test('text goes both ways unchanged', async () => {
      house.script(answer([...UNICODE]));
      const asked = await ann.ask(place, UNICODE);
      expect((await asked.read()).text).toBe(UNICODE);
      expect(prompts().at(-1)?.at(-1)).toEqual({ role: 'user', content: UNICODE });
      expect((await ann.messages(asked.threadId)).map(({ parts }) => parts[0]?.text)).toEqual([UNICODE, UNICODE]);
    });

    test('the model sees the conversation so far', async () => {
      await (await ann.ask(place, 'First')).read();
      await (await ann.ask(place, 'Second')).read();
      expect(prompts().at(-1)?.slice(-3)).toEqual([
        { role: 'user', content: 'First' },
        { role: 'assistant', content: WHOLE },
        { role: 'user', content: 'Second' },
      ]);
    });

    test('whoever disconnects stops nothing', async () => {
      house.script(slowly(300));
      const left = new AbortController();
      const { runId, threadId, response } = await ann.ask(place, 'Hi', { signal: left.signal });
      if (!door.hearJson) {
        const stream = door.follow ? await ann.call(door.follow(runId), {}, left.signal) : await response;
        await stream.body?.getReader().read();
      }
      left.abort();
      if (door.hearJson) await expect(response).rejects.toThrow();
      await expect.poll(async () => (await ann.run(runId)).status).toBe('completed');
      const messages = await ann.messages(threadId);
      expect(messages.at(-1)).toMatchObject({ status: 'completed', parts: [{ text: WHOLE }] });
    });

    test('readers at the same time and afterwards get the same bytes', async () => {
      house.script(slowly(200));
      const headers = { 'idempotency-key': `readers of ${place}`.replaceAll(' ', '-') };
      const asked = await ann.ask(place, 'Hi', { headers });
      const again = async () => {
        if (door.follow) return readAnswer(door, await ann.call(door.follow(asked.runId)));
        return (await ann.ask(place, 'Hi', { headers })).read();
      };
      const [first, second] = await Promise.all([asked.read(), again()]);
      expect(second.body).toBe(first.body);
      expect((await again()).body).toBe(first.body);
      expect(first).toMatchObject({ text: WHOLE, end: { kind: 'completed' } });
    });

    test('a reader resumes behind every frame it has', async () => {
      const headers = { 'idempotency-key': `resume-${place}` };
      const asked = await ann.ask(place, 'Hi', { headers });
      const { body } = await asked.read();
      const events = eventsOf(body);
      if (!door.follow && events[0]?.id === undefined) return;
      const frames = body.match(/(?:.+\n)+\n/g) ?? [];
      const again = door.follow?.(asked.runId) ?? question('Hi');
      for (const [index, { id = expect.fail('a frame without id') }] of events.entries()) {
        const response = await ann.call(again, { ...headers, 'last-event-id': id });
        const rest = frames.slice(index + 1).join('');
        expect(await response.text()).toBe(rest === '' ? frames.at(-1) : rest);
      }
    });

    test('a cancelled answer ends as the dialect says, its text so far in the thread', async () => {
      house.script([...answer(PIECES).slice(0, 3), { hang: true }]);
      const asked = await ann.ask(place, 'Hi');
      const reading = asked.read();
      await expect.poll(async () => (await ann.messages(asked.threadId)).length).toBe(1);
      await expect.poll(() => house.upstream.requests.length > 0 && textSoFar(asked.runId)).toBe('Hello there,');
      const closed = house.upstream.requests.at(-1)?.closedEarly;
      await ann.call({ method: 'POST', path: `/polylogue/v1/runs/${asked.runId}/cancel` });
      const { text, end } = await reading;
      expect([text, end.kind]).toEqual([door.hearJson ? '' : 'Hello there,', door.shows?.cancelled ?? 'cancelled']);
      expect((await ann.messages(asked.threadId)).at(-1)).toMatchObject({ status: 'cancelled', parts: [{ text: 'Hello there,' }] });
      await closed;
    });

    async function textSoFar(runId: string): Promise<string> {
      const response = await ann.call({ method: 'GET', path: `/polylogue/v1/runs/${runId}/events?wait=false` });
      const { data } = (await response.json()) as { data: { text?: string }[] };
      return data.map(({ text = '' }) => text).join('');
    }

    test('a failed answer ends as the dialect says', async () => {
      house.script(refuse(400, 'That model is asleep'));
      const asked = await ann.ask(place, 'Hi');
      const { end } = await asked.read();
      expect(end.kind).toBe('failed');
      expect(end.detail).toContain('asleep');
      expect(end.detail).toBe((await ann.run(asked.runId)).error?.detail);
    });

    test('a repeat with the same Idempotency-Key is the same run', async () => {
      const before = house.upstream.requests.length;
      const headers = { 'idempotency-key': `repeat-${place}` };
      const first = await ann.ask(place, 'Once', { headers });
      const { text } = await first.read();
      const second = await ann.ask(place, 'Once', { headers });
      expect([second.runId, (await second.response).headers.get('idempotent-replayed')]).toEqual([first.runId, 'true']);
      expect((await first.response).headers.get('idempotent-replayed')).toBeNull();
      expect((await second.read()).text).toBe(text);
      await expectError(await ann.call(question('Twice'), headers), 422);
      expect(house.upstream.requests.length).toBe(before + 1);
      expect(await ann.messages(first.threadId)).toHaveLength(2);
    });

    test('answers name thread, run and request', async () => {
      const asked = await ann.ask(place, 'Hi', { headers: { 'x-request-id': 'my-request' } });
      const { headers } = await asked.response;
      expect(headers.get('x-request-id')).toBe('my-request');
      expect(await ann.run(asked.runId)).toMatchObject({ id: asked.runId, thread_id: asked.threadId });
      expect([headers.get('x-run-id'), headers.get('x-thread-id')]).toEqual([asked.runId, asked.threadId]);
      expect(headers.get('cache-control')).toMatch(/no-store|no-cache/);
      await asked.read();
    });

    test('an unknown address is answered in native words', async () => {
      for (const prefix of door.dialect.prefixes) {
        const response = await ann.call({ method: 'GET', path: `${prefix}/no/such/address` });
        expect(response.status).toBe(404);
        expect(await response.json()).toMatchObject({ status: 404, code: 'route_not_found' });
      }
    });
  });
}
