import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { asking } from '../support/agent-app.ts';
import { runProgram } from '../support/run-program.ts';
import { bareEnvironment, startServerProcess } from '../support/server-process.ts';
import { answer, refuse, type Step, startUpstream } from '../support/upstream.ts';
import { copyWorkingTree } from '../support/working-copy.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));

let closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
});

function blockOf(readme: string, language: string): string {
  return new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(readme)?.[1] ?? '';
}

/** Starts an example by the command of its README and asks what that says; gives what the asking prints. */
async function follow(name: string, scripts: readonly (readonly Step[])[]): Promise<string> {
  const readme = await readFile(join(examples, name, 'README.md'), 'utf8');
  // At its start the server asks for the provider's models.
  const upstream = await startUpstream(refuse(404, 'no list'), ...scripts);
  const { directory, remove } = await copyWorkingTree();
  await cp(examples, join(directory, 'examples'), { recursive: true });
  const command = ['bash', '-c', `exec env ${blockOf(readme, 'sh')}`] as const;
  const server = await startServerProcess({ directory, command: [...command], env: { OPENAI_BASE_URL: upstream.baseUrl } });
  closers.push(upstream.close, remove, () => server.stop());
  const block = blockOf(readme, 'bash').replaceAll('http://localhost:8000', server.url);
  const { code, stdout, stderr } = await runProgram(['bash', '-c', block], { cwd: directory, env: bareEnvironment() });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

test('examples/custom-graph runs by the command of its README', { timeout: 120_000 }, async () => {
  const stream = await follow('custom-graph', []);
  const events = [...stream.matchAll(/^data: (\{.*\})$/gm)].map(([, data = '']) => JSON.parse(data));
  expect(events.flatMap(({ type, name }) => (type === 'node.entered' ? [name] : []))).toEqual([
    'read',
    ...['draft_note', 'draft_note', 'draft_note'],
    ...['approve', 'approve', 'publish'],
  ]);
  expect(events.at(-1)).toMatchObject({ type: 'run.completed' });
  expect(stream).toContain('Published: Version 2 is out');
});

test('examples/openai-agent runs by the command of its README', { timeout: 120_000 }, async () => {
  const scripts = [
    asking([{ name: 'transfer_to_orders' }]),
    asking([{ name: 'find_order', args: { order: '1001' } }]),
    answer(['It was shipped.']),
  ];
  const { status, answer: answered } = JSON.parse(await follow('openai-agent', scripts));
  expect(status).toBe('completed');
  expect(answered.parts).toMatchObject([
    { type: 'tool_call', name: 'find_order' },
    { type: 'tool_result', status: 'completed', result: 'Order 1001: shipped on Monday' },
    { type: 'text', text: 'It was shipped.' },
  ]);
});
