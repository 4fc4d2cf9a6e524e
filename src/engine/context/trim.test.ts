import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyHistory, message } from '../../../test/support/histories.ts';
import { objections } from '../../../test/support/strict-provider.ts';
import type { Part } from '../../core/message.ts';
import type { PromptMessage } from '../../core/ports/model-provider.ts';
import { render } from './render.ts';
import { fitWindow } from './trim.ts';

/** One token for each character; tells whether it was needed. */
function characterCounter() {
  const counter = {
    loads: 0,
    load: async () => {
      counter.loads += 1;
    },
    count: async (text: string) => text.length,
  };
  return counter;
}

const said = (role: 'system' | 'user' | 'assistant', text: string): PromptMessage => ({ role, parts: [{ type: 'text', text }] });
const step = (call_id: string): PromptMessage[] => [
  { role: 'assistant', parts: [{ type: 'tool_call', call_id, name: 'f', arguments: '{}' }] },
  { role: 'tool', parts: [{ type: 'tool_result', call_id, name: 'f', status: 'completed', result: 'r'.repeat(20) }] },
];

test('what fits in bytes is not counted', async () => {
  const messages = [said('system', 'äöü'), said('user', 'hi')];
  const counter = characterCounter();
  expect(await fitWindow(messages, { budget: 16, counter })).toEqual(messages);
  expect(counter.loads).toBe(0);
  await fitWindow(messages, { budget: 15, counter });
  expect(counter.loads).toBe(1);
});

test('drops the oldest turns, never the instructions', async () => {
  const messages = [
    said('system', 'rules'),
    said('user', 'q1'),
    said('assistant', 'a1'),
    said('user', 'q2'),
    said('assistant', 'a2'),
    said('user', 'q3'),
  ];
  const cost = (count: number) => 9 + 6 * count;
  expect(await fitWindow(messages, { budget: cost(3), counter: characterCounter() })).toEqual([messages[0], ...messages.slice(3)]);
  expect(await fitWindow(messages, { budget: cost(3) - 1, counter: characterCounter() })).toEqual([messages[0], messages[5]]);
  expect(await fitWindow(messages, { budget: 0, counter: characterCounter() })).toEqual([messages[0], messages[5]]);
});

test('in the newest turn drops earlier steps, each call with its result', async () => {
  const messages = [said('user', 'old'), said('assistant', 'old'), said('user', 'q'), ...step('a'), ...step('b'), ...step('c')];
  const kept = await fitWindow(messages, { budget: 100, counter: characterCounter() });
  expect(kept).toEqual([said('user', 'q'), ...step('b'), ...step('c')]);
});

test('a legal request stays legal, keeps its newest message and is a part of what it was', async () => {
  await fc.assert(
    fc.asyncProperty(anyHistory, fc.integer({ min: 0, max: 2500 }), async (history, budget) => {
      const messages = render(history, { instructions: ['rules'], provider: 'openai' });
      const kept = await fitWindow(messages, { budget, counter: characterCounter() });
      expect(objections(kept)).toEqual([]);
      expect(kept[0]).toBe(messages[0]);
      expect(kept.at(-1)).toBe(messages.at(-1));
      const places = kept.map((one) => messages.indexOf(one));
      expect(places).toEqual([...places].sort((left, right) => left - right));
      const again = await fitWindow(kept, { budget, counter: characterCounter() });
      expect(again).toEqual(kept);
    }),
    { numRuns: 600 },
  );
});

test('more budget never keeps less', async () => {
  const parts: Part[] = [{ type: 'text', text: 'words' }];
  const messages = render(
    Array.from({ length: 20 }, (_, index) => message(index % 2 === 0 ? 'user' : 'assistant', parts)),
    { instructions: [], provider: 'x' },
  );
  let before = 0;
  for (let budget = 0; budget < 200; budget += 7) {
    const { length } = await fitWindow(messages, { budget, counter: characterCounter() });
    expect(length).toBeGreaterThanOrEqual(before);
    before = length;
  }
});
