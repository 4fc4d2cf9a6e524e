import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readText } from './body-reading.ts';
import { createDeadline } from './deadline.ts';
import { createEndpoint, type Endpoint } from './endpoint.ts';
import { isReadDirectly } from './plain-connection.ts';

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

describe('a body that is read past the HTTP parser', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const BODY = '4\r\na\u20ac\r\n2\r\nbc\r\n';
  const END = '0\r\nTrailer: yes\r\n\r\n';

  /** Serves connections byte for byte: what `pieces` gives for each request, in pieces that arrive apart. */
  async function serve(pieces: (request: number) => readonly (string | Buffer)[]) {
    let connections = 0;
    let requests = 0;
    const server = createTcpServer((socket) => {
      connections += 1;
      socket.setNoDelay();
      socket.on('error', () => undefined);
      socket.on('data', async () => {
        requests += 1;
        for (const piece of pieces(requests)) {
          if (piece === 'close') socket.end();
          else socket.write(piece);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const endpoint = createEndpoint({ baseUrl, apiKey: null, authorize: (value) => ({ name: 'authorization', value }) });
    return { endpoint, connections: () => connections };
  }

  /** Asks, and reads to the end. */
  async function read(endpoint: Endpoint) {
    const stop = new AbortController();
    const deadline = createDeadline(stop.signal, { firstByteMs: 5000, idleMs: 5000, totalMs: 5000 });
    const response = await endpoint.send({ path: '/', body: null, direct: true, signal: deadline.signal });
    const texts: string[] = [];
    const take = (text: string) => {
      texts.push(text);
      return null;
    };
    const end = await readText(response, { take, enough: () => false }, deadline);
    deadline.release();
    return { text: texts.join(''), end, direct: isReadDirectly(response), trailer: response.trailers.trailer };
  }

  const whole = Buffer.from(`${HEAD}${BODY}${END}`);

  test('is whole however it comes, and its connection is used again', async () => {
    const head = Buffer.byteLength(HEAD);
    const { endpoint, connections } = await serve((request) =>
      request === 1 ? [whole] : [whole.subarray(0, head + request), whole.subarray(head + request)],
    );
    for (let request = 1; request < whole.length - head; request += 1) {
      expect(await read(endpoint)).toEqual({ text: 'a\u20acbc', end: { lost: false }, direct: true, trailer: 'yes' });
    }
    expect(connections()).toBe(1);
  });

  test('a head in two reads is left to the parser, and so is a body without chunks', async () => {
    const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/';
    const { endpoint } = await serve((request) => (request === 1 ? [whole.subarray(0, 20), whole.subarray(20)] : [plain]));
    expect(await read(endpoint)).toMatchObject({ text: 'a\u20acbc', end: { lost: false } });
    expect(await read(endpoint)).toMatchObject({ text: 'HTTP/', end: { lost: false }, direct: false });
  });

  test('what ends before its last chunk is lost, and keeps what came', async () => {
    const { endpoint } = await serve(() => [`${HEAD}${BODY}`, 'close']);
    expect(await read(endpoint)).toMatchObject({ text: 'a\u20acbc', end: { lost: true } });
  });

  test('so is what is no chunk', async () => {
    const { endpoint } = await serve(() => [`${HEAD}${BODY}`, 'HTTP/1.1 200 OK\r\n\r\n']);
    expect(await read(endpoint)).toMatchObject({ text: 'a\u20acbc', end: { lost: true, cause: expect.anything() } });
  });

  test.each([
    ['with its end', ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nstr']],
    ['later', [whole, 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nstr']],
  ])('a connection on which more comes behind an answer, %s, is not used again', async (_, answer) => {
    const { endpoint, connections } = await serve((request) => (request === 1 ? answer : [whole]));
    await read(endpoint);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await read(endpoint)).toMatchObject({ text: 'a\u20acbc', end: { lost: false } });
    expect(connections()).toBe(2);
  });

  test('nothing is read while its taker waits', async () => {
    const many = Array.from({ length: 20 }, (_, index) => `1\r\n${String.fromCharCode(97 + index)}\r\n`);
    const { endpoint } = await serve(() => [HEAD, ...many, END]);
    const stop = new AbortController();
    const deadline = createDeadline(stop.signal, { firstByteMs: 5000, idleMs: 5000, totalMs: 5000 });
    const response = await endpoint.send({ path: '/', body: null, direct: true, signal: deadline.signal });
    const texts: string[] = [];
    const gates: PromiseWithResolvers<void>[] = [];
    const take = (text: string) => {
      texts.push(text);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      return gate.promise;
    };
    const end = readText(response, { take, enough: () => false }, deadline);
    await expect.poll(() => texts.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(texts.length).toBe(1);
    gates[0]?.resolve();
    // All that came meanwhile comes at once.
    await expect.poll(() => texts.join('')).toBe('abcdefghijklmnopqrst');
    expect(texts.length).toBe(2);
    gates[1]?.resolve();
    expect(await end).toEqual({ lost: false });
    deadline.release();
  });
});
