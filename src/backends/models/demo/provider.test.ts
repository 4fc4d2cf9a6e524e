import { expect, test } from 'vitest';
import type { ModelRequest, PromptMessage } from '../../../core/ports/model-provider.ts';
import { createDemoProvider } from './provider.ts';

const never = new AbortController().signal;

function asking(...texts: readonly string[]): ModelRequest {
  const messages = texts.map(
    (text, index): PromptMessage => ({ role: index % 2 === 0 ? 'user' : 'assistant', parts: [{ type: 'text', text }] }),
  );
  return { model: 'demo', messages, temperature: null, maxTokens: null };
}

async function answerTo(request: ModelRequest, tokenDelayMs = 0) {
  const pieces: string[] = [];
  const sleeps: number[] = [];
  const clock = { sleep: async (ms: number) => void sleeps.push(ms) };
  const provider = createDemoProvider({ clock, tokenDelayMs });
  const end = await provider.stream(request, (chunk) => void pieces.push(chunk.type === 'text' ? chunk.text : ''), never);
  return { text: pieces.join(''), pieces, sleeps, end };
}

test('says what it is, quotes the question, counts the messages and points to real models', async () => {
  const { text, end } = await answerTo(asking('first', 'answer', 'Where is  Lisbon?'));
  expect(text).toMatch(/^I am Polylogue's built-in demo model, not a language model\. This is message 2 of our conversation/);
  expect(text).toContain('> Where is Lisbon?');
  for (const name of ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'ANTHROPIC_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'])
    expect(text).toContain(name);
  expect(end).toEqual({ reason: 'stop', usage: null });
});

test('answers the same request the same way, word by word with the delay', async () => {
  const first = await answerTo(asking('hello'), 7);
  expect((await answerTo(asking('hello'))).pieces).toEqual(first.pieces);
  expect(first.sleeps).toEqual(first.pieces.map(() => 7));
});

test('shortens a long question without halving a character', async () => {
  const { text } = await answerTo(asking(`x${'👋'.repeat(300)}`));
  expect(text.isWellFormed()).toBe(true);
  expect(text).toContain('👋…');
  expect(text.length).toBeLessThan(500);
});

test.each([
  ['/long 3', 3],
  ['please /long 20001', 20_000],
])('%s gets %i numbered words', async (question, count) => {
  const { text } = await answerTo(asking(question));
  expect(text.match(/word-\d+/g)).toHaveLength(count);
  expect(text).toContain(`word-${count}`);
});

test('keeps to the token limit and says so', async () => {
  const { pieces, end } = await answerTo({ ...asking('/long 50'), maxTokens: 5 });
  expect(pieces).toHaveLength(5);
  expect(end.reason).toBe('length');
});

test('stops with the reason of an abort', async () => {
  const stop = new AbortController();
  let pieces = 0;
  const provider = createDemoProvider({ clock: { sleep: async () => {} }, tokenDelayMs: 0 });
  const end = provider.stream(
    asking('/long 20000'),
    () => {
      pieces += 1;
      if (pieces === 3) stop.abort(new Error('enough'));
    },
    stop.signal,
  );
  await expect(end).rejects.toThrow('enough');
  expect(pieces).toBe(3);
});
