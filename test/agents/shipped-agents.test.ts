import { expect, test } from 'vitest';
import { agentApps, asking } from '../support/agent-app.ts';
import { answer } from '../support/upstream.ts';

const start = agentApps();
const file = { models: { 'gpt-4': { provider: 'openai', window: 8192 } } };

const nodesIn = (stream: string) => [...stream.matchAll(/^event: node\ndata: (.*)$/gm)].map(([, name]) => name);

test('the graph protocol answers by the graph of the server, which costs a plain question nothing', async () => {
  const { app, upstream } = await start([answer(['Maize.'])], { file });
  const stream = await (await app.post('/api/v1/graph/stream', { message: 'What grows in dry soil?' })).text();
  expect(nodesIn(stream)).toEqual(['supervisor', 'answer']);
  expect(stream).toMatch(/data: Maize\.\n\n.*event: done/s);
  expect(upstream.requests).toHaveLength(1);
});

test('a question about the weather goes by way of the weather, a call that is stored like any other', async () => {
  const scripts = [asking([{ name: 'weather', args: { city: 'Oslo', month: 1 } }]), answer(['Cold.'])];
  const { app, sent } = await start(scripts, { file });
  const response = await app.post('/api/v1/graph/invoke', { message: 'How is the weather in Oslo?' });
  const { metadata, response: text } = JSON.parse(await response.text());
  expect([text, metadata]).toEqual(['Cold.', { nodes_visited: ['supervisor', 'retrieve_weather', 'answer'], intent: 'retrieve_weather' }]);
  expect(sent(1).at(-1)?.content).toContain('Oslo: month 1: -4 °C');
  const run = response.headers.get('x-run-id');
  const events = JSON.parse(
    await (await app.send(`/polylogue/v1/runs/${run}/events?wait=false`, { headers: { 'x-user-id': 'anonymous' } })).text(),
  );
  expect(events.data.map(({ type, name }: { type: string; name?: string }) => name ?? type)).toEqual([
    'run.started',
    ...['supervisor', 'retrieve_weather'],
    ...['weather', 'weather'],
    'answer',
    'text.appended',
    'run.completed',
  ]);
});

test('a question about a file goes by way of the files', async () => {
  const { app, sent, ask } = await start([answer(['First.']), answer(['Thirty.'])], { file });
  const { threadId } = await ask('Hello', { agent: 'assistant-graph' });
  const form = new FormData();
  form.append('file', new Blob(['Employees have thirty days of annual leave.'], { type: 'text/plain' }), 'manual.txt');
  const headers = { 'x-user-id': 'ann' };
  const added = await app.send(`/polylogue/v1/threads/${threadId}/files`, { method: 'POST', body: form, headers });
  expect(added.status).toBe(201);
  const stream = await (
    await app.post('/api/v1/graph/stream', { message: 'How many days of annual leave?', user_id: 'ann', thread_id: threadId })
  ).text();
  expect(nodesIn(stream)).toEqual(['supervisor', 'retrieve_docs', 'answer']);
  expect(sent(1).at(-1)?.content).toContain('thirty days of annual leave');
});

test('the assistant calls its tools', async () => {
  const { ask, eventsOf } = await start([asking([{ name: 'calculator', args: { expression: '6*7' } }]), answer(['42.'])], { file });
  const events = await eventsOf(await ask('Six times seven?', { agent: 'assistant' }));
  expect(events.flatMap(({ type, result }) => (type === 'tool.returned' ? [result] : []))).toEqual([expect.stringContaining('42')]);
});
