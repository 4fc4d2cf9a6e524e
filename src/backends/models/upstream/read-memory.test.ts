import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createEndpoint } from './endpoint.ts';

test('what one connection has read stays as it was when others read, also while its reader waits', async () => {
  const answers: ServerResponse[] = [];
  const server = createServer((_, answer) => void answers.push(answer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const endpoint = createEndpoint({ baseUrl, apiKey: null, authorize: (value) => ({ name: 'authorization', value }) });
  const stop = new AbortController();
  const sent = [0, 1, 2].map(() => endpoint.send({ path: '/', body: null, signal: stop.signal }));
  await expect.poll(() => answers.length).toBe(3);
  for (const answer of answers) answer.flushHeaders();
  const kept = (await Promise.all(sent)).map((response, index) => {
    const pieces: Buffer[] = [];
    response.on('data', (bytes: Buffer) => {
      pieces.push(bytes);
      if (index !== 1) return;
      response.pause();
      setImmediate(() => response.resume());
    });
    return { pieces, ended: once(response, 'end') };
  });
  const rounds = Array.from({ length: 50 }, (_, round) => round);
  for (const round of rounds) {
    for (const [index, answer] of answers.entries()) await new Promise<void>((done) => answer.write(`${index}.${round} `, () => done()));
  }
  for (const answer of answers) answer.end();
  await Promise.all(kept.map(({ ended }) => ended));
  // Which answer belongs to which request is the server's choice.
  const texts = kept.map(({ pieces }) => Buffer.concat(pieces).toString()).sort();
  expect(texts).toEqual(answers.map((_, index) => rounds.map((round) => `${index}.${round} `).join('')));
  stop.abort();
  server.closeAllConnections();
  server.close();
});
