import { AppError } from '../../core/errors.ts';
import type { ModelRequest } from '../../core/ports/model-provider.ts';
import type { MessageStore } from '../../core/ports/store.ts';
import type { TokenCounter } from '../../core/ports/token-counter.ts';
import type { Run } from '../../core/run.ts';
import { render } from './render.ts';
import { fitWindow } from './trim.ts';

/** Messages that are looked at for one answer. */
const MAX_HISTORY = 500;
/** More than a token has in any text of some length: what lies beyond does not fit the window and need not be read. */
const CHARS_PER_TOKEN = 10;

interface AssemblePorts {
  readonly store: Pick<MessageStore, 'contextOf'>;
  readonly counter: TokenCounter;
}

/** What the model gets to see for this run: as much of the conversation as leaves room for the answer. Rejects when the question is gone. */
export async function assembleRequest({ store, counter }: AssemblePorts, run: Run): Promise<ModelRequest> {
  const { instructions, temperature, maxTokens, provider, upstream, window, maxOutput } = run.snapshot;
  const { threadKey, messageId } = run;
  const history = await store.contextOf({ threadKey, messageId, limit: MAX_HISTORY, maxChars: window * CHARS_PER_TOKEN });
  if (history.at(-1)?.id !== messageId) throw new AppError('message_not_found', 'The question is no longer there');
  const rendered = render(history, { instructions, provider });
  const messages = await fitWindow(rendered, { budget: window - (maxTokens ?? maxOutput), counter });
  return { model: upstream, messages, temperature, maxTokens, maxOutput };
}
