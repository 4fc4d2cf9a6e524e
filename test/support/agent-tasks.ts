import type { Agent } from '../../src/core/agent.ts';
import type { AgentId, RunId } from '../../src/core/ids.ts';
import type { AgentChunk, AgentTask, ApprovalAnswer, ToolAnswer, ToolDesk, ToolRequest } from '../../src/core/ports/agent-runtime.ts';
import type { Checkpoint, CheckpointStore } from '../../src/core/ports/checkpoint-store.ts';
import type { ModelProvider, ModelRequest, PromptMessage } from '../../src/core/ports/model-provider.ts';
import type { Tool } from '../../src/core/ports/tool.ts';
import type { RunFact } from '../../src/core/run-event.ts';
import { stubRun } from './stub-engine.ts';

export function say(role: PromptMessage['role'], text: string): PromptMessage {
  return { role, parts: [{ type: 'text', text }] };
}

/** A provider that answers each request by a script of chunks, and remembers what it was asked. */
export function scriptedProvider(...answers: readonly (readonly Parameters<Parameters<ModelProvider['stream']>[1]>[0][])[]) {
  const asked: ModelRequest[] = [];
  const provider: ModelProvider = {
    async stream(request, sink, signal) {
      const answer = answers[asked.length] ?? [];
      asked.push(request);
      for (const chunk of answer) {
        signal.throwIfAborted();
        await sink(chunk);
      }
      const reason = answer.some(({ type }) => type === 'tool_call') ? 'tool_calls' : 'stop';
      return { reason, usage: { input_tokens: 3, output_tokens: 2 } };
    },
    listModels: async () => [],
  };
  return { provider, asked };
}

/** Checkpoints in memory, fenced by the attempt as the stores' are. */
export function memoryCheckpoints() {
  const records = new Map<string, Uint8Array>();
  let owner = 0;
  const store: CheckpointStore = {
    async putCheckpoints({ attempt }, checkpoints: readonly Checkpoint[]) {
      if (attempt < owner) return false;
      for (const { name, data } of checkpoints) records.set(name, data.slice());
      return true;
    },
    async listCheckpoints(_runId: RunId, prefix: string) {
      const found = [...records].filter(([name]) => name.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
      return found.map(([name, data]) => ({ name, data }));
    },
  };
  return {
    store,
    records,
    /** From now on only this attempt writes. */
    own(attempt: number) {
      owner = attempt;
    },
  };
}

/** What a person has decided, by the call's id, and the desk's tools. */
interface DeskOptions {
  readonly tools?: readonly Tool[];
  readonly ask?: readonly string[];
  readonly decisions?: ReadonlyMap<string, ApprovalAnswer>;
}

/** A desk that calls its tools when nobody has to approve them, and remembers every request. */
export function memoryDesk({ tools = [], ask = [], decisions = new Map() }: DeskOptions = {}) {
  const requested: ToolRequest[] = [];
  const questions: { call_id: string; name: string; arguments: string }[] = [];
  const made: ToolRequest[] = [];

  function deskOf(known: readonly Tool[]): ToolDesk {
    async function answer(request: ToolRequest): Promise<ToolAnswer | 'waiting'> {
      const { call_id, name } = request;
      const tool = known.find((candidate) => candidate.name === name);
      if (!tool) return { call_id, name, status: 'failed', result: `There is no tool named ${name}` };
      const args = JSON.parse(request.arguments);
      const decision = decisions.get(call_id);
      if (!decision && (ask.includes(name) || (await tool.needsApproval?.(args)))) return 'waiting';
      if (decision?.decision === 'deny') return { call_id, name, status: 'denied', result: 'A person denied this call' };
      made.push(request);
      const { owner, threadId, id: runId } = stubRun;
      const context = { owner, threadId, runId, signal: new AbortController().signal, progress: () => undefined };
      return { call_id, name, ...(await tool.call(JSON.parse(decision?.arguments ?? request.arguments), context)) };
    }
    return {
      tools: known,
      async call(requests) {
        requested.push(...requests);
        const answers = await Promise.all(requests.map(answer));
        const given = answers.filter((one) => one !== 'waiting');
        return given.length < answers.length ? 'waiting' : given;
      },
      async ask(question) {
        questions.push(question);
        return decisions.get(question.call_id) ?? 'waiting';
      },
      extend: (own) => deskOf([...known, ...own]),
    };
  }

  return { desk: deskOf(tools), requested, questions, made };
}

interface TaskOptions {
  readonly agent?: Partial<Agent>;
  readonly messages?: readonly PromptMessage[];
  readonly provider?: ModelProvider;
  readonly desk?: ToolDesk;
  readonly before?: readonly RunFact[];
  readonly checkpoints?: CheckpointStore;
  readonly attempt?: number;
  readonly signal?: AbortSignal;
  readonly request?: Partial<ModelRequest>;
}

const agent: Agent = {
  id: '00000000-0000-4000-8000-000000000001' as AgentId,
  applicationId: null,
  name: 'tested',
  version: 1,
  createdAt: 0,
  description: '',
  instructions: '',
  greeting: null,
  model: null,
  runtime: 'loop',
  module: null,
  tools: [],
  rules: [],
  stepLimit: 25,
};

/** A task, what it is told, and the facts that a log would hold of that. */
export function agentTask(options: TaskOptions = {}) {
  const { messages = [say('user', 'Hello')], before = [], attempt = 1, signal = new AbortController().signal } = options;
  const told: AgentChunk[] = [];
  const task: AgentTask = {
    agent: { ...agent, ...options.agent },
    run: { ...stubRun, attempt },
    request: { model: 'm', messages, temperature: null, maxTokens: null, ...options.request },
    provider: options.provider ?? scriptedProvider().provider,
    desk: options.desk ?? memoryDesk().desk,
    before,
    checkpoints: options.checkpoints ?? memoryCheckpoints().store,
    emit: (chunk) => void told.push(chunk),
    stored: async () => undefined,
    signal,
  };
  return {
    task,
    told,
    /** `node` for a node, and texts joined where nothing stands between them. */
    get story() {
      return storyOf(told);
    },
    facts: (): RunFact[] => [...before, ...told.flatMap(factOf)],
  };
}

function storyOf(told: readonly AgentChunk[]): string[] {
  const story: string[] = [];
  let open = false;
  for (const chunk of told) {
    if (chunk.type === 'node') story.push(`> ${chunk.name}`);
    if (chunk.type === 'text' && open) story.push(`${story.pop()}${chunk.text}`);
    if (chunk.type === 'text' && !open) story.push(chunk.text);
    open = chunk.type === 'text';
  }
  return story;
}

function factOf(chunk: AgentChunk): RunFact[] {
  if (chunk.type === 'node') return [{ type: 'node.entered', name: chunk.name }];
  if (chunk.type === 'reasoning') return [{ type: 'reasoning.appended', message_id: stubRun.answerId, text: chunk.text }];
  return [{ type: 'text.appended', message_id: stubRun.answerId, text: chunk.text, at: 0 }];
}
