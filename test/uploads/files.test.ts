import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { docx } from '../support/docx-documents.ts';
import { FORM_TYPE, type FormPart, file, formHead, formOf, formTail, HELLO } from '../support/forms.ts';
import { textPdf } from '../support/pdf-documents.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

interface FileView {
  readonly id: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

interface Thread {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function threadOf(user = 'ann'): Promise<Thread> {
  const headers = { 'x-user-id': user };
  const { id } = (await (await app.post('/polylogue/v1/threads', {}, headers)).json()) as { id: string };
  return { id, headers };
}

const add = ({ id, headers }: Thread, parts: readonly FormPart[], more: Readonly<Record<string, string>> = {}) =>
  app.send(`/polylogue/v1/threads/${id}/files`, { method: 'POST', headers: { ...headers, ...more }, body: formOf(...parts) });
const viewOf = async (response: Response) => (await response.json()) as FileView;
const listOf = async ({ id, headers }: Thread, query = '') =>
  (await (await app.send(`/polylogue/v1/threads/${id}/files${query}`, { headers })).json()) as {
    readonly data: readonly FileView[];
    readonly next_cursor: string | null;
  };

describe('files of a thread', () => {
  test('are added, listed, shown, downloaded and deleted', async () => {
    const thread = await threadOf();
    const response = await add(thread, [file(HELLO, 'Café "1".pdf')]);
    expect([response.status, response.headers.get('x-thread-id')]).toEqual([201, thread.id]);
    const added = await viewOf(response);
    expect(response.headers.get('location')).toBe(`/polylogue/v1/files/${added.id}`);
    expect(added).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      thread_id: thread.id,
      name: 'Café "1".pdf',
      media_type: 'application/pdf',
      size: HELLO.length,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      page_count: 2,
      characters: 'Hello from page oneAnd from page two'.length,
      truncated: false,
      created_at: expect.stringMatching(/Z$/),
    });
    const init = { headers: thread.headers };
    const path = `/polylogue/v1/files/${added.id}`;
    expect(await listOf(thread)).toEqual({ data: [added], next_cursor: null });
    expect(await (await app.send(path, init)).json()).toEqual(added);
    const download = await app.send(`${path}/content`, init);
    expect(Buffer.from(await download.arrayBuffer()).equals(HELLO)).toBe(true);
    expect(Object.fromEntries(download.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': String(HELLO.length),
      'content-disposition': `attachment; filename="Cafe _1_.pdf"; filename*=UTF-8''Caf%C3%A9%20%221%22.pdf`,
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
      'x-thread-id': thread.id,
    });
    expect((await app.send(path, { ...init, method: 'DELETE' })).status).toBe(204);
    for (const gone of [path, `${path}/content`]) expect((await app.send(gone, init)).status).toBe(404);
    expect((await app.send(path, { ...init, method: 'DELETE' })).status).toBe(404);
  });

  test.each([
    ['notes.txt', 'Plain words', 'text/plain'],
    ['notes.md', '# Heading\n\nWords', 'text/markdown'],
    ['table.csv', 'a,b\n1,2\n', 'text/csv'],
    ['page.html', '<!doctype html><p>Words</p>', 'text/html'],
    [
      'letter.docx',
      docx('<w:p><w:r><w:t>Words</w:t></w:r></w:p>'),
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    ],
  ])('may be more than PDF: %s', async (name, content, type) => {
    const response = await add(await threadOf(), [file(content, name)]);
    expect([response.status, await viewOf(response)]).toMatchObject([201, { media_type: type, page_count: 1 }]);
  });

  test('of other types are refused, and so are unknown fields', async () => {
    const thread = await threadOf();
    const refused = await add(thread, [file(Buffer.from('\x89PNG\r\n\x1a\n\0\0', 'latin1'), 'a.png')]);
    expect([refused.status, await refused.json()]).toMatchObject([415, { code: 'file_type_unsupported' }]);
    for (const parts of [
      [file(HELLO), { field: 'owner', content: 'eve' }],
      [{ field: 'owner', content: 'eve' }, file(HELLO)],
    ]) {
      const unknown = await add(thread, parts);
      expect([unknown.status, await unknown.json()]).toMatchObject([422, { code: 'validation_failed', errors: [{ path: ['owner'] }] }]);
    }
    expect((await listOf(thread)).data).toEqual([]);
  });

  test('come page by page, newest first', async () => {
    const thread = await threadOf();
    for (const name of ['a.txt', 'b.txt', 'c.txt']) await add(thread, [file(`The file ${name}`, name)]);
    const first = await listOf(thread, '?limit=2');
    const second = await listOf(thread, `?limit=2&cursor=${first.next_cursor}`);
    expect([...first.data, ...second.data].map(({ name }) => name)).toEqual(['c.txt', 'b.txt', 'a.txt']);
    expect(second.next_cursor).toBeNull();
  });

  test('are added once under an Idempotency-Key', async () => {
    const thread = await threadOf();
    const key = { 'idempotency-key': 'add-once' };
    const first = await add(thread, [file(HELLO)], key);
    const again = await add(thread, [file(HELLO)], key);
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
    expect(await again.json()).toEqual(await first.json());
    const other = await add(thread, [file(textPdf(['Another']))], key);
    expect([other.status, await other.json()]).toMatchObject([422, { code: 'idempotency_mismatch' }]);
    expect((await listOf(thread)).data).toHaveLength(1);
  });

  test('are told to other devices of their user', async () => {
    const thread = await threadOf();
    const stop = new AbortController();
    const events = await app.send(`/polylogue/v1/threads/${thread.id}/events`, { headers: thread.headers, signal: stop.signal });
    const added = await viewOf(await add(thread, [file(HELLO)]));
    await app.send(`/polylogue/v1/files/${added.id}`, { method: 'DELETE', headers: thread.headers });
    let seen = '';
    const decoder = new TextDecoder();
    for await (const bytes of events.body ?? []) {
      seen += decoder.decode(bytes, { stream: true });
      if (seen.split('event: thread.changed').length === 3) break;
    }
    stop.abort();
    expect(seen).toContain('event: thread.changed');
  });
});

test('a name is a text and never a place', async () => {
  const { id, headers } = await threadOf();
  const send = async (name: string) => {
    const body = new Uint8Array(Buffer.concat([formHead(name), HELLO, formTail]));
    const init = { method: 'POST', headers: { ...headers, 'content-type': FORM_TYPE }, body };
    return viewOf(await app.send(`/polylogue/v1/threads/${id}/files`, init));
  };
  const names = ['../../../etc/cron.d/x.pdf', 'C:\\x\\y.pdf', '\u202egnp.pdf', '<img src=x onerror=alert(1)>.pdf', '報告.pdf', ' '];
  const shown: string[] = [];
  for (const name of names) shown.push((await send(name)).name);
  expect(shown).toEqual(['x.pdf', 'y.pdf', 'gnp.pdf', '<img src=x onerror=alert(1)>.pdf', '報告.pdf', 'file']);
  expect([...(await send(`${'x'.repeat(5_000)}.pdf`)).name]).toHaveLength(200);
});
