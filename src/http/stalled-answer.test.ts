import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeClock, type FakeClock } from '../../test/support/fake-clock.ts';
import { cutWhenStalled } from './stalled-answer.ts';

/** More than the kernel takes for a client that does not read. */
const CHUNKS = 1_000;
const CHUNK = Buffer.alloc(64 * 1024);
const READ_BETWEEN_TICKS = 5_000_000;

let clock: FakeClock;
let server: ReturnType<typeof createServer>;
let client: Socket;
beforeEach(async () => {
  clock = createFakeClock();
  server = createServer((_request, raw) => {
    cutWhenStalled({ raw }, clock);
    Readable.from(Array.from({ length: CHUNKS }, () => CHUNK)).pipe(raw);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
});
afterEach(() => {
  client.destroy();
  server.close();
});

test('an answer of which its client takes nothing is broken off', async () => {
  client.pause();
  const [answering] = (await once(server, 'connection')) as [Socket];
  while (!answering.destroyed) {
    // The network may still be taking what it can hold.
    await sleep(20);
    clock.advance(5_000);
  }
  expect(answering.bytesWritten).toBeLessThan(CHUNKS * CHUNK.length);
});

test('one that its client takes slowly comes to its end', async () => {
  let read = 0;
  let passed = 0;
  client.on('data', (chunk: Buffer) => {
    read += chunk.length;
    if (read < (passed + 1) * READ_BETWEEN_TICKS) return;
    passed += 1;
    clock.advance(5_000);
  });
  await once(client, 'close');
  expect(passed).toBeGreaterThan(10);
  expect(read).toBeGreaterThan(CHUNKS * CHUNK.length);
});
