import { fileTypeUnsupported, threadNotFound } from '../../core/refusals.ts';
import type { Operation } from '../../http/docs/operation.ts';
import { sampleFile } from '../../http/docs/samples.ts';
import { flag, object, only, text } from '../../http/docs/schema.ts';
import { fileBody, refusedForms, SAMPLE_PDF } from '../../http/docs/upload-samples.ts';
import { actingUser, number } from './operation-parts.ts';
import { readSessionNumber } from './wire.ts';

const UNKNOWN = '4711';
const pages = { type: 'integer', minimum: 1 };

const uploadFile: Operation = {
  id: 'uploadFile',
  summary: 'Upload a PDF: later answers of the session know what is in it',
  parameters: [actingUser, { name: 'session_id', in: 'path', description: "The session's number.", schema: number }],
  body: fileBody({ pdf: SAMPLE_PDF, other: SAMPLE_PDF.replace('Hello', 'Greetings') }),
  repeatable: true,
  needs: { operation: 'createSession', parameters: { session_id: '$response.body#/id' } },
  answers: [
    {
      status: 200,
      description: 'The file with its text, the pages of which a blank line keeps apart.',
      headers: ['X-Session-Id', 'X-Thread-Id'],
      json: {
        schema: object({
          file: object({
            id: number,
            filename: text,
            file_size: number,
            mime_type: only('application/pdf'),
            extracted_text: text,
            metadata: object({ page_count: pages }, { truncated: flag }),
          }),
          message: only('File uploaded successfully'),
        }),
        example: {
          file: {
            id: sampleFile.number,
            filename: sampleFile.name,
            file_size: sampleFile.size,
            mime_type: 'application/pdf',
            extracted_text: 'Hello from a PDF',
            metadata: { page_count: 1 },
          },
          message: 'File uploaded successfully',
        },
      },
    },
  ],
  errors: ['too_many_uploads', 'state_conflict'],
  refused: [
    { request: { path: { session_id: UNKNOWN } }, fail: threadNotFound },
    { request: { path: { session_id: 'first' } }, fail: () => readSessionNumber('first') },
    ...refusedForms,
    { request: { body: { file: 'no PDF' } }, fail: () => fileTypeUnsupported(['pdf']) },
  ],
};

/** What the routes of uploads do. */
export const uploadOperations: Readonly<Record<string, Operation>> = { 'POST /sessions/:session_id/upload': uploadFile };
