import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ann, append, begin, ending, NOW, newThread, question } from '../../../../test/contracts/store-fixtures.ts';
import { createTestDatabase, findTestServer, queryDatabase } from '../../../../test/support/test-database.ts';
import { openPostgresStore } from './index.ts';

const server = await findTestServer();
const said: string[] = [];
const log = {
  info: (fields: object, message: string) => void said.push(JSON.stringify(fields) + message),
  warn: (fields: object, message: string) => void said.push(JSON.stringify(fields) + message),
};

let database: Awaited<ReturnType<typeof createTestDatabase>>;

async function openOnce(url = database.url): Promise<void> {
  await (await openPostgresStore({ url, log })).close();
}

async function failureOf(url: string): Promise<string> {
  const error: unknown = await openOnce(url).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('The store was opened.');
  expect(JSON.stringify([error.message, error.stack, error.cause])).not.toContain('sesame');
  return error.message;
}

describe.skipIf(server === null)('opening', () => {
  beforeEach(async () => {
    said.length = 0;
    database = await createTestDatabase(server ?? '');
  });
  afterEach(() => database.drop());

  test('makes the views that tools of the user-chat protocol know, and shows conversations in them', async () => {
    const store = await openPostgresStore({ url: database.url, log });
    const ask = { kind: 'append', messages: [question('What is\n"2+2"?')], parent: 'head' } as const;
    const { run, thread } = await begin(store, { thread: { create: newThread({ title: 'Sums' }) }, ask });
    await append(store, { ends: [ending(run, 2, 'It is 4 🦜.')], now: NOW + 500 });
    await store.changeThread({ owner: ann, ref: { id: thread.id }, changes: { archived: true }, now: NOW + 1000 });
    expect(await queryDatabase(database.url, 'select * from conversations')).toEqual([
      {
        ...{ id: thread.id, user_id: 'ann', title: 'Sums', status: 'archived' },
        ...{ created_at: new Date(NOW), updated_at: new Date(NOW + 1000) },
      },
    ]);
    const rows = await queryDatabase(database.url, 'select * from messages order by timestamp');
    expect(rows).toEqual([
      {
        ...{ id: run.messageId, conversation_id: thread.id, role: 'user', content: 'What is\n"2+2"?', message_type: 'text' },
        ...{ timestamp: new Date(NOW), metadata: expect.objectContaining({ seq: 1, status: 'completed' }) },
      },
      {
        ...{ id: run.answerId, conversation_id: thread.id, role: 'assistant', content: 'It is 4 🦜.', message_type: 'text' },
        ...{
          timestamp: new Date(NOW + 500),
          metadata: expect.objectContaining({ run_id: run.id, usage: { input_tokens: 3, output_tokens: 2 } }),
        },
      },
    ]);
    await store.closeThread({ owner: ann, ref: { id: thread.id }, now: NOW });
    expect(await queryDatabase(database.url, 'select from conversations union all select from messages')).toEqual([]);
    await store.close();
    await openOnce();
    expect(said).toEqual([]);
  });

  test.each([
    ['that it can replace', 'select id, title from polylogue.threads', false],
    ['with other columns', 'select title as name, 1 as one from polylogue.threads', false],
    ['with other columns, from which something was made', 'select title as name, 1 as one from polylogue.threads', true],
  ])('renews a view of an earlier program %s', async (_which, old, dependent) => {
    const store = await openPostgresStore({ url: database.url, log });
    const { thread } = await begin(store, { thread: { create: newThread({ title: 'Sums' }) } });
    await store.close();
    const form = "select obj_description('public.conversations'::regclass) as form";
    const current = await queryDatabase(database.url, form);
    await queryDatabase(
      database.url,
      `drop view conversations; create view conversations as ${old};
      comment on view conversations is 'Made by Polylogue from its own tables in the schema polylogue.'`,
    );
    if (dependent) await queryDatabase(database.url, 'create view mine as select * from conversations');
    await openOnce();
    if (dependent) {
      expect(said).toEqual([expect.stringMatching(/the view public\.conversations is not renewed: something else was made from it/)]);
      expect(await queryDatabase(database.url, 'select * from mine')).toEqual([{ name: 'Sums', one: 1 }]);
      await queryDatabase(database.url, 'drop view mine');
      said.length = 0;
      await openOnce();
    }
    expect(said).toEqual([]);
    expect(await queryDatabase(database.url, form)).toEqual(current);
    expect(await queryDatabase(database.url, 'select id, title, status from conversations')).toEqual([
      { id: thread.id, title: 'Sums', status: 'active' },
    ]);
  });

  test('leaves a table alone that bears the mark of its views', async () => {
    await queryDatabase(database.url, 'create table messages (note text)');
    await queryDatabase(
      database.url,
      "comment on table messages is 'Made by Polylogue from its own tables in the schema polylogue.'; insert into messages values ('mine')",
    );
    await openOnce();
    expect(await queryDatabase(database.url, 'select * from messages')).toEqual([{ note: 'mine' }]);
  });

  test('leaves tables of those names alone and says so', async () => {
    await queryDatabase(database.url, 'create table messages (note text)');
    await queryDatabase(database.url, "insert into messages values ('mine')");
    await openOnce();
    expect(await queryDatabase(database.url, 'select * from messages')).toEqual([{ note: 'mine' }]);
    expect(await queryDatabase(database.url, 'select * from conversations')).toEqual([]);
    expect(said).toEqual([expect.stringContaining('the view public.messages is not made: the name is taken')]);
  });

  test('leaves a type of such a name alone and says so', async () => {
    await queryDatabase(database.url, "create type messages as enum ('mine')");
    await openOnce();
    expect(said).toEqual([expect.stringContaining('the view public.messages is not made: the name is taken')]);
  });

  test('works without rights in the schema public', async () => {
    await queryDatabase(database.url, 'revoke all on schema public from public');
    const role = `plg_${database.url.replace(/.*polylogue_test_(\w+).*/, '$1')}`;
    await queryDatabase(database.url, `create role ${role} login password 'sesame'`);
    const url = database.url.replace(/\/\/[^/]*@/, `//${role}:sesame@`);
    expect(await failureOf(url)).toMatch(/may not create what the server needs in the database/);
    await queryDatabase(database.url, `create schema polylogue authorization ${role}`);
    await openOnce(url);
    expect(said.map((line) => line.slice(line.indexOf('}') + 1))).toEqual([
      'the view public.conversations is not made: this user may not create anything in the schema public, or there is none',
      'the view public.messages is not made: this user may not create anything in the schema public, or there is none',
    ]);
    await queryDatabase(database.url, `drop owned by ${role}`);
    await queryDatabase(database.url, `drop role ${role}`);
  });

  test('says whose the schema is to a user who may not use it', async () => {
    await openOnce();
    const role = `plg_${database.url.replace(/.*polylogue_test_(\w+).*/, '$1')}`;
    await queryDatabase(database.url, `create role ${role} login password 'sesame'`);
    const url = database.url.replace(/\/\/[^/]*@/, `//${role}:sesame@`);
    const [owner] = await queryDatabase(
      database.url,
      "select pg_get_userbyid(nspowner) as name from pg_namespace where nspname = 'polylogue'",
    );
    const whose = `belongs to "${owner?.name}", and the user "${role}" may not use all of it: connect as "${owner?.name}", or grant that role to`;
    expect(await failureOf(url)).toContain(whose);
    await queryDatabase(database.url, `grant all on schema polylogue to ${role}`);
    expect(await failureOf(url)).toContain(whose);
    await queryDatabase(database.url, `alter schema polylogue owner to ${role}`);
    expect(await failureOf(url)).toContain(`belongs to another user than "${role}": make "${role}" its owner`);
    await queryDatabase(database.url, `drop schema polylogue cascade; drop owned by ${role}; drop role ${role}`);
  });

  test('names every connection and asks for whole commits', async () => {
    await queryDatabase(
      database.url,
      "do $$ begin execute format('alter database %I set synchronous_commit to off', current_database()); end $$",
    );
    const store = await openPostgresStore({ url: database.url, log });
    await queryDatabase(
      database.url,
      `create table seen (setting text);
      create function note() returns trigger language plpgsql as
        $$ begin insert into public.seen values (current_setting('synchronous_commit')); return new; end $$;
      create trigger note before insert on polylogue.run_log_live for each row execute function note()`,
    );
    await begin(store);
    await store.ping();
    const names = await queryDatabase(
      database.url,
      'select distinct application_name as name from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    expect(names).toEqual([{ name: 'polylogue' }]);
    expect(await queryDatabase(database.url, 'select setting from seen')).toEqual([{ setting: 'on' }]);
    await store.close();
  });

  test('is not ready while the database takes no writes', async () => {
    const store = await openPostgresStore({ url: database.url, log });
    await queryDatabase(
      database.url,
      "do $$ begin execute format('alter database %I set default_transaction_read_only to on', current_database()); end $$",
    );
    expect(await failureOf(database.url)).toMatch(/takes no writes: name the server that does/);
    await expect(store.ping()).rejects.toMatchObject({ code: 'overloaded' });
    await expect(begin(store)).rejects.toMatchObject({ code: 'overloaded' });
    await store.close();
  });

  test('gives servers that start together, and first, the same secret', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgresStore({ url: database.url, log })));
    const secrets = await Promise.all(stores.map((store) => store.serverSecret()));
    expect(new Set(secrets).size).toBe(1);
    expect(await queryDatabase(database.url, 'select value from polylogue.server_secret')).toEqual([{ value: secrets[0] }]);
    await Promise.all(stores.map((store) => store.close()));
  });

  test('refuses data of a newer program', async () => {
    await openOnce();
    await queryDatabase(database.url, "insert into polylogue.schema_versions values (999, 'future')");
    expect(await failureOf(database.url)).toMatch(/has version 999, .* start a newer program/);
  });

  test('refuses another encoding', async () => {
    const name = database.url.replace(/.*\/(polylogue_test_\w+).*/, '$1');
    await queryDatabase(server ?? '', `create database ${name}_latin template template0 encoding 'LATIN1' locale 'C'`);
    expect(await failureOf(database.url.replace(name, `${name}_latin`))).toMatch(/encoding LATIN1: create it with ENCODING 'UTF8'/);
    await queryDatabase(server ?? '', `drop database ${name}_latin`);
  });

  test('says that a database is missing', async () => {
    expect(await failureOf(database.url.replace(/polylogue_test_\w+/, 'nowhere'))).toMatch(/has no database "nowhere": create it/);
  });
});

test.each([
  ['postgresql://ann:sesame@127.0.0.1:1/x', /^PostgreSQL at 127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\): check DATABASE_URL\.$/],
  ['postgresql://ann:sesame@/x?host=/nowhere', /^PostgreSQL at \/nowhere cannot be reached \(ENOENT\)/],
  ['postgresql://ann:sesame@127.0.0.1:port/x', /^DATABASE_URL cannot be read/],
])('%s is answered with a sentence without the password', async (url, sentence) => {
  expect(await failureOf(url)).toMatch(sentence);
});

test.each([
  ['28P01', /does not let the user "ann" in: check the user and the password/],
  ['53300', /has no connection left/],
  ['57P03', /is starting up or shutting down/],
])('a server that refuses with %s is answered with a sentence', async (code, sentence) => {
  const text = `SFATAL\0VFATAL\0C${code}\0Mno\0\0`;
  const header = Buffer.alloc(5);
  header.write('E');
  header.writeInt32BE(4 + Buffer.byteLength(text), 1);
  const refusing = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([header, Buffer.from(text)])));
  });
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const address = refusing.address();
  const port = typeof address === 'object' ? address?.port : 0;
  expect(await failureOf(`postgresql://ann:sesame@127.0.0.1:${port}/x`)).toMatch(sentence);
  refusing.close();
});

test.each([
  ['no password', 'ann'],
  ['an empty one', 'ann:'],
])('a server that wants a password is answered with a sentence where DATABASE_URL has %s', async (_which, user) => {
  const ask = (kind: number, text: string) => {
    const message = Buffer.alloc(9);
    message.write('R');
    message.writeInt32BE(8 + Buffer.byteLength(text), 1);
    message.writeInt32BE(kind, 5);
    return Buffer.concat([message, Buffer.from(text)]);
  };
  const asking = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(ask(10, 'SCRAM-SHA-256\0\0'));
      socket.once('data', () => socket.write(ask(11, 'r=nonce,s=c2FsdA==,i=4096')));
    });
  });
  await new Promise<void>((resolve) => asking.listen(0, '127.0.0.1', resolve));
  const address = asking.address();
  const port = typeof address === 'object' ? address?.port : 0;
  expect(await failureOf(`postgresql://${user}@127.0.0.1:${port}/x`)).toBe(
    `PostgreSQL at 127.0.0.1:${port} wants a password for the user "ann": put it into DATABASE_URL.`,
  );
  asking.close();
});
