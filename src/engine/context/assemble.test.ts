import { expect, test } from 'vitest';
import { message } from '../../../test/support/histories.ts';
import { runningRun } from '../../../test/support/runs.ts';
import type { MessageId } from '../../core/ids.ts';
import type { Run } from '../../core/run.ts';
import { assembleRequest } from './assemble.ts';

const target = { provider: 'openai', upstream: 'gpt-x', window: 1000, maxOutput: 100 };
const run: Run = {
  ...runningRun('r'),
  messageId: 'q' as MessageId,
  snapshot: { model: 'fast', ...target, agent: null, temperature: 0.2, maxTokens: null, instructions: ['Be brief.'] },
};
const { signal } = new AbortController();
/** For threads without files. */
const readFiles = () => Promise.reject(new Error('There are no files to read.'));
const counter = { load: async () => {}, count: async (text: string) => text.length };
const history = [
  message('user', [{ type: 'text', text: 'x'.repeat(500) }]),
  message('assistant', [{ type: 'text', text: 'y' }]),
  { ...message('user', [{ type: 'text', text: 'z'.repeat(300) }]), id: run.messageId },
];

test("asks the provider's model with the run's own settings and the whole conversation when it fits", async () => {
  const asked: unknown[] = [];
  const contextOf = async (input: unknown) => {
    asked.push(input);
    return { messages: history, hasFiles: false };
  };
  const request = await assembleRequest({ store: { contextOf }, counter, readFiles }, run, signal);
  expect(asked).toEqual([{ threadKey: run.threadKey, messageId: 'q', limit: 500, maxChars: 10_000 }]);
  expect(request).toMatchObject({ model: 'gpt-x', temperature: 0.2, maxTokens: null });
  expect(request.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
});

test('keeps room for the answer that was asked for', async () => {
  const long: Run = { ...run, snapshot: { ...run.snapshot, maxTokens: 400 } };
  const request = await assembleRequest(
    { store: { contextOf: async () => ({ messages: history, hasFiles: false }) }, counter, readFiles },
    long,
    signal,
  );
  expect(request.maxTokens).toBe(400);
  expect(request.messages.map(({ role }) => role)).toEqual(['system', 'user']);
});

test('asks nothing when the question is gone, as it is after a deletion', async () => {
  for (const left of [[], history.slice(0, 2)]) {
    const asking = assembleRequest(
      { store: { contextOf: async () => ({ messages: left, hasFiles: false }) }, counter, readFiles },
      run,
      signal,
    );
    await expect(asking).rejects.toMatchObject({ code: 'message_not_found' });
  }
});
