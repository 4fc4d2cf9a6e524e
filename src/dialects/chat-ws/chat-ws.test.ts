import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DEVELOPMENT_KEY, startTestApp, type TestApp } from '../../../test/support/app.ts';
import { type ChatSocket, openChatSocket, type ServerFrame, tokensOf } from '../../../test/support/chat-socket.ts';
import { answer, refuse, type Step, startUpstream, type Upstream } from '../../../test/support/upstream.ts';

const PIECES = ['Hello', ' there,', ' wor', 'ld'];
const WHOLE = PIECES.join('');
const UUID = /^[0-9a-f-]{36}$/;
const steps: Step[] = [];

let upstream: Upstream;
let app: TestApp;
let open: ChatSocket[] = [];

beforeAll(async () => {
  upstream = await startUpstream(steps);
  app = await startTestApp({ env: { OPENAI_BASE_URL: upstream.baseUrl }, file: { models: { 'gpt-4': { provider: 'openai' } } } });
});
afterEach(async () => {
  await Promise.all(open.map((chat) => chat.close()));
  open = [];
});
afterAll(async () => {
  await app.close();
  await upstream.close();
});

const script = (next: readonly Step[]) => void steps.splice(0, steps.length, ...next);
/** An answer with a pause in its middle. */
const slowly = (ms: number): Step[] => answer(PIECES).toSpliced(3, 0, { waitMs: ms });
const hanging = (): Step[] => [...answer(PIECES).slice(0, 3), { hang: true }];

async function connect(user: string): Promise<ChatSocket> {
  const chat = await openChatSocket(app.url, `?token=${await app.token(user)}`);
  open.push(chat);
  return chat;
}

async function ask(chat: ChatSocket, thread_id: string, content: string): Promise<ServerFrame> {
  chat.send({ type: 'message', thread_id, content, agent_id: null, role: 'user', status: 'sending' });
  return chat.next('message_received');
}

async function historyOf(chat: ChatSocket, thread_id: string, more: object = {}): Promise<readonly ServerFrame[]> {
  chat.send({ type: 'history', thread_id, ...more });
  return chat.until('history_end');
}

const native = async (path: string, user: string, body?: object) => {
  const headers = { 'x-user-id': user };
  const response = await (body ? app.post(path, body, headers) : app.send(path, { headers }));
  return JSON.parse(await response.text());
};

describe('a question', () => {
  test('is acknowledged, answered in tokens and by one message, and not echoed', async () => {
    script(slowly(20));
    const chat = await connect('asker');
    const thread_id = randomUUID();
    const received = await ask(chat, thread_id, 'Hi');
    expect(received).toEqual({ type: 'message_received', id: expect.stringMatching(UUID), thread_id, job_id: expect.stringMatching(UUID) });
    const frames = await chat.until('message');
    const [final] = frames.slice(-1);
    expect(final).toEqual({
      type: 'message',
      id: expect.stringMatching(UUID),
      thread_id,
      role: 'assistant',
      content: WHOLE,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    let at = 0;
    for (const token of frames.slice(0, -1)) {
      expect(token).toEqual({
        type: 'token',
        thread_id,
        job_id: received.job_id,
        id: final?.id,
        role: 'assistant',
        content: expect.any(String),
        at,
      });
      at += token.content?.length ?? 0;
    }
    expect(tokensOf(frames)).toBe(WHOLE);

    const history = await historyOf(chat, thread_id);
    expect(history.map(({ type, id, role, content }) => [type, id, role, content])).toEqual([
      ['message', received.id, 'user', 'Hi'],
      ['message', final?.id, 'assistant', WHOLE],
      ['history_end', undefined, undefined, undefined],
    ]);
    expect(history[1]).toEqual(final);
    expect(history.at(-1)).toEqual({ type: 'history_end', thread_id, has_more: false });
  });

  test('reaches the model as it was written, with the conversation before it', async () => {
    script(answer(PIECES));
    const chat = await connect('writer');
    const thread_id = randomUUID();
    const nasty = '  "日本語" 👩‍👩‍👧 é\u2028\u0085 \\u0041 [DONE]\n\n ';
    await ask(chat, thread_id, 'First');
    await chat.next('message');
    await ask(chat, thread_id, nasty);
    await chat.next('message');
    expect(upstream.requests.at(-1)?.body).toHaveProperty('messages', [
      { role: 'user', content: 'First' },
      { role: 'assistant', content: WHOLE },
      { role: 'user', content: nasty },
    ]);
    expect((await historyOf(chat, thread_id))[2]?.content).toBe(nasty);
  });

  test('with a client_id that was used is not stored again; with another content it is an error', async () => {
    script(slowly(100));
    const chat = await connect('repeater');
    const thread_id = randomUUID();
    const before = upstream.requests.length;
    const frame = { type: 'message', thread_id, content: 'Once', client_id: `c-${thread_id}` };
    chat.send(frame);
    const first = await chat.next('message_received');
    chat.send(frame);
    expect(await chat.next('message_received')).toEqual(first);
    await chat.next('message');
    expect(tokensOf(chat.frames)).toBe(WHOLE);
    chat.send(frame);
    expect(await chat.next('message_received')).toEqual(first);
    expect(tokensOf(await chat.until('message'))).toBe(WHOLE);
    chat.send({ ...frame, content: 'Twice' });
    expect(await chat.next('error')).toMatchObject({ code: 'idempotency_mismatch', thread_id });
    expect(upstream.requests.length).toBe(before + 1);
    expect((await historyOf(chat, thread_id)).filter(({ role }) => role === 'user')).toHaveLength(1);
    expect(chat.frames.filter(({ type, role }) => type === 'message' && role === 'assistant')).toHaveLength(3);
  });

  test('that the model fails on ends in an error frame, and the socket stays open', async () => {
    script(refuse(400, 'That model is asleep'));
    const chat = await connect('failed');
    const thread_id = randomUUID();
    const { job_id } = await ask(chat, thread_id, 'Hi');
    expect(await chat.next('error')).toMatchObject({
      message: expect.stringContaining('asleep'),
      code: 'upstream_rejected',
      thread_id,
      job_id,
    });
    expect((await historyOf(chat, thread_id)).map(({ status }) => status)).toEqual([undefined, 'failed', undefined]);
    expect(chat.frames.filter(({ job_id: id }) => id === job_id).map(({ type }) => type)).toEqual(['message_received', 'error']);
  });

  test('for an agent is answered through its nodes; an agent that nobody knows is an error', async () => {
    script(answer(PIECES));
    const chat = await connect('agent');
    const thread_id = randomUUID();
    for (const agent_id of ['nobody', randomUUID(), 5]) {
      chat.send({ type: 'message', thread_id, content: 'Hi', agent_id });
      expect(await chat.next('error')).toEqual({ type: 'error', message: 'Unknown agent', code: 'agent_unknown', thread_id });
    }
    const { data: agents } = await native('/polylogue/v1/agents', 'agent');
    chat.send({ type: 'message', thread_id, content: 'Hi', agent_id: agents[0].name });
    const frames = await chat.until('message');
    expect(frames.filter(({ type }) => type === 'node').map(({ name }) => name)).toEqual([
      agents[0].nodes[0],
      expect.toBeOneOf(agents[0].nodes),
    ]);
    expect(frames.at(-1)?.content).toBe(WHOLE);
  });

  test('sent while another is being answered waits for it; other threads do not', async () => {
    script(slowly(400));
    const chat = await connect('patient');
    const [one, two] = [randomUUID(), randomUUID()];
    const first = await ask(chat, one, 'First');
    const second = await ask(chat, one, 'Second');
    // The first one's model answers, slowly: what is scripted now is for the others.
    await chat.next('token');
    script(answer(PIECES));
    await ask(chat, two, 'Elsewhere');
    expect(await chat.next('message')).toMatchObject({ thread_id: two });
    await chat.next('message');
    await chat.next('message');
    const jobs = chat.frames.filter(({ type, thread_id }) => type === 'token' && thread_id === one).map(({ job_id }) => job_id);
    expect([...new Set(jobs)]).toEqual([first.job_id, second.job_id]);
    expect(jobs).toEqual(jobs.toSorted((a, b) => Number(a === second.job_id) - Number(b === second.job_id)));
  });
});

describe('history', () => {
  test('of a thread without messages is one greeting that is stored nowhere', async () => {
    const chat = await connect('newcomer');
    const thread_id = randomUUID();
    const [greeting, end] = await historyOf(chat, thread_id);
    expect(greeting).toMatchObject({ type: 'message', role: 'assistant', thread_id, content: expect.stringMatching(/\S/) });
    expect(end).toEqual({ type: 'history_end', thread_id, has_more: false });
    expect((await historyOf(chat, thread_id))[0]?.id).toBe(greeting?.id);
    expect((await app.send(`/polylogue/v1/threads/${thread_id}`, { headers: { 'x-user-id': 'newcomer' } })).status).toBe(404);
  });

  test('comes in pages, newest last', async () => {
    script(answer(PIECES));
    const chat = await connect('pages');
    const thread_id = randomUUID();
    for (const content of ['1', '2', '3']) {
      await ask(chat, thread_id, content);
      await chat.next('message');
    }
    const page = await historyOf(chat, thread_id, { limit: 4 });
    expect(page.map(({ content }) => content)).toEqual(['2', WHOLE, '3', WHOLE, undefined]);
    expect(page.at(-1)?.has_more).toBe(true);
    const rest = await historyOf(chat, thread_id, { limit: 4, before: page[0]?.id });
    expect(rest.map(({ content }) => content)).toEqual(['1', WHOLE, undefined]);
    expect(rest.at(-1)?.has_more).toBe(false);
    expect(await historyOf(chat, thread_id, { before: rest[0]?.id })).toHaveLength(1);
    for (const [field, message] of [
      [{ limit: 0 }, /Limit/],
      [{ limit: 501 }, /Limit/],
      [{ limit: '5' }, /Limit/],
      [{ before: randomUUID() }, /message/],
      [{ before: 'x' }, /message/],
    ] as const) {
      chat.send({ type: 'history', thread_id, ...field });
      expect(await chat.next('error')).toMatchObject({ message: expect.stringMatching(message), thread_id });
    }
  });

  test("never shows another user's thread", async () => {
    script(answer(PIECES));
    const [ann, bob] = [await connect('ann'), await connect('bob')];
    const thread_id = randomUUID();
    const { job_id } = await ask(ann, thread_id, 'Secret');
    await ann.next('message');
    expect((await historyOf(bob, thread_id)).map(({ role }) => role)).toEqual(['assistant', undefined]);
    for (const job of [job_id, randomUUID()]) {
      bob.send({ type: 'cancel', job_id: job });
      expect(await bob.next('error')).toEqual({ type: 'error', message: 'Unknown job', code: 'run_not_found', job_id: job });
    }
    await ask(bob, thread_id, 'My own');
    await bob.next('message');
    expect((await historyOf(ann, thread_id)).map(({ content }) => content)).toEqual(['Secret', WHOLE, undefined]);
    expect(bob.frames.some(({ content }) => content === 'Secret')).toBe(false);
  });

  test('after a lost connection gives what is finished, then the live answer from its start', async () => {
    script(answer(PIECES));
    const thread_id = randomUUID();
    const before = await connect('traveller');
    await ask(before, thread_id, 'First');
    await before.next('message');
    script(slowly(500));
    const { id, job_id } = await ask(before, thread_id, 'Second');
    await before.next('token');
    before.socket.terminate();

    const after = await connect('traveller');
    const history = await historyOf(after, thread_id);
    expect(history.map(({ content }) => content)).toEqual(['First', WHOLE, 'Second', undefined]);
    expect(history[2]?.id).toBe(id);
    const live = await after.until('message');
    expect(live[0]).toMatchObject({ type: 'token', at: 0, job_id });
    expect(tokensOf(live)).toBe(WHOLE);
    expect(live.at(-1)?.content).toBe(WHOLE);
  });

  test('asked for again during an answer begins that answer again', async () => {
    script(slowly(500));
    const chat = await connect('impatient');
    const thread_id = randomUUID();
    await ask(chat, thread_id, 'Hi');
    await chat.next('token');
    await historyOf(chat, thread_id);
    const live = await chat.until('message');
    expect([live[0]?.at, tokensOf(live), live.at(-1)?.content]).toEqual([0, WHOLE, WHOLE]);
    await sleep(50);
    expect(chat.frames.filter(({ content, type }) => type === 'message' && content === WHOLE)).toHaveLength(1);
  });
});

describe('two devices of one user', () => {
  test('see the same conversation, whoever sends, and the thread may come to be later', async () => {
    script(slowly(50));
    const [phone, laptop] = [await connect('both'), await connect('both')];
    const thread_id = randomUUID();
    await historyOf(phone, thread_id);
    await historyOf(laptop, thread_id);
    const received = await ask(phone, thread_id, 'From the phone');
    const final = await phone.next('message');
    expect(await laptop.next('message')).toMatchObject({ id: received.id, role: 'user', content: 'From the phone' });
    const seen = await laptop.until('message');
    expect([tokensOf(seen), seen.at(-1)]).toEqual([WHOLE, final]);

    await ask(laptop, thread_id, 'From the laptop');
    const other = await laptop.next('message');
    expect(await phone.next('message')).toMatchObject({ role: 'user', content: 'From the laptop' });
    const told = await phone.until('message');
    expect([tokensOf(told), told.at(-1)]).toEqual([WHOLE, other]);
    await sleep(50);
    for (const { frames } of [phone, laptop]) {
      const texts = frames.filter(({ type }) => type === 'message').map(({ content }) => content);
      expect(texts.filter((text) => text === WHOLE)).toHaveLength(2);
    }
    expect(phone.frames.some(({ content }) => content === 'From the phone')).toBe(false);
  });

  test('see what comes through another door, and what is regenerated there', async () => {
    script(slowly(50));
    const chat = await connect('doors');
    const thread = await native('/polylogue/v1/threads', 'doors', {});
    await historyOf(chat, thread.id);
    const run = await native(`/polylogue/v1/threads/${thread.id}/runs`, 'doors', { text: 'From elsewhere' });
    expect(await chat.next('message')).toMatchObject({ id: run.message_id, role: 'user', content: 'From elsewhere' });
    const seen = await chat.until('message');
    expect([tokensOf(seen), seen.at(-1)?.id]).toEqual([WHOLE, run.answer_id]);
    const again = await native(`/polylogue/v1/threads/${thread.id}/runs`, 'doors', { regenerate: run.answer_id });
    const regenerated = await chat.until('message');
    expect([tokensOf(regenerated), regenerated.at(-1)?.id]).toEqual([WHOLE, again.answer_id]);
  });

  test('that did not ask for the thread are told nothing of it', async () => {
    script(answer(PIECES));
    const [phone, laptop] = [await connect('apart'), await connect('apart')];
    await historyOf(laptop, randomUUID());
    await ask(phone, randomUUID(), 'Hi');
    await phone.next('message');
    await sleep(50);
    expect(laptop.frames).toHaveLength(2);
  });
});

describe('other frames', () => {
  test('ping', async () => {
    const chat = await connect('ping');
    chat.send({ type: 'ping' });
    expect(await chat.next('pong')).toEqual({ type: 'pong' });
  });

  test('cancel keeps the text so far', async () => {
    script(hanging());
    const chat = await connect('canceller');
    const thread_id = randomUUID();
    const { job_id } = await ask(chat, thread_id, 'Hi');
    const waiting = await ask(chat, thread_id, 'And this');
    await expect.poll(() => tokensOf(chat.frames)).toBe('Hello there,');
    chat.send({ type: 'cancel', job_id: waiting.job_id });
    chat.send({ type: 'cancel', job_id });
    expect(await chat.next('message')).toMatchObject({ role: 'assistant', content: 'Hello there,', status: 'cancelled' });
    expect(await chat.next('message')).toMatchObject({ role: 'assistant', content: '', status: 'cancelled' });
    chat.send({ type: 'cancel', job_id });
    expect(await chat.next('message')).toMatchObject({ content: 'Hello there,', status: 'cancelled' });
  });

  test('delete_thread removes it, also under a running answer, and tells the other devices', async () => {
    script(hanging());
    const [chat, other] = [await connect('deleter'), await connect('deleter')];
    const thread_id = randomUUID();
    await historyOf(other, thread_id);
    await historyOf(chat, thread_id);
    await ask(chat, thread_id, 'Hi');
    await chat.next('token');
    chat.send({ type: 'delete_thread', thread_id });
    expect(await chat.next('thread_deleted')).toEqual({ type: 'thread_deleted', thread_id });
    expect(await other.next('thread_deleted')).toEqual({ type: 'thread_deleted', thread_id });
    expect((await historyOf(chat, thread_id)).map(({ id }) => id)).toEqual([thread_id, undefined]);
    expect(chat.frames.filter(({ type }) => type === 'thread_deleted')).toHaveLength(1);
    chat.send({ type: 'delete_thread', thread_id });
    expect(await chat.next('error')).toMatchObject({ code: 'thread_not_found', thread_id });
    script(answer(PIECES));
    await ask(chat, thread_id, 'Again');
    expect(await other.next('message')).toMatchObject({ content: 'Again' });
  });

  test('approve has nothing to approve yet', async () => {
    const chat = await connect('approver');
    const job_id = randomUUID();
    chat.send({ type: 'approve', job_id, call_id: 'c', decision: 'approve' });
    expect(await chat.next('error')).toEqual({ type: 'error', message: 'Unknown job', code: 'run_not_found', job_id });
  });
});

describe('what is wrong with a frame', () => {
  const thread_id = '123e4567-e89b-12d3-a456-426614174000';
  const cases: readonly (readonly [string | Buffer, string])[] = [
    ['{"type":"history"}', 'Thread ID is required'],
    ['{"type":"message","thread_id":"","content":"x"}', 'Thread ID is required'],
    ['{"type":"history","thread_id":"x"}', 'Invalid thread ID format'],
    ['{"type":"history","thread_id":7}', 'Invalid thread ID format'],
    [`{"type":"message","thread_id":"${thread_id}"}`, 'Content is required'],
    [`{"type":"message","thread_id":"${thread_id}","content":"  "}`, 'Content is required'],
    [`{"type":"message","thread_id":"${thread_id}","content":["x"]}`, 'Content must be a string'],
    [`{"type":"message","thread_id":"${thread_id}","content":"${'é'.repeat(16_385)}"}`, 'Content is too long'],
    [
      `{"type":"message","thread_id":"${thread_id}","content":"x","client_id":"a b"}`,
      'Client ID must be 1 to 255 visible ASCII characters',
    ],
    ['{"type":"cancel"}', 'Job ID is required'],
    ['{"type":"cancel","job_id":"x"}', 'Unknown job'],
    ['{"type":"dance"}', 'Unknown message type: dance'],
    ['{"type":"__proto__"}', 'Unknown message type: __proto__'],
    ['{"type":"constructor"}', 'Unknown message type: constructor'],
    ['{"type":["history"]}', 'Unknown message type: ["history"]'],
    ['{}', 'Unknown message type: null'],
    ['{"type":', 'Invalid JSON'],
    ['', 'Invalid JSON'],
    ['[]', 'Invalid JSON'],
    ['null', 'Invalid JSON'],
    ['5', 'Invalid JSON'],
    [`${'['.repeat(100_000)}`, 'Invalid JSON'],
    ['{"type":"ping","__proto__":{"x":1}}', 'Invalid JSON'],
    ['{"type":"ping","x":"\\u0000"}', 'The frame contains a NUL character or half of a surrogate pair'],
    ['{"type":"ping","x":"\\ud800"}', 'The frame contains a NUL character or half of a surrogate pair'],
    [Buffer.from('{"type":"ping"}'), 'Binary frames are not supported'],
  ];

  test('is said in words, and the socket stays open', async () => {
    const chat = await connect('bad');
    const before = upstream.requests.length;
    for (const [frame, message] of cases) {
      chat.socket.send(frame);
      expect(await chat.next('error')).toMatchObject({ message, code: expect.any(String) });
    }
    chat.send({ type: 'history', thread_id });
    expect((await chat.next('history_end')).thread_id).toBe(thread_id);
    expect(upstream.requests.length).toBe(before);
  });
});

describe('credentials', () => {
  test('come in the query or in headers', async () => {
    const token = await app.token('headers');
    const open = async (query: string, headers: Record<string, string>) => {
      const chat = await openChatSocket(app.url, query, { headers });
      chat.send({ type: 'ping' });
      await chat.next('pong');
      await chat.close();
    };
    await open('', { authorization: `Bearer ${token}` });
    await open('', { authorization: `Bearer ${DEVELOPMENT_KEY}` });
    await open('', { 'x-api-key': DEVELOPMENT_KEY });
    await open(`?key=${DEVELOPMENT_KEY}&user_id=${encodeURIComponent('Zoë & co')}`, {});
  });

  test('a key acts for the user it names, a token only for its own', async () => {
    script(answer(PIECES));
    const chat = await openChatSocket(app.url, `?key=${DEVELOPMENT_KEY}&user_id=named`);
    const thread_id = randomUUID();
    await ask(chat, thread_id, 'Hi');
    await chat.next('message');
    await chat.close();
    expect((await native(`/polylogue/v1/threads/${thread_id}`, 'named')).id).toBe(thread_id);
    const stranger = await openChatSocket(app.url, `?token=${await app.token('stranger')}&user_id=named`);
    expect((await historyOf(stranger, thread_id))[0]?.id).toBe(thread_id);
    await stranger.close();
  });

  test.each([
    ['', 'auth_missing'],
    ['?token=', 'auth_missing'],
    ['?key=plg_wrong', 'auth_invalid'],
    ['?token=a.b.c', 'auth_invalid'],
    [`?key=${DEVELOPMENT_KEY}&token=a.b.c`, 'auth_conflict'],
    [`?key=${DEVELOPMENT_KEY}&user_id=`, 'validation_failed'],
    [`?key=${DEVELOPMENT_KEY}&user_id=a&user_id=b`, 'validation_failed'],
  ])('that do not count (%s) are told so and closed', async (query, code) => {
    const chat = await openChatSocket(app.url, query);
    chat.send({ type: 'ping' });
    expect(await chat.closed).toEqual({ code: 1008, reason: code });
    expect(chat.frames).toEqual([{ type: 'error', message: expect.any(String), code }]);
    expect(app.log()).not.toContain('plg_wrong');
  });

  test('that expire close the socket, and what runs goes on', async () => {
    script(slowly(1_500));
    const token = await app.token('brief', 2);
    const chat = await openChatSocket(app.url, `?token=${token}`);
    const thread_id = randomUUID();
    const { job_id } = await ask(chat, thread_id, 'Hi');
    expect(await chat.closed).toEqual({ code: 1008, reason: 'auth_expired' });
    expect(chat.frames.at(-1)).toEqual({ type: 'error', message: 'Token expired', code: 'auth_expired' });
    await expect.poll(async () => (await native(`/polylogue/v1/runs/${job_id}`, 'brief')).status, { timeout: 5_000 }).toBe('completed');
    const late = await openChatSocket(app.url, `?token=${token}`);
    late.send({ type: 'message', thread_id, content: 'Too late' });
    expect(await late.closed).toMatchObject({ code: 1008 });
    expect((await native(`/polylogue/v1/threads/${thread_id}/messages`, 'brief')).data).toHaveLength(2);
  });
});

describe('settings', () => {
  test('turn the greeting off and bound a message', async () => {
    const strict = await startTestApp({ file: { chatWs: { greeting: false, contentBytes: 3 } } });
    const chat = await openChatSocket(strict.url, `?key=${DEVELOPMENT_KEY}`);
    const thread_id = randomUUID();
    expect(await historyOf(chat, thread_id)).toEqual([{ type: 'history_end', thread_id, has_more: false }]);
    chat.send({ type: 'message', thread_id, content: 'éé' });
    expect((await chat.next('error')).message).toBe('Content is too long');
    await Promise.all([strict.close(), expect(chat.closed).resolves.toMatchObject({ code: 1001 })]);
  });
});
