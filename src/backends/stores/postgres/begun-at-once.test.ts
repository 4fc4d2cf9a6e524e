import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ann, begin, beginning, newThread, question, typesOf } from '../../../../test/contracts/store-fixtures.ts';
import { createTestDatabase, findTestServer, queryDatabase } from '../../../../test/support/test-database.ts';
import type { Store } from '../../../core/ports/store.ts';
import { searchWordsOf } from '../../../core/search-words.ts';
import { openPostgresStore } from './index.ts';

const server = await findTestServer();
const WAITING = "select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

/** Calls back with somebody's transaction that has locked a thread until then. */
async function whileLocked<T>(thread: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query('select from polylogue.threads where key = $1 for update', [thread]);
    return await work(client);
  } finally {
    await client.end();
  }
}

async function untilWaiting(count: number): Promise<void> {
  while ((await queryDatabase(database.url, WAITING))[0]?.waiting !== count) await sleep(5);
}

const log = { info: () => undefined, warn: () => undefined };

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let here: Store;
let there: Store;

describe.skipIf(server === null)('two servers on one database', () => {
  beforeEach(async () => {
    database = await createTestDatabase(server ?? '');
    [here, there] = await Promise.all([openPostgresStore({ url: database.url, log }), openPostgresStore({ url: database.url, log })]);
  });
  afterEach(async () => {
    await Promise.all([here.close(), there.close()]);
    await database.drop();
  });

  test('store whole whatever begins at once, and no more than may be unfinished', async () => {
    const ask = (at: number) => ({ kind: 'append', messages: [question(`number ${at}`)], parent: 'head' }) as const;
    const beginnings = Array.from({ length: 160 }, (_, at) =>
      beginning({ ask: ask(at), title: `title ${at}`, maxUnfinished: { user: 100, application: null } }),
    );
    const results = await Promise.all(beginnings.map((input, at) => (at % 2 === 0 ? here : there).beginRun(input)));
    const begun = results.flatMap((result, at) => (result.kind === 'begun' ? [{ ...result, at }] : []));
    expect(begun).toHaveLength(100);
    expect(results.filter((result) => result.kind === 'refused' && result.reason === 'run_limit')).toHaveLength(60);
    for (const { run, thread, at } of begun) {
      const stored = await there.listMessages({ owner: ann, ref: { id: thread.id }, branch: 'head', limit: 9 });
      expect(stored?.map(({ id, parts }) => [id, parts])).toEqual([[run.messageId, question(`number ${at}`).parts]]);
      expect(await there.findRun(ann, run.id)).toEqual(run);
      expect(typesOf((await there.readLog({ runId: run.id, after: 0, maxBytes: 9_999 })).events)).toEqual(['1 run.started']);
      expect((await there.listThreadEvents(ann, { id: thread.id }, { after: 0, limit: 9 }))?.map(({ number }) => number)).toEqual([
        1, 2, 3,
      ]);
    }
    const found = await there.listThreads(ann, { words: searchWordsOf('number'), limit: 200, cursor: null });
    expect(found.map(({ id }) => id).toSorted()).toEqual(begun.map(({ thread }) => thread.id).toSorted());
  });

  test('lock threads in the order in which ends do', async () => {
    const threads = [newThread(), newThread(), newThread()] as const;
    for (const create of threads) await begin(here, { thread: { create } });
    const [first, second, busy] = threads;
    const ask = ({ id }: typeof first) => here.beginRun(beginning({ thread: { ref: { id } } }));
    const answers = await whileLocked(first.key, async (client) => {
      const asked = await whileLocked(busy.key, async () => {
        const keepingBusy = Array.from({ length: 4 }, () => ask(busy));
        await untilWaiting(4);
        return [...keepingBusy, ask(second), ask(first)];
      });
      await Promise.all(asked.slice(0, 4));
      await untilWaiting(1);
      await client.query('select from polylogue.threads where key = $1 for update nowait', [second.key]);
      return asked;
    });
    expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(Array.from({ length: 6 }, () => 'begun'));
  });
});
