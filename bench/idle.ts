import { Agent, request as call } from 'node:http';
import WebSocket from 'ws';
import type { Place } from './protocols.ts';

// Many clients that have signed in and wait: a process of its own, because each takes a socket here too.

/** What to open and hold. */
export interface Idle {
  readonly place: Place;
  readonly kind: 'web-socket' | 'event-stream';
  readonly connections: number;
}

const AT_ONCE = 100;
const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });

function openSocket({ url, token }: Place, at: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/chat/ws?token=${token}`, { perMessageDeflate: false });
    const thread_id = `00000000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;
    socket.on('open', () => socket.send(JSON.stringify({ type: 'history', thread_id })));
    socket.on('message', (data: Buffer) => data.toString().includes('"history_end"') && resolve());
    socket.on('error', reject);
  });
}

function openStream({ url, token }: Place, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = call(url + path, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`${path}: ${response.statusCode}`));
    });
    request.on('error', reject);
    request.end();
  });
}

async function createThread({ url, token }: Place): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${url}/polylogue/v1/threads`, { method: 'POST', headers, body: '{}' });
  return ((await response.json()) as { id: string }).id;
}

async function open({ place, kind, connections }: Idle): Promise<void> {
  const path = kind === 'event-stream' ? `/polylogue/v1/threads/${await createThread(place)}/events` : '';
  for (let at = 0; at < connections; at += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, connections - at) }, (_, offset) => at + offset);
    await Promise.all(some.map((index) => (kind === 'web-socket' ? openSocket(place, index) : openStream(place, path))));
  }
}

process.on('message', (idle: Idle) => {
  open(idle).then(
    () => process.send?.({ opened: idle.connections }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
