import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { ann, append, begin, beginning, bob, elsewhere, ending, NOW, turn } from '../../../../test/contracts/store-fixtures.ts';
import { createTestDatabase, findTestServer, queryDatabase } from '../../../../test/support/test-database.ts';
import type { AgentId, RunId } from '../../../core/ids.ts';
import type { Store } from '../../../core/ports/store.ts';
import { searchWordsOf } from '../../../core/search-words.ts';
import { openConnection } from '../postgres/connection.ts';
import { openPostgresStore } from '../postgres/index.ts';
import { openSqliteStore } from '../sqlite/index.ts';
import { sessionOf, statementsOn } from '../sqlite/statements.ts';
import { migrate } from './migrations.ts';
import type { Session } from './session.ts';

const server = await findTestServer();
const log = { info: () => undefined, warn: () => undefined };

/** A store of version 2 in which `other` has a user with one ended and one unfinished run, and `empty` nobody. */
async function makeVersion2(session: Session): Promise<void> {
  await migrate(session, 2);
  const rows = [
    "insert into applications (id, number) values ('empty', 1), ('other', 2)",
    "insert into users (id, application_id, external_id, number) values ('u', 'other', 'ann', 3)",
    ...[1, 2].map(
      (
        n,
      ) => `insert into threads (key, id, number, user_id, tags, archived, metadata, next_seq, event_count, carried_turns, created_at, updated_at)
        values ('k${n}', 't${n}', ${n}, 'u', '[]', 0, '{}', 3, 0, 0, ${NOW - n}, ${NOW})`,
    ),
    ...[1, 2].map(
      (n) => `insert into runs (id, thread_key, user_id, message_id, answer_id, answer_seq, status, attempt, snapshot, created_at, ended_at)
        values ('r${n}', 'k${n}', 'u', 'm${n}', 'a${n}', 9, '${n === 1 ? 'completed' : 'queued'}', 0, '{"model":"demo","agent":"assistant-graph"}', ${NOW}, ${n === 1 ? NOW : null})`,
    ),
  ];
  for (const row of rows) await session.run(row, []);
  const begun = JSON.stringify({ run: { id: 'r2', snapshot: { agent: 'assistant-graph' } }, thread: { key: 'k2' } });
  await session.run(`insert into idempotency_keys values ('u', 'once', 'f', 'k2', '${begun}', ${NOW})`, []);
  await storeMessages(session);
}

/** Messages that a search can only find once it has been filled with what was stored before there was one. */
async function storeMessages(session: Session): Promise<void> {
  for (const [thread, title] of [
    ['k1', 'Early title'],
    ['k2', null],
  ] as const) {
    await session.run(`update threads set title = ${title === null ? 'null' : `'${title}'`} where key = '${thread}'`, []);
    for (let seq = 1; seq <= 5; seq += 1) {
      const parts = JSON.stringify([{ type: 'text', text: `Stored ${seq === 4 ? 'Ünique' : ''} ${thread}` }]);
      await session.run(
        `insert into messages (id, thread_key, seq, role, status, parts, created_at) values ('${thread}${seq}', '${thread}', ${seq}, 'user', 'completed', '${parts}', ${NOW})`,
        [],
      );
    }
  }
  await session.run(
    "insert into threads select 'closed', 'closed', 9, user_id, 'Early title', model, agent, tags, archived, metadata, head_id, next_seq, event_count, carried_head, carried_turns, created_at, updated_at, 5 from threads where key = 'k1'",
    [],
  );
}

/** Fills the search bit by bit, while threads are changed and deleted. */
async function checkFilled(store: Store): Promise<void> {
  const found = async (query: string) => {
    const threads = await store.listThreads(elsewhere, { words: searchWordsOf(query), limit: 9, cursor: null });
    return threads.map(({ key }) => key).toSorted();
  };
  expect(await found('stored')).toEqual([]);
  expect(await store.fillSearch(3)).toBe(true);
  expect([await found('early'), await found('stored'), await found('unique')]).toEqual([['k1'], ['k1'], []]);
  await store.changeThread({ owner: elsewhere, ref: { number: 1 }, changes: { title: 'Late title' }, now: NOW });
  for (let calls = 1; await store.fillSearch(3); calls += 1) expect(calls).toBeLessThan(9);
  expect([await found('stored'), await found('unique k1'), await found('unique')]).toEqual([['k1', 'k2'], ['k1'], ['k1', 'k2']]);
  expect([await found('early'), await found('late')]).toEqual([[], ['k1']]);
  expect(await store.fillSearch(3)).toBe(false);
  await store.closeThread({ owner: elsewhere, ref: { number: 1 }, now: NOW });
  await store.purgeThread(null);
  expect([await found('stored'), await found('late')]).toEqual([['k2'], []]);
}

/** What a store of version 2 is after this program has opened it. */
async function checkUpgraded(store: Store): Promise<void> {
  const tokens = { jwksUrl: null, sealedSecrets: [], issuer: null, audience: null };
  const made = await store.listApplications();
  expect(made[0]?.id).toBe('default');
  const named = (id: string) => ({ id, name: id, tier: null, tokens, createdAt: expect.any(Number) });
  expect(made.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
    named('default'),
    named('empty'),
    { ...named('other'), createdAt: NOW - 2 },
  ]);
  expect(made.every(({ createdAt }) => createdAt > Date.UTC(2024))).toBe(true);
  expect(await store.listKeys(null, { limit: 10, after: null })).toEqual([]);
  expect(await store.serverSecret()).toMatch(/^[0-9a-f]{64}$/);
  expect(await store.changeApplication(elsewhere.applicationId, { tier: 'gold' })).toMatchObject({ name: 'other', tier: 'gold' });
  const inOther = (application: number, owner = { ...elsewhere, userId: 'new' }) =>
    beginning({ owner, maxUnfinished: { user: 1, application } });
  expect(await store.beginRun(inOther(1))).toMatchObject({ kind: 'refused', reason: 'run_limit' });
  expect(await store.beginRun(inOther(9, elsewhere))).toMatchObject({ kind: 'refused', reason: 'run_limit' });
  const { run } = await begin(store, inOther(2));
  await append(store, { ends: [ending(run, 2)] });
  for (const owner of [ann, bob]) await begin(store, { owner, maxUnfinished: { user: 1, application: 2 } });
}

/** Runs from before agents had versions: nothing but the agent's name was stored. */
async function checkNamedAgents(store: Store): Promise<void> {
  const agent = { id: '', name: 'assistant-graph', version: 0 };
  const [ended, queued] = ['r1' as RunId, 'r2' as RunId];
  for (const id of [ended, queued]) expect((await store.findRun(elsewhere, id))?.snapshot.agent).toEqual(agent);
  const repeated = await store.beginRun(beginning({ owner: elsewhere, idempotency: { key: 'once', fingerprint: 'f' } }));
  expect(repeated).toMatchObject({ kind: 'replayed', run: { id: queued, snapshot: { agent } } });
  expect(await store.findAgentVersion('' as AgentId, 0)).toBeNull();
  const cancelled = await store.cancelRun({ owner: elsewhere, runId: queued, now: NOW });
  expect(cancelled).toMatchObject({ status: 'cancelled', snapshot: { agent } });
}

test('an embedded store of version 2 goes on with what it holds', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'polylogue-upgrade-'));
  const database = new DatabaseSync(join(dataDir, 'polylogue.db'));
  await makeVersion2(sessionOf(statementsOn(database)));
  database.close();
  const store = await openSqliteStore({ dataDir });
  await checkUpgraded(store);
  await checkNamedAgents(store);
  await checkFilled(store);
  await store.close();
  await rm(dataDir, { recursive: true });
});

test.skipIf(server === null)('a PostgreSQL store of version 2 goes on with what it holds', async () => {
  const { url, drop } = await createTestDatabase(server ?? '');
  const connection = await openConnection(url);
  await connection.execute('create schema polylogue');
  await makeVersion2(connection.session);
  await connection.close();
  const store = await openPostgresStore({ url, log });
  await checkUpgraded(store);
  await checkNamedAgents(store);
  await checkFilled(store);
  // A text that fits a page lies there as it is, a longer one compressed.
  for (const characters of [5_000, 50_000]) await turn(store, {}, 'w'.repeat(characters));
  const places =
    'select pg_column_compression(parts) is null as plain from polylogue.messages where length(parts) > 4000 order by length(parts)';
  expect(await queryDatabase(url, places)).toEqual([{ plain: true }, { plain: false }]);
  await store.close();
  await drop();
});
