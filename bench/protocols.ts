import { json, type Place, readEvents, readText } from './exchange.ts';
import { parsePrompt, textOf } from './script.ts';
import { askOnSocket } from './socket-client.ts';
import { createFramesCheck, framesOf, LAST_FRAMES } from './upstream-frames.ts';

/** Asks one question on a thread of its own and hands over the answer's text as it comes; resolves at the protocol's own end. */
export type Ask = (place: Place, prompt: string, onText: (text: string) => void) => Promise<void>;

const asked = (prompt: string, stream: boolean) => ({ model: 'gpt-4', stream, messages: [{ role: 'user', content: prompt }] });

/** What the provider has written has to come byte for byte: the quickest check there is, so that readers of a relay slow nothing down. */
const openai: Ask = async (place, prompt, onText) => {
  const check = createFramesCheck(parsePrompt(prompt), onText);
  await readText(place, { path: '/v1/chat/completions', body: asked(prompt, true) }, check.add);
  check.end();
};

/** Reads as little as can be, to see what the provider alone can do: only the number of bytes is checked. */
const openaiBytes: Ask = async (place, prompt, onText) => {
  const script = parsePrompt(prompt);
  let bytes = 0;
  await readText(place, { path: '/v1/chat/completions', body: asked(prompt, true) }, (text) => {
    bytes += text.length;
  });
  const wanted = framesOf({ ...script, batch: script.tokens }, 0).length + LAST_FRAMES.length;
  if (bytes !== wanted) throw new Error(`Stream ${script.id}: ${bytes} bytes came instead of ${wanted}`);
  onText(textOf(script));
};

const chatSessions: Ask = (place, prompt, onText) =>
  readEvents(place, { path: '/v1/chat/stream', body: asked(prompt, true) }, (data, event) => {
    if (event === 'error') throw new Error(data);
    if (data === '[DONE]') return true;
    onText(data);
    return false;
  });

const graph: Ask = (place, prompt, onText) =>
  readEvents(place, { path: '/api/v1/graph/stream', body: { message: prompt } }, (data, event) => {
    if (event === 'error') throw new Error(data);
    if (event === 'token') onText(data);
    return event === 'done';
  });

const levia: Ask = async (place, prompt, onText) => {
  const user = { user_id: 'bench' };
  const { session_id } = await json(place, { path: '/levia/chat/create', body: user });
  const { request_id } = await json(place, { path: '/levia/chat', body: { ...user, session_id, intent: prompt } });
  await readEvents(place, { method: 'GET', path: `/levia/chat/stream/${String(request_id)}` }, (data) => {
    const frame = JSON.parse(data) as { type: string; data: { content: string; type: string; error?: string } };
    if (frame.type === 'error') throw new Error(frame.data.error);
    if (frame.type === 'stream' && frame.data.type === 'text') onText(frame.data.content);
    return frame.type === 'complete';
  });
};

/** Reads a run's events in the native dialect. */
export async function followRun(place: Place, run: string, onText: (text: string) => void): Promise<void> {
  await readEvents(place, { method: 'GET', path: `/polylogue/v1/runs/${run}/events` }, (data) => {
    const event = JSON.parse(data) as { type: string; text: string };
    if (event.type === 'run.failed') throw new Error(data);
    if (event.type === 'text.appended') onText(event.text);
    return event.type === 'run.completed';
  });
}

/** Begins a run on a thread of its own in the native dialect; gives its id. */
export async function beginRun(place: Place, prompt: string): Promise<string> {
  const thread = await json(place, { path: '/polylogue/v1/threads', body: {} });
  const run = await json(place, { path: `/polylogue/v1/threads/${String(thread.id)}/runs`, body: { text: prompt } });
  return String(run.id);
}

const native: Ask = async (place, prompt, onText) => followRun(place, await beginRun(place, prompt), onText);

/** The same by a call whose answer comes whole. */
function askWhole(path: '/v1/chat/completions' | '/v1/chat/stream'): Ask {
  return async (place, prompt, onText) => {
    const answer = await json<{ choices: { message: { content: string } }[] }>(place, { path, body: asked(prompt, false) });
    onText(answer.choices[0]?.message.content ?? '');
  };
}

const graphInvoke: Ask = async (place, prompt, onText) => {
  const answer = await json<{ response: string }>(place, { path: '/api/v1/graph/invoke', body: { message: prompt } });
  onText(answer.response);
};

const userChat: Ask = async (place, prompt, onText) => {
  const body = { message: { content: prompt } };
  const answer = await json<{ message: { content: string } }>(place, { path: '/api/bench/chat', body });
  onText(answer.message.content);
};

/** The clients of the load: each reads as its protocol's documented clients do. */
export const protocols = {
  openai,
  'openai-bytes': openaiBytes,
  'openai-whole': askWhole('/v1/chat/completions'),
  'chat-sessions': chatSessions,
  'chat-sessions-whole': askWhole('/v1/chat/stream'),
  graph,
  'graph-invoke': graphInvoke,
  levia,
  native,
  'user-chat': userChat,
  'chat-ws': askOnSocket,
} as const;
export type Protocol = keyof typeof protocols;
