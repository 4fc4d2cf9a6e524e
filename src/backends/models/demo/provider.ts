import { setImmediate as nextTurn } from 'node:timers/promises';
import { textOf } from '../../../core/message.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { ChunkSink, ModelEnd, ModelProvider, ModelRequest } from '../../../core/ports/model-provider.ts';
import { demoAnswer } from './answer.ts';

interface DemoOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Pause between two words in milliseconds; 0 streams as fast as readers take it. */
  readonly tokenDelayMs?: number;
}

const CHARACTERS_PER_TOKEN = 4;

/** A stand-in for people who have no model yet: says in each answer what it is. The same request gets the same answer. */
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
    const usage = { input_tokens: roughTokens(request), output_tokens: wanted.length };
    return { reason: wanted.length < words.length ? 'length' : 'stop', usage };
  }

  return { stream, listModels: async () => ['demo'] };
}

function roughTokens({ messages }: ModelRequest): number {
  let characters = 0;
  for (const { parts } of messages) characters += textOf(parts).length;
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}
