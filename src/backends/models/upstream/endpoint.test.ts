import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createEndpoint } from './endpoint.ts';

test('who gives an answer up with its very last bytes is not told so by an error that nobody hears', async () => {
  const server = createServer((_, answer) => void answer.end('all')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const endpoint = createEndpoint({ baseUrl, apiKey: null, authorize: (value) => ({ name: 'authorization', value }) });
  const unheard: unknown[] = [];
  const hear = (error: unknown) => void unheard.push(error);
  process.on('uncaughtException', hear);
  const stop = new AbortController();
  const response = await endpoint.send({ path: '/', body: null, signal: stop.signal });
  response.on('error', () => undefined);
  await expect.poll(() => response.complete).toBe(true);
  response.on('data', () => stop.abort());
  await once(response, 'close');
  await sleep(20);
  process.off('uncaughtException', hear);
  server.close();
  expect(unheard).toEqual([]);
});
