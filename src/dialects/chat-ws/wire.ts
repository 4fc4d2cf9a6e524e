import { AppError, type ErrorCode } from '../../core/errors.ts';
import { type MessageId, parseUuid, type RunId, type ThreadId } from '../../core/ids.ts';
import { readJsonObject } from '../../http/json-body.ts';

const HISTORY = { min: 1, max: 500, default: 100 };
const CLIENT_ID = /^[\x21-\x7e]{1,255}$/;
const SHOWN_TYPE = 100;

/** What a client may send. */
export type ClientFrame =
  | { readonly type: 'history'; readonly threadId: ThreadId; readonly limit: number; readonly before: MessageId | null }
  | {
      readonly type: 'message';
      readonly threadId: ThreadId;
      readonly content: string;
      readonly agent: string | null;
      /** Makes the message repeatable. */
      readonly clientId: string | null;
    }
  | { readonly type: 'ping' }
  | { readonly type: 'cancel'; readonly runId: RunId }
  | { readonly type: 'delete_thread'; readonly threadId: ThreadId }
  | { readonly type: 'approve'; readonly runId: RunId };

type Fields = Readonly<Record<string, unknown>>;
type FieldReader = (name: string) => unknown;

/** A failure together with what its frame said it was about. */
export class FrameError extends AppError {
  readonly threadId: ThreadId | null;
  readonly jobId: RunId | null;

  constructor(cause: AppError, fields: FieldReader) {
    super(cause.code, cause.message, { cause });
    this.threadId = parseUuid<ThreadId>(fields('thread_id'));
    this.jobId = parseUuid<RunId>(fields('job_id'));
  }
}

type FrameReader = (fields: FieldReader, limits: { readonly contentBytes: number }) => ClientFrame;

const readers: ReadonlyMap<unknown, FrameReader> = new Map<unknown, FrameReader>([
  ['history', (fields) => ({ type: 'history', threadId: threadOf(fields), limit: limitOf(fields), before: beforeOf(fields) })],
  [
    'message',
    (fields, { contentBytes }) => ({
      type: 'message',
      threadId: threadOf(fields),
      content: contentOf(fields, contentBytes),
      agent: agentOf(fields),
      clientId: clientIdOf(fields),
    }),
  ],
  ['ping', () => ({ type: 'ping' })],
  ['cancel', (fields) => ({ type: 'cancel', runId: jobOf(fields) })],
  ['delete_thread', (fields) => ({ type: 'delete_thread', threadId: threadOf(fields) })],
  ['approve', (fields) => ({ type: 'approve', runId: jobOf(fields) })],
]);

/** Reads a text frame; throws a `FrameError` or `AppError` in the protocol's words. Fields that nobody knows are ignored. */
export function readFrame(text: Buffer, limits: { readonly contentBytes: number }): ClientFrame {
  const object = parse(text) as Fields;
  const fields: FieldReader = (name) => (Object.hasOwn(object, name) ? (object[name] ?? null) : null);
  const type = fields('type');
  const read = readers.get(type);
  if (!read) throw new FrameError(refused('validation_failed', `Unknown message type: ${shown(type)}`), fields);
  try {
    return read(fields, limits);
  } catch (error) {
    throw error instanceof AppError ? new FrameError(error, fields) : error;
  }
}

function parse(text: Buffer): object {
  try {
    return readJsonObject(text);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const message = error.code === 'unicode_invalid' ? 'The frame contains a NUL character or half of a surrogate pair' : 'Invalid JSON';
    throw new AppError(error.code, message, { cause: error });
  }
}

function shown(type: unknown): string {
  const text = typeof type === 'string' ? type : JSON.stringify(type);
  return text.length > SHOWN_TYPE ? `${text.slice(0, SHOWN_TYPE).toWellFormed()}...` : text;
}

function refused(code: ErrorCode, message: string): AppError {
  return new AppError(code, message);
}

function threadOf(fields: FieldReader): ThreadId {
  const given = fields('thread_id');
  if (given === null || given === '') throw refused('validation_failed', 'Thread ID is required');
  const id = parseUuid<ThreadId>(given);
  if (!id) throw refused('validation_failed', 'Invalid thread ID format');
  return id;
}

function jobOf(fields: FieldReader): RunId {
  const given = fields('job_id');
  if (given === null || given === '') throw refused('validation_failed', 'Job ID is required');
  const id = parseUuid<RunId>(given);
  if (!id) throw refused('run_not_found', 'Unknown job');
  return id;
}

function contentOf(fields: FieldReader, maxBytes: number): string {
  const content = fields('content');
  if (content === null || content === '') throw refused('validation_failed', 'Content is required');
  if (typeof content !== 'string') throw refused('validation_failed', 'Content must be a string');
  if (content.trim() === '') throw refused('validation_failed', 'Content is required');
  if (Buffer.byteLength(content) > maxBytes) throw refused('validation_failed', 'Content is too long');
  return content;
}

function agentOf(fields: FieldReader): string | null {
  const agent = fields('agent_id');
  if (agent === null || agent === '') return null;
  if (typeof agent !== 'string') throw refused('agent_unknown', 'Unknown agent');
  return agent;
}

function clientIdOf(fields: FieldReader): string | null {
  const id = fields('client_id');
  if (id === null) return null;
  if (typeof id === 'string' && CLIENT_ID.test(id)) return id;
  throw refused('idempotency_key_invalid', 'Client ID must be 1 to 255 visible ASCII characters');
}

function limitOf(fields: FieldReader): number {
  const limit = fields('limit') ?? HISTORY.default;
  if (Number.isInteger(limit) && Number(limit) >= HISTORY.min && Number(limit) <= HISTORY.max) return Number(limit);
  throw refused('validation_failed', `Limit must be an integer from ${HISTORY.min} to ${HISTORY.max}`);
}

function beforeOf(fields: FieldReader): MessageId | null {
  const before = fields('before');
  if (before === null) return null;
  const id = parseUuid<MessageId>(before);
  if (!id) throw refused('message_not_found', 'Unknown message');
  return id;
}
