import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { startAttacked } from './target.ts';

const CLOSED_WITHIN_MS = 12_000;
const HEAD = `Host: localhost\r\nAuthorization: Bearer ${DEVELOPMENT_KEY}\r\nContent-Type: application/json\r\n`;

const FORM_HEAD = HEAD.replace('application/json', 'multipart/form-data; boundary=b');
const FILE_HEAD = '--b\r\nContent-Disposition: form-data; name="file"; filename="slow.txt"\r\n\r\nText';

/** Sends a start at once, then a byte a second. Resolves with the answer when the server closes; with null when it does not in time. */
function drip(url: string, start: string): Promise<string | null> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(start));
    const dripping = setInterval(() => socket.write('x'), 1_000);
    const finish = (result: string | null) => {
      clearInterval(dripping);
      clearTimeout(patience);
      socket.destroy();
      resolve(result);
    };
    const patience = setTimeout(() => finish(null), CLOSED_WITHIN_MS);
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    // Writing to a connection that the server has closed fails; what counts is that it is closed.
    socket.on('error', () => finish(answer));
    socket.on('close', () => finish(answer));
  });
}

test('requests that come a byte a second are closed within 12 s while others are answered', async () => {
  const app = await startAttacked();
  const { id: thread } = (await (await app.post('/polylogue/v1/threads', {})).json()) as { id: string };
  const slow = [
    'GET /health HTTP/1.1\r\nX-Slow: ',
    'GET /',
    `POST /polylogue/v1/threads HTTP/1.1\r\n${HEAD}Content-Length: 1000\r\n\r\n{"title":"`,
    `POST /levia/chat HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n3e8\r\n{`,
    `POST /v1/chat/stream HTTP/1.1\r\n${HEAD}Content-Length: 1000\r\n\r\n`,
    `POST /polylogue/v1/threads/${thread}/files HTTP/1.1\r\n${FORM_HEAD}Content-Length: 1000\r\n\r\n--b\r\nContent-Dis`,
    `POST /polylogue/v1/threads/${thread}/files HTTP/1.1\r\n${FORM_HEAD}Transfer-Encoding: chunked\r\n\r\nffff\r\n${FILE_HEAD}`,
  ];
  const dripping = Promise.all(Array.from({ length: 10 }, () => slow.map((start) => drip(app.url, start))).flat());
  let answered = 0;
  let over = false;
  void dripping.then(() => {
    over = true;
  });
  while (!over) {
    expect((await app.post('/polylogue/v1/threads', {})).status).toBe(201);
    answered += 1;
    await sleep(100);
  }
  const answers = await dripping;
  expect(answers.filter((answer) => answer === null)).toEqual([]);
  // Of the uploads only as many come in at once as may.
  for (const answer of answers) expect(answer).toMatch(/^(HTTP\/1\.1 (?:408|429) |$)/);
  expect(answered).toBeGreaterThan(20);
  const { data } = (await (await app.send('/polylogue/v1/threads?limit=100')).json()) as { data: { title: string | null }[] };
  expect(data.filter(({ title }) => title !== null)).toEqual([]);
  await app.close();
}, 40_000);
