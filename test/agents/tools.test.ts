import { expect, test } from 'vitest';
import { ToolError, type ToolSource } from '../../src/core/ports/tool.ts';
import { agentApps, agentFile, asking, type MadeCall, type NativeEvent, testSource, testTool } from '../support/agent-app.ts';
import { answer } from '../support/upstream.ts';

const start = agentApps();
const typesOf = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type);

test('an agent calls a tool and answers with its result: every step is in the log, in order', async () => {
  const calls: MadeCall[] = [];
  const look = testTool('look', calls, { readOnly: true, answer: async () => ({ status: 'completed', result: 'It is green.' }) });
  const { app, ask, eventsOf, sent, show } = await start(
    [asking([{ id: 'call_x', name: 'look', args: { what: 'the door' } }], 'I look. '), answer(['It is', ' green.'], { usage: [20, 4] })],
    { sources: [testSource([look])] },
  );
  const run = await ask('Which colour is the door?');
  const events = await eventsOf(run);
  expect(typesOf(events)).toEqual([
    'run.started',
    'text.appended',
    'usage.recorded',
    'tool.called',
    'tool.returned',
    'text.appended',
    'run.completed',
  ]);
  expect(events[3]).toMatchObject({
    call_id: 'call_x',
    name: 'look',
    arguments: '{"what":"the door"}',
    called_at: expect.stringMatching(/Z$/),
  });
  expect(events[4]).toMatchObject({
    call_id: 'call_x',
    status: 'completed',
    result: 'It is green.',
    returned_at: expect.stringMatching(/Z$/),
  });
  expect(events.at(-1)).toMatchObject({ usage: { input_tokens: 30, output_tokens: 9 }, finish_reason: 'stop' });
  expect(calls.map(({ name, args }) => [name, args])).toEqual([['look', { what: 'the door' }]]);
  expect(sent(0)[0]).toEqual({ role: 'system', content: 'Help with tools.' });
  expect(sent(1).at(-2)).toMatchObject({ role: 'assistant', tool_calls: [{ id: 'call_x', function: { name: 'look' } }] });
  expect(sent(1).at(-1)).toMatchObject({ role: 'tool', content: expect.stringContaining('It is green.') });
  expect(await show(run)).toMatchObject({ status: 'completed', agent: 'helper', agent_version: 1 });
  const messages = await app.send(`/polylogue/v1/threads/${run.threadId}/messages`, { headers: { 'x-user-id': run.user } });
  const [stored] = ((await messages.json()) as { data: { parts: { type: string }[] }[] }).data;
  expect(stored?.parts.map(({ type }) => type)).toEqual(['text', 'tool_call', 'tool_result', 'text']);
  expect(stored?.parts[1]).toHaveProperty('called_at');
  expect(await (await app.send('/metrics')).text()).toContain('polylogue_tool_call_seconds_count{status="completed"} 1');
});

const returned = (events: readonly NativeEvent[]) => events.filter(({ type }) => type === 'tool.returned');

test('what the model must not or cannot call is told to it and to nobody else: the answer goes on', async () => {
  const calls: MadeCall[] = [];
  const strict = testTool('strict', calls, {
    readOnly: true,
    parameters: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
  });
  const hidden = testTool('hidden', calls, { readOnly: true });
  const asks = asking([
    { name: 'nope', args: { a: 1 } },
    { name: 'strict', args: '{"n":' },
    { name: 'strict', args: '[1]' },
    { name: 'strict', args: { n: 'x' } },
    { name: 'strict', args: `{"n":1,"deep":${'['.repeat(500)}${']'.repeat(500)}}` },
    { name: 'hidden' },
    { name: 'strict', args: { n: 1 } },
  ]);
  const { ask, eventsOf, sent } = await start([asks, answer(['Well.'])], {
    sources: [testSource([strict]), testSource([hidden], 'elsewhere')],
    file: agentFile({ tools: ['test/*'] }),
  });
  const events = await eventsOf(await ask('Go'));
  const results = returned(events).map(({ name, status, result }) => [name, status, String(result)]);
  expect(results.map(([name, status]) => [name, status])).toEqual([
    ['nope', 'failed'],
    ['strict', 'failed'],
    ['strict', 'failed'],
    ['strict', 'failed'],
    ['strict', 'failed'],
    ['hidden', 'failed'],
    ['strict', 'completed'],
  ]);
  expect(results[0]?.[2]).toBe('There is no tool named nope');
  expect(results[3]?.[2]).toContain('must be integer');
  expect(calls.map(({ name }) => name)).toEqual(['strict']);
  expect(sent(1).filter(({ role }) => role === 'tool')).toHaveLength(7);
  expect(events.at(-1)).toMatchObject({ type: 'run.completed' });
});

test('a model that never comes to an end is stopped at the step limit of its agent', async () => {
  const calls: MadeCall[] = [];
  const { ask, eventsOf, upstream } = await start([asking([{ name: 'look' }])], {
    sources: [testSource([testTool('look', calls, { readOnly: true })])],
    file: agentFile({ stepLimit: 3 }),
  });
  const events = await eventsOf(await ask('Go'));
  expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'step_limit', detail: expect.stringContaining('3 times') });
  expect([upstream.requests.length, calls.length]).toEqual([3, 3]);
});

test('every call of a run has an id of its own, whatever the model calls it', async () => {
  const hostile = ['', 'same', 'same', '\u0000\ud800', 'x'.repeat(5_000), '../../etc', 'call_1', '__proto__'];
  const asks = asking(hostile.map((id) => ({ id: id || '\u0007', name: 'look' })));
  const { ask, eventsOf, sent } = await start([asks, asks, answer(['Well.'])], {
    sources: [testSource([testTool('look', [], { readOnly: true })])],
  });
  const events = await eventsOf(await ask('Go'));
  const ids = events.filter(({ type }) => type === 'tool.called').map(({ call_id }) => String(call_id));
  expect(ids).toHaveLength(16);
  expect(new Set(ids).size).toBe(16);
  expect(ids.every((id) => /^[A-Za-z0-9_-]{1,64}$/.test(id))).toBe(true);
  const named = sent(2).flatMap(({ tool_calls = [] }) => tool_calls.map(({ id }) => id));
  expect(new Set(named).size).toBe(16);
});

test('calls are made side by side, but no more than eight of them', async () => {
  let now = 0;
  let most = 0;
  const slow = testTool('slow', [], {
    readOnly: true,
    answer: async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      now -= 1;
      return { status: 'completed', result: 'x' };
    },
  });
  const asks = asking(Array.from({ length: 70 }, () => ({ name: 'slow' })));
  const { ask, eventsOf } = await start([asks, answer(['Well.'])], { sources: [testSource([slow])] });
  const results = returned(await eventsOf(await ask('Go')));
  expect(most).toBe(8);
  expect(results.filter(({ status }) => status === 'completed')).toHaveLength(64);
  expect(results.filter(({ result }) => String(result).includes('No more than 64'))).toHaveLength(6);
});

test('a result is cut at 1 MB, and what the model gets of it at what fits its window', async () => {
  const huge = testTool('huge', [], {
    readOnly: true,
    answer: async () => ({ status: 'completed', result: `\ud800\0${'é'.repeat(3_000_000)}` }),
  });
  const { ask, eventsOf, sent } = await start([asking([{ name: 'huge' }]), answer(['Well.'])], { sources: [testSource([huge])] });
  const events = await eventsOf(await ask('Go'));
  const result = String(returned(events)[0]?.result);
  expect(Buffer.byteLength(result)).toBeLessThanOrEqual(1_048_576);
  expect(Buffer.byteLength(result)).toBeGreaterThan(1_048_000);
  expect(result).toMatch(/^\ufffd\ufffdé.*cut off\.\]$/s);
  expect(sent(1).at(-1)?.content?.length).toBeLessThan(8_192);
  expect(events.at(-1)).toMatchObject({ type: 'run.completed' });
});

test('what the tools of one run say is bounded in all, too, and the answer goes on', async () => {
  const huge = testTool('huge', [], { readOnly: true, answer: async () => ({ status: 'completed', result: 'x'.repeat(1_048_576) }) });
  const asks = asking(Array.from({ length: 18 }, () => ({ name: 'huge' })));
  const { ask, eventsOf } = await start([asks, answer(['Well.'])], { sources: [testSource([huge])] });
  const events = await eventsOf(await ask('Go'));
  const lengths = returned(events).map(({ result }) => String(result).length);
  expect(lengths.filter((length) => length === 1_048_576)).toHaveLength(16);
  expect(lengths.filter((length) => length < 200)).toHaveLength(2);
  expect(events.at(-1)).toMatchObject({ type: 'run.completed' });
});

test('a tool that breaks or never answers is a failed call; what it threw is for the log only', async () => {
  const broken = testTool('broken', [], { readOnly: true, answer: () => Promise.reject(new Error('password=hunter2')) });
  const stuck = testTool('stuck', [], { readOnly: true, answer: () => new Promise(() => undefined) });
  const { ask, eventsOf, app } = await start([asking([{ name: 'broken' }, { name: 'stuck' }]), answer(['Well.'])], {
    sources: [testSource([broken, stuck])],
    file: agentFile({}, { callSeconds: 1 }),
  });
  const events = await eventsOf(await ask('Go'));
  expect(returned(events).map(({ name, status }) => [name, status])).toEqual([
    ['broken', 'failed'],
    ['stuck', 'failed'],
  ]);
  expect(JSON.stringify(events)).not.toContain('hunter2');
  expect(app.log().includes('"where":"tool call"')).toBe(true);
  expect(events.at(-1)).toMatchObject({ type: 'run.completed' });
});

test('cancelling a run reaches the tool that it waits for', async () => {
  const calls: MadeCall[] = [];
  const stuck = testTool('stuck', calls, {
    readOnly: true,
    answer: (_args, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  const { ask, until, eventsOf, app } = await start([asking([{ name: 'stuck' }])], { sources: [testSource([stuck])] });
  const run = await ask('Go');
  await until(run, 'tool.called');
  await app.post(`/polylogue/v1/runs/${run.id}/cancel`, {}, { 'x-user-id': run.user });
  const events = await eventsOf(run);
  expect(calls[0]?.signal.aborted).toBe(true);
  expect(events.slice(-2)).toMatchObject([{ type: 'tool.returned', status: 'cancelled' }, { type: 'run.cancelled' }]);
});

test('a source that cannot be reached takes only its own tools away', async () => {
  const gone: ToolSource = {
    name: 'gone',
    list: () => Promise.reject(new ToolError('the server does not answer')),
    close: async () => undefined,
  };
  const asks = asking([{ name: 'gone_look' }, { name: 'look' }]);
  const { ask, eventsOf } = await start([asks, answer(['Well.'])], {
    sources: [gone, testSource([testTool('look', [], { readOnly: true })])],
    file: agentFile({ tools: ['gone/*', 'test/*'] }),
  });
  expect(returned(await eventsOf(await ask('Go'))).map(({ status, result }) => [status, result])).toEqual(
    expect.arrayContaining([
      ['failed', 'The tool gone_look is not there now: the server does not answer'],
      ['completed', 'done'],
    ]),
  );
});

test('plain chat asks for no agent, no tool and no trust', async () => {
  const { ask, eventsOf, upstream, app } = await start([answer(['Hello.'])], {
    sources: [{ name: 'test', list: () => Promise.reject(new Error('nobody asks')), close: async () => undefined }],
  });
  const thread = JSON.parse(await (await app.post('/polylogue/v1/threads', {}, { 'x-user-id': 'ann' })).text()) as { id: string };
  const made = await app.post(`/polylogue/v1/threads/${thread.id}/runs`, { text: 'Hi' }, { 'x-user-id': 'ann' });
  const { id } = JSON.parse(await made.text()) as { id: string };
  expect(typesOf(await eventsOf({ id, threadId: thread.id, user: 'ann' }))).toEqual(['run.started', 'text.appended', 'run.completed']);
  expect(upstream.requests[0]?.body).not.toHaveProperty('tools');
  await expect(ask('Hi', { agent: 'nobody' })).rejects.toThrow('agent_unknown');
});

test('what a model writes to call tools counts as its answer, over all steps, and ends a run that never ends', async () => {
  const calls: MadeCall[] = [];
  const asks = asking([{ name: 'look', args: { what: 'x'.repeat(30_000) } }]);
  const { ask, eventsOf, upstream } = await start([asks], {
    sources: [testSource([testTool('look', calls, { readOnly: true })])],
    file: { ...agentFile({ stepLimit: 50 }), limits: { answerChars: 100_000, drainSeconds: 1 } },
  });
  const events = await eventsOf(await ask('Go'));
  expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'answer_too_long' });
  expect([upstream.requests.length, calls.length]).toEqual([4, 3]);
  expect(returned(events).at(-1)).toMatchObject({ status: 'cancelled' });
});
