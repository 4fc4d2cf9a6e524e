import { AIMessage, type BaseMessage, isBaseMessage } from '@langchain/core/messages';
import { Command, GraphRecursionError } from '@langchain/langgraph';
import { AppError } from '../../../core/errors.ts';
import type { AgentEnd, AgentTask } from '../../../core/ports/agent-runtime.ts';
import { ModelError } from '../../../core/ports/model-provider.ts';
import { createNarrator, type Narrator } from '../narrator.ts';
import { stepLimitReached } from '../refusals.ts';
import { untilAborted } from '../until-aborted.ts';
import { RunChatModel } from './chat-model.ts';
import { openCheckpoints, type RunCheckpoints } from './checkpoints.ts';
import { createDeskCalls, type DeskCalls } from './desk-tools.ts';
import { createGraphEvents, type GraphEvents } from './graph-events.ts';
import type { RunnableGraph } from './graph-module.ts';
import { answersToInterrupts } from './interrupts.ts';
import { isGiven, toLangChain } from './messages.ts';
import { type ChatModelOptions, createModelCalls, type ModelCalls } from './model-calls.ts';
import type { RunSaver } from './saver.ts';

/** What one execution of a graph is made of. */
interface Execution {
  readonly graph: RunnableGraph;
  readonly task: AgentTask;
  readonly checkpoints: RunCheckpoints;
  readonly narrator: Narrator;
  readonly models: ModelCalls;
  readonly desk: DeskCalls;
  readonly events: GraphEvents;
}

/** Runs a graph from its last checkpoint, or from its beginning, to its end or to the next question for a person. */
export async function executeGraph(graph: RunnableGraph, saver: RunSaver, task: AgentTask): Promise<AgentEnd> {
  task.signal.throwIfAborted();
  const checkpoints = await openCheckpoints(task);
  const narrator = createNarrator(task, checkpoints.told);
  checkpoints.narrator = narrator;
  for (const id of checkpoints.ended()) narrator.pass(id);
  const models = createModelCalls(task, narrator);
  const events = createGraphEvents(narrator);
  const execution: Execution = { graph, task, checkpoints, narrator, models, events, desk: createDeskCalls(task.desk) };
  saver.runs.set(task.run.id, checkpoints);
  try {
    return await untilAborted(task.signal, () => goOn(execution));
  } catch (error) {
    task.signal.throwIfAborted();
    throw failureOf(error, execution);
  } finally {
    narrator.end();
    saver.runs.delete(task.run.id);
  }
}

async function goOn(execution: Execution): Promise<AgentEnd> {
  const { checkpoints, task, graph, desk, models, narrator } = execution;
  let input: unknown = { messages: toLangChain(task.request.messages) };
  if (!checkpoints.empty) {
    const answers = await answersToInterrupts(execution, await graph.getState(threadOf(task)));
    if (answers === 'waiting') return { reason: 'waiting' };
    input = answers && new Command({ resume: answers });
  }
  while (true) {
    await stream(execution, input);
    await desk.settled();
    const state = await graph.getState(threadOf(task));
    const answers = await answersToInterrupts(execution, state);
    if (answers === 'waiting' || desk.waiting) return { reason: 'waiting' };
    if (answers === null) {
      await sayUnsaid(state.values, narrator);
      return { reason: models.lastReason, usage: narrator.usage };
    }
    input = new Command({ resume: answers });
  }
}

function threadOf({ run }: AgentTask) {
  return { configurable: { thread_id: run.id } };
}

async function stream({ graph, task, models, desk, events }: Execution, input: unknown): Promise<void> {
  const { agent, request, run, signal } = task;
  const parts = await graph.stream(input, {
    configurable: {
      thread_id: run.id,
      model: (options: ChatModelOptions = {}) => new RunChatModel(models, options),
      tools: desk.tools,
      passages: request.passages ?? [],
    },
    streamMode: ['tasks', 'custom', 'messages'],
    subgraphs: true,
    // A node that has ended is stored before the next begins, so that it never runs again.
    durability: 'sync',
    recursionLimit: agent.stepLimit,
    signal,
  });
  for await (const part of parts) events.take(part);
}

/** What of the graph's last state is an answer that nothing has told yet. */
async function sayUnsaid(values: unknown, narrator: Narrator): Promise<void> {
  if (typeof values !== 'object' || values === null || !('messages' in values) || !Array.isArray(values.messages)) return;
  const unsaid = values.messages.filter((message): message is BaseMessage => {
    return isBaseMessage(message) && AIMessage.isInstance(message) && !isGiven(message) && !narrator.knows(message.id ?? '');
  });
  for (const { id = '', text } of unsaid) await narrator.say(text, { step: null, message: id });
}

/** What a graph's failure is called before its reader: what nodes throw may hold anything, and stays in the log. */
function failureOf(error: unknown, { events, task }: Execution): unknown {
  if (error instanceof AppError || error instanceof ModelError) return error;
  if (error instanceof GraphRecursionError || isNamed(error, 'GraphRecursionError')) {
    return stepLimitReached(task.agent.stepLimit, error);
  }
  const node = events.nodeOf(error);
  const what = node === null ? 'A node' : `The node ${node}`;
  return new AppError('run_failed', `${what} of the agent ${task.agent.name} has failed`, { cause: error });
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
