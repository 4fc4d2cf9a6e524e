import type { AttachmentId, KeyId, MessageId, PromptId, ThreadKey } from '../../src/core/ids.ts';
import { samplePrompt } from '../../src/http/docs/samples.ts';
import {
  writeAgentCursor,
  writeFileCursor,
  writeKeyCursor,
  writeMessageCursor,
  writePromptCursor,
  writeThreadCursor,
  writeVersionCursor,
} from '../../src/http/list-cursor.ts';
import { describedInputs, type InputName } from './described-inputs.ts';
import { exampleBodies, type Known } from './examples.ts';
import type { Route } from './routes.ts';

/** What of a request beside its path may lead to a record. */
interface NamedInput {
  /**
   * `record`: what must exist and be the sender's. `place`: where the sender's own list goes on, no matter whose it was. `choice`: an id that
   * the sender may choose. `time`: none at all.
   */
  readonly names: 'record' | 'place' | 'choice' | 'time';
  /** What says so in the input. */
  write(ids: Known): string;
}

const record = (kind: keyof Known): NamedInput => ({ names: 'record', write: (ids) => ids[kind] });
const place = (write: NamedInput['write']): NamedInput => ({ names: 'place', write });
const choice: NamedInput = { names: 'choice', write: ({ thread_id }) => thread_id };
const time: NamedInput = { names: 'time', write: () => '2020-01-01' };
const user = { 'body user_id': record('user_id') };
const ofGraph = { 'query user_id': record('user_id') };
const chosen = { ...user, 'body thread_id': choice };
const FAR_FUTURE = 32_503_680_000_000;
const threads = { 'query cursor': place(({ thread_id }) => writeThreadCursor({ updatedAt: FAR_FUTURE, key: thread_id as ThreadKey })) };
const promptAt = (id: string) => ({ ...samplePrompt, id: id as PromptId, createdAt: FAR_FUTURE });
const events = { 'query after': place(() => '0') };

type NamedInputs = Readonly<Record<InputName, NamedInput>>;

/** By route: every input that is not plain. A new one has its line here. */
const inputs: Readonly<Record<string, NamedInputs>> = {
  'native GET /threads': { ...threads, 'query before': time, 'query after': time },
  'native GET /threads/:thread_id/messages': {
    'query branch': record('message_id'),
    'query cursor': { names: 'record', write: ({ message_id }) => writeMessageCursor(message_id as MessageId) },
  },
  'native PUT /threads/:thread_id/head': { 'body message_id': record('message_id') },
  'native GET /threads/:thread_id/events': events,
  'native POST /threads/:thread_id/runs': { 'body parent_id': record('message_id'), 'body regenerate': record('message_id') },
  'native GET /runs/:run_id/events': events,
  'native GET /threads/:thread_id/files': { 'query cursor': place(({ file_id }) => writeFileCursor(file_id as AttachmentId)) },
  'native POST /tokens': user,
  'native GET /keys': { 'query cursor': place(({ key_id }) => writeKeyCursor(key_id as KeyId)) },
  'native POST /keys': user,
  'native GET /agents': { 'query cursor': place(() => writeAgentCursor('A')) },
  'native GET /agents/:agent_id/versions': { 'query cursor': place(() => writeVersionCursor({ version: FAR_FUTURE })) },
  'native GET /prompts': { 'query cursor': place(({ prompt_uuid }) => writePromptCursor(promptAt(prompt_uuid))) },
  'native GET /prompts/:prompt_id/versions': { 'query cursor': place(() => writeVersionCursor({ version: FAR_FUTURE })) },
  'native POST /prompts/preview': { 'body prompt_id': record('prompt_uuid') },
  'chat-sessions POST /prompts/preview': { 'body prompt_id': record('prompt_id') },
  'levia POST /create': user,
  'levia POST /': { ...user, 'body session_id': record('thread_id') },
  'chat-sessions POST /stream': { 'body session_id': record('session_id') },
  'chat-sessions POST /switch-model': { 'body session_id': record('session_id') },
  'graph POST /graph/invoke': chosen,
  'graph POST /graph/stream': chosen,
  'graph POST /threads': user,
  'graph GET /threads/:thread_id': ofGraph,
  'graph DELETE /threads/:thread_id': ofGraph,
  'graph POST /graph/threads': user,
  'graph GET /graph/threads/:thread_id': ofGraph,
  'graph DELETE /graph/threads/:thread_id': ofGraph,
  'user-chat POST /chat': { 'body conversation_id': record('conversation_id'), 'query conversation_id': record('conversation_id') },
  'user-chat GET /conversations': threads,
};

/** What never leads to a record, and the headers in which the tests' senders say who they are and where a stream goes on. */
const plain = new Set([
  ...['agent', 'archive', 'archived', 'content', 'dialects', 'end_date', 'expires_at', 'expires_in', 'intent', 'language', 'limit'],
  ...['max_tokens', 'message', 'messages', 'metadata', 'model', 'name', 'page', 'page_size', 'parts', 'role', 'scenario_context', 'scopes'],
  ...['description', 'include_templates', 'scenario', 'search', 'q', 'variables'],
  ...['start_date', 'status', 'stream', 'tag', 'tags', 'temperature', 'text', 'tier', 'title', 'type', 'wait'],
  ...['q', 'search_term'],
  ...['arguments', 'decision', 'greeting', 'instructions', 'rule', 'rules', 'step_limit', 'tool', 'tools', 'version'],
  ...['Prefer', 'X-User-Id', 'Last-Event-ID'],
]);

/** What no example has because it suits one sender alone: keys of every sender are of different tiers. */
const personal = ['native POST /keys: body tier'];

/** The inputs of a route that name something in this way. */
export function inputsThat(names: NamedInput['names'], route: Route): readonly (readonly [string, NamedInput['write']])[] {
  return Object.entries(inputs[route.key] ?? {}).flatMap(([input, named]) =>
    named.names === names ? [[input, named.write] as const] : [],
  );
}

/** What these routes read and this file or the examples do not know, and what only these know. */
export async function unlistedInputs(routes: readonly Route[], known: Known): Promise<readonly string[]> {
  const described = await describedInputs(routes);
  const read = [...described].flatMap(([key, names]) => names.map((name) => [key, name] as const));
  const listed = Object.entries(inputs).flatMap(([key, named]) => Object.keys(named).map((name) => [key, name] as const));
  const examples = routes.flatMap((route) =>
    exampleBodies(route, known).flatMap((body) => Object.keys(body).map((name) => [route.key, `body ${name}`] as const)),
  );
  const isInExample = ([key, name]: readonly [string, string]) =>
    !/^body [^.]+$/.test(name) ||
    personal.includes(`${key}: ${name}`) ||
    examples.some((example) => example[0] === key && example[1] === name);
  const isRead = ([key, name]: readonly [string, string]) => described.get(key)?.some((input) => input === name) ?? false;
  const problems = [
    ...read.filter(([key, name]) => !plain.has(name.split(/[ .]/).at(-1) ?? '') && !(name in (inputs[key] ?? {}))),
    ...read.filter((input) => !isInExample(input)),
    ...[...listed, ...examples].filter((input) => !isRead(input)),
  ];
  return [...new Set(problems.map((input) => input.join(': ')))];
}
