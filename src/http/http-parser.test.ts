import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { letGoOfParser } from './http-parser.ts';

test('a connection has no parser any more, and its client can still leave', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
  const [{ socket }, response] = await once(server, 'request');
  const kept: Socket & { parser?: unknown } = socket;
  expect(kept.parser).toBeTruthy();
  await new Promise((resolve) => setImmediate(resolve));
  letGoOfParser(kept);
  expect(kept.parser).toBeNull();
  client.write('no HTTP');
  client.end();
  await once(response, 'close');
  expect(kept.destroyed).toBe(true);
  server.close();
});
