import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { nativeTextOf } from '../support/chat-clients.ts';
import { answer, startUpstream } from '../support/upstream.ts';
import { startAttacked } from './target.ts';

const READERS = 200;
/** While the answer pauses in its middle, half of the readers come. */
const PAUSE_MS = 2_500;
const PIECES = 400;
const PIECE = 'word '.repeat(10_000);
/** 20 million characters, which each stopped reader would hold if the server kept them for it. */
const WHOLE = PIECES * PIECE.length;
/** The log and the answer themselves, a few times over; kept per reader the answer would be 4,000 MB. */
const RETAINED_BYTES = 480_000_000;
const CUT_OFF_AFTER_MS = 42_000;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Asks for a stream and stops reading as soon as its first bytes are there. */
function stopReading(url: string, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.once('data', () => resolve(socket.pause()));
    socket.once('error', reject);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${DEVELOPMENT_KEY}\r\n\r\n`);
  });
}

/** Reads what is still on its way, until the other side has closed. */
function readRest(socket: Socket): Promise<{ bytes: number; sawEnd: boolean }> {
  return new Promise((resolve) => {
    let bytes = 0;
    let sawEnd = false;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      sawEnd ||= chunk.includes('run.completed') || chunk.includes('"complete"');
    });
    // A connection that was broken off may end with a reset.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ bytes, sawEnd }));
    socket.resume();
  });
}

test('readers that stop reading cost no memory, hold nobody up and are cut off', async () => {
  const script = answer(Array.from({ length: PIECES }, () => PIECE)).toSpliced(PIECES / 2, 0, { waitMs: PAUSE_MS });
  const upstream = await startUpstream(script);
  const file = { models: { 'gpt-4': { provider: 'openai' } }, limits: { drainSeconds: 1, answerChars: 30_000_000 } };
  const app = await startAttacked({ env: { OPENAI_BASE_URL: upstream.baseUrl }, file });
  const thread = (await (await app.post('/polylogue/v1/threads', {})).json()) as { id: string };
  const before = heldBytes();
  const run = (await (await app.post(`/polylogue/v1/threads/${thread.id}/runs`, { text: 'Hi' })).json()) as { id: string };
  const paths = [`/polylogue/v1/runs/${run.id}/events`, `/levia/chat/stream/${run.id}`];
  const stopHalf = () => Promise.all(Array.from({ length: READERS / 2 }, (_, index) => stopReading(app.url, paths[index % 2] ?? '')));
  const early = await stopHalf();
  await sleep(PAUSE_MS / 2);
  const stopped = [...early, ...(await stopHalf())];

  const read = await (await app.send(paths[0] ?? '')).text();
  expect(nativeTextOf(read).length).toBe(WHOLE);
  const shown = (await (await app.send(`/polylogue/v1/runs/${run.id}`)).json()) as { status: string };
  expect(shown.status).toBe('completed');
  expect(heldBytes() - before).toBeLessThan(RETAINED_BYTES);

  await sleep(CUT_OFF_AFTER_MS);
  const rests = await Promise.all(stopped.map(readRest));
  expect(rests.filter(({ sawEnd }) => sawEnd)).toEqual([]);
  expect(Math.max(...rests.map(({ bytes }) => bytes))).toBeLessThan(WHOLE);
  await app.close();
  await upstream.close();
}, 90_000);
