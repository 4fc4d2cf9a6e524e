import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { FORM_TYPE, formHead, formTail } from '../support/forms.ts';

let app: TestApp;
let path: string;
beforeAll(async () => {
  app = await startTestApp();
  const { id } = (await (await app.post('/polylogue/v1/threads', {})).json()) as { id: string };
  path = `/polylogue/v1/threads/${id}/files`;
});
afterAll(() => app.close());

const send = (body: Uint8Array | string, type = FORM_TYPE) =>
  app.send(path, { method: 'POST', headers: { 'content-type': type }, body: new Uint8Array(Buffer.from(body)) });

const part = (headers: string, content = 'x') => `--b\r\n${headers}\r\n\r\n${content}\r\n`;
const END = '--b--\r\n';

describe('a form', () => {
  test.each([
    ['with a file without a field', part('Content-Disposition: form-data; filename="a.txt"') + END],
    ['with a field without a name', part('Content-Disposition: form-data') + END],
    ['with an empty name', part('Content-Disposition: form-data; name=""') + END],
    ['with a name of half a pair', part('Content-Disposition: form-data; name="\xed\xa0\x80"') + END],
    ['with a disposition of nothing', part('Content-Disposition: ') + END],
    ['without dispositions', part('X: y') + END],
    ['in an unknown charset', part('Content-Disposition: form-data; name="x"\r\nContent-Type: text/plain; charset=bogus') + END],
    ['with a long header', part(`Content-Disposition: form-data; name="x"; y="${'z'.repeat(100_000)}"`) + END],
    ['with many headers', part(`Content-Disposition: form-data; name="x"${'\r\nA: b'.repeat(5_000)}`) + END],
    ['with nothing in it', END],
    ['with a line break in a name', part('Content-Disposition: form-data; name="fi\nle"; filename="a.txt"') + END],
  ])('%s is refused, and the server goes on', async (_what, body) => {
    const response = await send(body);
    expect([400, 422]).toContain(response.status);
    expect((await response.json()) as object).toMatchObject({ code: expect.stringMatching(/^(validation_failed|body_invalid)$/) });
    expect((await app.send('/health')).status).toBe(200);
  });

  test.each([
    'multipart/form-data',
    'multipart/form-data;',
    'multipart/form-data; boundary=',
    `multipart/form-data; boundary="${'b'.repeat(5_000)}"`,
  ])('of the type %.60s is refused', async (type) => {
    expect([400, 415, 422]).toContain((await send(`${formHead('a.txt')}Text${formTail}`, type)).status);
  });

  test('with any bytes changed, left out or put in is read or refused, and the server goes on', async () => {
    const whole = Buffer.concat([formHead('a.txt'), Buffer.from('Some text to read'), formTail]);
    const change = fc.record({ at: fc.nat(whole.length), remove: fc.nat(12), insert: fc.uint8Array({ maxLength: 6 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = changes.reduce(
          (body, { at, remove, insert }) => Buffer.concat([body.subarray(0, at), insert, body.subarray(at + remove)]),
          whole,
        );
        expect([201, 400, 409, 415, 422]).toContain((await send(bytes)).status);
      }),
      { numRuns: 150 },
    );
    expect((await app.send('/health')).status).toBe(200);
    expect(app.log()).not.toMatch(/"level":[56]0/);
  });
});
