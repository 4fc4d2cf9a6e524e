import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { agentApps, agentFile, asking, type MadeCall, testSource, testTool } from '../support/agent-app.ts';
import { startTestApp } from '../support/app.ts';
import { openChatSocket } from '../support/chat-socket.ts';
import { answer } from '../support/upstream.ts';

const start = agentApps();
const called = [{ name: 'write', arguments: { what: 'a' }, result: 'done', status: 'completed' }];

/** A server whose `helper` answers whoever names no agent. */
async function helping() {
  const calls: MadeCall[] = [];
  const rules = [{ tool: 'write', rule: 'allow' }];
  const { app, sent } = await start([asking([{ name: 'write', args: { what: 'a' } }]), answer(['Done.']), answer(['Plain.'])], {
    sources: [testSource([testTool('write', calls)])],
    file: agentFile({ greeting: 'What shall I write?', rules }, { default: 'helper' }),
  });
  return { app, calls, sent };
}

test('the default agent answers a new conversation of user-chat, with the calls that it really made', async () => {
  const { app, calls, sent } = await helping();
  const response = await app.post('/api/ann/chat', { message: { content: 'Write' } });
  const { message, tool_calls, conversation_id } = JSON.parse(await response.text());
  expect([message.content, tool_calls, calls.length]).toEqual(['Done.', called, 1]);
  const next = await app.post('/api/ann/chat', { message: { content: 'And?' }, conversation_id });
  expect(JSON.parse(await next.text())).toMatchObject({ message: { content: 'Plain.' }, tool_calls: [] });
  expect(sent(2)[0]).toEqual({ role: 'system', content: 'Help with tools.' });
});

test('the default agent greets in chat-ws; whoever names another gets that', async () => {
  const { app, calls, sent } = await helping();
  const chat = await openChatSocket(app.url, `?token=${await app.token('ann')}`);
  const thread_id = randomUUID();
  chat.send({ type: 'history', thread_id });
  expect(await chat.next('message')).toMatchObject({ content: 'What shall I write?' });
  chat.send({ type: 'message', thread_id, content: 'Hi', agent_id: 'assistant' });
  expect(await chat.next('message')).toMatchObject({ role: 'assistant' });
  expect(JSON.stringify(sent(0)[0])).not.toContain('Help with tools.');
  expect(calls).toEqual([]);
  await chat.close();
});

test("an application's own agent of that name comes first", async () => {
  const { app, sent } = await helping();
  expect((await app.post('/polylogue/v1/agents', { name: 'helper', instructions: 'Ours.' })).status).toBe(201);
  await app.post('/api/ann/chat', { message: { content: 'Hi' } });
  expect(sent(0)[0]).toEqual({ role: 'system', content: 'Ours.' });
});

test('a default agent that there is not stops the start', async () => {
  const file = agentFile({}, { default: 'nobody' });
  await expect(startTestApp({ file, env: { OPENAI_API_KEY: 'k' } })).rejects.toThrow(
    'agents.default must be one of assistant, assistant-graph, helper, not "nobody".',
  );
});
