import { afterAll, afterEach, beforeAll } from 'vitest';
import { startTestApp, type TestApp, type TestAppOptions } from './app.ts';
import { type ChatSocket, openChatSocket, type ServerFrame } from './chat-socket.ts';
import { answer, type Step, startUpstream, type Upstream } from './upstream.ts';

/** What the model says unless a test scripts it otherwise, piece by piece. */
const PIECES = ['Hello', ' there,', ' wor', 'ld'];
/** The whole of that. */
export const WHOLE = PIECES.join('');
/** What `hanging` says before it hangs. */
export const BEGINNING = 'Hello there,';

/** The answer at once, with a pause in its middle, or with its beginning only. */
export const atOnce = (): Step[] => answer(PIECES);
export const slowly = (ms: number): Step[] => answer(PIECES).toSpliced(3, 0, { waitMs: ms });
export const hanging = (): Step[] => [...answer(PIECES).slice(0, 3), { hang: true }];

/** What tests look at in native's answers; each has some of it. */
interface NativeBody {
  readonly id: string;
  readonly status: string;
  readonly message_id: string;
  readonly answer_id: string;
  readonly data: readonly { readonly name: string }[];
}

/** A server with a scripted model for the tests of one file, and its chat sockets. */
export interface ChatApp {
  readonly app: TestApp;
  readonly upstream: Upstream;
  /** From now on the model does this. */
  script(next: readonly Step[]): void;
  /** A user's socket, which is closed after the test. */
  connect(user: string): Promise<ChatSocket>;
  /** A socket with this query, which is closed after the test. */
  open(query: string): Promise<ChatSocket>;
  ask(chat: ChatSocket, thread_id: string, content: string): Promise<ServerFrame>;
  historyOf(chat: ChatSocket, thread_id: string, more?: object): Promise<readonly ServerFrame[]>;
  /** The body of a native answer to a user. */
  native(path: string, user: string, body?: object): Promise<NativeBody>;
}

/** Serves before the file's first test; the members can be used from then on. */
export function serveChat(options: TestAppOptions = {}): ChatApp {
  const steps: Step[] = [];
  let running: { app: TestApp; upstream: Upstream } | null = null;
  let sockets: ChatSocket[] = [];
  const started = () => {
    if (running === null) throw new Error('The server starts before the first test');
    return running;
  };

  beforeAll(async () => {
    const upstream = await startUpstream(steps);
    const env = { OPENAI_BASE_URL: upstream.baseUrl, ...options.env };
    const file = { models: { 'gpt-4': { provider: 'openai' } }, ...options.file };
    running = { upstream, app: await startTestApp({ ...options, env, file }) };
  });
  afterEach(async () => {
    await Promise.all(sockets.map((chat) => chat.close()));
    sockets = [];
  });
  afterAll(async () => {
    await running?.app.close();
    await running?.upstream.close();
  });

  async function open(query: string): Promise<ChatSocket> {
    const chat = await openChatSocket(started().app.url, query);
    sockets.push(chat);
    return chat;
  }

  return {
    get app() {
      return started().app;
    },
    get upstream() {
      return started().upstream;
    },
    script: (next) => void steps.splice(0, steps.length, ...next),
    connect: async (user) => open(`?token=${await started().app.token(user)}`),
    open,
    ask(chat, thread_id, content) {
      chat.send({ type: 'message', thread_id, content, agent_id: null, role: 'user', status: 'sending' });
      return chat.next('message_received');
    },
    historyOf(chat, thread_id, more = {}) {
      chat.send({ type: 'history', thread_id, ...more });
      return chat.until('history_end');
    },
    async native(path, user, body) {
      const headers = { 'x-user-id': user };
      const { app } = started();
      const response = await (body ? app.post(path, body, headers) : app.send(path, { headers }));
      return JSON.parse(await response.text());
    },
  };
}
