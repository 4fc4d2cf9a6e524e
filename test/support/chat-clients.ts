import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { DEVELOPMENT_KEY } from './app.ts';
import { PYTHON } from './requirements.ts';
import { runToSuccess } from './run-program.ts';

/** Whom a client talks to, and as whom. */
export interface Account {
  readonly url: string;
  readonly user: string;
  /** A JWT of the user. */
  readonly token: string;
}

/** A program that holds a conversation of its own through one front door. */
export interface ChatClient {
  readonly name: string;
  /** Modules that its Python needs. */
  readonly python?: readonly string[];
  /** Reads line by line, as the published examples do, so that line breaks are lost: alone, or with the white space around them. */
  readonly dropsLineBreaks?: 'alone' | 'with white space';
  /** Sends the questions one after another in one new conversation and gives the text that it showed for each. */
  converse(account: Account, questions: readonly string[]): Promise<readonly string[]>;
}

/** What the Python client of levia prints for each question. */
export interface LeviaReport {
  readonly request_id: string;
  readonly active_before: string | null;
  readonly active_during: string | null;
  readonly active_after: string | null;
  readonly pieces: readonly string[];
  readonly reply: string | null;
  readonly error: string | null;
}

const script = (name: string) => fileURLToPath(new URL(`../clients/${name}`, import.meta.url));

/** Runs levia's Python client on all questions. */
export async function askLevia({ url, user }: Account, questions: readonly string[]): Promise<readonly LeviaReport[]> {
  const input = questions.map((question) => `${JSON.stringify(question)}\n`).join('');
  const { stdout } = await runToSuccess([PYTHON, script('levia-client.py'), url, DEVELOPMENT_KEY, user], { input });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): LeviaReport => JSON.parse(line));
}

/** The events of an SSE body, read by the rules of the standard. */
export function eventsOf(body: string): readonly EventSourceMessage[] {
  const events: EventSourceMessage[] = [];
  createParser({ onEvent: (event) => events.push(event) }).feed(body);
  return events;
}

/** The text of a chat-sessions stream; throws when the stream does not end with its end mark. */
export function rawTextOf(body: string): string {
  const data = eventsOf(body).map((event) => event.data);
  if (data.at(-1) !== '[DONE]') throw new Error(`The stream ended without its end mark: ${body.slice(-200)}`);
  return data.slice(0, -1).join('');
}

/** The text of a native stream; throws when the stream does not end with a completed run. */
export function nativeTextOf(body: string): string {
  const events = eventsOf(body).map(({ data }) => JSON.parse(data));
  if (events.at(-1)?.type !== 'run.completed') throw new Error(`The run did not complete: ${body.slice(-200)}`);
  return events.map((event) => (event.type === 'text.appended' ? event.text : '')).join('');
}

function leviaTextOf(body: string): string {
  const events = eventsOf(body).map(({ data }) => JSON.parse(data));
  const text = events.map(({ type, data }) => (type === 'stream' && data.type === 'text' ? data.content : '')).join('');
  const last = events.at(-1);
  if (last?.type !== 'complete' || last.data.reply !== text)
    throw new Error(`The reply is not the text that was streamed: ${body.slice(-200)}`);
  return text;
}

const leviaPython: ChatClient = {
  name: 'levia by requests',
  python: ['requests'],
  async converse(account, questions) {
    const reports = await askLevia(account, questions);
    return reports.map(({ pieces, reply }) => {
      if (pieces.join('') !== reply) throw new Error('The pieces are not the reply.');
      return reply;
    });
  },
};

const chatSessionsPython: ChatClient = {
  name: 'chat-sessions by aiohttp',
  python: ['aiohttp'],
  dropsLineBreaks: 'with white space',
  async converse({ url, token }, questions) {
    const texts: string[] = [];
    let session: string[] = [];
    for (const question of questions) {
      const command = [PYTHON, script('chat-sessions-client.py'), url, token, question, ...session] as const;
      const { stdout, stderr } = await runToSuccess(command);
      texts.push(stdout);
      session = [stderr.trim()];
    }
    return texts;
  },
};

const graphPython: ChatClient = {
  name: 'graph by requests',
  python: ['requests'],
  dropsLineBreaks: 'alone',
  async converse({ url, user }, questions) {
    const thread = randomUUID();
    const texts: string[] = [];
    for (const question of questions) {
      const command = [PYTHON, script('graph-client.py'), url, DEVELOPMENT_KEY, user, thread, question] as const;
      const { stdout } = await runToSuccess(command);
      // It prints whatever data comes, names of nodes too.
      texts.push(stdout.replace(/^supervisor(?:retrieve_docs|retrieve_weather)*answer/, ''));
    }
    return texts;
  },
};

/** One HTTP request by some client: gives the response's headers and body. */
type Call = (
  url: string,
  request: { headers: Readonly<Record<string, string>>; body?: object },
) => Promise<{ headers: Headers; body: string }>;

const byFetch: Call = async (url, { headers, body }) => {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(url, { ...init, headers: { 'content-type': 'application/json', ...headers } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return { headers: response.headers, body: await response.text() };
};

const byCurl: Call = async (url, { headers, body }) => {
  const fields = Object.entries({ 'content-type': 'application/json', ...headers }).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const data = body === undefined ? [] : ['-X', 'POST', '--data-binary', '@-'];
  const { stdout } = await runToSuccess(['curl', '-sfN', '-D', '-', ...fields, ...data, url], {
    input: body === undefined ? '' : JSON.stringify(body),
  });
  const end = stdout.indexOf('\r\n\r\n');
  const lines = stdout.slice(0, end).split('\r\n').slice(1);
  return { headers: new Headers(lines.map((line) => line.split(/:\s*/, 2) as [string, string])), body: stdout.slice(end + 4) };
};

const key = { authorization: `Bearer ${DEVELOPMENT_KEY}` };

async function converseNative(call: Call, { url, user }: Account, questions: readonly string[]): Promise<readonly string[]> {
  const base = `${url}/polylogue/v1`;
  const headers = { ...key, 'x-user-id': user };
  const thread = JSON.parse((await call(`${base}/threads`, { headers, body: {} })).body);
  const texts: string[] = [];
  for (const text of questions) {
    const run = JSON.parse((await call(`${base}/threads/${thread.id}/runs`, { headers, body: { text } })).body);
    texts.push(nativeTextOf((await call(`${base}/runs/${run.id}/events`, { headers })).body));
  }
  return texts;
}

async function converseLevia(call: Call, { url, user }: Account, questions: readonly string[]): Promise<readonly string[]> {
  const base = `${url}/levia/chat`;
  const { session_id } = JSON.parse((await call(`${base}/create`, { headers: key, body: { user_id: user } })).body);
  const texts: string[] = [];
  for (const intent of questions) {
    const { request_id } = JSON.parse((await call(base, { headers: key, body: { user_id: user, session_id, intent } })).body);
    texts.push(leviaTextOf((await call(`${base}/stream/${request_id}`, { headers: key })).body));
  }
  return texts;
}

async function converseChatSessions(call: Call, { url, token }: Account, questions: readonly string[]): Promise<readonly string[]> {
  const headers = { authorization: `Bearer ${token}` };
  const texts: string[] = [];
  let session = {};
  for (const content of questions) {
    const body = { model: 'gpt-4', messages: [{ role: 'user', content }], ...session };
    const answer = await call(`${url}/v1/chat/stream`, { headers, body });
    session = { session_id: Number(answer.headers.get('x-session-id')) };
    texts.push(rawTextOf(answer.body));
  }
  return texts;
}

async function converseGraph(call: Call, { url, user }: Account, questions: readonly string[]): Promise<readonly string[]> {
  const headers = { 'x-api-key': DEVELOPMENT_KEY };
  const texts: string[] = [];
  let thread = {};
  for (const message of questions) {
    const answer = await call(`${url}/api/v1/graph/stream`, { headers, body: { message, user_id: user, ...thread } });
    thread = { thread_id: answer.headers.get('x-thread-id') };
    const events = eventsOf(answer.body);
    if (events.at(-1)?.event !== 'done') throw new Error(`The stream ended without its end mark: ${answer.body.slice(-200)}`);
    texts.push(events.map(({ event, data }) => (event === 'token' ? data : '')).join(''));
  }
  return texts;
}

async function converseUserChat(call: Call, { url, user, token }: Account, questions: readonly string[]): Promise<readonly string[]> {
  const headers = { authorization: `Bearer ${token}` };
  const texts: string[] = [];
  let conversation_id: string | null = null;
  for (const content of questions) {
    const body = { message: { content }, conversation_id };
    const answer = JSON.parse((await call(`${url}/api/${encodeURIComponent(user)}/chat`, { headers, body })).body);
    conversation_id = answer.conversation_id;
    texts.push(answer.message.content);
  }
  return texts;
}

/** Every client that conversations are tried with. */
export const chatClients: readonly ChatClient[] = [
  leviaPython,
  chatSessionsPython,
  graphPython,
  ...[byCurl, byFetch].flatMap((call): ChatClient[] => {
    const name = call === byCurl ? 'curl' : 'fetch';
    return [
      { name: `native by ${name}`, converse: (account, questions) => converseNative(call, account, questions) },
      { name: `levia by ${name}`, converse: (account, questions) => converseLevia(call, account, questions) },
      { name: `chat-sessions by ${name}`, converse: (account, questions) => converseChatSessions(call, account, questions) },
      { name: `graph by ${name}`, converse: (account, questions) => converseGraph(call, account, questions) },
      { name: `user-chat by ${name}`, converse: (account, questions) => converseUserChat(call, account, questions) },
    ];
  }),
];
