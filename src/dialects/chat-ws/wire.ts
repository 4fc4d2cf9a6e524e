import { AppError } from '../../core/errors.ts';
import type { MessageId, RunId, ThreadId } from '../../core/ids.ts';
import type { JsonObject } from '../../core/thread.ts';
import { readJsonObject } from '../../http/json-body.ts';
import {
  agentOf,
  argumentsOf,
  beforeOf,
  callOf,
  clientIdOf,
  contentOf,
  decisionOf,
  type FieldReader,
  jobOf,
  limitOf,
  namedId,
  readFields,
  refused,
  shown,
  threadOf,
} from './fields.ts';

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
  | {
      readonly type: 'approve';
      readonly runId: RunId;
      readonly callId: string;
      readonly decision: 'approve' | 'deny';
      /** Instead of those that the model gave. */
      readonly arguments: JsonObject | string | null;
    };

/** What a frame is about, as it named it or as the server knows it. */
export interface FrameSubject {
  readonly threadId?: string | null;
  readonly jobId?: string | null;
}

/** A text frame as it was understood, or what is wrong with it in the protocol's words; and in both cases what it says it is about. */
export type ReceivedFrame = { readonly about: FrameSubject } & (
  | { readonly frame: ClientFrame; readonly failure?: never }
  | { readonly frame?: never; readonly failure: AppError }
);

interface FrameLimits {
  /** Longest message in UTF-8 bytes. */
  readonly contentBytes: number;
}

type FrameReader = (fields: FieldReader, limits: FrameLimits) => ClientFrame;

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
  [
    'approve',
    (fields) => ({
      type: 'approve',
      runId: jobOf(fields),
      callId: callOf(fields),
      decision: decisionOf(fields),
      arguments: argumentsOf(fields),
    }),
  ],
]);

/** The types of all frames that are read. */
export const frameTypes: readonly string[] = [...readers.keys()].map(String);

/** Reads a frame: the bytes of a text, or null for a binary one. Fields that nobody knows are ignored. */
export function readFrame(text: Buffer | null, limits: FrameLimits): ReceivedFrame {
  if (text === null) return { about: {}, failure: refused('validation_failed', 'Binary frames are not supported') };
  const { fields, failure } = parse(text);
  const about = { threadId: namedId(fields('thread_id')), jobId: namedId(fields('job_id')) };
  if (failure) return { about, failure };
  try {
    return { about, frame: readerOf(fields('type'))(fields, limits) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { about, failure: error };
  }
}

function readerOf(type: unknown): FrameReader {
  if (type === null) throw refused('validation_failed', 'Message type is required');
  const read = readers.get(type);
  if (!read) throw refused('validation_failed', `Unknown message type: ${shown(type)}`);
  return read;
}

/** What can be read of a frame, and what is wrong with it. */
function parse(text: Buffer): { fields: FieldReader; failure: AppError | null } {
  try {
    return { fields: readFields(readJsonObject(text)), failure: null };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code !== 'unicode_invalid') return { fields: readFields({}), failure: refused(error.code, 'Invalid JSON') };
    const failure = refused(error.code, 'The frame contains a NUL character or half of a surrogate pair');
    // It is an object of bounded depth all the same: what it is about can be told.
    return { fields: readFields(JSON.parse(text.toString())), failure };
  }
}
