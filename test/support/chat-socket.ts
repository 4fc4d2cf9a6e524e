import { type ClientOptions, WebSocket } from 'ws';

/** A frame that the server sent. */
export interface ServerFrame {
  readonly type: string;
  readonly id?: string;
  readonly thread_id?: string;
  readonly job_id?: string;
  readonly role?: string;
  readonly content?: string;
  readonly status?: string;
  readonly created_at?: string;
  readonly at?: number;
  readonly message?: string;
  readonly code?: string;
  readonly name?: string;
  readonly call_id?: string;
  readonly decision?: string;
  readonly has_more?: boolean;
  readonly retry_after?: number;
}

/** A client of the chat socket that sends what a test says and keeps everything it gets. */
export interface ChatSocket {
  readonly socket: WebSocket;
  /** All frames so far. */
  readonly frames: readonly ServerFrame[];
  /** Sends JSON. */
  send(frame: unknown): void;
  /** The next frame of that type, behind those that earlier calls gave. Rejects when the socket closes instead. */
  next(type: string, where?: (frame: ServerFrame) => boolean): Promise<ServerFrame>;
  /** All frames from behind the last one given up to the next of that type. */
  until(type: string): Promise<readonly ServerFrame[]>;
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): Promise<void>;
}

/** Connects to `/chat/ws` of a server with this query; resolves when the socket is open, rejects with the refusal otherwise. */
export async function openChatSocket(url: string, query: string, options: ClientOptions = {}): Promise<ChatSocket> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/chat/ws${query}`, options);
  const frames: ServerFrame[] = [];
  const wakes = new Set<() => void>();
  let over = false;
  let given = 0;
  const wakeAll = () => {
    for (const wake of [...wakes]) wake();
  };
  socket.on('message', (data) => {
    frames.push(JSON.parse(data.toString()));
    wakeAll();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      over = true;
      resolve({ code, reason: reason.toString() });
      wakeAll();
    });
  });
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('error', () => undefined);

  async function next(type: string, where: (frame: ServerFrame) => boolean = () => true): Promise<ServerFrame> {
    for (;;) {
      while (given < frames.length) {
        const frame = frames[given];
        given += 1;
        if (frame?.type === type && where(frame)) return frame;
      }
      if (over) throw new Error(`closed before a ${type}: ${JSON.stringify(frames.slice(-3))}`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          wakes.delete(wake);
          resolve();
        };
        wakes.add(wake);
      });
    }
  }

  return {
    socket,
    frames,
    send: (frame) => socket.send(JSON.stringify(frame)),
    next,
    async until(type) {
      const from = given;
      await next(type);
      return frames.slice(from, given);
    },
    closed,
    async close() {
      socket.close();
      await closed;
    },
  };
}

/** The contents of token frames, joined. */
export function tokensOf(frames: readonly ServerFrame[]): string {
  return frames.map(({ type, content = '' }) => (type === 'token' ? content : '')).join('');
}
