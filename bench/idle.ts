import WebSocket from 'ws';
import { answerParent } from './companion.ts';
import { begin, json, type Place } from './exchange.ts';

// Many clients that have signed in, follow a thread of their own and wait: a process of its own, because each takes a socket here too.

/** What to open besides what is open. */
export interface Idle {
  readonly place: Place;
  readonly kind: 'web-socket' | 'event-stream';
  readonly connections: number;
  /** Threads to make first; each connection follows the next one of those that were made. */
  readonly threads: number;
}

const AT_ONCE = 100;
const threads: string[] = [];
let opened = 0;
let open = 0;

/** `work` for many places, a bounded number of them at a time. */
async function forEach(from: number, to: number, work: (at: number) => Promise<void>): Promise<void> {
  for (let start = from; start < to; start += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, to - start) }, (_, offset) => work(start + offset)));
  }
}

function openSocket({ url, token }: Place, thread_id: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/chat/ws?token=${token}`, { perMessageDeflate: false });
    socket.on('open', () => socket.send(JSON.stringify({ type: 'history', thread_id })));
    socket.on('message', (data: Buffer) => data.toString().includes('"history_end"') && resolve(socket));
    socket.on('error', reject);
  });
}

async function openOne({ place, kind }: Idle, at: number): Promise<void> {
  const thread = String(threads[at]);
  const closed = () => {
    open -= 1;
  };
  if (kind === 'web-socket') (await openSocket(place, thread)).once('close', closed);
  else
    void (await begin(place, { method: 'GET', path: `/polylogue/v1/threads/${thread}/events` }, () => undefined)).ended.then(
      closed,
      closed,
    );
  open += 1;
}

/** How many connections are open in all. */
async function openMore(idle: Idle): Promise<{ open: number }> {
  await forEach(threads.length, threads.length + idle.threads, async (at) => {
    threads[at] = (await json<{ id: string }>(idle.place, { path: '/polylogue/v1/threads', body: {} })).id;
  });
  const from = opened;
  opened += idle.connections;
  await forEach(from, opened, (at) => openOne(idle, at));
  return { open };
}

answerParent(openMore);
