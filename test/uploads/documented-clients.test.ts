import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { HELLO } from '../support/forms.ts';
import { canImport, PYTHON } from '../support/requirements.ts';
import { runToSuccess } from '../support/run-program.ts';

const CLIENT = fileURLToPath(new URL('../clients/upload-client.py', import.meta.url));

let app: TestApp;
let directory: string;
let token: string;
let session: number;
beforeAll(async () => {
  app = await startTestApp();
  token = await app.token('ann');
  const made = await app.post('/v1/chat/sessions', { model: 'gpt-4' }, { authorization: `Bearer ${token}` });
  session = ((await made.json()) as { id: number }).id;
  directory = await mkdtemp(join(tmpdir(), 'polylogue-clients-'));
  await writeFile(join(directory, 'document.pdf'), HELLO);
});
afterAll(async () => {
  await app.close();
  await rm(directory, { recursive: true });
});

const uploaded = {
  file: {
    id: expect.any(Number),
    filename: 'document.pdf',
    file_size: HELLO.length,
    mime_type: 'application/pdf',
    extracted_text: 'Hello from page one\n\nAnd from page two',
    metadata: { page_count: 2 },
  },
  message: 'File uploaded successfully',
};

test('the documented curl command uploads a PDF', async () => {
  const url = `${app.url}/api/chat/sessions/${session}/upload`;
  const curl = ['curl', '-sS', '-X', 'POST', '-H', `Authorization: Bearer ${token}`, '-F', 'file=@document.pdf', url] as const;
  const { stdout } = await runToSuccess([...curl], { cwd: directory });
  expect(JSON.parse(stdout)).toEqual(uploaded);
});

test.skipIf(!canImport('aiohttp'))('aiohttp uploads a PDF', async () => {
  const { stdout } = await runToSuccess([PYTHON, CLIENT, app.url, token, String(session), 'document.pdf'], { cwd: directory });
  expect(JSON.parse(stdout)).toEqual(uploaded);
});
