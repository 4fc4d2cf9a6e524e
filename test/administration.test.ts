import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CommandPlace, runCommandAt, runForJson } from './support/command.ts';
import { createServerDirectory, type ServerProcess, startServerProcess } from './support/server-process.ts';
import { createTestDatabase, findTestServer } from './support/test-database.ts';

const SECRET = '3d7e0ab94c5f61827be09d4ca1536f8e';

interface Key {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly revoked_at: string | null;
}

const postgres = await findTestServer();
const databases: { drop(): Promise<void> }[] = [];
let place: CommandPlace;
let remove: () => Promise<void>;
const servers: ServerProcess[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  await remove();
});
afterAll(async () => {
  for (const database of databases) await database.drop();
});

async function serve(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const server = await startServerProcess({ directory: place.directory, env: { ...place.env, ...env } });
  servers.push(server);
  return server;
}

const createKey = (name: string, ...options: readonly string[]) => runForJson<Key>(place, ['keys', 'create', '--name', name, ...options]);
const revoke = (id: string) => runForJson<Key>(place, ['keys', 'revoke', id]);

async function statusWith(server: ServerProcess, credential: string): Promise<number> {
  return (await server.send('/polylogue/v1/threads', { headers: { authorization: `Bearer ${credential}` } })).status;
}

/** Starts a run whose answer takes long, and reads it with this key until the server ends the stream. */
async function openSlowStream(server: ServerProcess, key: string): Promise<{ ended: Promise<string> }> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const thread = await idIn(await server.send('/polylogue/v1/threads', { method: 'POST', headers, body: '{}' }));
  const body = JSON.stringify({ text: 'a long story' });
  const run = await idIn(await server.send(`/polylogue/v1/threads/${thread}/runs`, { method: 'POST', headers, body }));
  const stream = await server.send(`/polylogue/v1/runs/${run}/events`, { headers });
  expect(stream.status).toBe(200);
  return { ended: readToEnd(stream) };
}

async function idIn(response: Response): Promise<string> {
  const { id } = (await response.json()) as { id: string };
  return id;
}

/** Everything that a response brings, also when the server breaks it off. */
async function readToEnd(response: Response): Promise<string> {
  let read = '';
  try {
    for await (const chunk of response.body ?? []) read += Buffer.from(chunk).toString();
  } catch (error) {
    if (!(error instanceof TypeError && error.message === 'terminated')) throw error;
  }
  return read;
}

const stores: readonly [string, () => Promise<Readonly<Record<string, string>>>][] = [
  ['embedded store', async () => ({})],
  [
    'PostgreSQL',
    async () => {
      const database = await createTestDatabase(postgres ?? '');
      databases.push(database);
      return { DATABASE_URL: database.url };
    },
  ],
];

describe.each(stores.slice(0, postgres === null ? 1 : 2))('%s', (_name, environment) => {
  beforeEach(async () => {
    const created = await createServerDirectory({ demo: { tokenDelayMs: 2_000 }, limits: { drainSeconds: 0 } });
    remove = created.remove;
    place = { directory: created.directory, env: await environment() };
  });

  test('a key made while the server runs works at once, and stops with its open stream when it is revoked', async () => {
    const server = await serve();
    const { id, key } = await createKey('backend');
    expect(await statusWith(server, key)).toBe(200);
    const { ended } = await openSlowStream(server, key);
    expect(await revoke(id)).toMatchObject({ id, name: 'backend', revoked_at: expect.any(String) });
    expect(await statusWith(server, key)).toBe(401);
    const read = await ended;
    expect(read).toContain('run.started');
    expect(read).not.toContain('run.completed');
    expect(server.output()).not.toContain(key);
  });

  test('commands without a server write what the next one reads', async () => {
    const { id, key } = await createKey('first');
    const gone = await createKey('gone');
    await revoke(gone.id);
    const bound = await createKey('browser', '--user', 'ann', '--dialect', 'native', '--expires', '1h');
    const listed = await runForJson<readonly Key[]>(place, ['keys', 'list']);
    expect(listed.map(({ name }) => name)).toEqual(['browser', 'gone', 'first']);
    expect(listed.find((one) => one.id === id)).not.toHaveProperty('key');
    const server = await serve();
    expect([await statusWith(server, key), await statusWith(server, gone.key), await statusWith(server, bound.key)]).toEqual([
      200, 401, 200,
    ]);
    expect(await runForJson(place, ['keys', 'list'])).toMatchObject([{ user_id: 'ann', dialects: ['native'] }, {}, {}]);
  });

  test('many commands at once, without a server and with one', async () => {
    const names = ['a', 'b', 'c'];
    const before = await Promise.all(names.map((name) => createKey(name)));
    const server = await serve();
    const after = await Promise.all(names.map((name) => createKey(name)));
    const keys = [...before, ...after];
    expect(new Set(keys.map(({ key }) => key)).size).toBe(keys.length);
    expect(await Promise.all(keys.map(({ key }) => statusWith(server, key)))).toEqual(keys.map(() => 200));
  });

  test('an application signs in its users with a secret from the environment', async () => {
    place = { ...place, env: { ...place.env, ACME_SECRET: SECRET } };
    const server = await serve();
    const made = await runForJson(place, ['applications', 'create', 'acme', '--name', 'Acme', '--secret-env', 'ACME_SECRET']);
    expect(made).toMatchObject({ id: 'acme', name: 'Acme', secrets: 1 });
    const token = await runForJson<{ token: string }>(place, ['token', '--user', 'ann', '--application', 'acme']);
    expect(await statusWith(server, token.token)).toBe(200);
    const changed = await runForJson(place, ['applications', 'change', 'acme', '--no-secrets', '--issuer', 'https://login.acme.example']);
    expect(changed).toMatchObject({ secrets: 0, issuer: 'https://login.acme.example', name: 'Acme' });
    const list = await runCommandAt(place, ['applications', 'list']);
    expect(list).toMatchObject({ code: 0, stderr: '' });
    expect(list.stdout).toMatch(/^ID +NAME .*\ndefault .*\nacme +Acme /);
    expect(server.output() + list.stdout + JSON.stringify([made, changed])).not.toContain(SECRET);
    const unknown = await runCommandAt(place, ['token', '--user', 'ann', '--application', 'nobody']);
    expect(unknown).toEqual({ code: 1, stdout: '', stderr: 'polylogue: There is no such application.\n' });
  });

  test('production opens its doors when there is a key', async () => {
    place = { ...place, env: { ...place.env, NODE_ENV: 'production' } };
    const refused = await runCommandAt(place, ['start']);
    expect(refused).toMatchObject({ code: 78, stderr: expect.stringMatching(/^polylogue: .*polylogue keys create.*\n$/) });
    const { id, key } = await createKey('first');
    const server = await serve();
    expect(await statusWith(server, key)).toBe(200);
    await revoke(id);
    expect(await statusWith(server, key)).toBe(401);
    expect(await server.stop()).toBe(0);
    expect((await runCommandAt(place, ['start'])).code).toBe(78);
  });

  test('the running server signs tokens, whatever the settings of the command', async () => {
    const server = await serve({ JWT_SECRET_KEY: SECRET });
    for (const expires of ['15m', '30d']) {
      const { token } = await runForJson<{ token: string }>(place, ['token', '--user', 'ann', '--expires', expires]);
      expect(await statusWith(server, token)).toBe(200);
    }
  });

  test('a key that is not there', async () => {
    await serve();
    for (const id of ['nonsense', '../keys', '01a1f7d7-0269-75ac-b2cb-e330b303d684']) {
      expect(await runCommandAt(place, ['keys', 'revoke', id])).toEqual({
        code: 1,
        stdout: '',
        stderr: 'polylogue: There is no such API key.\n',
      });
    }
  });
});

describe.skipIf(postgres === null)('a command far from the servers', () => {
  test('revokes a key at every server on the database', async () => {
    const created = await createServerDirectory({ demo: { tokenDelayMs: 2_000 }, limits: { drainSeconds: 0 } });
    remove = created.remove;
    const [, makeEnvironment] = stores[1] ?? [];
    const database = (await makeEnvironment?.()) ?? {};
    place = { directory: created.directory, env: { ...database, DATA_DIR: 'nowhere' } };
    const [first, second] = [await serve({ DATA_DIR: 'one' }), await serve({ DATA_DIR: 'two' })];
    const { id, key } = await createKey('backend');
    expect([await statusWith(first, key), await statusWith(second, key)]).toEqual([200, 200]);
    const { ended } = await openSlowStream(second, key);
    await revoke(id);
    await vi.waitFor(async () => expect([await statusWith(first, key), await statusWith(second, key)]).toEqual([401, 401]), 5_000);
    const read = await ended;
    expect(read).toContain('run.started');
    expect(read).not.toContain('run.completed');
  });
});
