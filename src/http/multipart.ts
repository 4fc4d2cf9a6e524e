import type { Readable } from 'node:stream';
import { Busboy } from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../core/errors.ts';
import { FILE_FIELD, fileMissing, formInvalid, formUnreadable, notAForm } from './form-failures.ts';

const MAX_FIELDS = 20;
const MAX_FIELD_BYTES = 16_384;

/** The file in a form. */
export interface FormFile {
  /** As its sender calls it: nothing to trust. */
  readonly name: string;
  /** Ends when all of the form is read and there was nothing wrong with it. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** A form that is being read. */
export interface Form {
  readonly file: Promise<FormFile>;
  /** Ends the reading, with this failure for whoever still waits. */
  fail(failure: Error): void;
  /** Lets go of the request; what was not read stays unread. */
  close(): void;
}

interface FormOptions {
  /** Fields beside the file are refused; else they are passed over. */
  readonly strict: boolean;
}

/** Reads a multipart form (RFC 7578) with one file, in the field `file`, as it comes. */
export function readForm(request: FastifyRequest, { strict }: FormOptions): Form {
  const { raw } = request;
  const parser = parserOf(request);
  const { promise: file, resolve, reject: rejectFile } = Promise.withResolvers<FormFile>();
  const { promise: parsed, resolve: end, reject: rejectParsed } = Promise.withResolvers<void>();
  let stream: Readable | null = null;

  function fail(failure: Error): void {
    rejectParsed(failure);
    rejectFile(failure);
    stream?.destroy(failure);
  }

  // Whoever reads the file awaits both; when it breaks off before, nobody does.
  for (const pending of [file, parsed]) pending.catch(() => undefined);
  parser.on('file', (name, part, filename) => {
    // Errors of parts that nobody reads would end this process; those of the file reach its reader.
    part.on('error', (error) => fail(inWords(error)));
    if (name === FILE_FIELD && stream === null) {
      stream = part;
      return resolve({ name: nameOf(filename), content: contentOf(part, parsed) });
    }
    part.resume();
    if (name === FILE_FIELD) fail(formInvalid(FILE_FIELD, 'must be given once', 'once'));
    else if (strict) fail(formInvalid(name, 'is not a known field', 'additionalProperties'));
  });
  parser.on('field', (name) => {
    if (strict && name !== FILE_FIELD) fail(formInvalid(name, 'is not a known field', 'additionalProperties'));
  });
  for (const limit of ['fieldsLimit', 'partsLimit'] as const)
    parser.once(limit, () => fail(new AppError('body_invalid', 'The multipart body has too many fields.')));
  parser.on('error', (error) => fail(inWords(error)));
  parser.on('finish', () => {
    rejectFile(fileMissing());
    end();
  });
  raw.pipe(parser);
  return {
    file,
    fail,
    close() {
      raw.unpipe(parser);
      parser.destroy();
    },
  };
}

function parserOf({ headers }: FastifyRequest): InstanceType<typeof Busboy> {
  const contentType = headers['content-type'];
  if (contentType === undefined || !/^multipart\/form-data *;/i.test(contentType)) {
    throw notAForm();
  }
  const limits = { fields: MAX_FIELDS, parts: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES, headerPairs: 50, headerSize: 16_384 };
  const isPartAFile = (_field?: string, _type?: string, name?: string) => name !== undefined;
  try {
    return new Busboy({ headers: { ...headers, 'content-type': contentType }, limits, isPartAFile });
  } catch (cause) {
    throw formUnreadable(cause);
  }
}

/** Browsers send a quotation mark in a name as `%22` (HTML standard, multipart/form-data encoding). */
function nameOf(filename: string): string {
  return filename.replaceAll('%22', '"');
}

/** What the parser does not like is the sender's fault. */
function inWords(error: unknown): AppError {
  return error instanceof AppError ? error : formUnreadable(error);
}

async function* contentOf(part: Readable, parsed: Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of part) yield chunk;
  } catch (error) {
    throw inWords(error);
  }
  await parsed;
}
