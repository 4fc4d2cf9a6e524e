import { WebSocket } from 'ws';
import { chatSocket } from '../../src/dialects/chat-ws/frame-documents.ts';
import type { ClientFrame } from '../../src/dialects/chat-ws/wire.ts';
import type { ServerFrame } from '../support/chat-socket.ts';
import { fieldsOf } from './described-inputs.ts';
import type { Known } from './examples.ts';

interface FieldsOfFrame {
  /** Fields that name a record, with the kind of id. */
  readonly ids: Readonly<Record<string, keyof Known>>;
  readonly others?: Readonly<Record<string, unknown>>;
}

/** Each frame that a client may send. A new one has its line here. */
const frames: Readonly<Record<ClientFrame['type'], FieldsOfFrame>> = {
  history: { ids: { thread_id: 'thread_id', before: 'message_id' }, others: { limit: 5 } },
  message: { ids: { thread_id: 'thread_id' }, others: { content: 'Hi' } },
  delete_thread: { ids: { thread_id: 'thread_id' } },
  cancel: { ids: { job_id: 'run_id' } },
  approve: { ids: { job_id: 'run_id' }, others: { call_id: 'c', decision: 'approve' } },
  ping: { ids: {} },
};

/** What never leads to a record; a call's id counts in its job alone. */
const plain = ['type', 'content', 'limit', 'agent_id', 'client_id', 'call_id', 'decision', 'arguments'];

/** Described fields of the frames that this file does not know, and such that it knows and nothing describes. */
export function unlistedFields(): readonly string[] {
  const described = Object.entries(chatSocket.fromClient).flatMap(([type, { schema }]) =>
    fieldsOf(schema).map((field) => ({ type, field })),
  );
  const listed = Object.entries(frames).flatMap(([type, { ids }]) => Object.keys(ids).map((field) => ({ type, field })));
  const isListed = (wanted: (typeof listed)[number]) => listed.some(({ type, field }) => type === wanted.type && field === wanted.field);
  const isDescribed = (wanted: (typeof listed)[number]) =>
    described.some(({ type, field }) => type === wanted.type && field === wanted.field);
  return [
    ...described.filter((place) => !plain.includes(place.field) && !isListed(place)),
    ...listed.filter((place) => !isDescribed(place)),
  ].map(({ type, field }) => `${type}: ${field}`);
}

/** A place in a frame that takes an id. */
export interface FrameSlot {
  readonly name: string;
  /** Whether a thread comes to be under an id that was not used. */
  readonly opens: boolean;
  /** The frame with an id of `ids` in the slot and everything else the sender's own. */
  frame(ids: Known, sender: Known): Readonly<Record<string, unknown>>;
}

/** Every such place, and once more all places of a frame together. */
export const frameSlots: readonly FrameSlot[] = Object.entries(frames).flatMap(([type, { ids: fields, others }]) => {
  const names = Object.keys(fields);
  const places = [...names.map((name) => [name]), ...(names.length > 1 ? [names] : [])];
  return places.map(
    (place): FrameSlot => ({
      name: `${type} ${place.join(', ')}`,
      opens: type === 'message',
      frame(ids, sender) {
        const filled = Object.entries(fields).filter(([name]) => name !== 'before' || place.includes('before'));
        return {
          type,
          ...others,
          ...Object.fromEntries(filled.map(([name, kind]) => [name, (place.includes(name) ? ids : sender)[kind]])),
        };
      },
    }),
  );
});

/** A frame of this type with these ids. Throws for a type that is not in the table. */
export function frameOf(type: string, ids: Known): Readonly<Record<string, unknown>> {
  const known = Object.entries(frames).find(([name]) => name === type);
  if (!known) throw new Error(`Give test/hostile/frame-slots.ts a line for ${type}`);
  const [, { ids: fields, others }] = known;
  return { type, ...others, ...Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name, ids[kind]])) };
}

/** What of a chat socket's upgrade carries credentials and names a user. */
export interface SocketAddress {
  /** With its question mark; nothing when empty. */
  readonly query: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the server said to one frame. */
interface FrameAnswer {
  readonly frames: readonly ServerFrame[];
  /** The code the server closed the socket with; null when it stayed open. */
  readonly closed: number | null;
}

/** Sends one frame on a socket of its own and gives what answers it. */
export function answerTo(url: string, { query, headers }: SocketAddress, frame: Readonly<Record<string, unknown>>): Promise<FrameAnswer> {
  const last = ['error', ...(frame.type === 'history' ? ['history_end'] : ['message', 'thread_deleted'])];
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/chat/ws${query}`, { headers });
    const frames: ServerFrame[] = [];
    socket.on('error', reject);
    socket.on('open', () => socket.send(JSON.stringify(frame)));
    socket.on('close', (code) => resolve({ frames, closed: code }));
    socket.on('message', (data) => {
      const got: ServerFrame = JSON.parse(data.toString());
      if (got.type === 'pong') {
        resolve({ frames, closed: null });
        socket.terminate();
        return;
      }
      frames.push(got);
      // Whoever is not let in gets no pong but the close.
      if (last.includes(got.type)) socket.send('{"type":"ping"}');
    });
  });
}
