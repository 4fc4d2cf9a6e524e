import { fileTypeUnsupported } from '../../core/refusals.ts';
import type { Operation, Parameter } from '../../http/docs/operation.ts';
import { sampleFile } from '../../http/docs/samples.ts';
import { count, flag, named, object, oneOf, text, time, uuid } from '../../http/docs/schema.ts';
import { fileBody, refusedForms, SAMPLE_PDF } from '../../http/docs/upload-samples.ts';
import { readFileCursor } from '../../http/list-cursor.ts';
import { toFileView } from './file-view.ts';
import { actingUser, cursor, limit, page, refusedQuery, threadId } from './operation-parts.ts';

const PAGE = { min: 1, max: 100, default: 20 };
const fileId: Parameter = { name: 'file_id', in: 'path', description: "The file's id.", schema: uuid };

const fileView = named(
  'native.File',
  object({
    id: uuid,
    thread_id: uuid,
    name: text,
    media_type: oneOf(
      'application/pdf',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'text/html',
      'text/markdown',
      'text/csv',
      'text/plain',
    ),
    size: count,
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    page_count: count,
    characters: count,
    truncated: flag,
    created_at: time,
  }),
);
const ofFile = { operation: 'addFile', parameters: { file_id: '$response.body#/id' } };

const addFile: Operation = {
  id: 'addFile',
  summary: 'Add a file to a thread: later answers know what is in it',
  description:
    'PDF, Word (DOCX), HTML, Markdown, CSV and plain text; what counts is what is in the file. The model gets the whole text where it fits ' +
    'its window, else the passages that match the question.',
  parameters: [actingUser, threadId],
  body: fileBody({ text: 'The meeting is on Thursday at 10.', pdf: SAMPLE_PDF }),
  repeatable: true,
  needs: { operation: 'createThread', parameters: { thread_id: '$response.body#/id' } },
  answers: [
    {
      status: 201,
      description: 'It is there.',
      headers: ['X-Thread-Id', 'Location'],
      json: { schema: fileView, example: toFileView(sampleFile) },
    },
  ],
  errors: ['thread_not_found', 'too_many_uploads', 'state_conflict'],
  refused: [
    ...refusedForms,
    {
      request: { body: { file: '\u0000\u0001\u0002\u0003' } },
      fail: () => fileTypeUnsupported(['pdf', 'docx', 'html', 'markdown', 'csv', 'text']),
    },
  ],
};

const listFiles: Operation = {
  id: 'listFiles',
  summary: 'The files of a thread, newest first',
  parameters: [actingUser, threadId, cursor, limit],
  needs: { operation: 'createThread', parameters: { thread_id: '$response.body#/id' } },
  answers: [
    {
      status: 200,
      description: 'One page.',
      headers: ['X-Thread-Id'],
      json: { schema: page(fileView), example: { data: [toFileView(sampleFile)], next_cursor: null } },
    },
  ],
  errors: ['thread_not_found'],
  refused: [
    refusedQuery({ limit: '0' }, (reader) => reader.integer('limit', PAGE)),
    { request: { query: { cursor: 'abc' } }, fail: () => readFileCursor('abc') },
  ],
};

const showFile: Operation = {
  id: 'showFile',
  summary: 'One file',
  parameters: [actingUser, fileId],
  needs: ofFile,
  answers: [
    {
      status: 200,
      description: 'What is known of it.',
      headers: ['X-Thread-Id'],
      json: { schema: fileView, example: toFileView(sampleFile) },
    },
  ],
  errors: ['file_not_found'],
};

const downloadFile: Operation = {
  id: 'downloadFile',
  summary: 'The bytes of a file, as they came',
  parameters: [actingUser, fileId],
  needs: ofFile,
  answers: [
    {
      status: 200,
      description: 'The file, of its own media type, to be saved and not to be shown.',
      headers: ['X-Thread-Id', 'Content-Disposition'],
      text: { contentType: 'text/plain', example: 'The meeting is on Thursday at 10.' },
    },
  ],
  errors: ['file_not_found'],
};

const deleteFile: Operation = {
  id: 'deleteFile',
  summary: 'Delete a file with its text; later answers no longer know what was in it',
  parameters: [actingUser, fileId],
  needs: ofFile,
  answers: [{ status: 204, description: 'It is gone.', headers: ['X-Thread-Id'] }],
  errors: ['file_not_found'],
};

/** What the routes of files do. */
export const fileOperations: Readonly<Record<string, Operation>> = {
  'POST /threads/:thread_id/files': addFile,
  'GET /threads/:thread_id/files': listFiles,
  'GET /files/:file_id': showFile,
  'GET /files/:file_id/content': downloadFile,
  'DELETE /files/:file_id': deleteFile,
};
