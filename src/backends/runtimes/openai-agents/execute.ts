import {
  GuardrailExecutionError,
  InputGuardrailTripwireTriggered,
  MaxTurnsExceededError,
  OutputGuardrailTripwireTriggered,
  RunContext,
  Runner,
  RunState,
  type RunToolApprovalItem,
} from '@openai/agents';
import { AppError } from '../../../core/errors.ts';
import type { AgentEnd, AgentTask } from '../../../core/ports/agent-runtime.ts';
import { ModelError } from '../../../core/ports/model-provider.ts';
import { createNarrator, type Narrator, type Told } from '../narrator.ts';
import { stepLimitReached } from '../refusals.ts';
import { type RunRecords, runRecords } from '../run-records.ts';
import { untilAborted } from '../until-aborted.ts';
import type { LoadedAgent, SdkAgent } from './agent-module.ts';
import { contextOf, deskTool, type GatedRun } from './gated-tools.ts';
import { toItems } from './items.ts';
import { createRunModel, type RunModel } from './run-model.ts';

type State = RunState<unknown, SdkAgent>;

/** What is stored before the calls of a step are made. */
interface Kept {
  readonly state: string;
  readonly told: Told;
}

const NAME = 'openai-agents/state';

interface Execution {
  readonly loaded: LoadedAgent;
  readonly task: AgentTask;
  readonly records: RunRecords;
  readonly narrator: Narrator;
  readonly model: RunModel;
  readonly run: GatedRun;
  readonly runner: Runner;
  readonly context: RunContext<unknown>;
}

/** Runs an agent from its last stored state, or from its beginning, to its end or to the next decision of a person. */
export async function executeAgent(loaded: LoadedAgent, task: AgentTask): Promise<AgentEnd> {
  task.signal.throwIfAborted();
  const records = runRecords(task);
  const kept = await readKept(records);
  const narrator = createNarrator(task, kept?.told ?? null);
  const speaker = createSpeaker(task, narrator);
  const model = createRunModel(task, narrator);
  const run: GatedRun = { desk: task.desk.extend(Array.from(loaded.own.values(), deskTool)), answers: new Map() };
  const runner = new Runner({
    model,
    modelProvider: { getModel: () => model },
    tracingDisabled: true,
    traceIncludeSensitiveData: false,
    toolNotFoundBehavior: 'return_error_to_model',
  });
  runner.on('agent_start', (_context, { name }) => speaker.enter(name));
  const execution: Execution = { loaded, task, records, narrator, model, run, runner, context: new RunContext<unknown>(contextOf(run)) };
  try {
    return await untilAborted(task.signal, () => goOn(execution, kept));
  } catch (error) {
    task.signal.throwIfAborted();
    throw failureOf(error, execution);
  } finally {
    narrator.end();
  }
}

async function goOn(execution: Execution, kept: Kept | null): Promise<AgentEnd> {
  const { loaded, records, model, narrator, context } = execution;
  let state: State | null = null;
  if (kept) {
    state = await RunState.fromStringWithContext(loaded.agent, kept.state, context, { contextStrategy: 'replace' });
    if (!(await makeCalls(execution, state))) return { reason: 'waiting' };
  }
  while (true) {
    state = await take(execution, state);
    if (state.getInterruptions().length === 0) return { reason: model.lastReason, usage: narrator.usage };
    const keep: Kept = { state: state.toString(), told: narrator.told() };
    await records.put(() => [{ name: NAME, text: JSON.stringify(keep) }]);
    if (!(await makeCalls(execution, state))) return { reason: 'waiting' };
  }
}

/** Goes on until the agent has ended or wants to call something. */
async function take({ loaded, task, runner, context }: Execution, state: State | null): Promise<State> {
  const { agent, request, signal } = task;
  const result = await runner.run(loaded.agent, state ?? toItems(request.messages), {
    stream: true,
    signal,
    context,
    maxTurns: agent.stepLimit,
  });
  for await (const _event of result) signal.throwIfAborted();
  await result.completed;
  return result.state;
}

/** Makes all calls of a step at the desk; false when a person has to decide first. */
async function makeCalls({ run }: Execution, state: State): Promise<boolean> {
  const wanted = state.getInterruptions().map((item) => ({ item, request: requestOf(item) }));
  const answers = await run.desk.call(wanted.map(({ request }) => request));
  if (answers === 'waiting') return false;
  for (const [place, { item, request }] of wanted.entries()) {
    const answer = answers[place];
    if (!answer) throw new Error('The desk left a request without an answer');
    run.answers.set(request.call_id, answer);
    state.approve(item);
  }
  return true;
}

function requestOf({ rawItem, name = '', arguments: json = '{}' }: RunToolApprovalItem) {
  return { call_id: 'callId' in rawItem ? rawItem.callId : '', name, arguments: json };
}

async function readKept(records: RunRecords): Promise<Kept | null> {
  const [record] = await records.list(NAME);
  return record ? JSON.parse(record.text) : null;
}

/** Which agent speaks: entered once, until another takes over. */
function createSpeaker({ before }: AgentTask, narrator: Narrator) {
  let count = 0;
  let node = before.findLast((fact) => fact.type === 'node.entered')?.name ?? null;
  return {
    enter(name: string): void {
      if (name === node) return;
      node = name;
      count += 1;
      narrator.enter(`agent-${count}`, name);
    },
  };
}

/** What a failure is called before its reader: what tools and guardrails throw may hold anything, and stays in the log. */
function failureOf(error: unknown, { model, task }: Execution): unknown {
  const { failure } = model;
  if (failure instanceof ModelError || failure instanceof AppError) return failure;
  if (error instanceof AppError) return error;
  const { name, stepLimit } = task.agent;
  if (error instanceof MaxTurnsExceededError) return stepLimitReached(stepLimit, error);
  const guarded =
    error instanceof InputGuardrailTripwireTriggered ||
    error instanceof OutputGuardrailTripwireTriggered ||
    error instanceof GuardrailExecutionError;
  return new AppError('run_failed', guarded ? `A guardrail of the agent ${name} has stopped the answer` : `The agent ${name} has failed`, {
    cause: error,
  });
}
