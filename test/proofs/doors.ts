import { DEVELOPMENT_KEY } from '../support/app.ts';
import type { RawFrame } from '../support/raw-frames.ts';
import { type RawAnswer, type RawReading, type RawRequest, sendRaw } from '../support/raw-http.ts';

export const NATIVE = '/polylogue/v1';
const LEVIA = '/levia/chat';
const CHAT_SESSIONS = '/v1/chat';

export const DOORS = ['native', 'levia', 'chat-sessions'] as const;
export type Door = (typeof DOORS)[number];
/** The doors whose frames have ids. */
export type NumberedDoor = Exclude<Door, 'chat-sessions'>;

/** One user at one server. */
export interface Caller {
  readonly url: string;
  readonly user: string;
}

type Headers = Readonly<Record<string, string>>;

function headersOf({ user }: Caller): Headers {
  return { authorization: `Bearer ${DEVELOPMENT_KEY}`, 'x-user-id': user };
}

export function get(caller: Caller, path: string, reading?: RawReading): Promise<RawAnswer> {
  return sendRaw({ url: caller.url, method: 'GET', path, headers: headersOf(caller) }, reading);
}

function post(request: Caller & { path: string; body: unknown; key?: string }, reading?: RawReading): Promise<RawAnswer> {
  const { url, path, body, key } = request;
  return sendRaw({ url, method: 'POST', path, body, headers: withKey(headersOf(request), key) }, reading);
}

function withKey(headers: Headers, key: string | undefined): Headers {
  return key === undefined ? headers : { ...headers, 'idempotency-key': key };
}

/** A question as one of the doors takes it. */
export interface Question {
  readonly door: Door;
  readonly caller: Caller;
  /** Where it goes: a thread id, in chat-sessions a session id or null for a new session. */
  readonly place: string | null;
  readonly text: string;
  readonly key: string;
  /** chat-sessions only: false asks for JSON. */
  readonly stream?: boolean;
}

/** The POST that asks a question. */
export function questionRequest({ door, caller, place, text, key, stream = true }: Question): RawRequest {
  const common = { url: caller.url, method: 'POST', headers: withKey(headersOf(caller), key) } as const;
  switch (door) {
    case 'native':
      return { ...common, path: `${NATIVE}/threads/${place}/runs`, body: { text } };
    case 'levia':
      return { ...common, path: LEVIA, body: { user_id: caller.user, session_id: place, intent: text } };
    case 'chat-sessions': {
      const session = place === null ? {} : { session_id: Number(place) };
      const messages = [{ role: 'user', content: text }];
      return { ...common, path: `${CHAT_SESSIONS}/stream`, body: { model: 'gpt-4', messages, stream, ...session } };
    }
  }
}

/** Opens an empty thread through a door and gives its name there; null when no answer came. */
export async function openPlace(door: Door, caller: Caller): Promise<string | null> {
  const answer = await openings[door](caller);
  if (answer.stopped !== 'complete') return null;
  if (answer.status > 299) throw new Error(`${door} opens no thread: ${answer.status} ${answer.text}`);
  const { id, session_id } = JSON.parse(answer.text) as { id?: string | number; session_id?: string };
  return String(session_id ?? id);
}

/** Opens an empty thread and gives its names in chat-sessions and in the doors with ids of their own. */
export async function openSession(caller: Caller): Promise<{ session: string; thread: string }> {
  const { text } = await openings['chat-sessions'](caller);
  const { id, thread_id } = JSON.parse(text) as { id: number; thread_id: string };
  return { session: String(id), thread: thread_id };
}

const openings: Readonly<Record<Door, (caller: Caller) => Promise<RawAnswer>>> = {
  native: (caller) => post({ ...caller, path: `${NATIVE}/threads`, body: {} }),
  levia: (caller) => post({ ...caller, path: `${LEVIA}/create`, body: { user_id: caller.user } }),
  'chat-sessions': (caller) => post({ ...caller, path: `${CHAT_SESSIONS}/sessions`, body: { model: 'gpt-4' } }),
};

/** The GET that reads a run's stream, behind the frame `cursor` when there is one. */
export function streamRequest(door: NumberedDoor, caller: Caller, from: { runId: string; cursor: string | null }): RawRequest {
  const path = door === 'native' ? `${NATIVE}/runs/${from.runId}/events` : `${LEVIA}/stream/${from.runId}`;
  const headers = { ...headersOf(caller), ...(from.cursor !== null && { 'last-event-id': from.cursor }) };
  return { url: caller.url, method: 'GET', path, headers };
}

export type StreamEnd = 'completed' | 'failed' | 'cancelled';

/** What a frame says of the answer. */
export interface FrameMeaning {
  readonly text: string;
  readonly end: StreamEnd | null;
  /** The whole answer, where the door's last frame repeats it. */
  readonly whole: string | null;
}

const NOTHING: FrameMeaning = { text: '', end: null, whole: null };

/** Reads a frame as a client of its door does; throws when it is none of that door. */
export function meaningOf(door: Door, frame: RawFrame): FrameMeaning {
  switch (door) {
    case 'native':
      return nativeMeaning(frame);
    case 'levia':
      return leviaMeaning(frame);
    case 'chat-sessions':
      if (frame.event !== null) return { ...NOTHING, end: 'failed' };
      return frame.data === '[DONE]' ? { ...NOTHING, end: 'completed' } : { ...NOTHING, text: frame.data };
  }
}

interface NativeEvent {
  readonly type: string;
  readonly offset: number;
  readonly text?: string;
  readonly message?: { readonly parts: readonly { readonly text?: string }[] };
}

function nativeMeaning({ id, event, data }: RawFrame): FrameMeaning {
  const { type, offset, text = '', message } = JSON.parse(data) as NativeEvent;
  if (event !== type || id !== String(offset)) throw new Error(`Frame ${id} ${event} holds event ${offset} ${type}`);
  switch (type) {
    case 'text.appended':
      return { ...NOTHING, text };
    case 'run.completed':
      return { ...NOTHING, end: 'completed', whole: message?.parts.map((part) => part.text ?? '').join('') ?? null };
    case 'run.failed':
      return { ...NOTHING, end: 'failed' };
    case 'run.cancelled':
      return { ...NOTHING, end: 'cancelled' };
    default:
      return NOTHING;
  }
}

interface LeviaFrame {
  readonly type: string;
  readonly data: { readonly content?: string; readonly type?: string; readonly reply?: string };
}

function leviaMeaning(frame: RawFrame): FrameMeaning {
  const { type, data } = JSON.parse(frame.data) as LeviaFrame;
  if (type === 'complete') return { ...NOTHING, end: 'completed', whole: data.reply ?? null };
  if (type === 'error') return { ...NOTHING, end: 'failed' };
  return { ...NOTHING, text: data.type === 'text' ? (data.content ?? '') : '' };
}
