import { chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CommandPlace, runCommandAt, runForJson } from './support/command.ts';
import { createServerDirectory, type ServerProcess, startServerProcess } from './support/server-process.ts';
import { createTestDatabase, findTestServer } from './support/test-database.ts';

const postgres = await findTestServer();
const LIST = ['keys', 'list'];
let place: CommandPlace;
let socket: string;
let remove: () => Promise<void>;
const servers: ServerProcess[] = [];

beforeEach(async () => {
  const created = await createServerDirectory({ limits: { drainSeconds: 0 } });
  remove = created.remove;
  place = { directory: created.directory };
  socket = join(created.directory, 'data', 'polylogue.sock');
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  await remove();
});

async function serve(): Promise<ServerProcess> {
  const server = await startServerProcess(place);
  servers.push(server);
  return server;
}

/** Whether a server listens there. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(path);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

test('the socket is for its user alone, and gone when the server has stopped', async () => {
  const server = await serve();
  const { mode } = await stat(socket);
  expect((mode & 0o777).toString(8)).toBe('600');
  await server.stop();
  await expect(stat(socket)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.runIf(process.getuid?.() === 0)('a socket of another user is not told anything', async () => {
  await serve();
  await chown(socket, 65_534, 65_534);
  const { code, stderr } = await runCommandAt(place, LIST);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`The server at ${socket} belongs to another user`) });
});

test('the socket of a killed server stands in nobody’s way', async () => {
  const server = await serve();
  await server.stop('SIGKILL');
  expect((await stat(socket)).isSocket()).toBe(true);
  expect(await runForJson(place, LIST)).toEqual([]);
  await serve();
  expect(await isAlive(socket)).toBe(true);
  expect(await runForJson(place, LIST)).toEqual([]);
});

test('what is no socket stays, and the server starts all the same', async () => {
  await mkdir(join(place.directory, 'data'), { mode: 0o700 });
  await writeFile(socket, 'mine');
  const server = await serve();
  expect(await readFile(socket, 'utf8')).toBe('mine');
  expect(server.output()).toContain('command cannot reach this server');
});

test('a path too long for a socket costs a warning, and the command says why it cannot ask', async () => {
  const dataDir = join(place.directory, 'x'.repeat(100));
  place = { ...place, env: { DATA_DIR: dataDir } };
  const server = await serve();
  expect(server.output().match(/command cannot reach this server/g)).toHaveLength(1);
  const refused = await runCommandAt(place, LIST);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain(`Another process has the data directory ${dataDir}, but cannot be asked, because the path is too long`);
  expect(refused.stderr).toMatch(/^[^\n]+\n$/);
  await server.stop();
  expect(await runForJson(place, LIST)).toEqual([]);
});

test('what is no request of the command is refused in its words', async () => {
  await serve();
  const send = (text: string) =>
    new Promise<string>((resolve) => {
      let answer = '';
      const connection = createConnection(socket, () => connection.write(text));
      connection.setEncoding('utf8').on('data', (piece: string) => {
        answer += piece;
      });
      connection.on('close', () => resolve(answer));
    });
  const post = (body: string) =>
    `POST /keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  expect(await send('GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 404 [\s\S]*route_not_found/);
  expect(await send(post('[]'))).toMatch(/^HTTP\/1\.1 400 [\s\S]*body_not_object/);
  expect(await send(post('{"application":"default","name":"k","scopes":["read"],"root":true}'))).toMatch(/^HTTP\/1\.1 422 [\s\S]*root/);
  expect(await send(post(`{"name":"${'x'.repeat(70_000)}"}`))).toMatch(/^HTTP\/1\.1 413 /);
  expect(await runForJson(place, LIST)).toEqual([]);
});

describe.skipIf(postgres === null)('two servers with one data directory', () => {
  test('leave the socket to the first of them', async () => {
    const database = await createTestDatabase(postgres ?? '');
    place = { ...place, env: { DATABASE_URL: database.url } };
    const [first, second] = [await serve(), await serve()];
    expect(first.output()).not.toContain('command cannot reach');
    expect(second.output()).toContain('another server has the same data directory');
    await second.stop();
    expect(await isAlive(socket)).toBe(true);
    expect(await runForJson(place, LIST)).toEqual([]);
    await first.stop();
    await database.drop();
  });
});
