import { afterEach, expect, test, vi } from 'vitest';
import { everythingStdio, startEverythingHttp } from '../../../../test/support/everything-server.ts';
import { callTool } from '../../../../test/support/tool-calls.ts';
import type { ToolSource } from '../../../core/ports/tool.ts';
import type { JsonObject } from '../../../core/thread.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { createEgress } from '../../egress/create-egress.ts';
import { createMcpSource } from './create-mcp-source.ts';
import type { McpTransport } from './settings.ts';

// Most tests start programs.
vi.setConfig({ testTimeout: 60_000 });

const never = new AbortController().signal;
const silent = { info: () => {}, warn: () => {} };

/** What the reference server's tools are called with and what a model then reads, by their own names. */
const CALLS: Readonly<Record<string, readonly [JsonObject, RegExp]>> = {
  echo: [{ message: 'hi 👋' }, /^Echo: hi 👋$/],
  'get-annotated-message': [
    { messageType: 'error', includeImage: true },
    /^Error: Operation failed\n\[image image\/png, \d+ bytes: not shown\]$/,
  ],
  'get-env': [{}, /"PATH"/],
  'get-resource-links': [{ count: 2 }, /\[resource Text Resource 2: demo:\/\/resource\/dynamic\/text\/2\]/],
  'get-resource-reference': [{ resourceType: 'Text', resourceId: 1 }, /\[resource demo:\/\/resource\/dynamic\/text\/1\]\nResource 1: /],
  'get-structured-content': [{ location: 'Chicago' }, /"temperature":\s*36/],
  'get-sum': [{ a: 1, b: 2 }, /^The sum of 1 and 2 is 3\.$/],
  'get-tiny-image': [{}, /\[image image\/png, 4033 bytes: not shown\]/],
  'gzip-file-as-resource': [
    { name: 'a.gz', data: 'data:text/plain,hello', outputType: 'resource' },
    /application\/gzip, \d+ bytes: not shown\]$/,
  ],
  'simulate-research-query': [{ topic: 'tea' }, /^# Research Report: tea/],
  'toggle-simulated-logging': [{}, /^Started simulated/],
  'toggle-subscriber-updates': [{}, /^Started simulated/],
  'trigger-long-running-operation': [{ duration: 0.2, steps: 4 }, /^Long running operation completed/],
};

let closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
});

function open(transport: McpTransport): ToolSource {
  const allow = transport.kind === 'http' ? [new URL(transport.url).host] : [];
  const egress = createEgress({ allow, maxBytes: 16 * 1024 * 1024, timeoutMs: null, clock: systemClock });
  const source = createMcpSource({ name: 'all', applications: null, transport }, { fetch: egress.fetch, clock: systemClock, log: silent });
  closers.push(egress.close, source.close);
  return source;
}

test('a server with sessions that was started anew is connected to again', async () => {
  const first = await startEverythingHttp();
  const source = open({ kind: 'http', url: first.url, headers: {}, oauth: null });
  const tools = await source.list(never);
  await first.kill();
  const second = await startEverythingHttp(first.port);
  closers.push(second.kill);
  const echo = async () => (await callTool(tools, 'all_echo', { args: { message: 'again' } })).status;
  // The session is not known there: the first call may find that out.
  await echo();
  expect(await echo()).toBe('completed');
});

async function overHttp(): Promise<McpTransport> {
  const server = await startEverythingHttp();
  closers.push(server.kill);
  return { kind: 'http', url: server.url, headers: {}, oauth: null };
}

test.each([
  ['stdio', async (): Promise<McpTransport> => ({ kind: 'stdio', ...everythingStdio, env: {}, cwd: null })],
  ['streamable HTTP', overHttp],
])('every tool of the reference server is listed and called over %s, with progress and errors', async (_name, transport) => {
  const source = open(await transport());
  const tools = await source.list(never);
  expect(tools.map(({ name }) => name).sort()).toEqual(
    Object.keys(CALLS)
      .map((name) => `all_${name}`)
      .sort(),
  );
  for (const tool of tools) expect([typeof tool.description, tool.parameters.type]).toEqual(['string', 'object']);
  expect(tools.filter(({ readOnly }) => readOnly).map(({ name }) => name)).toContain('all_get-sum');
  expect(tools.filter(({ readOnly }) => !readOnly).map(({ name }) => name)).toContain('all_toggle-simulated-logging');
  let steps = 0;
  for (const [name, [args, words]] of Object.entries(CALLS)) {
    const progress = () => {
      steps += 1;
    };
    const outcome = await callTool(tools, `all_${name}`, { args, progress });
    expect(outcome, name).toEqual({ status: 'completed', result: expect.stringMatching(words) });
  }
  expect(steps).toBeGreaterThanOrEqual(3);
  const wrong = await callTool(tools, 'all_get-sum', { args: { a: 'one' } });
  expect(wrong).toMatchObject({ status: 'failed', result: expect.stringContaining('expected number') });
});
