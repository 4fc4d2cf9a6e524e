import type { Clock } from '../../../core/ports/clock.ts';
import type { ChunkSink, ModelEnd, ModelProvider, ModelRequest } from '../../../core/ports/model-provider.ts';
import { attempt, type Connection, type Limits, type Outcome } from './attempt.ts';
import type { Timeouts } from './deadline.ts';
import { createEndpoint } from './endpoint.ts';
import type { Failure } from './failures.ts';
import { listModels } from './model-list.ts';
import { COMMON_HABITS, habitsAfter } from './request-body.ts';

const TIMEOUTS: Timeouts = { firstByteMs: 60_000, idleMs: 60_000, totalMs: 30 * 60_000 };
const LIMITS: Limits = { lineCharacters: 1024 * 1024, answerCharacters: 4_000_000, errorCharacters: 64 * 1024 };
const TRIES = 3;
const BACKOFF_MS = 300;
const LONGEST_WAIT_MS = 20_000;

export interface OpenAiCompatibleOptions {
  /** Up to and with the version, such as `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** Null for a server that wants none. */
  readonly apiKey: string | null;
  readonly timeouts?: Partial<Timeouts>;
  readonly limits?: Partial<Limits>;
  /** In [0, 1), spreads the tries of many runs. */
  readonly random?: () => number;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
}

/** A provider behind any server that speaks OpenAI's chat completions. Learns which request fields the server does not know. */
export function createOpenAiCompatibleProvider(options: OpenAiCompatibleOptions): ModelProvider {
  const { random = Math.random, clock } = options;
  const connection: Connection = {
    endpoint: createEndpoint(options),
    timeouts: { ...TIMEOUTS, ...options.timeouts },
    limits: { ...LIMITS, ...options.limits },
    now: clock.now,
  };
  let learnt = COMMON_HABITS;

  /** One try; a refusal of a field that this server does not know is answered with another form of the request. */
  async function tryOnce(request: ModelRequest, sink: ChunkSink, signal: AbortSignal): Promise<Outcome> {
    const refused = new Set<string>();
    for (let habits = learnt; ; ) {
      const outcome = await attempt(connection, { request, habits, sink, signal });
      if ('end' in outcome) {
        if (refused.size > 0) learnt = habits;
        return outcome;
      }
      refused.add(JSON.stringify(habits));
      const other = habitsAfter(outcome.failure.refusal, habits);
      if (other === null || refused.has(JSON.stringify(other))) return outcome;
      habits = other;
    }
  }

  async function stream(request: ModelRequest, sink: ChunkSink, signal: AbortSignal): Promise<ModelEnd> {
    signal.throwIfAborted();
    for (let tries = 1; ; tries += 1) {
      const outcome = await tryOnce(request, sink, signal);
      if ('end' in outcome) return outcome.end;
      const wait = tries < TRIES ? waitBefore(outcome.failure, tries) : null;
      if (wait === null) throw outcome.failure.error;
      await clock.sleep(wait, signal);
    }
  }

  /** Milliseconds until the next try (exponential, full jitter); null when there is to be none. */
  function waitBefore(failure: Failure, tries: number): number | null {
    if (!failure.again || (failure.retryAfterMs ?? 0) > LONGEST_WAIT_MS) return null;
    return Math.max(random() * BACKOFF_MS * 2 ** (tries - 1), failure.retryAfterMs ?? 0);
  }

  return { stream, listModels: (signal) => listModels(connection, signal) };
}
