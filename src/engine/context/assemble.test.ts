import { expect, test } from 'vitest';
import { message } from '../../../test/support/histories.ts';
import type { ApplicationId, MessageId, RunId, ThreadId, ThreadKey } from '../../core/ids.ts';
import type { CatalogueModel } from '../../core/ports/catalogue.ts';
import type { Run } from '../../core/run.ts';
import { assembleRequest } from './assemble.ts';

const run: Run = {
  id: 'r' as RunId,
  owner: { applicationId: 'a' as ApplicationId, userId: 'u' },
  threadKey: 'k' as ThreadKey,
  threadId: 't' as ThreadId,
  threadNumber: 1,
  messageId: 'q' as MessageId,
  answerId: 'w' as MessageId,
  answerSeq: 2,
  status: 'running',
  attempt: 1,
  snapshot: { model: 'fast', agent: null, temperature: 0.2, maxTokens: null, instructions: ['Be brief.'] },
  usage: null,
  finishReason: null,
  failure: null,
  createdAt: 0,
  endedAt: null,
};
const model: CatalogueModel = { name: 'fast', provider: 'openai', upstream: 'gpt-x', window: 1000, maxOutput: 100 };
const counter = { load: async () => {}, count: (text: string) => text.length };
const history = [
  message('user', [{ type: 'text', text: 'x'.repeat(500) }]),
  message('assistant', [{ type: 'text', text: 'y' }]),
  message('user', [{ type: 'text', text: 'z'.repeat(300) }]),
];

test("asks the provider's model with the run's own settings and the whole conversation when it fits", async () => {
  const asked: unknown[] = [];
  const contextOf = async (input: unknown) => {
    asked.push(input);
    return history;
  };
  const request = await assembleRequest({ store: { contextOf }, counter }, run, model);
  expect(asked).toEqual([{ threadKey: 'k', messageId: 'q', limit: 500 }]);
  expect(request).toMatchObject({ model: 'gpt-x', temperature: 0.2, maxTokens: null });
  expect(request.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
});

test('keeps room for the answer that was asked for', async () => {
  const long: Run = { ...run, snapshot: { ...run.snapshot, maxTokens: 400 } };
  const request = await assembleRequest({ store: { contextOf: async () => history }, counter }, long, model);
  expect(request.maxTokens).toBe(400);
  expect(request.messages.map(({ role }) => role)).toEqual(['system', 'user']);
});
