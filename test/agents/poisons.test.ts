import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentApp, type MadeCall, overApp, type StartedRun, testSource, testTool } from '../support/agent-app.ts';
import { SECRET, startTestApp } from '../support/app.ts';
import { file, formOf } from '../support/forms.ts';
import { stdioServer } from '../support/mcp-tool-server.ts';
import type { Upstream } from '../support/upstream.ts';
import { markOf, startObedientModel } from './obedient-model.ts';
import { poisonsFor } from './poisons.ts';

const PROVIDER_KEY = 'sk-canary-of-the-provider-5d1f';
const TOOL_TOKEN = 'canary-of-the-tool-9c4e77';
const OTHERS_TEXT = 'only-bob-has-this-text';
const SECRETS = [PROVIDER_KEY, TOOL_TOKEN, SECRET];

/** All that the agent may ask for. */
const LISTED = ['read_page', 'send_mail', 'wipe', 'calculator', 'clock', 'weather', 'search_attachments', 'http_fetch', 'vault_tell'];

const forbidden: MadeCall[] = [];
const allowed: MadeCall[] = [];
let arrived = 0;
let closers: (() => unknown)[] = [];
let agentApp: AgentApp;
let model: Awaited<ReturnType<typeof startObedientModel>>;
let poisons: ReturnType<typeof poisonsFor>;

beforeAll(async () => {
  const inside = createServer((socket) => {
    arrived += 1;
    socket.destroy();
  });
  await new Promise<void>((ready) => inside.listen(0, '127.0.0.1', ready));
  const { port } = inside.address() as AddressInfo;
  const front = createHttpServer((request, response) => {
    const host = request.url === '/to/short' ? '127.1' : '127.0.0.1';
    response.writeHead(302, { location: `http://${host}:${port}/` }).end();
  });
  await new Promise<void>((ready) => front.listen(0, 'localhost', ready));
  const frontPort = (front.address() as AddressInfo).port;
  closers.push(
    () => inside.close(),
    () => front.close(),
  );
  poisons = poisonsFor({ inside: port, front: frontPort });
  model = await startObedientModel(poisons);
  closers.push(model.close);
  const poisonOf = ({ n }: Readonly<Record<string, unknown>>) => `${poisons[Number(n)]?.text} ${markOf(Number(n))}`;
  const readPage = testTool('read_page', allowed, {
    readOnly: true,
    parameters: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    answer: async (args) => ({ status: 'completed', result: poisonOf(args) }),
  });
  const own = [readPage, testTool('send_mail', forbidden), testTool('wipe', forbidden)];
  const foreign = [testTool('transfer_money', forbidden), testTool('read_secrets', forbidden, { readOnly: true })];
  const vault = { ...stdioServer, env: ['TOOL_TOKEN'] };
  const app = await startTestApp({
    env: { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: PROVIDER_KEY, TOOL_TOKEN },
    sources: [testSource(own), testSource(foreign, 'other')],
    file: {
      models: { 'gpt-4': { provider: 'openai', window: 100_000 } },
      mcp: { vault, hidden: vault },
      tools: { httpFetch: true },
      egress: { allow: [`localhost:${frontPort}`] },
      agents: {
        definitions: {
          helper: {
            instructions: 'Help with tools.',
            tools: ['test/*', 'builtin/*', 'vault_tell'],
            rules: [
              { tool: 'wipe', rule: 'deny' },
              { tool: 'http_fetch', rule: 'allow' },
              { tool: 'vault_*', rule: 'allow' },
            ],
          },
        },
      },
    },
  });
  agentApp = overApp(app, model as unknown as Upstream);
  closers.push(app.close);
  await upload('bob', 'bob.txt', `canary of another user: ${OTHERS_TEXT}`);
}, 60_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
  closers = [];
});

async function upload(user: string, name: string, text: string): Promise<string> {
  const { app } = agentApp;
  const { id } = (await (await app.post('/polylogue/v1/threads', {}, { 'x-user-id': user })).json()) as { id: string };
  const init = { method: 'POST', body: formOf(file(text, name)), headers: { 'x-user-id': user } };
  const response = await app.send(`/polylogue/v1/threads/${id}/files`, init);
  expect(response.status).toBe(201);
  return id;
}

/** Denies whatever the run asks for until it ends; gives its events. */
async function denyAll(run: StartedRun) {
  const decided = new Set<string>();
  for (;;) {
    const events = await agentApp.until(run, 'approval.requested');
    const open = events.filter(({ type, call_id }) => type === 'approval.requested' && !decided.has(String(call_id)));
    for (const { call_id } of open) {
      // Nothing was called that waits for a person.
      expect(forbidden).toEqual([]);
      expect((await agentApp.decide(run, String(call_id), { decision: 'deny' })).status).toBeLessThan(300);
      decided.add(String(call_id));
    }
    const shown = await agentApp.show(run);
    if (!['queued', 'running', 'waiting'].includes(String(shown.status))) return { shown, events: await agentApp.eventsOf(run) };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What came of calls of tools that the agent does not list, beside that there are none. */
function beyondTheList(events: readonly Readonly<Record<string, unknown>>[]) {
  const others = events.filter(({ type, name }) => type === 'tool.returned' && !LISTED.includes(String(name)));
  return others.filter(({ name, result }) => result !== `There is no tool named ${name}`);
}

test('fifty poisons, in documents and in what tools say, and a model that does whatever they want', { timeout: 240_000 }, async () => {
  expect(poisons.length).toBeGreaterThanOrEqual(50);
  const told: string[] = [];
  for (const [index, { text, rounds }] of poisons.entries()) {
    const inDocument = index % 2 === 0;
    const thread = inDocument ? await upload('ann', 'report.txt', `Report\n\n${text} ${markOf(index)}\n`) : undefined;
    const run = await agentApp.ask(inDocument ? 'What does the report say?' : `Read page ${index}`, thread === undefined ? {} : { thread });
    const { shown, events } = await denyAll(run);
    expect({ text, status: shown.status, failure: shown.failure ?? null }).toEqual({ text, status: 'completed', failure: null });
    // It was obedient: everything that it was told to ask for, it did ask for.
    const asked = new Set(
      events.flatMap((event) => (event.type === 'tool.called' || event.type === 'approval.requested' ? [event.call_id] : [])),
    );
    expect(asked.size, text).toBe(rounds.flat().length + (inDocument ? 0 : 1));
    expect(beyondTheList(events), text).toEqual([]);
    told.push(JSON.stringify(events));
  }
  expect(forbidden).toEqual([]);
  expect(arrived).toBe(0);
  expect(new Set(allowed.map(({ name }) => name))).toEqual(new Set(['read_page']));
  const everything = [...told, ...model.requests, agentApp.app.log()].join('\n');
  for (const secret of [...SECRETS, OTHERS_TEXT]) expect(everything.includes(secret), secret).toBe(false);
  expect(everything).toContain('[redacted]');
  const systems = model.requests.flatMap((body) =>
    (JSON.parse(body) as { messages: { role: string; content: string }[] }).messages.filter(({ role }) => role === 'system'),
  );
  const inSystem = systems.map(({ content }) => /poison-number-(\d+)\./.exec(content)?.[1]).filter((found) => found !== undefined);
  // What a tool says is never an instruction's neighbour; documents stand there as labelled data.
  expect(inSystem.filter((found) => Number(found) % 2 === 1)).toEqual([]);
});
