import type { ModelEnd } from '../../../core/ports/model-provider.ts';
import type { UpstreamOptions } from './connection.ts';
import type { Failure } from './failures.ts';

/** A whole answer, or why there is none. */
export type Outcome = { readonly end: ModelEnd } | { readonly failure: Failure };

const TRIES = 3;
const BACKOFF_MS = 300;
const LONGEST_WAIT_MS = 20_000;

/** Tries up to three times while a failure allows it. Rejects with the last failure's error, the signal's reason, or what a try rejects with. */
export async function withRetries(
  tryOnce: () => Promise<Outcome>,
  { clock, random = Math.random }: Pick<UpstreamOptions, 'clock' | 'random'>,
  signal: AbortSignal,
): Promise<ModelEnd> {
  signal.throwIfAborted();
  for (let tries = 1; ; tries += 1) {
    const outcome = await tryOnce();
    if ('end' in outcome) return outcome.end;
    const wait = tries < TRIES ? waitBefore(outcome.failure, random() * BACKOFF_MS * 2 ** (tries - 1)) : null;
    if (wait === null) throw outcome.failure.error;
    await clock.sleep(wait, signal);
  }
}

/** Milliseconds until the next try, exponential with full jitter; null when there is to be none. */
function waitBefore({ again, retryAfterMs }: Failure, jitterMs: number): number | null {
  if (!again || (retryAfterMs ?? 0) > LONGEST_WAIT_MS) return null;
  return Math.max(jitterMs, retryAfterMs ?? 0);
}
