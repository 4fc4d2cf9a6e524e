import type { CatalogueModel } from '../../core/ports/catalogue.ts';
import type { ModelRequest } from '../../core/ports/model-provider.ts';
import type { MessageStore } from '../../core/ports/store.ts';
import type { TokenCounter } from '../../core/ports/token-counter.ts';
import type { Run } from '../../core/run.ts';
import { render } from './render.ts';
import { fitWindow } from './trim.ts';

/** Messages that are looked at for one answer. */
const MAX_HISTORY = 500;

interface AssemblePorts {
  readonly store: Pick<MessageStore, 'contextOf'>;
  readonly counter: TokenCounter;
}

/** What the model gets to see for this run: as much of the conversation as leaves room for the answer. */
export async function assembleRequest({ store, counter }: AssemblePorts, run: Run, model: CatalogueModel): Promise<ModelRequest> {
  const { instructions, temperature, maxTokens } = run.snapshot;
  const history = await store.contextOf({ threadKey: run.threadKey, messageId: run.messageId, limit: MAX_HISTORY });
  const rendered = render(history, { instructions, provider: model.provider });
  const messages = await fitWindow(rendered, { budget: model.window - (maxTokens ?? model.maxOutput), counter });
  return { model: model.upstream, messages, temperature, maxTokens };
}
