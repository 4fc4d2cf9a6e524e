import { request as openRequest } from 'node:http';
import { DEVELOPMENT_KEY } from './app.ts';
import { textPdf } from './pdf-documents.ts';

/** A PDF of two pages. */
export const HELLO = textPdf(['Hello from page one', 'And from page two']);

/** A part of a form; one with a name is a file. */
export interface FormPart {
  readonly field: string;
  readonly content: string | Uint8Array;
  readonly name?: string;
}

/** A part that is the file of an upload. */
export function file(content: string | Uint8Array, name = 'document.pdf'): FormPart {
  return { field: 'file', content, name };
}

/** A form with these parts. */
export function formOf(...parts: readonly FormPart[]): FormData {
  const form = new FormData();
  for (const { field, content, name } of parts) {
    if (name === undefined) form.append(field, String(content));
    else form.append(field, new Blob([new Uint8Array(Buffer.from(content))]), name);
  }
  return form;
}

/** A valid PDF of exactly so many bytes. */
export function pdfOf(bytes: number): Buffer {
  return Buffer.concat([HELLO, Buffer.alloc(bytes - HELLO.length, '\n')]);
}

/** The content type of a form whose bytes a test writes itself. */
export const FORM_TYPE = 'multipart/form-data; boundary=b';

/** What stands before the file of such a form, and behind it. */
export const formHead = (name: string): Buffer =>
  Buffer.from(`--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n`);
export const formTail: Buffer = Buffer.from('\r\n--b--\r\n');

interface RawUpload {
  readonly url: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Opens an upload whose body the caller writes, with the development key; its errors are the caller's to look at. */
export function openUpload({ url, path, headers = {} }: RawUpload) {
  const own = { authorization: `Bearer ${DEVELOPMENT_KEY}`, 'content-type': FORM_TYPE };
  return openRequest(new URL(path, url), { method: 'POST', agent: false, headers: { ...own, ...headers } });
}

/** Sends a form without saying how long it is, and as much of it as the server takes. */
export function sendChunked(place: RawUpload, pieces: Iterable<Uint8Array>): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const call = openUpload(place);
    const iterator = pieces[Symbol.iterator]();
    let answered = false;
    const next = (): void => {
      if (answered) return;
      const { done, value } = iterator.next();
      if (done) call.end();
      else if (call.write(value)) setImmediate(next);
      else call.once('drain', next);
    };
    call.on('response', (response) => {
      answered = true;
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body });
        call.destroy();
      });
    });
    call.on('error', reject);
    next();
  });
}
