import { expect, test, vi } from 'vitest';
import { agentApps, agentFile, asking } from '../support/agent-app.ts';
import { startMcpHttpServer, stdioServer } from '../support/mcp-tool-server.ts';
import { answer } from '../support/upstream.ts';

// Most tests start programs.
vi.setConfig({ testTimeout: 60_000 });

const start = agentApps();
const done = answer(['Done.']);

/** A server with an MCP server named `t`, all of whose tools its agent may call. */
function file(server: object, { callSeconds = 60, ...agent }: { readonly callSeconds?: number; readonly rules?: readonly object[] } = {}) {
  const rules = [{ tool: 't_*', rule: 'allow' }];
  return { ...agentFile({ tools: ['t/*'], rules, ...agent }, { callSeconds }), mcp: { t: server } };
}

const returnsOf = (events: readonly Readonly<Record<string, unknown>>[]) =>
  events.flatMap(({ type, name, status, result }) => (type === 'tool.returned' ? [{ name, status, result }] : []));

test('what an MCP server said comes into the answer, cut at 1 MB, and a server that dies fails one call only', async () => {
  const scripts = [
    asking([{ name: 't_big', args: { bytes: 5_000_000 } }, { name: 't_die' }]),
    asking([{ name: 't_refuse' }, { name: 't_pid' }]),
    done,
  ];
  const { ask, eventsOf, sent } = await start(scripts, { file: file(stdioServer) });
  const [one, two, ...others] = returnsOf(await eventsOf(await ask('Go on')));
  const [big, died] = one?.name === 't_big' ? [one, two] : [two, one];
  expect(died).toEqual({ name: 't_die', status: 'failed', result: expect.stringContaining('whether the call took effect is not known') });
  expect(Buffer.byteLength(String(big?.result))).toBeLessThanOrEqual(1_048_576);
  expect(others.map(({ name, status }) => [name, status]).sort()).toEqual([
    ['t_pid', 'completed'],
    ['t_refuse', 'failed'],
  ]);
  expect(JSON.stringify(sent(2))).toContain('no, not today');
});

test('a call ends when its time is over, its server hears of it, and progress is more time', async () => {
  const scripts = [asking([{ name: 't_never' }, { name: 't_step', args: { steps: 5, ms: 800 } }]), asking([{ name: 't_cancelled' }]), done];
  const { ask, eventsOf, show } = await start(scripts, { file: file(stdioServer, { callSeconds: 3 }) });
  const run = await ask('Go on');
  const returned = returnsOf(await eventsOf(run));
  expect(returned).toContainEqual({ name: 't_never', status: 'failed', result: expect.stringContaining('did not answer in time') });
  expect(returned).toContainEqual({ name: 't_step', status: 'completed', result: 'done' });
  expect(returned).toContainEqual({ name: 't_cancelled', status: 'completed', result: '1' });
  expect(await show(run)).toMatchObject({ status: 'completed' });
});

test('cancelling a run reaches the tool that it waits for', async () => {
  const server = await startMcpHttpServer();
  const { app, ask, until, eventsOf } = await start([asking([{ name: 't_never' }])], { file: file({ url: server.url }) });
  const run = await ask('Go on');
  await until(run, 'tool.called');
  await expect.poll(server.waiting).toBe(1);
  await app.post(`/polylogue/v1/runs/${run.id}/cancel`, {}, { 'x-user-id': run.user });
  expect((await eventsOf(run)).at(-1)?.type).toBe('run.cancelled');
  await expect.poll(server.cancelled).toBe(1);
  await server.close();
});

test('a tool that is no longer what its agent has trusted asks, shows both, and is trusted again when it was approved', async () => {
  const using = [asking([{ name: 't_mutable' }]), done];
  const scripts = [
    asking([{ name: 't_mutable' }]),
    asking([{ name: 't_change' }]),
    done,
    ...Array.from({ length: 30 }, () => using).flat(),
  ];
  const server = await startMcpHttpServer();
  const { ask, until, eventsOf, decide } = await start(scripts, { file: file({ url: server.url }) });
  expect(returnsOf(await eventsOf(await ask('One'))).map(({ status }) => status)).toEqual(['completed', 'completed']);
  let run = await ask('Two');
  const change = async () => (await until(run, 'approval.requested')).find(({ type }) => type === 'approval.requested');
  // The news takes its time.
  for (let tries = 0; tries < 20 && (await change()) === undefined; tries += 1) run = await ask('Two');
  const asked = await change();
  expect(asked).toMatchObject({ name: 't_mutable', change: { before: { description: 'Edition 1' }, after: { description: 'Edition 2' } } });
  expect((await decide(run, String(asked?.call_id), { decision: 'approve' })).status).toBeLessThan(300);
  expect(returnsOf(await eventsOf(run))).toEqual([{ name: 't_mutable', status: 'completed', result: 'ok' }]);
  const events = await eventsOf(await ask('Three'));
  expect(events.map(({ type }) => type)).not.toContain('approval.requested');
  expect(returnsOf(events)).toEqual([{ name: 't_mutable', status: 'completed', result: 'ok' }]);
  await server.close();
});

test('while a server cannot be reached its tools are not there, and the answer says so', async () => {
  const server = await startMcpHttpServer();
  await server.close();
  const { ask, eventsOf, show } = await start([asking([{ name: 't_pid' }]), done], { file: file({ url: server.url }) });
  const run = await ask('Go on');
  expect(returnsOf(await eventsOf(run))).toEqual([
    { name: 't_pid', status: 'failed', result: expect.stringContaining("The tool's server cannot be reached") },
  ]);
  expect(await show(run)).toMatchObject({ status: 'completed' });
});

test('a server that is for other applications is not there for this one', async () => {
  const server = { ...stdioServer, applications: ['other'] };
  const scripts = [asking([{ name: 't_refuse' }]), done, asking([{ name: 't_refuse' }]), done];
  const { app, ask, eventsOf } = await start(scripts, { file: file(server) });
  const own = returnsOf(await eventsOf(await ask('Go on')));
  expect(own).toEqual([{ name: 't_refuse', status: 'failed', result: 'There is no tool named t_refuse' }]);
  const authorization = `Bearer ${await app.foreignKey()}`;
  const { id } = (await (await app.post('/polylogue/v1/threads', {}, { authorization })).json()) as { id: string };
  const body = { text: 'Go on', agent: 'helper' };
  const answered = await app.post(`/polylogue/v1/threads/${id}/runs`, body, { authorization, prefer: 'respond-sync' });
  expect(await answered.text()).toContain('no, not today');
});
