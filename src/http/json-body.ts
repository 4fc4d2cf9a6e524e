import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../core/errors.ts';

const MAX_DEPTH = 64;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const JSON_TYPE = /^application\/json(?: *; *charset="?utf-8"?)? *;? *$/i;
/** What can need a look at the parsed value: escapes that may hide NUL or half a surrogate pair, and keys that JavaScript gives a meaning. */
const SUSPICIOUS = /\\u(?:0000|d[89a-f])|__proto__|constructor|\\u00[2-7]/i;

/** Makes a server read every body as a JSON object, or as `undefined` when it is empty; failures are `AppError`s. */
export function useJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // Fastify looks up at once only what is named, and else reads the header's value anew for every request.
  app.addContentTypeParser(['application/json', '*'], { parseAs: 'buffer' }, (request: FastifyRequest, bytes: Buffer, done) => {
    try {
      done(null, readJsonBody(request.headers, bytes));
    } catch (error) {
      done(error as AppError, undefined);
    }
  });
}

/** Parses the bytes of a body that its headers call JSON. */
export function readJsonBody(headers: FastifyRequest['headers'], bytes: Buffer): object | undefined {
  const contentType = headers['content-type'];
  // Some clients name a type although they send nothing.
  if (bytes.length === 0) return undefined;
  if (contentType === undefined || !JSON_TYPE.test(contentType)) {
    throw new AppError('content_type_unsupported', 'Send the body as "Content-Type: application/json" in UTF-8.');
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new AppError('content_type_unsupported', 'Send the body without Content-Encoding.');
  }
  return readJsonObject(bytes);
}

/** Parses bytes that must be one JSON object in UTF-8, of bounded depth, without NUL and halves of surrogate pairs. */
export function readJsonObject(bytes: Buffer): object {
  const text = decode(bytes);
  if (exceedsDepth(bytes)) throw new AppError('body_too_deep', `The body nests deeper than ${MAX_DEPTH} levels.`);
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AppError('body_not_object', 'The body must be a JSON object.');
  }
  if (SUSPICIOUS.test(text)) checkValue(value);
  return value;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new AppError('body_invalid', 'The body is not valid UTF-8.', { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('body_invalid', 'The body is not valid JSON.', { cause });
  }
}

/** Looks at brackets outside strings only, before anything recursive touches the text. */
function exceedsDepth(bytes: Buffer): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === 0x5b || byte === 0x7b) depth += 1;
    else if (byte === 0x5d || byte === 0x7d) depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

function checkValue(value: unknown): void {
  if (typeof value === 'string') checkText(value);
  else if (Array.isArray(value)) for (const item of value) checkValue(item);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      checkText(key);
      if (key === '__proto__' || (key === 'constructor' && typeof item === 'object' && item !== null && Object.hasOwn(item, 'prototype'))) {
        throw new AppError('body_invalid', `The body has a key that is not allowed: ${key}.`);
      }
      checkValue(item);
    }
  }
}

function checkText(text: string): void {
  if (text.includes('\0') || !text.isWellFormed()) {
    throw new AppError('unicode_invalid', 'The body contains a NUL character or half of a surrogate pair.');
  }
}
