import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { closeOf, echo, handshake, openSocket, socketServer } from '../../test/support/socket-server.ts';
import { systemClock } from '../backends/clock/system-clock.ts';
import type { WebSocketConnection } from './web-socket-connection.ts';

const MIB = 1_048_576;
const house = socketServer();

describe('frames', () => {
  test('in fragments are put together, binary ones are told apart', async () => {
    const socket = await openSocket(await house.serve(echo));
    socket.send('Grü', { fin: false });
    socket.send('ße', { fin: true });
    expect(String((await once(socket, 'message'))[0])).toBe('Grüße');
    socket.send(Buffer.from('x'));
    expect(String((await once(socket, 'message'))[0])).toBe('binary');
  });

  test('of one turn reach the client in one piece', async () => {
    const port = await house.serve(async (connection) => () => {
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
    const socket = await openSocket(await house.serve(echo));
    const closed = closeOf(socket);
    misbehave(socket);
    expect((await closed).code).toBe(code);
    await expect.poll(() => house.sockets.size).toBe(0);
  });

  test('a message of 1 MiB comes through', async () => {
    const socket = await openSocket(await house.serve(async (connection) => (text) => connection.send(String(text?.length))));
    socket.send('x'.repeat(MIB));
    expect(String((await once(socket, 'message'))[0])).toBe(String(MIB));
  });

  test('that wait for their handling stop the reading', async () => {
    let seen = 0;
    const gate = Promise.withResolvers<void>();
    const port = await house.serve(async () => async () => {
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
      await house.serve(async () => async () => {
        throw new Error('broken');
      }),
    );
    const closed = closeOf(socket);
    socket.send('x');
    expect((await closed).code).toBe(1011);
  });
});

describe('pings', () => {
  test('more than 100 in 10 seconds close with 1008', async () => {
    const socket = await openSocket(await house.serve(echo, { fake: true }));
    let pongs = 0;
    socket.on('pong', () => {
      pongs += 1;
    });
    const ping = (times: number) => Array.from({ length: times }, () => socket.ping());
    ping(100);
    await expect.poll(() => pongs).toBe(100);
    house.clock?.advance(10_000);
    ping(100);
    await expect.poll(() => pongs).toBe(200);
    const closed = closeOf(socket);
    house.clock?.advance(9_999);
    ping(1);
    expect(await closed).toEqual({ code: 1008, reason: 'Too many pings' });
    expect(pongs).toBe(200);
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
      await house.serve(async (given) => {
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
    const port = await house.serve(echo);
    const raw = await stopReading(port);
    const ping = Buffer.concat([Buffer.from([0x89, 0xfd]), randomBytes(4), randomBytes(125)]);
    const flood = Buffer.concat(Array.from({ length: 8_000 }, () => ping));
    const { rss } = process.memoryUsage();
    for (let round = 0; round < 100; round += 1) if (!raw.write(flood)) await once(raw, 'drain');
    expect(process.memoryUsage().rss - rss).toBeLessThan(50 * MIB);
    raw.destroy();
    await expect.poll(() => house.sockets.size).toBe(0);
  });
});
