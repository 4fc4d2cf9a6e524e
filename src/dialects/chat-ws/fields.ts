import { AppError, type ErrorCode } from '../../core/errors.ts';
import { type MessageId, parseUuid, type RunId, type ThreadId } from '../../core/ids.ts';
import type { JsonObject } from '../../core/thread.ts';

const HISTORY = { min: 1, max: 500, default: 100 };
const CLIENT_ID = /^[\x21-\x7e]{1,255}$/;
const MAX_CALL_ID_UNITS = 255;
const MAX_SHOWN_UNITS = 100;

/** Gives a frame's field by its name; null for one that is missing. */
export type FieldReader = (name: string) => unknown;

/** Reads the fields of a parsed frame, its own only. */
export function readFields(frame: object): FieldReader {
  const fields = frame as Readonly<Record<string, unknown>>;
  return (name) => (Object.hasOwn(fields, name) ? (fields[name] ?? null) : null);
}

/** An id as a client gave it, for it to know again; null for what is too long or no text that can be sent. */
export function namedId(given: unknown): string | null {
  if (typeof given !== 'string' || given === '' || given.length > MAX_SHOWN_UNITS) return null;
  return given.isWellFormed() && !given.includes('\0') ? (parseUuid(given) ?? given) : null;
}

/** A value in words that are not too long. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MAX_SHOWN_UNITS ? `${text.slice(0, MAX_SHOWN_UNITS).toWellFormed()}...` : text;
}

/** A refusal in the protocol's words. */
export function refused(code: ErrorCode, message: string): AppError {
  return new AppError(code, message);
}

/** The `thread_id` that must be there. */
export function threadOf(fields: FieldReader): ThreadId {
  const given = fields('thread_id');
  if (given === null || given === '') throw refused('validation_failed', 'Thread ID is required');
  const id = parseUuid<ThreadId>(given);
  if (!id) throw refused('validation_failed', 'Invalid thread ID format');
  return id;
}

/** The `job_id` that must be there. */
export function jobOf(fields: FieldReader): RunId {
  const given = fields('job_id');
  if (given === null || given === '') throw refused('validation_failed', 'Job ID is required');
  const id = parseUuid<RunId>(given);
  if (!id) throw refused('run_not_found', 'Unknown job');
  return id;
}

/** The `content` of a message: more than white space. */
export function contentOf(fields: FieldReader, maxBytes: number): string {
  const content = fields('content');
  if (content === null || content === '') throw refused('validation_failed', 'Content is required');
  if (typeof content !== 'string') throw refused('validation_failed', 'Content must be a string');
  if (content.trim() === '') throw refused('validation_failed', 'Content is required');
  if (Buffer.byteLength(content) > maxBytes) throw refused('validation_failed', 'Content is too long');
  return content;
}

/** The `agent_id`, or null. */
export function agentOf(fields: FieldReader): string | null {
  const agent = fields('agent_id');
  if (agent === null || agent === '') return null;
  if (typeof agent !== 'string') throw refused('agent_unknown', 'Unknown agent');
  return agent;
}

/** The `client_id`, or null. */
export function clientIdOf(fields: FieldReader): string | null {
  const id = fields('client_id');
  if (id === null) return null;
  if (typeof id === 'string' && CLIENT_ID.test(id)) return id;
  throw refused('idempotency_key_invalid', 'Client ID must be 1 to 255 visible ASCII characters');
}

/** The `limit` of a history. */
export function limitOf(fields: FieldReader): number {
  const limit = fields('limit') ?? HISTORY.default;
  if (Number.isInteger(limit) && Number(limit) >= HISTORY.min && Number(limit) <= HISTORY.max) return Number(limit);
  throw refused('validation_failed', `Limit must be an integer from ${HISTORY.min} to ${HISTORY.max}`);
}

/** The message that a history ends `before`, or null. */
export function beforeOf(fields: FieldReader): MessageId | null {
  const before = fields('before');
  if (before === null) return null;
  const id = parseUuid<MessageId>(before);
  if (!id) throw refused('message_not_found', 'Unknown message');
  return id;
}

/** The `call_id` that must be there. */
export function callOf(fields: FieldReader): string {
  const id = fields('call_id');
  if (id === null || id === '') throw refused('validation_failed', 'Call ID is required');
  if (typeof id === 'string' && id.length <= MAX_CALL_ID_UNITS) return id;
  throw refused('validation_failed', `Call ID must be a string of at most ${MAX_CALL_ID_UNITS} characters`);
}

/** The `decision` that must be there. */
export function decisionOf(fields: FieldReader): 'approve' | 'deny' {
  const decision = fields('decision');
  if (decision === null) throw refused('validation_failed', 'Decision is required');
  if (decision === 'approve' || decision === 'deny') return decision;
  throw refused('validation_failed', 'Decision must be approve or deny');
}

/** The `arguments` to call with instead of the model's, or the words that answer a question; or null. */
export function argumentsOf(fields: FieldReader): JsonObject | string | null {
  const given = fields('arguments');
  if (given === null) return null;
  if (typeof given === 'string') return given;
  if (typeof given === 'object' && !Array.isArray(given)) return given as JsonObject;
  throw refused('validation_failed', 'Arguments must be an object or a string');
}
