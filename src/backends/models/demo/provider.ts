import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../../core/ports/clock.ts';
import type { ChunkSink, ModelEnd, ModelProvider, ModelRequest } from '../../../core/ports/model-provider.ts';
import { demoAnswer } from './answer.ts';

interface DemoOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Pause between two words in milliseconds; 0 streams as fast as readers take it. */
  readonly tokenDelayMs?: number;
}

/** A stand-in for people who have no model yet: says in each answer what it is. The same request gets the same answer; it counts no tokens. */
export function createDemoProvider({ clock, tokenDelayMs = 20 }: DemoOptions): ModelProvider {
  async function stream(request: ModelRequest, sink: ChunkSink, signal: AbortSignal): Promise<ModelEnd> {
    signal.throwIfAborted();
    const words = demoAnswer(request).match(/\s*\S+/g) ?? [];
    const wanted = words.slice(0, request.maxTokens ?? words.length);
    for (const text of wanted) {
      if (tokenDelayMs > 0) await clock.sleep(tokenDelayMs, signal);
      else await nextTurn();
      signal.throwIfAborted();
      await sink({ type: 'text', text });
    }
    return { reason: wanted.length < words.length ? 'length' : 'stop', usage: null };
  }

  return { stream, listModels: async () => ['demo'] };
}
