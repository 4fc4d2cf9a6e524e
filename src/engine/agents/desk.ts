import type { Agent } from '../../core/agent.ts';
import type { ApprovalAnswer, ToolAnswer, ToolDesk, ToolRequest } from '../../core/ports/agent-runtime.ts';
import type { AgentStore } from '../../core/ports/agent-store.ts';
import type { Tool } from '../../core/ports/tool.ts';
import type { ToolSchemas } from '../../core/ports/tool-schemas.ts';
import type { Run } from '../../core/run.ts';
import type { RunFact } from '../../core/run-event.ts';
import type { JsonObject } from '../../core/thread.ts';
import { cleanText } from '../runs/text-intake.ts';
import { type ClaimedCall, createCallClaims } from './call-ids.ts';
import { type CallOptions, callTool } from './call-tool.ts';
import { readEarlierCalls } from './earlier-calls.ts';
import { readArguments } from './read-arguments.ts';
import { createSlots } from './slots.ts';
import { keptResult } from './tool-result.ts';
import { lists, ruleFor } from './tool-rules.ts';
import { definitionOf } from './tool-trust.ts';
import type { OfferedTool, Toolbox } from './toolbox.ts';

/** Calls of one run that are made side by side. */
const AT_ONCE = 8;
/** Calls that a model may ask for at once. */
const MAX_REQUESTS = 64;
const MAX_NAME = 255;
/** UTF-16 units of results that a run keeps in all. */
const MAX_RESULTS = 16_777_216;

type ApprovalRequested = Extract<RunFact, { type: 'approval.requested' }>;
type Refusal = Extract<ToolAnswer['status'], 'failed' | 'denied'>;

/** Where a desk writes what it does. */
export interface DeskLog {
  append(fact: RunFact): void | Promise<void>;
  /** Resolves when everything appended so far is stored. */
  stored(): Promise<void>;
}

export interface DeskOptions extends CallOptions {
  readonly agent: Agent;
  readonly run: Run;
  readonly toolbox: Toolbox;
  readonly before: readonly RunFact[];
  readonly log: DeskLog;
  readonly store: Pick<AgentStore, 'pinTools'>;
  readonly schemas: ToolSchemas;
  readonly approvalMs: number;
  readonly signal: AbortSignal;
}

/** A desk with what the execution of its run needs to know of it. */
export interface OpenDesk extends ToolDesk {
  /** What people have to decide before the run can go on. */
  readonly waitsFor: readonly ApprovalRequested[];
  /** Breaks off the calls that nobody waits for any more, and writes nothing from then on. */
  close(): Promise<void>;
}

/** Opens the only way in which a run calls tools. */
export function openDesk(options: DeskOptions): OpenDesk {
  const { agent, toolbox, before, clock, approvalMs } = options;
  const closing = new AbortController();
  const earlier = readEarlierCalls(before);
  const waitsFor: ApprovalRequested[] = [];
  const making = new Set<Promise<unknown>>();
  const desk: Desk = {
    ...options,
    signal: AbortSignal.any([options.signal, closing.signal]),
    claim: createCallClaims({
      earlier,
      replays: agent.runtime !== 'loop',
      repeatable: (name) => toolbox.tools.get(name)?.tool.readOnly === true,
    }),
    slot: createSlots(AT_ONCE),
    kept: { units: [...earlier.values()].reduce((sum, { answer }) => sum + (answer?.result.length ?? 0), 0) },
    wait(question) {
      const expires_at = new Date(clock.now() + approvalMs).toISOString();
      waitsFor.push({ type: 'approval.requested', ...question, expires_at });
      return 'waiting';
    },
  };

  function over(tools: ReadonlyMap<string, OfferedTool>): ToolDesk {
    return {
      tools: [...tools.values()].map(({ offered }) => offered),
      async call(requests) {
        const all = Promise.allSettled(requests.map((request, place) => answerOne(desk, tools, { request, place })));
        making.add(all);
        const outcomes = await all;
        making.delete(all);
        const answers = outcomes.map(settledValue);
        const known = answers.filter((answer) => answer !== 'waiting');
        return known.length === answers.length ? known : 'waiting';
      },
      extend: (own) => over(extended(agent, tools, own)),
      ask: async (question) => askPerson(desk, earlier.get(question.call_id)?.decision ?? null, question),
    };
  }

  return {
    ...over(toolbox.tools),
    waitsFor,
    async close() {
      closing.abort(new Error('The run has ended'));
      await Promise.all(making);
    },
  };
}

function settledValue<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

interface Desk extends DeskOptions {
  readonly claim: (request: ToolRequest) => ClaimedCall;
  readonly slot: (signal: AbortSignal) => Promise<() => void>;
  /** UTF-16 units of results that the run has. */
  readonly kept: { units: number };
  readonly wait: (question: Omit<ApprovalRequested, 'type' | 'expires_at'>) => 'waiting';
}

type Tools = ReadonlyMap<string, OfferedTool>;

function extended(agent: Agent, tools: Tools, own: readonly Tool[]): Tools {
  const listed = own.filter((tool) => !tools.has(tool.name) && lists(agent, tool, null));
  const offered = listed.map(
    (tool): OfferedTool => ({ tool, offered: definitionOf(tool), change: null, rule: ruleFor(agent, tool, null) }),
  );
  return new Map([...tools, ...offered.filter(({ rule }) => rule !== 'deny').map((known) => [known.tool.name, known] as const)]);
}

function askPerson(
  desk: Desk,
  decided: ApprovalAnswer | null,
  { call_id, name, arguments: args }: ToolRequest,
): ApprovalAnswer | 'waiting' {
  if (decided) return { decision: decided.decision, arguments: decided.arguments };
  return desk.wait({ call_id, name: cleanName(name), arguments: cleanText(args) });
}

/** One call on its way through the desk. */
interface Call extends ClaimedCall {
  readonly name: string;
  /** As the model wrote them. */
  readonly asked: string;
}

async function answerOne(
  desk: Desk,
  tools: Tools,
  { request, place }: { request: ToolRequest; place: number },
): Promise<ToolAnswer | 'waiting'> {
  const name = cleanName(request.name);
  const asked = cleanText(request.arguments);
  const call: Call = { ...desk.claim({ call_id: request.call_id, name, arguments: asked }), name, asked };
  const { earlier } = call;
  desk.signal.throwIfAborted();
  if (earlier?.answer) return earlier.answer;
  const known = tools.get(name);
  if (earlier && earlier.called !== null && !mayRepeat(known)) return close(desk, call, { status: 'failed', result: UNCERTAIN });
  if (!known) return refuse(desk, call, unknownTool(desk, name));
  if (earlier && earlier.called !== null) return repeat(desk, call, known);
  if (place >= MAX_REQUESTS) return refuse(desk, call, { status: 'failed', result: `No more than ${MAX_REQUESTS} calls are made at once` });
  return earlier?.decision ? decided(desk, call, known) : consider(desk, call, known);
}

/** What only reads, and is what it was, does no harm when it is called once more. */
function mayRepeat(known: OfferedTool | undefined): boolean {
  return known?.tool.readOnly === true && known.change === null;
}

const UNCERTAIN = 'The server stopped during this call: it may have happened, or not. It is not made again by itself.';

function unknownTool({ agent, toolbox }: Desk, name: string): { status: Refusal; result: string } {
  if (agent.rules.some(({ rule }) => rule === 'deny') && ruleFor(agent, { name, readOnly: true }, null) === 'deny') {
    return { status: 'denied', result: `The rules of this agent do not allow the tool ${name}` };
  }
  const reason = toolbox.missing(name);
  return { status: 'failed', result: reason === null ? `There is no tool named ${name}` : `The tool ${name} is not there now: ${reason}` };
}

/** A new call: wrong arguments are not worth anybody's time, unless what is right is to be decided. */
async function consider(desk: Desk, call: Call, { tool, change, rule }: OfferedTool): Promise<ToolAnswer | 'waiting'> {
  const read = readArguments(call.asked);
  const problem = 'problem' in read ? read.problem : change ? null : desk.schemas.problem(definitionOf(tool), read.args);
  if (problem !== null || 'problem' in read) return refuse(desk, call, wrongArguments(problem ?? ''));
  const asks = change !== null || rule === 'ask' || (await tool.needsApproval?.(read.args)) === true;
  if (!asks) return make(desk, call, { tool, text: call.asked, args: read.args });
  return desk.wait({ call_id: call.callId, name: call.name, arguments: call.asked, ...(change && { change }) });
}

function wrongArguments(problem: string): { status: Refusal; result: string } {
  return { status: 'failed', result: `The call was not made, because its arguments are wrong: ${problem}` };
}

/** A call about which somebody has decided. */
async function decided(desk: Desk, call: Call, { tool, change }: OfferedTool): Promise<ToolAnswer | 'waiting'> {
  const { agent, schemas, store, clock } = desk;
  const { decision, change: approved } = call.earlier ?? {};
  if (decision?.decision !== 'approve') {
    const why = decision?.expired ? 'Nobody has allowed this call in time' : 'The user does not want this call to be made';
    return refuse(desk, call, { status: 'denied', result: `${why}. It was not made.` });
  }
  if (change) {
    const digest = schemas.digest(change.after);
    // What was approved is the change that was shown, and not what the tool has become since.
    if (!approved || schemas.digest(approved.after) !== digest) return askAgain(desk, call, change);
    const pins = [{ tool: tool.name, digest, definition: change.after }];
    await store.pinTools({ agentId: agent.id, pins, onlyNew: false, now: clock.now() });
  }
  const text = decision.arguments ?? call.asked;
  const read = readArguments(text);
  const problem = 'problem' in read ? read.problem : schemas.problem(definitionOf(tool), read.args);
  if (problem !== null || 'problem' in read) return refuse(desk, call, wrongArguments(problem ?? ''));
  return make(desk, call, { tool, text, args: read.args });
}

/** The call that was approved is not made: another one takes its place, which is to be decided about anew. */
async function askAgain(desk: Desk, call: Call, change: NonNullable<OfferedTool['change']>): Promise<'waiting'> {
  await refuse(desk, call, { status: 'denied', result: 'The tool has changed since this call was approved. It is asked about once more.' });
  const { callId } = desk.claim({ call_id: '', name: call.name, arguments: call.asked });
  return desk.wait({ call_id: callId, name: call.name, arguments: call.asked, change });
}

interface Made {
  readonly tool: Tool;
  readonly text: string;
  readonly args: JsonObject;
}

/** Makes the call, once it is stored that it is made. */
async function make(desk: Desk, call: Call, { tool, text, args }: Made): Promise<ToolAnswer> {
  const { log, clock, signal } = desk;
  const release = await desk.slot(signal);
  try {
    signal.throwIfAborted();
    const fact = { type: 'tool.called', call_id: call.callId, name: call.name, arguments: text } as const;
    await log.append({ ...fact, called_at: new Date(clock.now()).toISOString() });
    await log.stored();
    return await perform(desk, call, { tool, args });
  } finally {
    release();
  }
}

/** Makes a call once more whose result was lost: it changes nothing. */
async function repeat(desk: Desk, call: Call, { tool }: OfferedTool): Promise<ToolAnswer> {
  const read = readArguments(call.earlier?.called ?? call.asked);
  if ('problem' in read) return close(desk, call, { status: 'failed', result: read.problem });
  const release = await desk.slot(desk.signal);
  try {
    return await perform(desk, call, { tool, args: read.args });
  } finally {
    release();
  }
}

async function perform(desk: Desk, call: Call, { tool, args }: Pick<Made, 'tool' | 'args'>): Promise<ToolAnswer> {
  const { run, signal, clock, observer } = desk;
  const context = { owner: run.owner, threadId: run.threadId, runId: run.id, signal };
  const since = clock.elapsed();
  const tell = (status: ToolAnswer['status']) =>
    observer.toolReturned({ id: run.id, name: call.name, status, durationMs: clock.elapsed() - since });
  try {
    signal.throwIfAborted();
    const outcome = await callTool(desk, tool, { args, context });
    tell(outcome.status);
    return await close(desk, call, outcome);
  } catch (error) {
    if (!signal.aborted) throw error;
    tell('cancelled');
    await close(desk, call, { status: 'cancelled', result: 'The call was broken off: it may have happened, or not.' });
    throw error;
  }
}

/** Stores that a call was asked for and not made. */
async function refuse(desk: Desk, call: Call, why: { readonly status: Refusal; readonly result: string }): Promise<ToolAnswer> {
  const called_at = new Date(desk.clock.now()).toISOString();
  void desk.log.append({ type: 'tool.called', call_id: call.callId, name: call.name, arguments: call.asked, called_at });
  return close(desk, call, why);
}

/** Stores what came of a call. */
async function close(desk: Desk, call: Call, outcome: Pick<ToolAnswer, 'status' | 'result'>): Promise<ToolAnswer> {
  const { log, clock, kept } = desk;
  const result = keptResult(outcome.result);
  kept.units += result.length;
  const tooMuch = kept.units > MAX_RESULTS && result.length > TOO_MUCH.length;
  const answer = { call_id: call.callId, name: call.name, status: outcome.status, result: tooMuch ? TOO_MUCH : result };
  await log.append({ type: 'tool.returned', ...answer, returned_at: new Date(clock.now()).toISOString() });
  return answer;
}

const TOO_MUCH = 'The result is left out: the tools of this run have said more than the server keeps.';

function cleanName(name: string): string {
  return cleanText(name).slice(0, MAX_NAME).toWellFormed();
}
