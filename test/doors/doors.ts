import { chatSessions } from '../../src/dialects/chat-sessions/index.ts';
import { graph } from '../../src/dialects/graph/index.ts';
import { levia } from '../../src/dialects/levia/index.ts';
import { native } from '../../src/dialects/native/index.ts';
import { userChat } from '../../src/dialects/user-chat/index.ts';
import { toy } from '../toy-dialect/index.ts';
import type { Door, End } from './door.ts';

const NEVER_USED = '01900000-0000-7000-8000-00000000dead';
const isText = (value: unknown) => typeof value === 'string' && value !== '';

interface NativeEvent {
  readonly type: string;
  readonly text?: string;
  readonly detail?: string;
}

const nativeDoor: Door = {
  dialect: native,
  begin: () => ({ method: 'POST', path: '/polylogue/v1/threads', body: {} }),
  placeIn: ({ id }) => String(id),
  nowhere: NEVER_USED,
  ask: ({ place, text }) => ({ method: 'POST', path: `/polylogue/v1/threads/${place}/runs`, body: { text } }),
  follow: (runId) => ({ method: 'GET', path: `/polylogue/v1/runs/${runId}/events` }),
  hear(events) {
    const facts = events.map(({ data }) => JSON.parse(data) as NativeEvent);
    const endOf = ({ type, detail = '' }: NativeEvent): End[] => {
      const kind = (['completed', 'failed', 'cancelled'] as const).find((name) => type === `run.${name}`);
      return kind ? [{ kind, detail }] : [];
    };
    return { text: facts.map(({ type, text = '' }) => (type === 'text.appended' ? text : '')).join(''), ends: facts.flatMap(endOf) };
  },
  isError: ({ type, title, detail, code, request_id }) => [type, title, detail, code, request_id].every(isText),
  status: { notObject: 400, missingField: 422, unknownPlace: 404, unknownRun: 404 },
};

interface LeviaObject {
  readonly type: 'stream' | 'complete' | 'error';
  readonly data: { readonly content?: string; readonly type?: string; readonly error?: string };
}

const leviaDoor: Door = {
  dialect: levia,
  begin: (user) => ({ method: 'POST', path: '/levia/chat/create', body: { user_id: user } }),
  placeIn: ({ session_id }) => String(session_id),
  nowhere: NEVER_USED,
  ask: ({ user, place, text }) => ({ method: 'POST', path: '/levia/chat', body: { user_id: user, session_id: place, intent: text } }),
  follow: (runId) => ({ method: 'GET', path: `/levia/chat/stream/${runId}` }),
  hear(events) {
    const objects = events.map(({ data }) => JSON.parse(data) as LeviaObject);
    const endOf = ({ type, data: { error = '' } }: LeviaObject): End[] => {
      if (type === 'stream') return [];
      if (type === 'complete') return [{ kind: 'completed', detail: '' }];
      return error === 'The request was cancelled' ? [{ kind: 'cancelled', detail: '' }] : [{ kind: 'failed', detail: error }];
    };
    return { text: objects.map(({ data }) => (data.type === 'text' ? (data.content ?? '') : '')).join(''), ends: objects.flatMap(endOf) };
  },
  isError: ({ status, message }) => status === 'error' && isText(message),
  status: { notObject: 400, missingField: 400, unknownPlace: 401, unknownRun: 200 },
};

const chatSessionsDoor: Door = {
  dialect: chatSessions,
  begin: () => ({ method: 'POST', path: '/v1/chat/sessions', body: { model: 'gpt-4' } }),
  placeIn: ({ id }) => String(id),
  nowhere: '4611686018427387',
  ask: ({ place, text }) => ({
    method: 'POST',
    path: '/v1/chat/stream',
    body: { model: 'gpt-4', session_id: Number(place), messages: [{ role: 'user', content: text }] },
  }),
  follow: null,
  hear(events) {
    const endOf = (event: string | undefined, data: string): End[] => {
      if (event === 'error') return [{ kind: 'failed', detail: (JSON.parse(data) as { detail: string }).detail }];
      return data === '[DONE]' ? [{ kind: 'completed', detail: '' }] : [];
    };
    const ends = events.flatMap(({ event, data }) => endOf(event, data));
    return { text: events.map(({ event, data }) => (endOf(event, data).length > 0 ? '' : data)).join(''), ends };
  },
  shows: { cancelled: 'completed' },
  isError: ({ detail, code }) => isText(detail) && isText(code),
  status: { notObject: 422, missingField: 422, unknownPlace: 404, unknownRun: 404 },
};

const graphDoor: Door = {
  dialect: graph,
  begin: (user) => ({ method: 'POST', path: '/api/v1/threads', body: { user_id: user } }),
  placeIn: ({ thread_id }) => String(thread_id),
  nowhere: NEVER_USED,
  opensUnknown: true,
  ask: ({ user, place, text }) => ({
    method: 'POST',
    path: '/api/v1/graph/stream',
    body: { message: text, user_id: user, thread_id: place },
  }),
  follow: null,
  contentType: 'text/event-stream; charset=utf-8',
  hear(events) {
    const endOf = (event: string | undefined, data: string): End[] => {
      if (event === 'done') return [{ kind: 'completed', detail: '' }];
      if (event !== 'error') return [];
      return [data === 'cancelled' ? { kind: 'cancelled', detail: '' } : { kind: 'failed', detail: data }];
    };
    return {
      text: events.map(({ event, data }) => (event === 'token' ? data : '')).join(''),
      ends: events.flatMap(({ event, data }) => endOf(event, data)),
    };
  },
  challenge: 'ApiKey',
  isError: ({ detail }) => isText(detail) || (Array.isArray(detail) && detail.length > 0),
  status: { notObject: 422, missingField: 422, unknownPlace: 200, unknownRun: 404, badCredential: 403 },
};

const userChatDoor: Door = {
  dialect: userChat,
  begin: (user) => ({ method: 'POST', path: `/api/${user}/conversations`, body: {} }),
  placeIn: ({ id }) => String(id),
  nowhere: NEVER_USED,
  ask: ({ user, place, text }) => ({
    method: 'POST',
    path: `/api/${user}/chat`,
    body: { message: { content: text }, conversation_id: place },
  }),
  follow: null,
  hear: () => ({ text: '', ends: [] }),
  hearJson(status, { message, error }) {
    if (status !== 200) return { text: '', ends: [{ kind: status === 409 ? 'cancelled' : 'failed', detail: String(error) }] };
    return { text: (message as { content: string }).content, ends: [{ kind: 'completed', detail: '' }] };
  },
  isError: ({ success, detail, error, code }) => success === false && detail === error && isText(error) && isText(code),
  status: { notObject: 422, missingField: 422, unknownPlace: 404, unknownRun: 404 },
};

const toyDoor: Door = {
  dialect: toy,
  begin: () => ({ method: 'POST', path: '/toy/rooms', body: {} }),
  placeIn: ({ room }) => String(room),
  nowhere: NEVER_USED,
  ask: ({ place, text }) => ({ method: 'POST', path: `/toy/rooms/${place}/say`, body: { words: text } }),
  follow: (runId) => ({ method: 'GET', path: `/toy/hear/${runId}` }),
  hear(events) {
    const words = events.map(({ event, data }) => ({ event, value: JSON.parse(data) as string }));
    const endOf = (value: string): End =>
      value.startsWith('failed: ')
        ? { kind: 'failed', detail: value.slice(8) }
        : { kind: value === 'cancelled' ? value : 'completed', detail: '' };
    return {
      text: words.map(({ event, value }) => (event === 'word' ? value : '')).join(''),
      ends: words.flatMap(({ event, value }) => (event === 'end' ? [endOf(value)] : [])),
    };
  },
  isError: ({ oops }) => isText(oops),
  status: { notObject: 400, missingField: 422, unknownPlace: 404, unknownRun: 404 },
};

/** The front doors of the house. A new dialect describes itself here. */
export const houseDoors: readonly Door[] = [nativeDoor, leviaDoor, chatSessionsDoor, graphDoor, userChatDoor];

/** And one that exists for tests only: the proof that a dialect costs a folder and a line. */
export const allDoors: readonly Door[] = [...houseDoors, toyDoor];
