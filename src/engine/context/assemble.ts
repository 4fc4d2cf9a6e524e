import { AppError } from '../../core/errors.ts';
import { type Message, textOf } from '../../core/message.ts';
import type { ModelRequest } from '../../core/ports/model-provider.ts';
import type { MessageStore } from '../../core/ports/store.ts';
import type { TokenCounter } from '../../core/ports/token-counter.ts';
import type { Run } from '../../core/run.ts';
import type { FileContext, ReadFiles } from './files/file-context.ts';
import { render } from './render.ts';
import { fitWindow } from './trim.ts';

/** Messages that are looked at for one answer. */
const MAX_HISTORY = 500;
/** More than a token has in any text of some length: what lies beyond does not fit the window and need not be read. */
const CHARS_PER_TOKEN = 10;

/** The part of a request that is not for files. */
const OWN_SHARE = 1 / 4;

interface AssemblePorts {
  readonly store: Pick<MessageStore, 'contextOf'>;
  readonly counter: TokenCounter;
  readonly readFiles: ReadFiles;
}

/**
 * What the model gets to see for this run: as much of the conversation, and of the thread's files, as leaves room for the answer. Rejects when
 * the question is gone, and with the signal's reason.
 */
export async function assembleRequest(ports: AssemblePorts, run: Run, signal: AbortSignal): Promise<ModelRequest> {
  const { store, counter } = ports;
  const { instructions, temperature, maxTokens, provider, upstream, window, maxOutput } = run.snapshot;
  const { threadKey, messageId } = run;
  const place = { threadKey, messageId, limit: MAX_HISTORY, maxChars: window * CHARS_PER_TOKEN };
  const { messages: history, hasFiles } = await store.contextOf(place);
  if (history.at(-1)?.id !== messageId) throw new AppError('message_not_found', 'The question is no longer there');
  const budget = window - (maxTokens ?? maxOutput);
  const files = hasFiles ? await filesFor(ports, { run, history, budget, signal }) : null;
  const rendered = render(history, { instructions: files ? [...instructions, files.text] : instructions, provider });
  const messages = await fitWindow(rendered, { budget, counter });
  return { model: upstream, messages, temperature, maxTokens, maxOutput, ...(files && { passages: files.passages }) };
}

interface Asked {
  readonly run: Run;
  readonly history: readonly Message[];
  /** Tokens of the whole request. */
  readonly budget: number;
  readonly signal: AbortSignal;
}

/** Files may take what the question with its instructions, and some of the conversation, leave. */
async function filesFor({ counter, readFiles }: AssemblePorts, { run, history, budget, signal }: Asked): Promise<FileContext | null> {
  const own = [...run.snapshot.instructions, textOf(history.at(-1)?.parts ?? [])].join('\n');
  let kept = Math.ceil(budget * OWN_SHARE);
  if (Buffer.byteLength(own) > kept) {
    await counter.load();
    kept = Math.max(kept, await counter.count(own, budget));
  }
  return readFiles({ threadKey: run.threadKey, history, room: budget - kept, signal });
}
