import type { ThreadStore } from '../core/ports/store.ts';
import type { ThreadFigures } from '../core/ports/thread-query.ts';
import type { TokenCounter } from '../core/ports/token-counter.ts';
import type { TokenStore } from '../core/ports/token-store.ts';
import type { Owner } from '../core/principal.ts';
import type { ThreadRef } from '../core/thread.ts';

interface MeasurePorts {
  readonly store: Pick<ThreadStore, 'measureThread'> & TokenStore;
  readonly counter: TokenCounter;
}

/** Counted at a time. */
const MESSAGES = 50;

/** A thread's figures, for which the text that no provider has counted is counted now, once for all times; null for an unknown thread. */
export async function measure({ store, counter }: MeasurePorts, owner: Owner, ref: ThreadRef): Promise<ThreadFigures | null> {
  for (;;) {
    const figures = await store.measureThread(owner, ref);
    if (figures === null) return null;
    const { uncounted, ...counted } = figures;
    const messages = uncounted === 0 ? [] : await store.uncountedMessages(owner, ref, MESSAGES);
    if (messages.length === 0) return counted;
    await counter.load();
    const counts = [];
    for (const { id, text } of messages) counts.push({ id, tokens: await counter.count(text, Number.MAX_SAFE_INTEGER) });
    await store.noteTokens(counts);
  }
}
