import { randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import type { Place } from './exchange.ts';

// chat-ws's client: sockets are kept for the next question, as HTTP connections are.

interface Frame {
  readonly type: string;
  readonly content: string;
  readonly message?: string;
}

const free = new Map<string, WebSocket[]>();

async function open({ url, token }: Place): Promise<WebSocket> {
  const kept = free.get(url)?.pop();
  if (kept) return kept;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/chat/ws?token=${token}`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket.removeAllListeners('error');
}

function keep({ url }: Place, socket: WebSocket): void {
  const kept = free.get(url);
  if (kept) kept.push(socket);
  else free.set(url, [socket]);
}

/** Asks on a new thread and hands over the answer's tokens; resolves at the final message. */
export async function askOnSocket(place: Place, prompt: string, onText: (text: string) => void): Promise<void> {
  const socket = await open(place);
  const thread_id = randomUUID();
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The socket closed before the answer was whole')));
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      try {
        if (frame.type === 'error') throw new Error(frame.message);
        if (frame.type === 'token') onText(frame.content);
        if (frame.type === 'message') resolve();
      } catch (error) {
        reject(error);
        socket.terminate();
      }
    });
    socket.send(JSON.stringify({ type: 'message', thread_id, content: prompt }));
  });
  socket.removeAllListeners();
  keep(place, socket);
}
