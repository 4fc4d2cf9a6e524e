import type { Usage } from '../../core/message.ts';
import type { AgentEnd, AgentTask, ToolRequest } from '../../core/ports/agent-runtime.ts';
import type { ModelChunk, ModelEnd, ModelRequest } from '../../core/ports/model-provider.ts';
import { stepLimitReached } from '../../core/refusals.ts';
import type { RunFact } from '../../core/run-event.ts';
import { unfinishedCalls } from './earlier-calls.ts';

/** What the loop needs beside its task. */
interface LoopPorts {
  /** The request with everything that the answer has so far, its calls and their results included, as much of it as fits. */
  readonly compose: () => Promise<ModelRequest>;
  /** Stores what a step took that was not the last one. */
  readonly recordUsage: (usage: Usage) => void | Promise<void>;
}

/** Asks the model, makes the calls it asks for, and asks again with their results, until it asks for none. */
export async function runLoop(task: AgentTask, ports: LoopPorts): Promise<AgentEnd> {
  const { agent, before, desk, signal } = task;
  let usage = usageIn(before);
  const open = unfinishedCalls(before);
  if (open.length > 0 && (await desk.call(open)) === 'waiting') return { reason: 'waiting' };
  for (let steps = stepsIn(before); ; steps += 1) {
    signal.throwIfAborted();
    if (steps >= agent.stepLimit) throw stepLimitReached(agent.stepLimit);
    const { end, calls } = await ask(task, await ports.compose());
    usage = end.usage === null ? usage : sum(usage, end.usage);
    if (calls.length === 0) return { reason: reasonOf(end), usage };
    if (end.usage !== null) await ports.recordUsage(end.usage);
    if ((await desk.call(calls)) === 'waiting') return { reason: 'waiting' };
  }
}

/** A model that asks for nothing has come to its end, whatever it says. */
function reasonOf({ reason }: ModelEnd): ModelEnd['reason'] {
  return reason === 'tool_calls' ? 'stop' : reason;
}

interface Step {
  readonly end: ModelEnd;
  readonly calls: readonly ToolRequest[];
}

async function ask({ provider, emit, signal }: AgentTask, request: ModelRequest): Promise<Step> {
  const calls: ToolRequest[] = [];
  const take = (chunk: ModelChunk) => {
    if (chunk.type !== 'tool_call') return emit(chunk);
    const { call_id, name, arguments: args } = chunk;
    calls.push({ call_id, name, arguments: args });
  };
  return { end: await provider.stream(request, take, signal), calls };
}

/** Whether nothing stands behind the last call of a tool that a model's next words would have to follow on. */
export function canResumeLoop(before: readonly RunFact[]): boolean {
  const last = before.findLast(({ type }) => type !== 'run.restarted' && type !== 'usage.recorded');
  switch (last?.type) {
    case 'run.started':
    case 'node.entered':
    case 'tool.called':
    case 'tool.returned':
    case 'approval.requested':
    case 'approval.decided':
      return true;
    default:
      return false;
  }
}

/** Each step that asked for tools has told what it took; where a provider does not say, the steps are those between results and calls. */
function stepsIn(before: readonly RunFact[]): number {
  const told = before.filter(({ type }) => type === 'usage.recorded').length;
  if (told > 0) return told;
  const calls = before.filter(({ type }) => type === 'tool.called' || type === 'approval.requested' || type === 'tool.returned');
  return calls.filter(({ type }, index) => type !== 'tool.returned' && (calls[index - 1]?.type ?? 'tool.returned') === 'tool.returned')
    .length;
}

function usageIn(before: readonly RunFact[]): Usage | null {
  return before.reduce<Usage | null>((total, fact) => (fact.type === 'usage.recorded' ? sum(total, fact.usage) : total), null);
}

function sum(one: Usage | null, other: Usage): Usage {
  return {
    input_tokens: (one?.input_tokens ?? 0) + other.input_tokens,
    output_tokens: (one?.output_tokens ?? 0) + other.output_tokens,
  };
}
