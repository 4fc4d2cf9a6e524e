import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/backends/clock/system-clock.ts';
import { createMcpSource } from '../../src/backends/tools/mcp/create-mcp-source.ts';
import { asking } from '../support/agent-app.ts';
import { startTestApp } from '../support/app.ts';
import { runProgram } from '../support/run-program.ts';
import { bareEnvironment, startServerProcess } from '../support/server-process.ts';
import { callTool } from '../support/tool-calls.ts';
import { answer, refuse, startUpstream } from '../support/upstream.ts';
import { copyWorkingTree } from '../support/working-copy.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const never = new AbortController().signal;
const silent = { info: () => {}, warn: () => {} };

let closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
});

/** The tools of an example, in a process of its own. */
async function toolsOf(example: string, env: Readonly<Record<string, string>> = {}) {
  const transport = { kind: 'stdio', command: process.execPath, args: ['server.ts'], env, cwd: join(examples, example) } as const;
  const source = createMcpSource({ name: 'it', applications: null, transport }, { fetch, clock: systemClock, log: silent });
  closers.push(source.close);
  const tools = await source.list(never);
  return { tools, call: (name: string, args = {}) => callTool(tools, `it_${name}`, { args }) };
}

async function newTasksFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'polylogue-tasks-'));
  closers.push(() => rm(directory, { recursive: true }));
  return join(directory, 'tasks.json');
}

test('the task list adds, shows, completes, changes and deletes tasks, and keeps them', async () => {
  const env = { TASKS_FILE: await newTasksFile() };
  const { tools, call } = await toolsOf('task-list-mcp', env);
  expect(tools.filter(({ readOnly }) => readOnly).map(({ name }) => name)).toEqual(['it_list_tasks']);
  expect((await call('list_tasks')).result).toBe('There are no tasks.');
  expect((await call('add_task', { title: 'Buy milk' })).result).toBe('Added: 1. [ ] Buy milk');
  await call('add_task', { title: 'Call Bob', description: 'about the boat' });
  expect((await call('complete_task', { id: 1 })).result).toBe('Done: 1. [x] Buy milk');
  expect((await call('update_task', { id: 2, title: 'Call Bea' })).result).toBe('Changed: 2. [ ] Call Bea (about the boat)');
  expect((await call('list_tasks', { show: 'open' })).result).toBe('2. [ ] Call Bea (about the boat)');
  expect((await call('delete_task', { id: 1 })).result).toBe('Deleted: 1. [x] Buy milk');
  expect(await call('delete_task', { id: 1 })).toEqual({ status: 'failed', result: 'There is no task of that number.' });
  expect((await call('add_task', { title: '' })).status).toBe('failed');
  await Promise.all(Array.from({ length: 20 }, (_, index) => call('add_task', { title: `Task ${index}` })));
  const again = await toolsOf('task-list-mcp', env);
  const lines = (await again.call('list_tasks')).result.split('\n');
  expect(lines.map((line) => Number.parseInt(line, 10))).toEqual(Array.from({ length: 21 }, (_, index) => index + 2));
});

test('the dice show as many sides as they have', async () => {
  const { tools, call } = await toolsOf('custom-tool');
  expect(tools.map(({ name, readOnly }) => [name, readOnly])).toEqual([['it_roll', true]]);
  const { result } = await call('roll', { dice: 50, sides: 3 });
  const [left = '', sum] = result.split(' = ');
  const shown = left.split(' + ').map(Number);
  expect(shown).toHaveLength(50);
  expect(shown.every((value) => value >= 1 && value <= 3)).toBe(true);
  expect(Number(sum)).toBe(shown.reduce((total, value) => total + value, 0));
  expect((await call('roll', { dice: 0 })).status).toBe('failed');
});

function blockOf(readme: string, language: string): string {
  return new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(readme)?.[1] ?? '';
}

test('a task is added in a new conversation of user-chat, by the settings of examples/task-list-mcp', { timeout: 60_000 }, async () => {
  const folder = join(examples, 'task-list-mcp');
  const upstream = await startUpstream(asking([{ name: 'tasks_add_task', args: { title: 'Buy milk' } }]), answer(['Noted.']));
  const settings = JSON.parse(await readFile(join(folder, 'polylogue.config.json'), 'utf8'));
  const mcp = { tasks: { ...settings.mcp.tasks, cwd: folder, env: ['TASKS_FILE'] } };
  const env = { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'k', TASKS_FILE: await newTasksFile() };
  const app = await startTestApp({ file: { models: { 'gpt-4': { provider: 'openai' } }, agents: settings.agents, mcp }, env });
  closers.push(upstream.close, app.close);
  const response = await app.post('/api/ann/chat', { message: { content: 'Remind me to buy milk' } });
  const { message, tool_calls } = JSON.parse(await response.text());
  expect(message.content).toBe('Noted.');
  const call = { name: 'tasks_add_task', arguments: { title: 'Buy milk' }, result: 'Added: 1. [ ] Buy milk', status: 'completed' };
  expect(tool_calls).toEqual([call]);
});

test.each([
  ['task-list-mcp', { name: 'tasks_add_task', args: { title: 'Buy milk' } }, 'Added: 1. [ ] Buy milk'],
  ['custom-tool', { name: 'dice_roll', args: { dice: 1, sides: 2 } }, ''],
])('examples/%s runs by the command of its README', { timeout: 120_000 }, async (name, call, result) => {
  const readme = await readFile(join(examples, name, 'README.md'), 'utf8');
  // At its start the server asks for the provider's models.
  const upstream = await startUpstream(refuse(404, 'no list'), asking([call]), answer(['That is done.']));
  const { directory, remove } = await copyWorkingTree();
  await cp(examples, join(directory, 'examples'), { recursive: true });
  const command = ['bash', '-c', `exec env ${blockOf(readme, 'sh')}`] as const;
  const server = await startServerProcess({ directory, command: [...command], env: { OPENAI_BASE_URL: upstream.baseUrl } });
  closers.push(upstream.close, remove, () => server.stop());
  const block = blockOf(readme, 'bash').replaceAll('http://localhost:8000', server.url);
  const { code, stdout, stderr } = await runProgram(['bash', '-c', block], { cwd: directory, env: bareEnvironment() });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { status, answer: answered } = JSON.parse(stdout) as { status: string; answer: { parts: readonly Record<string, unknown>[] } };
  expect(status).toBe('completed');
  expect(answered.parts.map(({ type }) => type)).toEqual(['tool_call', 'tool_result', 'text']);
  expect(answered.parts[1]).toMatchObject({
    name: call.name,
    status: 'completed',
    result: result === '' ? expect.stringMatching(/^[12] = [12]$/) : result,
  });
});
