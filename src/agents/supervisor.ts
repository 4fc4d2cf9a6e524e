import { type Part, textOf, type Usage } from '../core/message.ts';
import type { AgentRuntime, AgentTask, ToolRequest } from '../core/ports/agent-runtime.ts';
import type { ModelChunk, ModelEnd, ModelRequest, PromptMessage } from '../core/ports/model-provider.ts';
import { mentionsWeather, placeIn } from './weather-words.ts';

type Retrieval = 'retrieve_docs' | 'retrieve_weather';
/** Messages that a node adds to the conversation, and what it spent on them; `waiting` when a person has to allow its calls. */
type Retrieved = { readonly messages: readonly PromptMessage[]; readonly usage: Usage | null } | 'waiting';

const NOTHING: Retrieved = { messages: [], usage: null };
const MAX_QUERY = 1_000;

const retrievals: Readonly<Record<Retrieval, (task: AgentTask) => Promise<Retrieved>>> = {
  async retrieve_docs(task) {
    const query = questionIn(task.request).slice(0, MAX_QUERY).toWellFormed();
    return call(task, [{ call_id: 'retrieve_docs', name: 'search_attachments', arguments: JSON.stringify({ query }) }]);
  },
  async retrieve_weather(task) {
    const tools = task.desk.tools.filter(({ name }) => name === 'weather');
    if (tools.length === 0) return NOTHING;
    const { requests, usage } = await requestsFor(task, { ...task.request, tools });
    const place = placeIn(questionIn(task.request));
    const guess = { call_id: 'retrieve_weather', name: 'weather', arguments: JSON.stringify({ city: place }) };
    const retrieved = await call(task, requests.length > 0 || place === null ? requests : [guess]);
    return retrieved === 'waiting' ? 'waiting' : { ...retrieved, usage };
  },
};

/**
 * The graph that comes with the server: a supervisor sends a question to the user's files, to the weather, to both, or straight to its
 * answer. Deciding costs no call of the model; what was retrieved goes into the conversation as results of tools.
 */
export const supervisor: AgentRuntime = {
  // Only the last node says anything: until then all can be done again, and calls that were made are answered from the log.
  canResume: (before) => !before.some(({ type }) => type === 'text.appended' || type === 'reasoning.appended'),
  async run(task) {
    const { request, provider, emit, signal, before } = task;
    const entered = new Set(before.flatMap((fact) => (fact.type === 'node.entered' ? [fact.name] : [])));
    async function enter(name: string): Promise<void> {
      signal.throwIfAborted();
      if (!entered.has(name)) await emit({ type: 'node', name });
    }

    await enter('supervisor');
    const messages = [...request.messages];
    const spent: (Usage | null)[] = [];
    for (const name of retrievalsFor(request)) {
      await enter(name);
      const retrieved = await retrievals[name](task);
      if (retrieved === 'waiting') return { reason: 'waiting' };
      messages.push(...retrieved.messages);
      spent.push(retrieved.usage);
    }
    await enter('answer');
    const end = await provider.stream({ ...request, messages }, (chunk) => (chunk.type === 'tool_call' ? undefined : emit(chunk)), signal);
    return { reason: end.reason === 'tool_calls' ? 'stop' : end.reason, usage: sum([...spent, end.usage]) };
  },
};

function questionIn({ messages }: ModelRequest): string {
  return textOf(messages.findLast(({ role }) => role === 'user')?.parts ?? []);
}

function retrievalsFor(request: ModelRequest): readonly Retrieval[] {
  const needed: Retrieval[] = [];
  if (request.passages && request.passages.length > 0) needed.push('retrieve_docs');
  if (mentionsWeather(questionIn(request))) needed.push('retrieve_weather');
  return needed;
}

/** What the model wants to call; what it says besides is not part of the answer. */
async function requestsFor({ provider, signal }: AgentTask, request: ModelRequest) {
  const requests: ToolRequest[] = [];
  const take = (chunk: ModelChunk): void => {
    if (chunk.type === 'tool_call') requests.push({ call_id: chunk.call_id, name: chunk.name, arguments: chunk.arguments });
  };
  const { usage }: ModelEnd = await provider.stream(request, take, signal);
  return { requests, usage };
}

async function call({ desk }: AgentTask, requests: readonly ToolRequest[]): Promise<Retrieved> {
  if (requests.length === 0) return NOTHING;
  const answers = await desk.call(requests);
  if (answers === 'waiting') return 'waiting';
  const calls = answers.map(({ call_id, name }, place): Part => {
    return { type: 'tool_call', call_id, name, arguments: requests[place]?.arguments ?? '{}' };
  });
  const results = answers.map((answer): PromptMessage => ({ role: 'tool', parts: [{ type: 'tool_result', ...answer }] }));
  return { messages: [{ role: 'assistant', parts: calls }, ...results], usage: null };
}

function sum(usages: readonly (Usage | null)[]): Usage | null {
  const known = usages.filter((usage) => usage !== null);
  if (known.length === 0) return null;
  return {
    input_tokens: known.reduce((total, { input_tokens }) => total + input_tokens, 0),
    output_tokens: known.reduce((total, { output_tokens }) => total + output_tokens, 0),
  };
}
