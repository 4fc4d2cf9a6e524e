import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_FILE_BYTES } from '../../src/core/attachment.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { FORM_TYPE, type FormPart, file, formHead, formOf, formTail, HELLO, pdfOf, sendChunked } from '../support/forms.ts';
import { inflatingPdf, lockedPdf } from '../support/hostile-pdfs.ts';
import { textPdf } from '../support/pdf-documents.ts';

let app: TestApp;
let session: { readonly id: number };

beforeAll(async () => {
  app = await startTestApp();
  session = (await (await app.post('/v1/chat/sessions', { model: 'gpt-4' })).json()) as typeof session;
});
afterAll(() => app.close());

const place = () => `/v1/chat/sessions/${session.id}/upload`;
const upload = (path: string, ...parts: readonly FormPart[]) => app.send(path, { method: 'POST', body: formOf(...parts) });

async function refusal(sending: Promise<Response>) {
  const response = await sending;
  return { status: response.status, body: (await response.json()) as object };
}

describe.each(['/v1/chat', '/api/chat'])('a PDF uploaded to a session under %s', (prefix) => {
  test('is answered with its text, its pages and a number', async () => {
    const made = await app.post(`${prefix}/sessions`, { model: 'gpt-4' });
    const { id } = (await made.json()) as { id: number };
    const response = await upload(`${prefix}/sessions/${id}/upload`, file(HELLO));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('x-session-id')).toBe(String(id));
    const body = (await response.json()) as { file: { id: number } };
    expect(body).toEqual({
      file: {
        id: expect.any(Number),
        filename: 'document.pdf',
        file_size: HELLO.length,
        mime_type: 'application/pdf',
        extracted_text: 'Hello from page one\n\nAnd from page two',
        metadata: { page_count: 2 },
      },
      message: 'File uploaded successfully',
    });
    expect(Number.isSafeInteger(body.file.id) && body.file.id > 0).toBe(true);
  });
});

test('a text of quotes, line breaks, emoji and frames comes back as it is in the PDF', async () => {
  const text = 'He said "no\\n" \u{1f600} data: [DONE] {"file":1}';
  const response = await upload(place(), file(textPdf([text])));
  expect(((await response.json()) as { file: { extracted_text: string } }).file.extracted_text).toBe(text);
});

test('the same upload under an Idempotency-Key is done once and answered twice', async () => {
  const send = () => app.send(place(), { method: 'POST', headers: { 'idempotency-key': 'u1' }, body: formOf(file(HELLO)) });
  const [first, second] = [await send(), await send()];
  expect([first.headers.get('idempotent-replayed'), second.headers.get('idempotent-replayed')]).toEqual([null, 'true']);
  expect(await second.json()).toEqual(await first.json());
});

describe('what cannot be uploaded to a session:', () => {
  test.each([
    ['a PNG that is called a PDF', Buffer.from('\x89PNG\r\n\x1a\n0000', 'latin1')],
    ['text that is called a PDF', Buffer.from('Just text')],
    ['nothing at all', Buffer.alloc(0)],
    ['a web page', Buffer.from('<!doctype html><script>alert(1)</script>')],
    ['more than the limit of anything else', Buffer.alloc(MAX_FILE_BYTES + 1, 'x')],
  ])('%s is no PDF', async (_what, bytes) => {
    expect(await refusal(upload(place(), file(bytes)))).toEqual({
      status: 400,
      body: { detail: 'Only PDF files are supported', code: 'file_type_unsupported' },
    });
  });

  test.each([
    ['damaged', HELLO.subarray(0, 60)],
    ['no text', textPdf([' '])],
    ['encrypted', lockedPdf()],
    ['too complex', inflatingPdf(1_200)],
  ])('a PDF whose text cannot be had, which is told in words: %s', async (reason, bytes) => {
    expect(await refusal(upload(place(), file(bytes)))).toEqual({
      status: 400,
      body: { detail: `Failed to extract text from PDF: ${reason}`, code: 'file_unreadable' },
    });
  });

  const tooLarge = { status: 413, body: { detail: 'File size exceeds maximum limit', code: 'file_too_large' } };

  test('one byte more than 10 MiB, but not 10 MiB', async () => {
    expect(await refusal(upload(place(), file(pdfOf(MAX_FILE_BYTES + 1))))).toEqual(tooLarge);
    const response = await upload(place(), file(pdfOf(MAX_FILE_BYTES)));
    expect([response.status, await response.json()]).toMatchObject([200, { file: { file_size: MAX_FILE_BYTES } }]);
  });

  test('what says that it is too large: it is not read, but its session is looked for first', async () => {
    const send = (id: number | string) => upload(`/v1/chat/sessions/${id}/upload`, file(pdfOf(12_000_000)));
    expect(await refusal(send(session.id))).toEqual(tooLarge);
    expect(await refusal(send(4_711))).toMatchObject({ status: 404, body: { detail: 'Chat session not found' } });
    expect(await refusal(send('x'))).toMatchObject({ status: 422 });
  });

  test('what does not say how long it is, and goes on beyond the limit', async () => {
    let given = 0;
    function* endless(first: Uint8Array): Generator<Uint8Array> {
      yield formHead('endless.pdf');
      yield first;
      for (given = 0; given < 1_000; given += 1) yield Buffer.alloc(65_536, '\n');
    }
    const large = await sendChunked({ url: app.url, path: place() }, endless(HELLO));
    expect([large.status, JSON.parse(large.body)]).toEqual([413, tooLarge.body]);
    expect(given).toBeLessThan(600);
    const other = await sendChunked({ url: app.url, path: place() }, endless(Buffer.from('text')));
    expect([other.status, JSON.parse(other.body).detail]).toEqual([400, 'Only PDF files are supported']);
    const small = await sendChunked({ url: app.url, path: place() }, [formHead('small.pdf'), HELLO, formTail]);
    expect([small.status, JSON.parse(small.body).file.filename]).toEqual([200, 'small.pdf']);
  });

  test.each<[string, readonly FormPart[]]>([
    ['no file', [{ field: 'note', content: 'x' }]],
    ['a file in another field', [{ ...file(HELLO), field: 'document' }]],
    ['a text in its place', [{ field: 'file', content: 'just text' }]],
    ['two files', [file(HELLO, 'a.pdf'), file(HELLO, 'b.pdf')]],
  ])('%s', async (_what, parts) => {
    expect(await refusal(upload(place(), ...parts))).toMatchObject({
      status: 422,
      body: { code: 'validation_failed', errors: [{ loc: ['body', 'file'] }] },
    });
  });

  test('nothing because of fields beside the file, wherever they stand', async () => {
    const parts = [{ field: 'before', content: 'x' }, file(HELLO), { field: 'behind', content: 'y' }, { ...file(HELLO), field: 'other' }];
    expect((await upload(place(), ...parts)).status).toBe(200);
  });

  const send = async (type: string, body: string | Buffer) =>
    (await app.send(place(), { method: 'POST', headers: { 'content-type': type }, body: new Uint8Array(Buffer.from(body)) })).status;

  test('a body that is no form', async () => {
    expect(await send('application/pdf', HELLO)).toBe(415);
    expect(await send('application/json', '{}')).toBe(415);
    expect((await app.send(place(), { method: 'POST' })).status).toBe(422);
  });

  test.each([
    ['without its boundary', FORM_TYPE, 'no form at all'],
    ['without its end', FORM_TYPE, `${formHead('a.pdf')}%PDF-1.7 and no end`],
    ['with a field without a name', FORM_TYPE, '--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n'],
    ['that names no boundary', 'multipart/form-data; x=y', `${formHead('a.pdf')}x${formTail}`],
    ['of 10,000 fields', FORM_TYPE, `${'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n'.repeat(10_000)}--b--\r\n`],
    [
      'that ends within a part',
      FORM_TYPE,
      `${formHead('a.pdf')}x\r\n--b\r\nContent-Disposition: form-data; name="y"; filename="z"\r\n\r\nno end`,
    ],
    ['in a form', FORM_TYPE, '--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n'],
  ])('a form %s', async (_what, type, body) => {
    expect(await send(type, body)).toBe(422);
    expect((await app.send('/health')).status).toBe(200);
  });
});
