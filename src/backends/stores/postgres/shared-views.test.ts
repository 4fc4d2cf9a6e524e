import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ann, append, begin, bob, elsewhere, ending, NOW, newId, newThread, question } from '../../../../test/contracts/store-fixtures.ts';
import { createTestDatabase, findTestServer, queryDatabase } from '../../../../test/support/test-database.ts';
import type { ThreadId } from '../../../core/ids.ts';
import type { Store } from '../../../core/ports/store.ts';
import type { Owner } from '../../../core/principal.ts';
import { openPostgresStore } from './index.ts';

const server = await findTestServer();
const log = { info: () => undefined, warn: () => undefined };

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let store: Store;

/** What a tool of the user-chat protocol asks. */
const conversation = (id: string) => queryDatabase(database.url, `select user_id from conversations where id = '${id}'`);
const history = async (id: string) => {
  const rows = await queryDatabase(database.url, `select content from messages where conversation_id = '${id}' order by timestamp`);
  return rows.map(({ content }) => content);
};
const idsOf = async (userId: string) => {
  const rows = await queryDatabase(database.url, `select id from conversations where user_id = '${userId}'`);
  return rows.map(({ id }) => String(id));
};

async function talk(owner: Owner, id: ThreadId, now: number): Promise<void> {
  const texts = [`${owner.applicationId}/${owner.userId} asks`, `${owner.applicationId}/${owner.userId} hears`] as const;
  const ask = { kind: 'append', messages: [question(texts[0])], parent: 'head' } as const;
  const { run } = await begin(store, { owner, now, thread: { create: newThread({ id }) }, ask });
  await append(store, { ends: [ending(run, 2, texts[1])], now: now + 5 });
}

describe.skipIf(server === null)('conversations of several users under one id', () => {
  beforeEach(async () => {
    database = await createTestDatabase(server ?? '');
    store = await openPostgresStore({ url: database.url, log });
  });
  afterEach(async () => {
    await store.close();
    await database.drop();
  });

  test('stay apart: the oldest keeps the id, the others have their own', async () => {
    const id = newId<ThreadId>();
    await talk(elsewhere, id, NOW);
    await talk(bob, id, NOW + 20);
    await talk(ann, id, NOW + 10);
    expect(await conversation(id)).toEqual([{ user_id: 'ann' }]);
    expect(await history(id)).toEqual(['default/ann asks', 'default/ann hears']);
    const [own = '', ...more] = await idsOf('bob');
    expect([own === id, more]).toEqual([false, []]);
    expect(await conversation(own)).toEqual([{ user_id: 'bob' }]);
    expect(await history(own)).toEqual(['default/bob asks', 'default/bob hears']);
  });

  test('have an id each, though they are equally old', async () => {
    const id = newId<ThreadId>();
    for (const userId of ['a', 'b', 'c']) await talk({ ...ann, userId }, id, NOW);
    const ids = (await Promise.all(['a', 'b', 'c'].map(idsOf))).flat();
    expect([ids.length, new Set(ids).size, ids.includes(id)]).toEqual([3, 3, true]);
    for (const each of ids) expect(await history(each)).toHaveLength(2);
  });

  test('give the id on when the oldest is deleted, and nothing of that one with it', async () => {
    const id = newId<ThreadId>();
    await talk(ann, id, NOW);
    await talk(bob, id, NOW + 10);
    await store.closeThread({ owner: ann, ref: { id }, now: NOW + 20 });
    expect(await conversation(id)).toEqual([{ user_id: 'bob' }]);
    expect(await history(id)).toEqual(['default/bob asks', 'default/bob hears']);
  });

  test('are not shown for other applications', async () => {
    const id = newId<ThreadId>();
    await talk(elsewhere, id, NOW);
    expect(await queryDatabase(database.url, 'select from conversations union all select from messages')).toEqual([]);
    expect(await history(id)).toEqual([]);
  });
});
