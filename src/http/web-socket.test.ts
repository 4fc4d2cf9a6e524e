import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createFakeClock } from '../../test/support/fake-clock.ts';
import { systemClock } from '../backends/clock/system-clock.ts';
import { createWebSockets, type WebSocketHandler, wantsWebSocket } from './web-socket.ts';
import type { WebSocketConnection } from './web-socket-connection.ts';

const MIB = 1_048_576;
const echo: WebSocketHandler = async (connection) => (text) => connection.send(text === null ? 'binary' : text.toString());

let server: Server;
let draining: AbortController;
let sockets: ReturnType<typeof createWebSockets>;
let clock: ReturnType<typeof createFakeClock> | null = null;

async function serve(handler: WebSocketHandler, options: { fake?: boolean } = {}): Promise<number> {
  draining = new AbortController();
  clock = options.fake ? createFakeClock() : null;
  sockets = createWebSockets({
    origins: { allowedOrigins: ['https://app.example'], development: false },
    clock: clock ?? systemClock,
    log: pino({ level: 'silent' }),
    draining: draining.signal,
  });
  sockets.serve('/echo', handler);
  server = createServer({ shouldUpgradeCallback: wantsWebSocket }, (_request, response) => response.end('plain'));
  server.on('upgrade', sockets.upgrade);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

afterEach(async () => {
  const closed = sockets.close();
  clock?.advance(10_000);
  await closed;
  server.close();
  server.closeAllConnections();
});

async function openSocket(port: number, headers: Record<string, string> = {}): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/echo?x=1`, { headers });
  await once(socket, 'open');
  return socket;
}

async function closeOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  socket.on('error', () => undefined);
  const [code, reason] = await once(socket, 'close');
  return { code, reason: String(reason) };
}

/** Sends an upgrade by hand and gives everything that comes back until the other side closes. */
async function exchange(port: number, path: string, headers: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const lines = [`GET ${path} HTTP/1.1`, 'Host: here', 'Connection: Upgrade', ...headers, '', ''];
  socket.write(lines.join('\r\n'));
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

const handshake = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];

describe('opening', () => {
  test('an unknown path is 404, and the connection is closed', async () => {
    const answered = await exchange(await serve(echo), '/nope', handshake);
    expect(answered).toMatch(/^HTTP\/1\.1 404 .*"code":"route_not_found"/s);
  });

  test.each(['https://evil.example', 'null', 'https://app.example.evil', 'http://app.example'])(
    'a page of %s is refused',
    async (origin) => {
      const answered = await exchange(await serve(echo), '/echo', [...handshake, `Origin: ${origin}`]);
      expect(answered).toMatch(/^HTTP\/1\.1 403 .*"code":"scope_denied"/s);
      expect(sockets.size).toBe(0);
    },
  );

  test('a page of an allowed origin, of the server itself, and what is no page come in', async () => {
    const port = await serve(echo);
    for (const headers of [{ origin: 'https://app.example' }, { origin: `http://127.0.0.1:${port}` }, {}]) {
      const socket = await openSocket(port, headers as Record<string, string>);
      socket.send('hi');
      expect(String((await once(socket, 'message'))[0])).toBe('hi');
    }
    expect(sockets.size).toBe(3);
  });

  test('nobody comes in while the server stops', async () => {
    const port = await serve(echo);
    draining.abort();
    expect(await exchange(port, '/echo', handshake)).toMatch(/^HTTP\/1\.1 503 /);
  });

  test('a request that wants another protocol stays a plain request', async () => {
    expect(await exchange(await serve(echo), '/echo', ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABk', 'Connection: close'])).toMatch(/plain$/);
  });

  test('no extension is agreed on', async () => {
    const socket = await openSocket(await serve(echo));
    expect(socket.extensions).toBe('');
  });
});

describe('frames', () => {
  test('in fragments are put together, binary ones are told apart', async () => {
    const socket = await openSocket(await serve(echo));
    socket.send('Grü', { fin: false });
    socket.send('ße', { fin: true });
    expect(String((await once(socket, 'message'))[0])).toBe('Grüße');
    socket.send(Buffer.from('x'));
    expect(String((await once(socket, 'message'))[0])).toBe('binary');
  });

  test('of one turn reach the client in one piece', async () => {
    const port = await serve(async (connection) => () => {
      for (let index = 0; index < 20; index += 1) connection.send(`frame ${index}`);
      connection.sendLines('a\nb\n');
      connection.sendLines(Buffer.from('c\nd\n'));
    });
    const socket = await openSocket(port);
    let pieces = 0;
    const { _socket: raw } = socket as unknown as { _socket: Socket };
    raw.on('data', () => {
      pieces += 1;
    });
    const seen: string[] = [];
    socket.on('message', (data) => seen.push(String(data)));
    socket.send('go');
    await expect.poll(() => seen.length).toBe(24);
    expect(seen.slice(-5)).toEqual(['frame 19', 'a', 'b', 'c', 'd']);
    expect(pieces).toBe(1);
  });

  test.each([
    ['a message of more than 1 MiB', 1009, (socket: WebSocket) => socket.send('x'.repeat(MIB + 1))],
    [
      'fragments of more than 1 MiB together',
      1009,
      (socket: WebSocket) => {
        for (let index = 0; index < 3; index += 1) socket.send('x'.repeat(MIB / 2), { fin: false });
      },
    ],
    [
      'a message in thousands of fragments',
      1008,
      (socket: WebSocket) => {
        for (let index = 0; index < 2_000; index += 1) socket.send('x', { fin: false });
      },
    ],
    ['text that is no UTF-8', 1007, (socket: WebSocket) => socket.send(Buffer.from([0xff, 0xfe]), { binary: false })],
    [
      'a frame without mask',
      1002,
      (socket: WebSocket) => void (socket as unknown as { _socket: Socket })._socket.write(Buffer.from([0x81, 0x01, 0x78])),
    ],
    [
      'a frame that calls itself a gigabyte',
      1009,
      (socket: WebSocket) =>
        void (socket as unknown as { _socket: Socket })._socket.write(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4])),
    ],
  ])('%s closes with %i', async (_name, code, misbehave) => {
    const socket = await openSocket(await serve(echo));
    const closed = closeOf(socket);
    misbehave(socket);
    expect((await closed).code).toBe(code);
    await expect.poll(() => sockets.size).toBe(0);
  });

  test('a message of 1 MiB comes through', async () => {
    const socket = await openSocket(await serve(async (connection) => (text) => connection.send(String(text?.length))));
    socket.send('x'.repeat(MIB));
    expect(String((await once(socket, 'message'))[0])).toBe(String(MIB));
  });

  test('that wait for their handling stop the reading', async () => {
    let seen = 0;
    const gate = Promise.withResolvers<void>();
    const port = await serve(async () => async () => {
      seen += 1;
      await gate.promise;
    });
    const socket = await openSocket(port);
    const text = 'x'.repeat(100_000);
    for (let index = 0; index < 200; index += 1) socket.send(text);
    await systemClock.sleep(300);
    expect(seen).toBeLessThan(30);
    gate.resolve();
    await expect.poll(() => seen, { timeout: 5_000 }).toBe(200);
  });

  test('whose handling breaks close with 1011', async () => {
    const socket = await openSocket(
      await serve(async () => async () => {
        throw new Error('broken');
      }),
    );
    const closed = closeOf(socket);
    socket.send('x');
    expect((await closed).code).toBe(1011);
  });
});

describe('a client that does not read', () => {
  async function stopReading(port: number): Promise<Socket> {
    const raw = connect(port, '127.0.0.1');
    raw.write(['GET /echo HTTP/1.1', 'Host: x', 'Connection: Upgrade', ...handshake, '', ''].join('\r\n'));
    await once(raw, 'data');
    return raw.pause();
  }

  test('is given no more than 1 MiB and what the system holds, then closed with 1013', async () => {
    let connection: WebSocketConnection | null = null;
    const raw = await stopReading(
      await serve(async (given) => {
        connection = given;
        return () => undefined;
      }),
    );
    const piece = 'x'.repeat(100_000);
    let sent = 0;
    await expect.poll(() => connection !== null).toBe(true);
    const open = connection as unknown as WebSocketConnection;
    while (!open.signal.aborted && sent < 1_000) {
      open.send(piece);
      sent += 1;
      await systemClock.sleep(1);
    }
    expect(sent * piece.length).toBeLessThan(20 * MIB);
    let bytes = Buffer.alloc(0);
    raw.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
    });
    raw.resume();
    await expect.poll(() => bytes.includes(Buffer.from([0x03, 0xf5])), { timeout: 5_000 }).toBe(true);
    raw.destroy();
  });

  test('gets no pile of pongs', async () => {
    const port = await serve(echo);
    const raw = await stopReading(port);
    const ping = Buffer.concat([Buffer.from([0x89, 0xfd]), randomBytes(4), randomBytes(125)]);
    const flood = Buffer.concat(Array.from({ length: 8_000 }, () => ping));
    const { rss } = process.memoryUsage();
    for (let round = 0; round < 100; round += 1) if (!raw.write(flood)) await once(raw, 'drain');
    expect(process.memoryUsage().rss - rss).toBeLessThan(50 * MIB);
    raw.destroy();
    await expect.poll(() => sockets.size).toBe(0);
  });
});

describe('time', () => {
  const advance = async (ms: number) => {
    for (let left = ms; left > 0; left -= 5_000) {
      await systemClock.sleep(5);
      clock?.advance(5_000);
    }
    await systemClock.sleep(20);
  };

  test('a client that answers pings stays', async () => {
    const socket = await openSocket(await serve(echo, { fake: true }));
    let pings = 0;
    socket.on('ping', () => {
      pings += 1;
    });
    await advance(600_000);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    expect(pings).toBe(20);
  });

  test('a client that never answers pings and sends nothing is idle after five minutes; one that sends is not', async () => {
    const port = await serve(echo, { fake: true });
    const options = { autoPong: false };
    const [silent, sending] = [0, 1].map(() => new WebSocket(`ws://127.0.0.1:${port}/echo`, options)) as [WebSocket, WebSocket];
    await Promise.all([once(silent, 'open'), once(sending, 'open')]);
    const closed = closeOf(silent);
    for (let minute = 0; minute < 6; minute += 1) {
      if (minute === 4) expect(silent.readyState).toBe(WebSocket.OPEN);
      sending.send('still here');
      await advance(60_000);
    }
    expect(await closed).toEqual({ code: 1000, reason: 'Idle' });
    expect(sending.readyState).toBe(WebSocket.OPEN);
  });

  test('a client that answered pings and does so no more is gone after a minute', async () => {
    const socket = await openSocket(await serve(echo, { fake: true }));
    await advance(35_000);
    const closed = closeOf(socket);
    socket.pause();
    await advance(75_000);
    expect(sockets.size).toBe(0);
    socket.resume();
    expect((await closed).code).toBe(1006);
  });

  test('what a client does not take for thirty seconds closes it with 1013', async () => {
    let connection: WebSocketConnection | null = null;
    const port = await serve(
      async (given) => {
        connection = given;
        return () => undefined;
      },
      { fake: true },
    );
    const socket = await openSocket(port);
    socket.pause();
    await expect.poll(() => connection !== null).toBe(true);
    const open = connection as unknown as WebSocketConnection;
    for (let waits = 0; waits < 3; waits = open.needsDrain ? waits + 1 : 0) {
      if (!open.needsDrain) open.send('x'.repeat(50_000));
      await systemClock.sleep(5);
    }
    const closed = closeOf(socket);
    await advance(25_000);
    expect(open.signal.aborted).toBe(false);
    await advance(15_000);
    expect(open.signal.aborted).toBe(true);
    socket.resume();
    expect((await closed).code).toBe(1013);
  });
});

describe('the end', () => {
  test('of the server is told with 1001, also to clients that do not confirm', async () => {
    const port = await serve(echo);
    const socket = await openSocket(port);
    const deaf = await openSocket(port);
    deaf.pause();
    const closed = closeOf(socket);
    await sockets.close();
    expect(await closed).toEqual({ code: 1001, reason: 'The server is stopping' });
    expect(sockets.size).toBe(0);
  });

  test('of 200 clients that vanish leaves nothing behind', async () => {
    const port = await serve(echo);
    const clients = await Promise.all(Array.from({ length: 200 }, () => openSocket(port)));
    expect(sockets.size).toBe(200);
    for (const client of clients) client.terminate();
    await expect.poll(() => sockets.size).toBe(0);
  });
});
