import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { closeOf, echo, exchange, handshake, openSocket, socketServer } from '../../test/support/socket-server.ts';
import { createHostPolicy } from './host-policy.ts';

const house = socketServer();

describe('opening', () => {
  test('an unknown path is 404, and the connection is closed', async () => {
    const answered = await exchange({ port: await house.serve(echo), path: '/nope' }, handshake);
    expect(answered).toMatch(/^HTTP\/1\.1 404 .*"code":"route_not_found"/s);
  });

  test.each(['https://evil.example', 'null', 'https://app.example.evil', 'http://app.example'])(
    'a page of %s is refused',
    async (origin) => {
      const answered = await exchange({ port: await house.serve(echo), path: '/echo' }, [...handshake, `Origin: ${origin}`]);
      expect(answered).toMatch(/^HTTP\/1\.1 403 .*"code":"scope_denied"/s);
      expect(house.sockets.size).toBe(0);
    },
  );

  test('a name that is pointed here does not come in, whatever its page says of itself', async () => {
    const port = await house.serve(echo, { hosts: createHostPolicy(['https://app.example']) });
    const host = 'rebound.example';
    const answered = await exchange({ port, path: '/echo', host }, [...handshake, `Origin: http://${host}`]);
    expect(answered).toMatch(/^HTTP\/1\.1 421 .*"code":"host_unknown"/s);
    expect(answered).toContain('ALLOWED_ORIGINS');
    for (const name of ['localhost:1', 'app.example']) await openSocket(port, { host: name, origin: `http://${name}` });
  });

  test('a page of an allowed origin, of the server itself, and what is no page come in', async () => {
    const port = await house.serve(echo);
    for (const headers of [{ origin: 'https://app.example' }, { origin: `http://127.0.0.1:${port}` }, {}]) {
      const socket = await openSocket(port, headers as Record<string, string>);
      socket.send('hi');
      expect(String((await once(socket, 'message'))[0])).toBe('hi');
    }
    expect(house.sockets.size).toBe(3);
  });

  test('nobody comes in while the server stops', async () => {
    const port = await house.serve(echo);
    house.drain();
    expect(await exchange({ port, path: '/echo' }, handshake)).toMatch(/^HTTP\/1\.1 503 /);
  });

  test('a request that wants another protocol stays a plain request', async () => {
    expect(
      await exchange({ port: await house.serve(echo), path: '/echo' }, ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABk', 'Connection: close']),
    ).toMatch(/plain$/);
  });

  test('no extension is agreed on', async () => {
    const socket = await openSocket(await house.serve(echo));
    expect(socket.extensions).toBe('');
  });
});

describe('the end', () => {
  test('of the server is told with 1001, also to clients that do not confirm', async () => {
    const port = await house.serve(echo);
    const socket = await openSocket(port);
    const deaf = await openSocket(port);
    deaf.pause();
    const closed = closeOf(socket);
    await house.sockets.close();
    expect(await closed).toEqual({ code: 1001, reason: 'The server is stopping' });
    expect(house.sockets.size).toBe(0);
  });

  test('of 200 clients that vanish leaves nothing behind', async () => {
    const port = await house.serve(echo);
    const clients = await Promise.all(Array.from({ length: 200 }, () => openSocket(port)));
    expect(house.sockets.size).toBe(200);
    for (const client of clients) client.terminate();
    await expect.poll(() => house.sockets.size).toBe(0);
  });
});
