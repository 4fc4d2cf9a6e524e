import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { stdioServer } from '../../../../test/support/mcp-tool-server.ts';
import { callTool } from '../../../../test/support/tool-calls.ts';
import type { ToolSource } from '../../../core/ports/tool.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { createMcpSource } from './create-mcp-source.ts';
import { createRedact } from './redact.ts';
import { describeTools } from './tool-definitions.ts';

// Most tests start programs.
vi.setConfig({ testTimeout: 60_000 });

const never = new AbortController().signal;
let closers: (() => unknown)[] = [];
let logged: unknown[] = [];
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
  logged = [];
});

const log = { info: (...said: unknown[]) => void logged.push(said), warn: (...said: unknown[]) => void logged.push(said) };

/** A server that speaks JSON-RPC by hand: `answer` is a function's text that gets the request and `send`, which writes a line. */
function open(answer: string): ToolSource {
  const program = `
    const send = (message) => process.stdout.write((typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', ...message })) + '\\n');
    const tool = (name, more = {}) => ({ name, inputSchema: { type: 'object' }, ...more });
    const said = (text) => ({ content: [{ type: 'text', text }] });
    const answer = ${answer};
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const request = JSON.parse(line);
      if (request.id === undefined || request.method === undefined) return;
      if (request.method === 'initialize') return send({ id: request.id, result: {
        protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } } });
      if (request.method === 'server/discover') return send({ id: request.id, error: { code: -32601, message: 'no such method' } });
      answer(request, send);
    }).on('close', () => process.exit(0));`;
  const transport = { kind: 'stdio', command: process.execPath, args: ['-e', program], env: {}, cwd: null } as const;
  const source = createMcpSource({ name: 'x', applications: null, transport }, { fetch, clock: systemClock, log });
  closers.push(source.close);
  return source;
}

test('noise, answers to nobody and answers given twice change nothing', async () => {
  const source = open(`({ id, method, params }, send) => {
    send('this is no JSON'); send('{"half":'); send('[]'); send('null'); send('\\u001b[31mred\\u001b[0m');
    send({ id: 9999, result: said('for somebody else') }); send({ id: -1, error: { code: 1, message: 'no' } });
    send({ method: 'notifications/unknown', params: {} }); send({ id: 77, method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } });
    if (method === 'tools/list') send({ id, result: { tools: [tool('one')] } });
    else { send({ id, result: said('right ' + params.name) }); send({ id, result: said('wrong') }); }
  }`);
  const tools = await source.list(never);
  expect(tools.map(({ name }) => name)).toEqual(['x_one']);
  for (let round = 0; round < 3; round += 1) expect(await callTool(tools, 'x_one')).toEqual({ status: 'completed', result: 'right one' });
});

test('of lists without end only a part is read, and what nobody could use is left out', async () => {
  const source = open(`({ id, method, params }, send) => {
    const page = Number(params?.cursor ?? 0);
    const tools = Array.from({ length: 50 }, (_, index) => tool('t' + (page * 50 + index), { description: 'd'.repeat(20000) }));
    if (page === 0) tools.push(tool('t0', { description: 'a second one of that name' }), tool('huge', { description: '', inputSchema: { type: 'object', description: 'x'.repeat(200000) } }));
    send({ id, result: { tools, ...(page < 9 ? { nextCursor: String(page + 1) } : {}) } });
  }`);
  const tools = await source.list(never);
  expect(tools).toHaveLength(255);
  expect(tools.map(({ name }) => name)).not.toContain('x_huge');
  expect(Math.max(...tools.map(({ description }) => description.length))).toBe(8_000);
  expect(tools.find(({ name }) => name === 'x_t0')?.description).toMatch(/^d+$/);
});

test('a tool that is called like a secret of its server is not there', () => {
  const tool = (name: string) => ({ name, inputSchema: { type: 'object' as const } });
  const secret = 'canary-11cc22dd';
  const described = describeTools('x', [tool('one'), tool(`tell_${secret}`)], createRedact([secret]));
  expect(described.map(({ definition }) => definition.name)).toEqual(['x_one']);
});

test('a list whose pages never end is an error, and so is one that is none', async () => {
  const endless = open(
    `({ id, params }, send) => send({ id, result: { tools: [], nextCursor: String(Number(params?.cursor ?? 0) + 1) } })`,
  );
  await expect(endless.list(never)).rejects.toMatchObject({ name: 'ToolError' });
  const none = open(`({ id }, send) => send({ id, result: { tools: 'none' } })`);
  await expect(none.list(never)).rejects.toMatchObject({ name: 'ToolError' });
});

test('a call that is made as a task ends however its server behaves, is made once, and hears of a cancel', async () => {
  const source = open(`({ id, method, params }, send) => {
    const names = ['slow', 'forgotten', 'asking', 'broken', 'failed', 'endless'];
    if (method === 'tools/list') return send({ id, result: { tools: names.map((name) => tool(name, { execution: { taskSupport: 'required' } })) } });
    const time = new Date().toISOString();
    const task = (taskId, status) => ({ taskId, status, ttl: null, createdAt: time, lastUpdatedAt: time, pollInterval: 0 });
    if (method === 'tools/call') {
      process.stderr.write('called ' + params.name + '\\n');
      return send({ id, result: { task: task(params.name, 'working') } });
    }
    const { taskId } = params;
    if (method === 'tasks/get') process.stderr.write('asked ' + taskId + '\\n');
    if (method === 'tasks/cancel') { process.stderr.write('cancelled ' + taskId + '\\n'); return send({ id, result: task(taskId, 'cancelled') }); }
    if (taskId === 'forgotten') return send({ id, error: { code: -32602, message: 'no such task' } });
    if (method === 'tasks/result') return send({ id, result: { ...said('result of ' + taskId), isError: taskId === 'failed' } });
    const status = { slow: 'completed', asking: 'input_required', broken: 'cancelled', failed: 'failed', endless: 'working' }[taskId];
    send({ id, result: task(taskId, status) });
  }`);
  const tools = await source.list(never);
  const outcomes = await Promise.all(['slow', 'forgotten', 'asking', 'broken', 'failed'].map((name) => callTool(tools, `x_${name}`)));
  expect(outcomes).toEqual([
    { status: 'completed', result: 'result of slow' },
    { status: 'failed', result: expect.stringContaining('no such task') },
    { status: 'failed', result: expect.stringContaining('question') },
    { status: 'failed', result: expect.stringContaining('broke the call off') },
    { status: 'failed', result: 'result of failed' },
  ]);
  const leaving = new AbortController();
  const left = callTool(tools, 'x_endless', { signal: leaving.signal });
  const heard = (words: string) => JSON.stringify(logged).split(words).length - 1;
  await expect.poll(() => heard('asked endless')).toBeGreaterThan(0);
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  await expect.poll(() => heard('cancelled endless')).toBe(1);
  expect([heard('called forgotten'), heard('called slow'), heard('called endless')]).toEqual([1, 1, 1]);
});

test('errors and results of odd shapes are failed calls in words', async () => {
  const source = open(`({ id, method, params }, send) => {
    if (method === 'tools/list') return send({ id, result: { tools: ['refused', 'shapeless', 'empty', 'structured', 'unknown'].map((name) => tool(name)) } });
    if (params.name === 'refused') send({ id, error: { code: -32602, message: 'No: ' + 'x'.repeat(100000) } });
    if (params.name === 'shapeless') send({ id, result: { content: 'text' } });
    if (params.name === 'empty') send({ id, result: { content: [] } });
    if (params.name === 'structured') send({ id, result: { content: [], structuredContent: { a: [1] } } });
    if (params.name === 'unknown') send({ id, result: { content: [{ type: 'hologram', data: 'x' }] } });
  }`);
  const tools = await source.list(never);
  const refused = await callTool(tools, 'x_refused');
  expect([refused.status, refused.result.slice(0, 30), refused.result.length < 2_200]).toEqual([
    'failed',
    'The tool refused the call: No:'.slice(0, 30),
    true,
  ]);
  expect((await callTool(tools, 'x_shapeless')).status).toBe('failed');
  expect(await callTool(tools, 'x_empty')).toEqual({ status: 'completed', result: '' });
  expect(await callTool(tools, 'x_structured')).toEqual({ status: 'completed', result: '{"a":[1]}' });
  expect((await callTool(tools, 'x_unknown')).status).toBe('failed');
});

test('a server that complains without end is not listened to for long', async () => {
  const source = open(`({ id, method }, send) => {
    if (method === 'tools/list') return send({ id, result: { tools: [tool('one')] } });
    for (let index = 0; index < 3000; index += 1) send({ id: 100000 + index, result: {} });
    send({ id, result: said('at last') });
  }`);
  expect((await callTool(await source.list(never), 'x_one')).result).toBe('at last');
  expect(logged).toHaveLength(201);
  expect(JSON.stringify(logged.at(-1))).toContain('further ones are not logged');
});

test('a stream that ends is opened again when the server wishes it, but not at once', async () => {
  let reopened = 0;
  const answers: Readonly<Record<string, unknown>> = {
    initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } },
    'tools/list': { tools: [{ name: 'one', inputSchema: { type: 'object' } }] },
  };
  const server = createServer((request, response) => {
    if (request.method === 'GET') reopened += 1;
    request.setEncoding('utf8').once('data', (text: string) => {
      const { id, method } = JSON.parse(text);
      if (id === undefined) return response.writeHead(202).end();
      if (method === 'tools/call')
        return response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: 1\nretry: 0\ndata:\n\n');
      const told = answers[method] ? { result: answers[method] } : { error: { code: -32601, message: 'no such method' } };
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...told }));
    });
    if (request.method === 'GET') response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: 1\nretry: 0\ndata:\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const waits: number[] = [];
  const after = (ms: number) => {
    waits.push(ms);
    return () => {};
  };
  const clock = { ...systemClock, after };
  const transport = { kind: 'http', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, headers: {}, oauth: null } as const;
  const source = createMcpSource({ name: 'x', applications: null, transport }, { fetch, clock, log });
  closers.push(source.close);
  const tools = await source.list(never);
  const call = callTool(tools, 'x_one', { signal: AbortSignal.timeout(60_000) });
  call.catch(() => undefined);
  await expect.poll(() => waits.length, { timeout: 30_000 }).toBeGreaterThan(0);
  expect(new Set(waits)).toEqual(new Set([1_000]));
  expect(reopened).toBeLessThanOrEqual(1);
});

/** Whether a process still runs. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('the process of a server ends when ours is killed', async () => {
  const at = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
  const program = `
    import { createMcpSource } from ${at('./create-mcp-source.ts')};
    import { systemClock } from ${at('../../clock/system-clock.ts')};
    const transport = { kind: 'stdio', ...${JSON.stringify(stdioServer)}, env: {}, cwd: null };
    const source = createMcpSource({ name: 't', transport }, { fetch, clock: systemClock, log: { info() {}, warn() {} } });
    const signal = new AbortController().signal;
    const tools = await source.list(signal);
    const { result } = await tools.find(({ name }) => name === 't_pid').call({}, { signal, progress() {} });
    console.log('PID ' + result);
    setInterval(() => {}, 1000);`;
  const ours = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  closers.push(() => ours.kill('SIGKILL'));
  const [said] = await once(ours.stdout.setEncoding('utf8'), 'data');
  const pid = Number(/PID (\d+)/.exec(String(said))?.[1]);
  expect(runs(pid)).toBe(true);
  ours.kill('SIGKILL');
  await expect.poll(() => runs(pid)).toBe(false);
});
