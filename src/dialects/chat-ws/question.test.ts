import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { atOnce, serveChat, slowly, WHOLE } from '../../../test/support/chat-app.ts';
import { tokensOf } from '../../../test/support/chat-socket.ts';
import { refuse } from '../../../test/support/upstream.ts';

const UUID = /^[0-9a-f-]{36}$/;
const served = serveChat();
const { ask, connect, historyOf, native, script } = served;

test('a question is acknowledged, answered in tokens and by one message, and not echoed', async () => {
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

test('a question reaches the model as it was written, with the conversation before it', async () => {
  script(atOnce());
  const chat = await connect('writer');
  const thread_id = randomUUID();
  const nasty = '  "日本語" 👩‍👩‍👧 é\u2028\u0085 \\u0041 [DONE]\n\n ';
  await ask(chat, thread_id, 'First');
  await chat.next('message');
  await ask(chat, thread_id, nasty);
  await chat.next('message');
  expect(served.upstream.requests.at(-1)?.body).toHaveProperty('messages', [
    { role: 'user', content: 'First' },
    { role: 'assistant', content: WHOLE },
    { role: 'user', content: nasty },
  ]);
  expect((await historyOf(chat, thread_id))[2]?.content).toBe(nasty);
});

test('a question with a client_id that was used is not stored again; with another content it is an error', async () => {
  script(slowly(100));
  const chat = await connect('repeater');
  const thread_id = randomUUID();
  const before = served.upstream.requests.length;
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
  expect(served.upstream.requests.length).toBe(before + 1);
  expect((await historyOf(chat, thread_id)).filter(({ role }) => role === 'user')).toHaveLength(1);
  expect(chat.frames.filter(({ type, role }) => type === 'message' && role === 'assistant')).toHaveLength(3);
});

test('a question that the model fails on ends in an error frame, and the socket stays open', async () => {
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

test('a question for an agent is answered through its nodes; an agent that nobody knows is an error', async () => {
  script(atOnce());
  const chat = await connect('agent');
  const thread_id = randomUUID();
  for (const agent_id of ['nobody', randomUUID(), 5]) {
    chat.send({ type: 'message', thread_id, content: 'Hi', agent_id });
    expect(await chat.next('error')).toEqual({ type: 'error', message: 'Unknown agent', code: 'agent_unknown', thread_id });
  }
  const { data: agents } = await native('/polylogue/v1/agents', 'agent');
  expect(agents.map(({ name }) => name)).toContain('assistant-graph');
  chat.send({ type: 'message', thread_id, content: 'Hi', agent_id: 'assistant-graph' });
  const frames = await chat.until('message');
  const nodes = frames.filter(({ type }) => type === 'node').map(({ name }) => name);
  expect(nodes[0]).toBe('supervisor');
  expect(nodes.length).toBeGreaterThan(1);
  expect(frames.at(-1)?.content).toBe(WHOLE);
});

test('a question sent while another is being answered waits for it; other threads do not', async () => {
  const elsewhere = Promise.withResolvers<void>();
  script(atOnce().toSpliced(3, 0, { until: elsewhere.promise }));
  const chat = await connect('patient');
  const [one, two] = [randomUUID(), randomUUID()];
  const first = await ask(chat, one, 'First');
  const second = await ask(chat, one, 'Second');
  // The first one's model has begun to answer: what is scripted now is for the others.
  await vi.waitUntil(() => chat.frames.some(({ type }) => type === 'token'), { timeout: 10_000 });
  script(atOnce());
  await ask(chat, two, 'Elsewhere');
  expect(await chat.next('message')).toMatchObject({ thread_id: two });
  elsewhere.resolve();
  await chat.next('message');
  await chat.next('message');
  const jobs = chat.frames.filter(({ type, thread_id }) => type === 'token' && thread_id === one).map(({ job_id }) => job_id);
  expect([...new Set(jobs)]).toEqual([first.job_id, second.job_id]);
  expect(jobs).toEqual(jobs.toSorted((a, b) => Number(a === second.job_id) - Number(b === second.job_id)));
});
