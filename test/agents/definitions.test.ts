import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agentApps, asking, type MadeCall, testSource, testTool } from '../support/agent-app.ts';
import type { TestApp } from '../support/app.ts';
import { answer } from '../support/upstream.ts';

const start = agentApps();
const AGENTS = '/polylogue/v1/agents';
const body = { name: 'scribe', instructions: 'You write.', tools: ['test/*'], rules: [{ tool: 'write', rule: 'allow' }] };

async function json(response: Promise<Response>): Promise<{ status: number } & Record<string, unknown>> {
  const answered = await response;
  const text = await answered.text();
  return { ...(text === '' ? {} : JSON.parse(text)), status: answered.status };
}
const change = (app: TestApp, id: unknown, changes: object) =>
  json(app.send(`${AGENTS}/${id}`, { method: 'PATCH', body: JSON.stringify(changes), headers: { 'content-type': 'application/json' } }));
const namesOf = async (app: TestApp, headers: Record<string, string> = {}) =>
  ((await json(app.send(AGENTS, { headers }))).data as { name: string }[]).map(({ name }) => name);

test('an application makes an agent, changes it version by version and deletes it; its runs keep theirs', async () => {
  const calls: MadeCall[] = [];
  const { app, ask, eventsOf, sent, show } = await start([asking([{ name: 'write' }]), answer(['One.']), answer(['Two.'])], {
    sources: [testSource([testTool('write', calls)])],
  });
  const made = await json(app.post(AGENTS, body));
  expect(made).toMatchObject({ status: 201, name: 'scribe', version: 1, step_limit: 25, built_in: false, runtime: 'loop' });
  expect(await json(app.post(AGENTS, body))).toMatchObject({ status: 409, code: 'state_conflict' });
  const first = await ask('Write', { agent: 'scribe' });
  await eventsOf(first);
  expect(calls).toHaveLength(1);
  expect(await change(app, made.id, { instructions: 'You write well.' })).toMatchObject({ status: 200, version: 2, tools: ['test/*'] });
  expect(await change(app, made.id, { instructions: 'You write well.' })).toMatchObject({ version: 2 });
  expect(await change(app, made.id, { name: 'writer', version: 1 })).toMatchObject({ status: 409 });
  const second = await ask('Write', { agent: String(made.id) });
  await eventsOf(second);
  expect(sent(2)[0]).toEqual({ role: 'system', content: 'You write well.' });
  expect([await show(first), await show(second)]).toMatchObject([{ agent_version: 1 }, { agent_version: 2 }]);
  const versions = (await json(app.send(`${AGENTS}/${made.id}/versions`))).data as { version: number }[];
  expect(versions.map(({ version }) => version)).toEqual([2, 1]);
  expect((await app.send(`${AGENTS}/${made.id}`, { method: 'DELETE' })).status).toBe(204);
  expect(await json(app.send(`${AGENTS}/${made.id}`))).toMatchObject({ status: 404, code: 'agent_not_found' });
  await expect(ask('Write', { agent: 'scribe' })).rejects.toThrow('agent_unknown');
  expect(await show(first)).toMatchObject({ agent: 'scribe', status: 'completed' });
});

test('a thread whose agent is gone goes on without it', async () => {
  const { app, sent } = await start([answer(['As a scribe.']), answer(['Alone.'])]);
  const made = await json(app.post(AGENTS, { ...body, tools: [] }));
  const thread = await json(app.post('/polylogue/v1/threads', { agent: 'scribe' }));
  const ask = (text: string) => json(app.post(`/polylogue/v1/threads/${thread.id}/runs`, { text }, { prefer: 'respond-sync' }));
  const first = await ask('Hello');
  expect((await app.send(`${AGENTS}/${made.id}`, { method: 'DELETE' })).status).toBe(204);
  const second = await ask('And now?');
  expect([sent(0)[0]?.content, sent(1)[0]]).toEqual(['You write.', { role: 'user', content: 'Hello' }]);
  expect([first, second]).toMatchObject([{ agent: 'scribe' }, { agent: null, status: 200 }]);
});

test('agents of another application are like ids and names that nobody ever used; those of the settings are for all', async () => {
  const { app } = await start([answer(['Hi.'])]);
  const made = await json(app.post(AGENTS, body));
  const authorization = `Bearer ${await app.foreignKey()}`;
  const answers = [];
  for (const name of [made.id, '00000000-0000-7000-8000-000000000000', 'scribe', 'nobody']) {
    const response = await app.send(`${AGENTS}/${name}`, { headers: { authorization } });
    answers.push(`${response.status} ${(await response.text()).replace(/"request_id":"[^"]*"/, '')}`);
  }
  expect(new Set(answers).size).toBe(1);
  expect(await namesOf(app, { authorization })).toEqual(['assistant', 'assistant-graph', 'helper']);
  expect(await namesOf(app)).toEqual(['assistant', 'assistant-graph', 'helper', 'scribe']);
  const helper = await json(app.send(`${AGENTS}/helper`));
  expect(await change(app, helper.id, { instructions: 'x' })).toMatchObject({ status: 409, code: 'state_conflict' });
  expect((await app.send(`${AGENTS}/${helper.id}`, { method: 'DELETE' })).status).toBe(409);
});

test('an agent that has left the settings is gone, and back with its next version when they name it again', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-'));
  const seen = [];
  for (const [name, instructions] of [
    ['gardener', 'Dig.'],
    ['cook', 'Cook.'],
    ['gardener', 'Sow.'],
  ] as const) {
    const { app, close } = await start([answer(['Hi.'])], {
      dataDir,
      file: { agents: { definitions: { [name]: { instructions } } } },
    });
    const { status, version } = await json(app.send(`${AGENTS}/gardener`));
    seen.push([status, version, await namesOf(app)]);
    await close();
  }
  await rm(dataDir, { recursive: true });
  expect(seen).toEqual([
    [200, 1, ['assistant', 'assistant-graph', 'gardener']],
    [404, undefined, ['assistant', 'assistant-graph', 'cook']],
    [200, 2, ['assistant', 'assistant-graph', 'gardener']],
  ]);
});

test("what an agent is told is for a server's key only, and nobody else changes it", async () => {
  const { app } = await start([answer(['Hi.'])]);
  const made = await json(app.post(AGENTS, body));
  const users = { authorization: `Bearer ${await app.token('ann')}` };
  const shown = await json(app.send(`${AGENTS}/${made.id}`, { headers: users }));
  expect(shown).toMatchObject({ status: 200, name: 'scribe' });
  expect(shown).not.toHaveProperty('instructions');
  expect((await app.post(AGENTS, body, users)).status).toBe(403);
  expect((await app.send(`${AGENTS}/${made.id}`, { method: 'DELETE', headers: users })).status).toBe(403);
});

test.each([
  { ...body, name: '' },
  { ...body, name: '0190a2b4-0000-7000-8000-000000000000' },
  { ...body, name: '../x' },
  { ...body, runtime: 'langgraph' },
  { ...body, module: '/etc/passwd' },
  { ...body, tools: ['test/../*'] },
  { ...body, rules: [{ tool: 'write', rule: 'sometimes' }] },
  { ...body, step_limit: 1_000 },
  { ...body, model: 'nope' },
])('a definition that is none is refused: %j', async (definition) => {
  const { app } = await start([answer(['Hi.'])]);
  expect((await app.post(AGENTS, definition)).status).toBe(422);
  expect(await namesOf(app)).not.toContain(definition.name);
});
