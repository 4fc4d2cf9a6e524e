import { AppError } from '../core/errors.ts';
import { type AttachmentId, type KeyId, type MessageId, type PromptId, parseUuid, type ThreadKey } from '../core/ids.ts';
import type { ThreadQuery } from '../core/ports/thread-query.ts';
import type { Prompt, PromptVersion } from '../core/prompt.ts';
import type { PromptListPlace } from '../engine/index.ts';

const MAX_NAME = 255;

type ThreadCursor = NonNullable<ThreadQuery['cursor']>;

/** Where the next page of threads begins, as text that callers hand back unread. */
export function writeThreadCursor({ updatedAt, key }: ThreadCursor): string {
  return encode([updatedAt, key]);
}

/** Throws `cursor_invalid` for anything that `writeThreadCursor` does not make. */
export function readThreadCursor(text: string): ThreadCursor {
  const [updatedAt, key, ...rest] = decode(text);
  if (!isCount(updatedAt) || typeof key !== 'string' || !/^[\w-]{1,64}$/.test(key) || rest.length > 0) throw cursorInvalid();
  return { updatedAt, key: key as ThreadKey };
}

/** Where the next page of messages begins: with this one. */
export function writeMessageCursor(id: MessageId): string {
  return encode([id]);
}

/** Throws `cursor_invalid` for anything that `writeMessageCursor` does not make. */
export function readMessageCursor(text: string): MessageId {
  return readId<MessageId>(text);
}

/** Where the next page of keys begins: behind this one. */
export function writeKeyCursor(id: KeyId): string {
  return encode([id]);
}

/** Throws `cursor_invalid` for anything that `writeKeyCursor` does not make. */
export function readKeyCursor(text: string): KeyId {
  return readId<KeyId>(text);
}

/** Where the next page of prompts begins: behind this one. */
export function writePromptCursor({ isTemplate, number, createdAt, id }: Prompt): string {
  return encode(isTemplate ? [number] : [createdAt, id]);
}

/** Throws `cursor_invalid` for anything that `writePromptCursor` does not make. */
export function readPromptCursor(text: string): PromptListPlace {
  const values = decode(text);
  if (values.length === 1) return { template: countIn(values) };
  const id = parseUuid<PromptId>(values[1]);
  if (!id || values.length > 2) throw cursorInvalid();
  return { createdAt: countIn(values), id };
}

/** Where the next page of agents begins: behind the one of this name. */
export function writeAgentCursor(name: string): string {
  return encode([name]);
}

/** Throws `cursor_invalid` for anything that `writeAgentCursor` does not make. */
export function readAgentCursor(text: string): string {
  const [name, ...rest] = decode(text);
  if (typeof name !== 'string' || name.length > MAX_NAME || !isStorable(name) || rest.length > 0) throw cursorInvalid();
  return name;
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Where the next page of versions begins: before this one. */
export function writeVersionCursor({ version }: Pick<PromptVersion, 'version'>): string {
  return encode([version]);
}

/** Throws `cursor_invalid` for anything that `writeVersionCursor` does not make. */
export function readVersionCursor(text: string): number {
  const values = decode(text);
  if (values.length > 1) throw cursorInvalid();
  return countIn(values);
}

function countIn([value]: readonly unknown[]): number {
  if (!isCount(value)) throw cursorInvalid();
  return value;
}

/** Where the next page of files begins: behind this one. */
export function writeFileCursor(id: AttachmentId): string {
  return encode([id]);
}

/** Throws `cursor_invalid` for anything that `writeFileCursor` does not make. */
export function readFileCursor(text: string): AttachmentId {
  return readId<AttachmentId>(text);
}

function readId<Id extends string>(text: string): Id {
  const [id, ...rest] = decode(text);
  const parsed = parseUuid<Id>(id);
  if (!parsed || rest.length > 0) throw cursorInvalid();
  return parsed;
}

function encode(values: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

function decode(text: string): readonly unknown[] {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw cursorInvalid();
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (Array.isArray(value)) return value;
  } catch (cause) {
    throw cursorInvalid(cause);
  }
  throw cursorInvalid();
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function cursorInvalid(cause?: unknown): AppError {
  return new AppError('cursor_invalid', 'The cursor must be the next_cursor of an earlier answer.', { cause });
}
