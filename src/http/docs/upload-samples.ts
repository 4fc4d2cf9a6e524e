import { MAX_FILE_BYTES } from '../../core/attachment.ts';
import { ExtractionError } from '../../core/ports/extractor.ts';
import { fileTooLarge, fileUnreadable } from '../../core/refusals.ts';
import { fileMissing, formUnreadable, notAForm } from '../form-failures.ts';
import type { Operation, Refused } from './operation.ts';

/** A small PDF. */
export const SAMPLE_PDF = `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 100]/Resources<</Font<</F1 4 0 R>>>>/Contents 5 0 R>>endobj
4 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
5 0 obj<</Length 50>>stream
BT /F1 18 Tf 20 40 Td (Hello from a PDF) Tj ET
endstream endobj
trailer<</Root 1 0 R>>
%%EOF
`;

/** A form with a file, as a body; `examples` are the files' contents. */
export function fileBody(examples: Readonly<Record<string, string>>): NonNullable<Operation['body']> {
  return {
    form: true,
    schema: {
      type: 'object',
      required: ['file'],
      properties: { file: { type: 'string', format: 'binary', description: `The file, at most ${MAX_FILE_BYTES} bytes.` } },
    },
    examples: Object.fromEntries(Object.entries(examples).map(([name, content]) => [name, { file: content }])),
  };
}

const BOUNDARY = { 'content-type': 'multipart/form-data; boundary=b' };

/** Forms that are refused whoever reads them. */
export const refusedForms: readonly Refused[] = [
  { request: { text: 'Hello', headers: { 'content-type': 'text/plain' } }, fail: notAForm },
  { request: { text: 'Hello', headers: BOUNDARY }, fail: () => formUnreadable() },
  {
    request: { text: '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file\r\n--b--\r\n', headers: BOUNDARY },
    fail: fileMissing,
  },
  { given: 'largeFile', request: { body: { file: '{file}' } }, fail: fileTooLarge },
  { request: { body: { file: '%PDF-1.4 and nothing else' } }, fail: () => fileUnreadable(new ExtractionError('damaged')) },
];
