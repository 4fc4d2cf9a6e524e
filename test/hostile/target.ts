import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { doors } from '../../src/app.ts';
import { type ApplicationId, DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import { SCOPES } from '../../src/core/principal.ts';
import { forecaster } from '../support/agent-gifts.ts';
import { startTestApp, type TestApp, type TestAppOptions } from '../support/app.ts';
import { file, formOf } from '../support/forms.ts';
import { createTestDatabase } from '../support/test-database.ts';
import type { Known } from './examples.ts';
import { type Route, recordRoutes } from './routes.ts';
import { readRows, rowsGone, type StoredRows } from './stored-rows.ts';

/** A server with the conversations of two users in it, that is to be attacked. */
export interface Target {
  readonly app: TestApp;
  readonly routes: readonly Route[];
  /** Two users of one application, each with a thread that has one completed run. */
  readonly ann: Known;
  readonly bob: Known;
  /** A server's key of another application, with every scope. */
  readonly foreignKey: string;
  /** A key of the first application that is bob's. */
  readonly bobsKey: string;
  /** Stops the server and tells which rows came, went or changed meanwhile; nothing when none did. */
  stopAndCompare(): Promise<readonly string[]>;
  /** Stops the server and tells which rows of before went or changed; new ones may have come. */
  stopAndFindLost(): Promise<readonly string[]>;
  /** Stops the server and removes what it stored. */
  close(): Promise<void>;
}

/** What `foreignKey` of a test's server makes. */
export const OTHER_APPLICATION = 'other' as ApplicationId;

const agents = { agents: { definitions: { forecaster } } };

let postgresServer: string | null = null;

/** From now on the targets of this test file store in databases of this PostgreSQL server. */
export function storeTargetsIn(server: string): void {
  postgresServer = server;
}

/** Starts an empty server that stores where the targets of this test file do; what it stored goes when it is closed. */
export async function startAttacked(options: Omit<TestAppOptions, 'dataDir' | 'databaseUrl'> = {}): Promise<TestApp> {
  if (postgresServer === null) return startTestApp(options);
  const database = await createTestDatabase(postgresServer);
  const app = await startTestApp({ ...options, databaseUrl: database.url });
  return { ...app, close: () => app.close().finally(database.drop) };
}

/** Starts it with both conversations stored, as of another process; the attacked one with these settings. */
export async function startTarget(options: Pick<TestAppOptions, 'env' | 'file'> = {}): Promise<Target> {
  const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-hostile-'));
  const database = postgresServer === null ? null : await createTestDatabase(postgresServer);
  const place = { dataDir, ...(database && { databaseUrl: database.url }) };
  const first = await startTestApp({ ...place, file: agents });
  const ann = await converse(first, 'ann');
  const bob = await converse(first, 'bob');
  await first.foreignKey();
  const foreignKey = await first.key({ applicationId: OTHER_APPLICATION, scopes: [...SCOPES] });
  const bobsKey = await first.key({ userId: 'bob', scopes: ['read', 'write'] });
  await first.close();
  const before = await readRows(place);
  const routes: Route[] = [];
  const file = { ...agents, ...options.file };
  const app = await startTestApp({ ...options, ...place, file, dialects: recordRoutes(doors, routes) });
  const stop = async (): Promise<StoredRows> => {
    await app.close();
    return readRows(place);
  };
  return {
    app,
    routes,
    ann,
    bob,
    foreignKey,
    bobsKey,
    async stopAndCompare() {
      const after = await stop();
      return [...rowsGone(before, after).map((row) => `- ${row}`), ...rowsGone(after, before).map((row) => `+ ${row}`)];
    },
    stopAndFindLost: async () => rowsGone(before, await stop()),
    async close() {
      await app.close();
      await database?.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Holds a conversation of one turn, whose text holds `secret of <user>`, and makes a key. */
export async function converse(app: TestApp, user: string): Promise<Known> {
  const authorization = `Bearer ${await app.token(user)}`;
  const body = { model: 'gpt-4', messages: [{ role: 'user', content: `The secret of ${user}` }] };
  const answer = await app.post('/v1/chat/stream', body, { authorization });
  await answer.text();
  const id = (name: string) => answer.headers.get(name) ?? '';
  const shown = await app.send(`/polylogue/v1/runs/${id('x-run-id')}`, { headers: { authorization } });
  const run = (await shown.json()) as { message_id: string };
  const storing = await app.post(
    '/polylogue/v1/prompts',
    { title: `T of ${user}`, content: `The secret of ${user}`, scenario: 's' },
    { authorization },
  );
  const prompt = (await storing.json()) as { id: string };
  const listed = await app.send('/v1/chat/prompts?include_templates=false', { headers: { authorization } });
  const { items } = (await listed.json()) as { items: readonly { id: number }[] };
  const { key } = await app.access.createKey({ applicationId: DEFAULT_APPLICATION, name: `Key of ${user}` });
  return {
    thread_id: id('x-thread-id'),
    run_id: id('x-run-id'),
    request_id: id('x-run-id'),
    conversation_id: id('x-thread-id'),
    user_id: user,
    session_id: id('x-session-id'),
    message_id: run.message_id,
    key_id: key.id,
    file_id: await addFile(app, id('x-thread-id'), user),
    prompt_id: String(items[0]?.id),
    prompt_uuid: prompt.id,
    agent_id: await addAgent(app, user),
    asked_run_id: await approveCall(app, authorization),
  };
}

let made = 0;

/** Makes an agent of the first application, whose name is its own. */
async function addAgent(app: TestApp, user: string): Promise<string> {
  made += 1;
  const added = await app.post('/polylogue/v1/agents', { name: `Agent ${made} of ${user}`, tools: ['clock'] });
  return ((await added.json()) as { id: string }).id;
}

/** Has a call made that somebody was asked about, waits for the end of its run, and gives its id. */
async function approveCall(app: TestApp, authorization: string): Promise<string> {
  const headers = { authorization };
  const json = async (response: Promise<Response>) => JSON.parse(await (await response).text());
  const thread = await json(app.post('/polylogue/v1/threads', {}, headers));
  const body = { text: 'What is the weather like in Berlin?', agent: 'forecaster' };
  const run = await json(app.post(`/polylogue/v1/threads/${thread.id}/runs`, body, headers));
  const path = `/polylogue/v1/runs/${run.id}`;
  for (let callId: string | null = null; ; ) {
    const { data, ended } = await json(app.send(`${path}/events?wait=false`, { headers }));
    const question = data.find(({ type }: { type: string }) => type === 'approval.requested');
    if (ended && callId !== null) return run.id;
    if (question && callId === null) {
      callId = String(question.call_id);
      await json(app.post(`${path}/approvals/${callId}`, { decision: 'approve' }, headers));
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Adds a file to a user's thread whose text holds `secret of <user>`. */
async function addFile(app: TestApp, thread: string, user: string): Promise<string> {
  const headers = { authorization: `Bearer ${await app.token(user)}` };
  const body = formOf(file(`The secret of ${user}, in a file`, `secret of ${user}.txt`));
  const added = await app.send(`/polylogue/v1/threads/${thread}/files`, { method: 'POST', headers, body });
  return ((await added.json()) as { id: string }).id;
}
