import { randomUUID } from 'node:crypto';
import { DEVELOPMENT_KEY } from '../support/app.ts';
import { type RawAnswer, type RawReading, type RawRequest, sendRaw } from '../support/raw-http.ts';

export const NATIVE = '/polylogue/v1';
const LEVIA = '/levia/chat';
const CHAT_SESSIONS = '/v1/chat';
const GRAPH = '/api/v1';

export const DOORS = ['native', 'levia', 'chat-sessions', 'chat-ws', 'graph', 'user-chat'] as const;
export type Door = (typeof DOORS)[number];
/** The doors at which a client reads any run by its id, behind any frame. */
export type NumberedDoor = 'native' | 'levia';
/** The doors whose answers are SSE. */
export type StreamDoor = NumberedDoor | 'chat-sessions' | 'graph';
/** The doors that take requests. */
export type HttpDoor = Exclude<Door, 'chat-ws'>;

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

function post(caller: Caller, path: string, body: unknown): Promise<RawAnswer> {
  return sendRaw({ url: caller.url, method: 'POST', path, body, headers: headersOf(caller) });
}

/** A question as one of the doors takes it. */
export interface Question {
  readonly door: Door;
  readonly caller: Caller;
  /** Where it goes: a thread id, in chat-sessions a session id; null for a new place, where the door makes one by itself. */
  readonly place: string | null;
  readonly text: string;
  readonly key: string;
  /** chat-sessions only: false asks for JSON. */
  readonly stream?: boolean;
}

/** The POST that asks a question. */
export function questionRequest(question: Question & { door: HttpDoor }): RawRequest {
  const { caller, key } = question;
  const headers = { ...headersOf(caller), 'idempotency-key': key };
  return { url: caller.url, method: 'POST', headers, ...questionBody(question) };
}

function questionBody({ door, caller, place, text, stream = true }: Question & { door: HttpDoor }): Pick<RawRequest, 'path' | 'body'> {
  switch (door) {
    case 'native':
      return { path: `${NATIVE}/threads/${place}/runs`, body: { text } };
    case 'levia':
      return { path: LEVIA, body: { user_id: caller.user, session_id: place, intent: text } };
    case 'chat-sessions': {
      const session = place === null ? {} : { session_id: Number(place) };
      const messages = [{ role: 'user', content: text }];
      return { path: `${CHAT_SESSIONS}/stream`, body: { model: 'gpt-4', messages, stream, ...session } };
    }
    case 'graph':
      return { path: `${GRAPH}/graph/stream`, body: { message: text, user_id: caller.user, thread_id: place } };
    case 'user-chat':
      return { path: `/api/${caller.user}/chat`, body: { message: { content: text }, conversation_id: place } };
  }
}

/** Opens an empty thread through a door and gives its name there; null when no answer came. On chat-ws clients make the names. */
export async function openPlace(door: Door, caller: Caller): Promise<string | null> {
  if (door === 'chat-ws') return randomUUID();
  const answer = await openings[door](caller);
  if (answer.stopped !== 'complete') return null;
  if (answer.status > 299) throw new Error(`${door} opens no thread: ${answer.status} ${answer.text}`);
  const { id, session_id, thread_id } = JSON.parse(answer.text) as { id?: string | number; session_id?: string; thread_id?: string };
  return String(session_id ?? id ?? thread_id);
}

/** Opens an empty thread and gives its names in chat-sessions and in the doors with ids of their own. */
export async function openSession(caller: Caller): Promise<{ session: string; thread: string }> {
  const { text } = await openings['chat-sessions'](caller);
  const { id, thread_id } = JSON.parse(text) as { id: number; thread_id: string };
  return { session: String(id), thread: thread_id };
}

const openings: Readonly<Record<HttpDoor, (caller: Caller) => Promise<RawAnswer>>> = {
  native: (caller) => post(caller, `${NATIVE}/threads`, {}),
  levia: (caller) => post(caller, `${LEVIA}/create`, { user_id: caller.user }),
  'chat-sessions': (caller) => post(caller, `${CHAT_SESSIONS}/sessions`, { model: 'gpt-4' }),
  graph: (caller) => post(caller, `${GRAPH}/threads`, { user_id: caller.user }),
  'user-chat': (caller) => post(caller, `/api/${caller.user}/conversations`, {}),
};

/** The GET that reads a run's stream, behind the frame `cursor` when there is one. */
export function streamRequest(door: NumberedDoor, caller: Caller, from: { runId: string; cursor: string | null }): RawRequest {
  const path = door === 'native' ? `${NATIVE}/runs/${from.runId}/events` : `${LEVIA}/stream/${from.runId}`;
  return { url: caller.url, method: 'GET', path, headers: behind(headersOf(caller), from.cursor) };
}

/** Headers that ask for what stands behind a frame. */
export function behind(headers: Headers, cursor: string | null): Headers {
  return cursor === null ? headers : { ...headers, 'last-event-id': cursor };
}
