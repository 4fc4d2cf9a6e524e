import { afterEach, expect, test } from 'vitest';
import { asking, type NativeEvent } from '../support/agent-app.ts';
import { startMcpHttpServer } from '../support/mcp-tool-server.ts';
import { createServerDirectory, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { createTestDatabase, findTestServer } from '../support/test-database.ts';
import { answer, startUpstream } from '../support/upstream.ts';

const SECRET = 'b7f04c9d2e6a4815a3c0d9f17e5b8264';
const postgres = await findTestServer();

let clean: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of clean.reverse()) await step();
  clean = [];
});

async function eventsOf(server: ServerProcess, run: string): Promise<readonly NativeEvent[]> {
  return JSON.parse(await (await server.send(`/polylogue/v1/runs/${run}/events?wait=false`)).text()).data;
}

test.for(['is started again', 'has another one beside it'])(
  'a server that is killed in the middle of a call that changes something, and %s: the call is made once, and the answer goes on',
  { timeout: 120_000 },
  async (after, { skip }) => {
    const alone = after === 'is started again';
    if (!alone && postgres === null) skip();
    const tools = await startMcpHttpServer();
    const upstream = await startUpstream(asking([{ id: 'call_n', name: 'trouble_never' }]), answer(['Nobody knows.']));
    const helper = { tools: ['trouble/*'], rules: [{ tool: 'trouble_never', rule: 'allow' }] };
    const { directory, remove } = await createServerDirectory({
      models: { 'gpt-4': { provider: 'openai' } },
      mcp: { trouble: { url: tools.url } },
      agents: { definitions: { helper } },
    });
    const database = alone ? null : await createTestDatabase(postgres ?? '');
    clean.push(
      async () => database?.drop(),
      remove,
      () => upstream.close(),
      () => tools.close(),
    );
    const start = async () => {
      const env = { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_API_KEY: 'k' };
      const shared = database ? { DATABASE_URL: database.url, JWT_SECRET_KEY: SECRET } : null;
      const server = await startServerProcess({ directory, env: { ...env, ...shared } });
      clean.push(() => server.stop('SIGKILL'));
      return server;
    };

    const dying = await start();
    const beside = database && (await start());
    const thread = JSON.parse(await (await dying.post('/polylogue/v1/threads', {})).text()).id;
    const started = await dying.post(`/polylogue/v1/threads/${thread}/runs`, { text: 'Go', agent: 'helper' });
    const { id: run } = JSON.parse(await started.text());
    await expect.poll(() => tools.waiting(), { timeout: 60_000 }).toBe(1);
    await dying.stop('SIGKILL');

    const living = beside ?? (await start());
    await expect.poll(async () => (await eventsOf(living, run)).at(-1)?.type, { timeout: 90_000 }).toBe('run.completed');
    const events = await eventsOf(living, run);
    expect(events.map(({ type }) => type).filter((type) => type !== 'usage.recorded')).toEqual([
      'run.started',
      'tool.called',
      'run.restarted',
      'tool.returned',
      'text.appended',
      'run.completed',
    ]);
    expect(events.map(({ offset }) => offset)).toEqual(events.map((_event, index) => index + 1));
    expect(events.find(({ type }) => type === 'tool.returned')).toMatchObject({ call_id: 'call_n', status: 'failed' });
    expect(tools.waiting()).toBe(1);
    expect(JSON.stringify(upstream.requests.at(-1)?.body)).toContain('it may have happened, or not');
  },
);
