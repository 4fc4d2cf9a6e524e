import { openChatSocket } from '../support/chat-socket.ts';
import type { Caller } from './doors.ts';
import { socketQuery } from './socket-reading.ts';

/** A device on a chat socket that shows one thread. */
export interface ThreadWatch {
  /** The messages it was told, as `role id text`, once there are so many; what there is after half a minute. */
  until(count: number): Promise<readonly string[]>;
  close(): void;
}

const PATIENCE_MS = 30_000;
const HISTORY = 500;

/** Connects and asks for the thread's history. */
export async function watchThread({ url, user }: Caller, threadId: string): Promise<ThreadWatch> {
  const { socket, send, next } = await openChatSocket(url, socketQuery(user), { perMessageDeflate: false });
  const messages: string[] = [];
  const wakes = new Set<() => void>();
  socket.on('message', (data) => {
    const { type, id, role, content } = JSON.parse(data.toString()) as Readonly<Record<string, string>>;
    if (type !== 'message' || id === threadId) return;
    messages.push(`${role} ${id} ${content}`);
    for (const wake of wakes) wake();
  });
  send({ type: 'history', thread_id: threadId, limit: HISTORY });
  await next('history_end');
  return {
    async until(count) {
      const patience = AbortSignal.timeout(PATIENCE_MS);
      await new Promise<void>((resolve) => {
        const wake = () => messages.length >= count && resolve();
        wakes.add(wake);
        patience.addEventListener('abort', () => resolve());
        wake();
      });
      wakes.clear();
      return [...messages];
    },
    close: () => socket.terminate(),
  };
}
