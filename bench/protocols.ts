import { randomUUID } from 'node:crypto';
import { Agent, request as call, type IncomingMessage } from 'node:http';
import WebSocket from 'ws';

/** Where a load goes, and the token it shows. */
export interface Place {
  readonly url: string;
  readonly token: string;
}

/** Asks one question on a thread of its own and hands over the answer's text as it comes; resolves at the protocol's own end. */
export type Ask = (place: Place, prompt: string, onText: (text: string) => void) => Promise<void>;

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

interface Exchange {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
}

function send({ url, token }: Place, { method = 'POST', path, body }: Exchange): Promise<IncomingMessage> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  };
  return new Promise((resolve, reject) => {
    const request = call(url + path, { agent, method, headers }, (response) => {
      if (response.statusCode !== undefined && response.statusCode < 300) return resolve(response);
      let said = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        said += piece;
      });
      response.on('end', () => reject(new Error(`${method} ${path}: ${response.statusCode} ${said.slice(0, 300)}`)));
    });
    request.on('error', reject);
    request.end(text);
  });
}

async function json(response: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  return JSON.parse(text) as Record<string, unknown>;
}

type OnData = (data: string, event: string) => boolean;

/** One frame's data to `onData`; true when that says that the answer is over. */
function takeFrame(frame: string, onData: OnData): boolean {
  if (frame.startsWith('data: ')) return onData(frame.slice(6), 'message');
  const start = frame.indexOf('\ndata: ');
  return start >= 0 && onData(frame.slice(start + 7), /^event: (.*)$/m.exec(frame)?.[1] ?? 'message');
}

/** Hands over each event's data; resolves when `onData` has said that the answer is over, rejects when the stream ends before. */
function readEvents(response: IncomingMessage, onData: OnData): Promise<void> {
  return new Promise((resolve, reject) => {
    let rest = '';
    let over = false;
    const take = (piece: string) => {
      rest += piece;
      let from = 0;
      for (let at = rest.indexOf('\n\n'); at !== -1; at = rest.indexOf('\n\n', from)) {
        over = takeFrame(rest.slice(from, at), onData) || over;
        from = at + 2;
      }
      rest = rest.slice(from);
    };
    response.setEncoding('utf8').on('data', (piece: string) => {
      try {
        take(piece);
      } catch (error) {
        reject(error);
        response.destroy();
      }
    });
    response.on('end', () => (over ? resolve() : reject(new Error('The stream ended without its last frame'))));
    response.on('error', reject);
  });
}

interface OpenAiChunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
}

const openai: Ask = async (place, prompt, onText) => {
  const body = { model: 'gpt-4', stream: true, messages: [{ role: 'user', content: prompt }] };
  await readEvents(await send(place, { path: '/v1/chat/completions', body }), (data) => {
    if (data === '[DONE]') return true;
    onText((JSON.parse(data) as OpenAiChunk).choices[0]?.delta.content ?? '');
    return false;
  });
};

const chatSessions: Ask = async (place, prompt, onText) => {
  const body = { model: 'gpt-4', messages: [{ role: 'user', content: prompt }] };
  await readEvents(await send(place, { path: '/v1/chat/stream', body }), (data) => {
    if (data === '[DONE]') return true;
    onText(data);
    return false;
  });
};

const graph: Ask = async (place, prompt, onText) => {
  await readEvents(await send(place, { path: '/api/v1/graph/stream', body: { message: prompt } }), (data, event) => {
    if (event === 'error') throw new Error(data);
    if (event === 'token') onText(data);
    return event === 'done';
  });
};

const levia: Ask = async (place, prompt, onText) => {
  const user = { user_id: 'bench' };
  const { session_id } = await json(await send(place, { path: '/levia/chat/create', body: user }));
  const { request_id } = await json(await send(place, { path: '/levia/chat', body: { ...user, session_id, intent: prompt } }));
  await readEvents(await send(place, { method: 'GET', path: `/levia/chat/stream/${String(request_id)}` }), (data) => {
    const frame = JSON.parse(data) as { type: string; data: { content: string; type: string; error?: string } };
    if (frame.type === 'error') throw new Error(frame.data.error);
    if (frame.type === 'stream' && frame.data.type === 'text') onText(frame.data.content);
    return frame.type === 'complete';
  });
};

const native: Ask = async (place, prompt, onText) => {
  const thread = await json(await send(place, { path: '/polylogue/v1/threads', body: {} }));
  const run = await json(await send(place, { path: `/polylogue/v1/threads/${String(thread.id)}/runs`, body: { text: prompt } }));
  await readEvents(await send(place, { method: 'GET', path: `/polylogue/v1/runs/${String(run.id)}/events` }), (data) => {
    const event = JSON.parse(data) as { type: string; text: string };
    if (event.type === 'run.failed') throw new Error(data);
    if (event.type === 'text.appended') onText(event.text);
    return event.type === 'run.completed';
  });
};

const chatWs: Ask = (place, prompt, onText) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${place.url.replace('http', 'ws')}/chat/ws?token=${place.token}`, { perMessageDeflate: false });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The socket closed before the answer was whole')));
    socket.on('open', () => socket.send(JSON.stringify({ type: 'message', thread_id: randomUUID(), content: prompt })));
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { type: string; content: string; message?: string };
      if (frame.type === 'error') reject(new Error(frame.message));
      if (frame.type === 'token') onText(frame.content);
      if (frame.type !== 'message') return;
      resolve();
      socket.close();
    });
  });

/** The same by a call whose answer comes whole. */
function askWhole(path: '/v1/chat/completions' | '/v1/chat/stream'): Ask {
  return async (place, prompt, onText) => {
    const body = { model: 'gpt-4', stream: false, messages: [{ role: 'user', content: prompt }] };
    const answer = (await json(await send(place, { path, body }))) as { choices?: { message: { content: string } }[] };
    onText(answer.choices?.[0]?.message.content ?? '');
  };
}

/** The clients of the load: each reads as its protocol's documented clients do. */
export const protocols = {
  openai,
  'openai-whole': askWhole('/v1/chat/completions'),
  'chat-sessions': chatSessions,
  'chat-sessions-whole': askWhole('/v1/chat/stream'),
  graph,
  levia,
  native,
  'chat-ws': chatWs,
} as const;
export type Protocol = keyof typeof protocols;
