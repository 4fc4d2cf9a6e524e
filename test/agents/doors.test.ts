import { expect, test } from 'vitest';
import { agentApps, agentFile, asking, type MadeCall, testSource, testTool } from '../support/agent-app.ts';
import { openChatSocket } from '../support/chat-socket.ts';
import { answer } from '../support/upstream.ts';

const start = agentApps();
const asks = asking([{ id: 'call_w', name: 'write', args: { what: 'a' } }], 'I do. ');
const user = { 'x-user-id': 'ann' };

/** A server whose agent may write without a question, and a thread that it answers, whichever door the question comes through. */
async function writing(rule: 'allow' | 'ask' = 'allow') {
  const calls: MadeCall[] = [];
  const app = await start([asks, answer(['Done.'])], {
    sources: [testSource([testTool('write', calls), testTool('secret', calls)])],
    file: agentFile({ greeting: 'What shall I write?', rules: [{ tool: 'write', rule }] }),
  });
  const made = await app.app.post('/polylogue/v1/threads', { agent: 'helper' }, user);
  const { id } = JSON.parse(await made.text()) as { id: string };
  return { ...app, calls, threadId: id };
}

test('user-chat tells the calls that were really made, with their arguments as JSON and their results', async () => {
  const { app, threadId } = await writing();
  const response = await app.post('/api/ann/chat', { message: { content: 'Write', role: 'user' }, conversation_id: threadId });
  expect(response.status).toBe(200);
  const body = JSON.parse(await response.text());
  expect(body.message.content).toBe('I do. Done.');
  expect(body.tool_calls).toEqual([{ name: 'write', arguments: { what: 'a' }, result: 'done', status: 'completed' }]);
});

test('user-chat tells no call that nobody allowed', async () => {
  const { app, threadId, decide, show } = await writing('ask');
  const asked = app.post('/api/ann/chat', { message: { content: 'Write', role: 'user' }, conversation_id: threadId });
  const run = await waitingRun();
  await decide({ id: run, threadId, user: 'ann' }, 'call_w', { decision: 'deny' });
  expect(JSON.parse(await (await asked).text())).toMatchObject({ message: { content: 'I do. Done.' }, tool_calls: [] });

  /** Levia knows what is under way for a user. */
  async function waitingRun(): Promise<string> {
    for (;;) {
      const active = await app.send('/levia/chat/request/ann');
      const { request_id: id } = JSON.parse(await active.text()) as { request_id?: string };
      if (id && (await show({ id, threadId, user: 'ann' })).status === 'waiting') return id;
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }
});

test('levia tells steps beside the text, and the text alone is the reply', async () => {
  const { app, threadId } = await writing();
  const asked = await app.post('/levia/chat', { user_id: 'ann', intent: 'Write', session_id: threadId });
  const { request_id } = JSON.parse(await asked.text()) as { request_id: string };
  const stream = await (await app.send(`/levia/chat/stream/${request_id}`)).text();
  const frames = [...stream.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
  const steps = frames.filter(({ data }) => data.type === 'steps').map(({ data }) => data.content);
  expect(steps).toEqual(['Running write', 'write: completed']);
  const text = frames.filter(({ data }) => data.type === 'text').map(({ data }) => data.content);
  expect(frames.at(-1)).toEqual({ type: 'complete', data: { reply: text.join('') } });
});

test('chat-ws shows the call, asks for its approval, takes the decision and goes on', async () => {
  const { app, threadId, calls } = await writing('ask');
  const socket = await openChatSocket(app.url, `?token=${await app.token('ann')}`);
  socket.send({ type: 'history', thread_id: threadId });
  expect(await socket.next('message')).toMatchObject({ role: 'assistant', content: 'What shall I write?' });
  socket.send({ type: 'message', thread_id: threadId, content: 'Write' });
  const { job_id } = await socket.next('message_received');
  const asked = await socket.next('approval');
  expect(asked).toMatchObject({ job_id, thread_id: threadId, call_id: 'call_w', name: 'write', arguments: '{"what":"a"}' });
  const stranger = await openChatSocket(app.url, `?token=${await app.token('bob')}`);
  stranger.send({ type: 'approve', job_id, call_id: 'call_w', decision: 'approve' });
  expect(await stranger.next('error')).toMatchObject({ code: 'run_not_found' });
  socket.send({ type: 'approve', job_id, call_id: 'call_w', decision: 'approve', arguments: { what: 'b' } });
  expect(await socket.next('tool', ({ status }) => status === 'completed')).toMatchObject({ job_id, call_id: 'call_w', name: 'write' });
  expect(await socket.next('message', ({ role }) => role === 'assistant')).toMatchObject({ content: 'I do. Done.' });
  expect(calls.map(({ args }) => args)).toEqual([{ what: 'b' }]);
  const kinds = socket.frames.filter((frame) => frame.job_id === job_id).map(({ type, status, decision }) => status ?? decision ?? type);
  expect(kinds).toEqual(['message_received', 'token', 'approval', 'approve', 'running', 'completed', 'token']);
  socket.send({ type: 'approve', job_id, call_id: 'call_w', decision: 'deny' });
  expect(await socket.next('error')).toMatchObject({ code: 'state_conflict', job_id });
  await Promise.all([socket.close(), stranger.close()]);
});

test('a socket that opens while a run waits is shown the question, and what comes of it', async () => {
  const { app, threadId, ask, until } = await writing('ask');
  const run = await ask('Write', { thread: threadId });
  await until(run, 'approval.requested');
  const socket = await openChatSocket(app.url, `?token=${await app.token('ann')}`);
  socket.send({ type: 'history', thread_id: threadId });
  expect(await socket.next('approval')).toMatchObject({ job_id: run.id, call_id: 'call_w' });
  socket.send({ type: 'approve', job_id: run.id, call_id: 'call_w', decision: 'deny' });
  expect(await socket.next('tool', ({ status }) => status === 'denied')).toMatchObject({ job_id: run.id });
  expect(await socket.next('message', ({ content }) => content === 'I do. Done.')).toMatchObject({ role: 'assistant' });
  await socket.close();
});

test('graph shows no tool, only what is said; chat-sessions too', async () => {
  const { app, threadId } = await writing();
  const body = { message: 'Write', user_id: 'ann', thread_id: threadId, agent: 'helper' };
  const stream = await (await app.post('/api/v1/graph/stream', body)).text();
  expect([...stream.matchAll(/^event: (.*)$/gm)].map(([, name]) => name)).toEqual(['token', 'token', 'done']);
  const raw = await app.post('/v1/chat/stream', { model: 'gpt-4', messages: [{ role: 'user', content: 'Hi' }] }, user);
  expect((await raw.text()).replaceAll('\n\ndata: ', '')).toBe('data: Done.[DONE]\n\n');
});
