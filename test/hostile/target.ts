import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { doors } from '../../src/app.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import type { Known } from './examples.ts';
import { type Route, recordRoutes } from './routes.ts';

/** A server with the conversations of two users in it, that is to be attacked. */
export interface Target {
  readonly app: TestApp;
  readonly routes: readonly Route[];
  /** Two users of one application, each with a thread that has one completed run. */
  readonly ann: Known;
  readonly bob: Known;
  /** Stops the server and tells how many rows of each table came or went meanwhile; nothing when none did. */
  stopAndCompare(): Promise<readonly string[]>;
}

/** Tables that remember callers, not what they store. */
const IGNORED_TABLES = ['users'];

/** Starts it with both conversations stored, as of another process. */
export async function startTarget(): Promise<Target> {
  const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-hostile-'));
  const first = await startTestApp({ dataDir });
  const ann = await converse(first, 'ann');
  const bob = await converse(first, 'bob');
  await first.close();
  const before = countRows(dataDir);
  const routes: Route[] = [];
  const app = await startTestApp({ dataDir, dialects: recordRoutes(doors, routes) });
  return {
    app,
    routes,
    ann,
    bob,
    async stopAndCompare() {
      await app.close();
      const after = countRows(dataDir);
      await rm(dataDir, { recursive: true, force: true });
      return [...after].flatMap(([table, rows]) => (rows === before.get(table) ? [] : [`${table}: ${before.get(table)} → ${rows}`]));
    },
  };
}

async function converse(app: TestApp, user: string): Promise<Known> {
  const authorization = `Bearer ${await app.token(user)}`;
  const body = { model: 'gpt-4', messages: [{ role: 'user', content: `The secret of ${user}` }] };
  const answer = await app.post('/v1/chat/stream', body, { authorization });
  await answer.text();
  const id = (name: string) => answer.headers.get(name) ?? '';
  const shown = await app.send(`/polylogue/v1/runs/${id('x-run-id')}`, { headers: { authorization } });
  const run = (await shown.json()) as { message_id: string };
  return {
    thread_id: id('x-thread-id'),
    run_id: id('x-run-id'),
    request_id: id('x-run-id'),
    user_id: user,
    session_id: id('x-session-id'),
    message_id: run.message_id,
  };
}

function countRows(dataDir: string): Map<string, number> {
  const database = new DatabaseSync(join(dataDir, 'polylogue.db'), { readOnly: true });
  const tables = database.prepare("select name from sqlite_master where type = 'table' order by name").all();
  const counts = tables
    .map(({ name }) => String(name))
    .filter((name) => !name.startsWith('sqlite_') && !IGNORED_TABLES.includes(name))
    .map((name): [string, number] => [name, Number(database.prepare(`select count(*) as rows from "${name}"`).get()?.rows)]);
  database.close();
  return new Map(counts);
}
