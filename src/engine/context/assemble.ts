import type { SourcePassage } from '../../core/attachment.ts';
import { AppError } from '../../core/errors.ts';
import { type Message, type Part, textOf } from '../../core/message.ts';
import type { MessageStore, RunContext } from '../../core/ports/message-store.ts';
import type { ModelRequest } from '../../core/ports/model-provider.ts';
import type { TokenCounter } from '../../core/ports/token-counter.ts';
import type { Run } from '../../core/run.ts';
import type { ToolDefinition } from '../../core/tool.ts';
import type { FileContext, ReadFiles } from './files/file-context.ts';
import { render } from './render.ts';
import { fitWindow } from './trim.ts';

/** Messages that are looked at for one answer. */
export const MAX_HISTORY = 500;
/** More than a token has in any text of some length: what lies beyond does not fit the window and need not be read. */
const CHARS_PER_TOKEN = 10;

/** The part of a request that is not for files. */
const OWN_SHARE = 1 / 4;
/** The part of a request, in bytes a token, that the results of one step's tools may take. */
const RESULT_SHARE = 3 / 4;
/** A token of JSON has about three characters. */
const CHARS_OF_SCHEMA = 3;

interface AssemblePorts {
  readonly store: Pick<MessageStore, 'contextOf'>;
  readonly counter: TokenCounter;
  readonly readFiles: ReadFiles;
}

/** What an agent adds to its requests. */
export interface AgentShare {
  readonly instructions: string;
  readonly tools: readonly ToolDefinition[];
}

/** The requests of one run: what was said before is read once. */
export interface Requests {
  /** What of the thread's files the model gets to see. */
  readonly passages: readonly SourcePassage[];
  /** The request behind which the model goes on; `parts` are what it has said and called in this run so far. */
  compose(parts: readonly Part[]): Promise<ModelRequest>;
}

/** For which run, and by which agent if any, requests are to be made. */
export interface Preparation {
  readonly run: Run;
  readonly agent: AgentShare | null;
  /** What was said before, where that is known; else it is read. */
  readonly context: RunContext | null;
  readonly signal: AbortSignal;
}

/** What the model gets to see for a run that no agent answers; as `prepareRequests`. */
export async function assembleRequest(ports: AssemblePorts, run: Run, signal: AbortSignal): Promise<ModelRequest> {
  const { passages, compose } = await prepareRequests(ports, { run, agent: null, context: null, signal });
  return { ...(await compose([])), ...(passages.length > 0 && { passages }) };
}

/**
 * What the model gets to see for this run: as much of the conversation, and of the thread's files, as leaves room for the answer. Rejects when
 * the question is gone, and with the signal's reason.
 */
export async function prepareRequests(ports: AssemblePorts, { run, agent, context, signal }: Preparation): Promise<Requests> {
  const { store, counter } = ports;
  const { temperature, maxTokens, provider, upstream, window, maxOutput } = run.snapshot;
  const { threadKey, messageId } = run;
  const place = { threadKey, messageId, limit: MAX_HISTORY, maxChars: window * CHARS_PER_TOKEN };
  const { messages: history, hasFiles } = context ?? (await store.contextOf(place));
  if (history.at(-1)?.id !== messageId) throw new AppError('message_not_found', 'The question is no longer there');
  const tools = agent?.tools ?? [];
  const budget = window - (maxTokens ?? maxOutput) - Math.ceil(tools.length === 0 ? 0 : JSON.stringify(tools).length / CHARS_OF_SCHEMA);
  const own = agent === null ? run.snapshot.instructions : [agent.instructions, ...run.snapshot.instructions];
  const files = hasFiles ? await filesFor(ports, { own, run, history, budget, signal }) : null;
  const instructions = files ? [...own, files.text] : own;
  const resultBytes = Math.floor(budget * RESULT_SHARE);
  return {
    passages: files?.passages ?? [],
    async compose(parts) {
      const said = parts.length === 0 ? history : [...history, answerSoFar(run, parts)];
      const rendered = render(said, { instructions, provider, resultBytes });
      const messages = await fitWindow(rendered, { budget, counter });
      return { model: upstream, messages, temperature, maxTokens, maxOutput, ...(tools.length > 0 && { tools }) };
    },
  };
}

function answerSoFar({ answerId: id, threadId, messageId, answerSeq: seq, id: runId, createdAt }: Run, parts: readonly Part[]): Message {
  const unknown = { model: null, usage: null };
  return { id, threadId, seq, parentId: messageId, role: 'assistant', status: 'completed', parts, runId, createdAt, ...unknown };
}

interface Asked {
  readonly own: readonly string[];
  readonly run: Run;
  readonly history: readonly Message[];
  /** Tokens of the whole request. */
  readonly budget: number;
  readonly signal: AbortSignal;
}

/** Files may take what the question with its instructions, and some of the conversation, leave. */
async function filesFor(
  { counter, readFiles }: AssemblePorts,
  { own: told, run, history, budget, signal }: Asked,
): Promise<FileContext | null> {
  const own = [...told, textOf(history.at(-1)?.parts ?? [])].join('\n');
  let kept = Math.ceil(budget * OWN_SHARE);
  if (Buffer.byteLength(own) > kept) {
    await counter.load();
    kept = Math.max(kept, await counter.count(own, budget));
  }
  return readFiles({ threadKey: run.threadKey, history, room: budget - kept, signal });
}
