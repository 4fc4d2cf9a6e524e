import { once } from 'node:events';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeClock, type FakeClock } from '../../test/support/fake-clock.ts';
import { FORM_TYPE, formHead, formTail, openUpload } from '../../test/support/forms.ts';
import { MAX_FILE_BYTES } from '../core/attachment.ts';
import { AppError } from '../core/errors.ts';
import { useUploads, withUpload } from './upload.ts';

/** As much as lets a sender pause for minutes if only its speed on the whole counted. */
const MEGABYTE = Buffer.alloc(1_000_000, 'x');
const SECOND = 1_000;

let clock: FakeClock;
let app: FastifyInstance;
let url: string;
let received: number;
let failure: unknown;
beforeEach(async () => {
  clock = createFakeClock();
  received = 0;
  failure = null;
  app = Fastify({ forceCloseConnections: true });
  useUploads(app, clock);
  app.post('/', async (request, reply) => {
    try {
      await withUpload({ request, reply, clock, strict: true }, async ({ content }) => {
        for await (const chunk of content) received += chunk.length;
      });
    } catch (error) {
      failure = error;
    }
    return reply.code(failure instanceof AppError ? 400 : 200).send();
  });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => app.close());

function open(headers: Readonly<Record<string, string>> = {}) {
  const call = openUpload({ url, path: '/', headers: { 'content-type': FORM_TYPE, ...headers } });
  call.on('error', () => undefined);
  return call;
}

function advance(seconds: number): void {
  for (let passed = 0; passed < seconds; passed += 1) clock.advance(SECOND);
}

test('a form that says itself that it is too large is refused before a byte of it came', async () => {
  const call = open({ 'content-length': String(MAX_FILE_BYTES + 200_000) });
  call.flushHeaders();
  await once(call, 'response');
  expect(failure).toMatchObject({ code: 'file_too_large' });
  call.destroy();
});

test('who pauses is waited for 8 seconds, however much has come', async () => {
  const call = open();
  call.write(Buffer.concat([formHead('a.txt'), MEGABYTE]));
  await expect.poll(() => received).toBe(MEGABYTE.length);
  advance(7);
  call.write(MEGABYTE);
  await expect.poll(() => received).toBe(2 * MEGABYTE.length);
  advance(7);
  expect(failure).toBeNull();
  const answered = once(call, 'response');
  advance(3);
  expect((await answered)[0].statusCode).toBe(408);
  await expect.poll(() => failure).toMatchObject({ code: 'body_invalid', message: 'The upload came too slowly.' });
});

test('who is slow on the whole is refused though it never pauses', async () => {
  const call = open();
  call.write(formHead('a.txt'));
  let sent = 0;
  while (failure === null && sent < 60) {
    sent += 1;
    call.write('x'.repeat(100));
    await expect.poll(() => failure !== null || received === sent * 100, { interval: 5 }).toBe(true);
    advance(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(sent).toBeLessThan(15);
  expect(failure).toMatchObject({ code: 'body_invalid', message: 'The upload came too slowly.' });
});

test('who sends enough is waited for as long as it takes', async () => {
  const call = open();
  const answered = once(call, 'response');
  call.write(formHead('a.txt'));
  for (let sent = 1; sent <= 9; sent += 1) {
    call.write(MEGABYTE);
    await expect.poll(() => received).toBe(sent * MEGABYTE.length);
    advance(7);
  }
  call.end(formTail);
  expect((await answered)[0].statusCode).toBe(200);
  expect(failure).toBeNull();
});
