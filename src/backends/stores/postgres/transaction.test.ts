import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, findTestServer, queryDatabase } from '../../../../test/support/test-database.ts';
import { openConnection } from './connection.ts';
import { createLane, type Lane } from './lane.ts';
import { atOnce, inTransaction } from './transaction.ts';

const server = await findTestServer();

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let lane: Lane;

const stored = async () => (await queryDatabase(database.url, 'select id from notes order by id')).map(({ id }) => id);

describe.skipIf(server === null)('a transaction', () => {
  beforeEach(async () => {
    database = await createTestDatabase(server ?? '');
    await queryDatabase(database.url, 'create table notes (id integer primary key)');
    lane = createLane(() => openConnection(database.url), 1);
  });
  afterEach(async () => {
    await lane.close();
    await database.drop();
  });

  const write = 'insert into public.notes values ($1)';

  test('has done what was posted when it resolves', async () => {
    await inTransaction(lane, 'plain', async ({ session }) => {
      session.post(write, [1]);
      session.post(write, [2]);
      expect(await session.all('select id from public.notes', [])).toHaveLength(2);
      session.post(write, [3]);
    });
    expect(await stored()).toEqual([1, 2, 3]);
  });

  test('does nothing when something that was posted fails, and says why', async () => {
    const unread = inTransaction(lane, 'plain', async ({ session }) => {
      for (const id of [1, 1, 2]) session.post(write, [id]);
    });
    await expect(unread).rejects.toMatchObject({ code: '23505' });
    const read = inTransaction(lane, 'plain', async ({ session }) => {
      for (const id of [1, 1]) session.post(write, [id]);
      await session.all('select 1', []);
    });
    await expect(read).rejects.toMatchObject({ code: '23505' });
    expect(await stored()).toEqual([]);
    await inTransaction(lane, 'plain', async ({ session }) => session.post(write, [7]));
    expect(await stored()).toEqual([7]);
  });

  test('leaves none of the statements behind that failed when they were new', async () => {
    const fail = () => inTransaction(lane, 'plain', ({ session }) => session.run('select 1 / $1::integer', [0]));
    for (let time = 0; time < 3; time += 1) await expect(fail()).rejects.toMatchObject({ code: '22012' });
    const prepared = await lane.run(({ session }) => session.all('select statement from pg_prepared_statements', []));
    expect(prepared).toEqual([{ statement: 'select statement from pg_prepared_statements' }]);
  });

  test('at once, does all or nothing too', async () => {
    const both = (ids: readonly number[]) =>
      atOnce(lane, 'appending', ({ session }) => Promise.all(ids.map((id) => session.run(write, [id]))));
    expect(await both([1, 2])).toEqual([1, 1]);
    await expect(both([3, 2])).rejects.toMatchObject({ code: '23505' });
    await expect(both([1, 4])).rejects.toMatchObject({ code: '23505' });
    expect(await both([5])).toEqual([1]);
    expect(await stored()).toEqual([1, 2, 5]);
  });

  test('is done again when it stood in the way of another', async () => {
    let attempts = 0;
    await inTransaction(lane, 'plain', async ({ session }) => {
      attempts += 1;
      session.post(write, [attempts]);
      if (attempts === 1) session.post("do $$ begin raise exception using errcode = '40P01'; end $$", []);
    });
    expect([attempts, await stored()]).toEqual([2, [2]]);
  });
});
