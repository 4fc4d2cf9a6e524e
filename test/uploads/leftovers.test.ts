import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { filesBelow } from '../support/data-search.ts';
import { file, formHead, formOf, formTail, HELLO, openUpload, pdfOf } from '../support/forms.ts';
import { longPdf, textPdf } from '../support/pdf-documents.ts';

const PATIENT = { timeout: 20_000 };

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const filesOnDisk = () => filesBelow(join(app.dataDir, 'files'));

async function threadOf(user: string): Promise<string> {
  const made = await app.post('/polylogue/v1/threads', {}, { 'x-user-id': user });
  return ((await made.json()) as { id: string }).id;
}

const send = (user: string, thread: string, bytes: Uint8Array = HELLO) =>
  app.send(`/polylogue/v1/threads/${thread}/files`, { method: 'POST', headers: { 'x-user-id': user }, body: formOf(file(bytes)) });

describe('bytes', () => {
  test('of the same file are kept once for one user, and go with the last of their threads', async () => {
    expect((await send('zoe', await threadOf('zoe'))).status).toBe(201);
    const before = (await filesOnDisk()).length;
    const bytes = textPdf(['Kept once']);
    const users = ['dora', 'dora', 'emil'];
    const threads: string[] = [];
    for (const user of users) {
      const thread = await threadOf(user);
      threads.push(thread);
      expect((await send(user, thread, bytes)).status).toBe(201);
    }
    expect(await filesOnDisk()).toHaveLength(before + 2);
    const left: number[] = [];
    for (const [index, user] of users.entries()) {
      await app.send(`/polylogue/v1/threads/${threads[index]}`, { method: 'DELETE', headers: { 'x-user-id': user } });
      left.push((await filesOnDisk()).length - before);
    }
    expect(left).toEqual([2, 1, 0]);
  });

  test('of an upload that breaks off at 99 % leave nothing, and neither do refused ones', async () => {
    const thread = await threadOf('carl');
    await send('carl', thread);
    const before = await filesOnDisk();
    const whole = Buffer.concat([formHead('cut.pdf'), pdfOf(1_000_000), formTail]);
    const path = `/polylogue/v1/threads/${thread}/files`;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const call = openUpload({ url: app.url, path, headers: { 'x-user-id': 'carl', 'content-length': String(whole.length) } });
      const closed = new Promise<void>((resolve) => call.once('close', resolve));
      call.on('error', () => undefined);
      call.write(whole.subarray(0, 990_000));
      // On its way once something of it lies on the disk.
      await expect.poll(async () => (await filesOnDisk()).length, PATIENT).toBe(before.length + 1);
      call.destroy();
      await closed;
      await expect.poll(filesOnDisk, PATIENT).toEqual(before);
    }
    expect((await send('carl', thread, HELLO.subarray(0, 60))).status).toBe(422);
    expect((await send('carl', thread, Buffer.from([0, 1, 2, 3]))).status).toBe(415);
    expect(await filesOnDisk()).toEqual(before);
    const list = await app.send(path, { headers: { 'x-user-id': 'carl' } });
    expect(((await list.json()) as { data: unknown[] }).data).toHaveLength(1);
  });
});

test('of one user only so many uploads come in at once; others are not held up', async () => {
  const thread = await threadOf('busy');
  const before = (await filesOnDisk()).length;
  const slow = Array.from({ length: 4 }, () => {
    const call = openUpload({ url: app.url, path: `/polylogue/v1/threads/${thread}/files`, headers: { 'x-user-id': 'busy' } });
    call.on('error', () => undefined);
    call.write(Buffer.concat([formHead('slow.pdf'), HELLO]));
    return call;
  });
  await expect.poll(async () => (await filesOnDisk()).length, PATIENT).toBe(before + 4);
  const refused = await send('busy', thread);
  expect([refused.status, await refused.json()]).toMatchObject([429, { code: 'too_many_uploads' }]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await send('calm', await threadOf('calm'))).status).toBe(201);
  for (const call of slow) call.destroy();
  await expect.poll(async () => (await filesOnDisk()).length, PATIENT).toBe(before + 1);
  expect((await send('busy', thread)).status).toBe(201);
});

test('whoever does not read the long answer to an upload takes no place from the next one', async () => {
  const headers = { 'x-user-id': 'reader' };
  const made = await app.post('/v1/chat/sessions', { model: 'demo' }, headers);
  const path = `/v1/chat/sessions/${((await made.json()) as { id: number }).id}/upload`;
  const long = Buffer.concat([formHead('long.pdf'), longPdf(1_300), formTail]);
  const unread: ReturnType<typeof openUpload>[] = [];
  for (let upload = 0; upload < 4; upload += 1) {
    const call = openUpload({ url: app.url, path, headers });
    unread.push(call);
    call.end(long);
    await once(call, 'response');
  }
  expect((await send('reader', await threadOf('reader'))).status).toBe(201);
  for (const call of unread) call.destroy();
}, 60_000);

test('files of a user take no more room than the settings say, and nothing is left of one that is refused', async () => {
  const small = await startTestApp({ file: { limits: { drainSeconds: 1, fileMebibytesPerUser: 1 } } });
  try {
    const { id } = (await (await small.post('/polylogue/v1/threads', {})).json()) as { id: string };
    const add = (bytes: Buffer) => small.send(`/polylogue/v1/threads/${id}/files`, { method: 'POST', body: formOf(file(bytes)) });
    const first = (await (await add(pdfOf(600_000))).json()) as { id: string };
    const refused = await add(pdfOf(600_001));
    expect([refused.status, await refused.json()]).toMatchObject([409, { code: 'state_conflict' }]);
    expect(await filesBelow(join(small.dataDir, 'files'))).toHaveLength(1);
    expect((await add(pdfOf(600_000))).status).toBe(201);
    await small.send(`/polylogue/v1/files/${first.id}`, { method: 'DELETE' });
    expect((await add(pdfOf(600_001))).status).toBe(409);
  } finally {
    await small.close();
  }
});
