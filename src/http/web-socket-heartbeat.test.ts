import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { closeOf, echo, openSocket, socketServer } from '../../test/support/socket-server.ts';
import { systemClock } from '../backends/clock/system-clock.ts';
import type { WebSocketConnection } from './web-socket-connection.ts';

const house = socketServer();

describe('time', () => {
  const advance = async (ms: number) => {
    for (let left = ms; left > 0; left -= 5_000) {
      await systemClock.sleep(5);
      house.clock?.advance(5_000);
    }
    await systemClock.sleep(20);
  };

  test('a client that answers pings stays', async () => {
    const socket = await openSocket(await house.serve(echo, { fake: true }));
    let pings = 0;
    socket.on('ping', () => {
      pings += 1;
    });
    await advance(600_000);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    expect(pings).toBe(20);
  });

  test('a client that never answers pings and sends nothing is idle after five minutes; one that sends is not', async () => {
    const port = await house.serve(echo, { fake: true });
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
    const socket = await openSocket(await house.serve(echo, { fake: true }));
    await advance(35_000);
    const closed = closeOf(socket);
    socket.pause();
    await advance(75_000);
    expect(house.sockets.size).toBe(0);
    socket.resume();
    expect((await closed).code).toBe(1006);
  });

  test('what a client does not take for thirty seconds closes it with 1013', async () => {
    let connection: WebSocketConnection | null = null;
    const port = await house.serve(
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
    for (let waits = 0; waits < 3; waits = open.needsDrain() ? waits + 1 : 0) {
      if (!open.needsDrain()) open.send('x'.repeat(50_000));
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
