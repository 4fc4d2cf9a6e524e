import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { startMcpHttpServer, stdioServer } from '../../../../test/support/mcp-tool-server.ts';
import { callTool } from '../../../../test/support/tool-calls.ts';
import type { ToolSource } from '../../../core/ports/tool.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { createEgress } from '../../egress/create-egress.ts';
import { createMcpSource, type McpOptions } from './create-mcp-source.ts';
import type { McpTransport } from './settings.ts';

// Most tests start programs.
vi.setConfig({ testTimeout: 60_000 });

const never = new AbortController().signal;
const SECRET = 'tok-4f1c"9e\\7a-secret';
const NOT_KNOWN = /^The tool's server did not answer or broke off: whether the call took effect is not known\.$/;

let closers: (() => unknown)[] = [];
let logged: unknown[] = [];
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
  logged = [];
});

const log = { info: (...said: unknown[]) => void logged.push(said), warn: (...said: unknown[]) => void logged.push(said) };

function open(transport: McpTransport, allow: readonly string[] = [], clock: McpOptions['clock'] = systemClock): ToolSource {
  const egress = createEgress({ allow, maxBytes: 16 * 1024 * 1024, timeoutMs: null, clock: systemClock });
  const source = createMcpSource({ name: 't', applications: null, transport }, { fetch: egress.fetch, clock, log });
  closers.push(egress.close, source.close);
  return source;
}

const overStdio = (...args: readonly string[]): McpTransport => ({
  kind: 'stdio',
  command: stdioServer.command,
  args: [...stdioServer.args, ...args],
  env: { TOOL_TOKEN: SECRET },
  cwd: null,
});

const overHttp = (url: string): McpTransport => ({ kind: 'http', url, headers: {}, oauth: null });

const places = [
  { name: 'stdio', start: async () => ({ source: open(overStdio()), breakOff: (tools: Tools) => callTool(tools, 't_die') }) },
  {
    name: 'streamable HTTP',
    async start() {
      const server = await startMcpHttpServer();
      closers.push(server.close);
      return {
        source: open(overHttp(server.url), [`127.0.0.1:${server.port}`]),
        async breakOff(tools: Tools) {
          const outcome = callTool(tools, 't_never');
          await expect.poll(server.waiting).toBe(1);
          server.cut();
          return outcome;
        },
      };
    },
  },
];
type Tools = Awaited<ReturnType<ToolSource['list']>>;

/** Whether a process still runs. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test.each(places)('over $name a result of 5 MB and one of 200,000 parts come without trouble', async ({ start }) => {
  const { source } = await start();
  const tools = await source.list(never);
  const big = await callTool(tools, 't_big', { args: { bytes: 5_000_000 } });
  expect([big.status, big.result.slice(0, 5)]).toEqual(['completed', 'x\n"éx']);
  // Enough for whoever cuts at 1 MB to see that there is more.
  expect(big.result.length).toBeGreaterThan(1_048_576);
  const parts = await callTool(tools, 't_parts', { args: { count: 200_000 } });
  expect(parts.result).toMatch(/^part 0\npart 1\n/);
  expect(Math.max(big.result.length, parts.result.length)).toBeLessThan(1_200_000);
});

test.each(places)('over $name a result that is larger than anything sensible fails, and the next call works', async ({ start }) => {
  const { source } = await start();
  const tools = await source.list(never);
  expect((await callTool(tools, 't_big', { args: { bytes: 20_000_000 } })).status).toBe('failed');
  expect((await callTool(tools, 't_cancelled')).result).toBe('0');
});

test.each(places)('over $name a call that never returns ends with its signal, of which the server hears', async ({ start }) => {
  const { source } = await start();
  const tools = await source.list(never);
  const stop = new AbortController();
  const outcome = expect(callTool(tools, 't_never', { signal: stop.signal })).rejects.toThrow('time is over');
  await expect.poll(async () => (await callTool(tools, 't_waiting')).result).toBe('1');
  stop.abort(new Error('time is over'));
  await outcome;
  await expect.poll(async () => (await callTool(tools, 't_cancelled')).result).toBe('1');
});

test.each(places)('over $name a server that dies in the middle of a call fails that call, and the next one works', async ({ start }) => {
  const { source, breakOff } = await start();
  const tools = await source.list(never);
  expect(await breakOff(tools)).toEqual({ status: 'failed', result: expect.stringMatching(NOT_KNOWN) });
  expect(await callTool(tools, 't_refuse')).toEqual({ status: 'failed', result: 'no, not today' });
  expect((await source.list(never)).length).toBe(tools.length);
});

test('a stream of answers that breaks off fails its call at once, and no other', async () => {
  const server = await startMcpHttpServer();
  closers.push(server.close);
  const source = open(overHttp(server.url), [`127.0.0.1:${server.port}`]);
  const tools = await source.list(never);
  const other = callTool(tools, 't_step', { args: { steps: 60, ms: 20 } });
  let begun = () => {};
  const told = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const broken = callTool(tools, 't_break', { progress: begun });
  await told;
  server.breakOff();
  expect(await broken).toEqual({ status: 'failed', result: expect.stringMatching(NOT_KNOWN) });
  expect(await other).toEqual({ status: 'completed', result: 'done' });
});

test.each(places)('over $name a changed definition is seen when the server tells of it', async ({ start }) => {
  const { source } = await start();
  const edition = async () => (await source.list(never)).find(({ name }) => name === 't_mutable')?.description;
  const tools = await source.list(never);
  expect(await edition()).toBe('Edition 1');
  await callTool(tools, 't_change');
  await expect.poll(edition).toBe('Edition 2');
});

test.each(places)('over $name progress is told while a call goes on', async ({ start }) => {
  const { source } = await start();
  let told = 0;
  const progress = () => {
    told += 1;
  };
  const outcome = await callTool(await source.list(never), 't_step', { args: { steps: 5, ms: 20 }, progress });
  expect(outcome).toEqual({ status: 'completed', result: 'done' });
  expect(told).toBeGreaterThanOrEqual(4);
});

test('tools get names that every provider takes, each once', async () => {
  const names = (await open(overStdio()).list(never)).map(({ name }) => name);
  for (const name of names) expect(name).toMatch(/^t_[A-Za-z0-9_-]{1,62}$/);
  expect(new Set(names).size).toBe(names.length);
  const outcomes = names
    .filter((name) => name.startsWith('t_dotted'))
    .map(async (name) => (await callTool(await open(overStdio()).list(never), name)).result);
  expect((await Promise.all(outcomes)).sort()).toEqual(['dotted', 'underlined']);
});

test('a process gets what is configured and what every program needs, nothing else of ours, and its secrets do not come back', async () => {
  process.env.POLYLOGUE_TEST_CANARY = 'canary-value-of-ours';
  closers.push(() => delete process.env.POLYLOGUE_TEST_CANARY);
  const tools = await open(overStdio()).list(never);
  expect((await callTool(tools, 't_tell', { args: { name: 'POLYLOGUE_TEST_CANARY' } })).result).toContain('it is unset');
  expect(JSON.stringify(tools)).toContain('Knows [redacted]');
  expect(JSON.stringify(tools)).not.toContain('4f1c');
  const told = await callTool(tools, 't_tell', { args: { name: 'TOOL_TOKEN' } });
  expect(told.result).toBe('it is [redacted], as JSON {"value":"[redacted]"}');
  await expect.poll(() => JSON.stringify(logged)).toContain('asked for TOOL_TOKEN: [redacted]');
  expect(JSON.stringify(logged)).not.toMatch(/4f1c|canary/);
  for (const said of logged) expect(JSON.stringify(said).length).toBeLessThan(1_200);
});

test('its process is gone when a source is closed, also one that does not listen', async () => {
  for (const args of [[], ['stubborn']]) {
    const source = open(overStdio(...args));
    const pid = Number((await callTool(await source.list(never), 't_pid')).result);
    expect(runs(pid)).toBe(true);
    await source.close();
    await expect.poll(() => runs(pid)).toBe(false);
  }
});

test('a server that is not there is said to be so at once, without its address, and is not asked again and again', async () => {
  const server = await startMcpHttpServer();
  await server.close();
  const stopped = { ...systemClock, elapsed: () => 1 };
  const source = open(overHttp(server.url), [`127.0.0.1:${server.port}`], stopped);
  for (let asked = 0; asked < 20; asked += 1) {
    const failure: unknown = await source.list(never).catch((error: unknown) => error);
    expect(String(failure)).toBe("ToolError: The tool's server cannot be reached.");
  }
  expect(logged.filter((said) => JSON.stringify(said).includes('cannot be reached'))).toHaveLength(1);
});

test('a command that does not exist fails in words', async () => {
  const source = open({ kind: 'stdio', command: '/nonexistent/command', args: [], env: {}, cwd: null });
  await expect(source.list(never)).rejects.toThrow("The tool's server cannot be reached.");
});

test('headers go to the server, and to no other: its redirects are not followed', async () => {
  const seen: unknown[] = [];
  const server = await startMcpHttpServer({ before: ({ headers }) => seen.push(headers.authorization) === 0 });
  closers.push(server.close);
  const transport: McpTransport = { kind: 'http', url: server.url, headers: { authorization: `Bearer ${SECRET}` }, oauth: null };
  expect((await open(transport, [`127.0.0.1:${server.port}`]).list(never)).length).toBeGreaterThan(5);
  expect(new Set(seen)).toEqual(new Set([`Bearer ${SECRET}`]));
  const elsewhere = await startMcpHttpServer({
    before(_request, response) {
      response.writeHead(307, { location: server.url }).end();
      return true;
    },
  });
  closers.push(elsewhere.close);
  seen.length = 0;
  const led = open({ ...transport, url: elsewhere.url }, [`127.0.0.1:${elsewhere.port}`]);
  await expect(led.list(never)).rejects.toThrow('cannot be reached');
  expect(seen).toEqual([]);
});

/** An authorization server that gives the token `granted` to the client `me`. */
async function startAuthorizationServer() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
    response.setHeader('content-type', 'application/json');
    const issuer = `http://${request.headers.host}`;
    if (request.url === '/token') return void response.end(JSON.stringify({ access_token: 'granted-token', token_type: 'Bearer' }));
    const endpoints = { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` };
    response.end(
      JSON.stringify({ issuer, ...endpoints, response_types_supported: ['code'], grant_types_supported: ['client_credentials'] }),
    );
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** An MCP server that wants a token of the authorization server that it names. */
async function startGuarded(issuer: string) {
  const server = await startMcpHttpServer({
    before(request, response) {
      const own = `http://${request.headers.host}`;
      const metadata = '/.well-known/oauth-protected-resource/mcp';
      if (request.url === metadata) {
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ resource: `${own}/mcp`, authorization_servers: [issuer] }));
        return true;
      }
      if (request.headers.authorization === 'Bearer granted-token') return false;
      response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${own}${metadata}"` }).end();
      return true;
    },
  });
  closers.push(server.close);
  return server;
}

test('client credentials are exchanged for a token, with the issuer that is configured and no other', async () => {
  const { asked, issuer } = await startAuthorizationServer();
  const oauth = { issuer, clientId: 'me', clientSecret: SECRET, scope: null };
  const server = await startGuarded(issuer);
  const source = open({ kind: 'http', url: server.url, headers: {}, oauth }, ['127.0.0.1']);
  expect((await source.list(never)).length).toBeGreaterThan(5);
  expect(asked.filter((request) => request.startsWith('POST /token Basic '))).toHaveLength(1);
  const other = await startAuthorizationServer();
  const led = await startGuarded(other.issuer);
  await expect(open({ kind: 'http', url: led.url, headers: {}, oauth }, ['127.0.0.1']).list(never)).rejects.toThrow('cannot be reached');
  expect(other.asked.filter((request) => request.startsWith('POST'))).toEqual([]);
  expect(JSON.stringify(logged)).not.toContain('4f1c');
});
