import { expect, test } from 'vitest';
import { messagesOf, storedMessage, stubEngine, stubRun } from '../../test/support/stub-engine.ts';
import type { Message } from '../core/message.ts';
import { readHistory } from './message-history.ts';

const place = { owner: stubRun.owner, ref: { number: 1 } };

/** An engine with a thread of these texts, oldest first. */
function engineWith(texts: readonly string[]) {
  const newest: Message[] = texts.map((text, index) => storedMessage(index + 1, 'user', text)).reverse();
  return stubEngine({ threads: { messages: messagesOf(newest) } });
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test.each([
  [0, 1, false],
  [50, 1, false],
  [200, 1, false],
  [201, 2, true],
  [1_000, 801, true],
])('of %i messages it gives the newest 200', async (count, first, truncated) => {
  const history = await readHistory(engineWith(numbers(1, count).map(String)), place);
  expect([history.messages.map(({ seq }) => seq), history.truncated]).toEqual([numbers(first, count), truncated]);
});

test('what is too long for one answer is left out, oldest first', async () => {
  const texts = ['a', 'x'.repeat(3_000_000), 'y'.repeat(3_000_000), 'z'];
  const read = async (threads?: number) => {
    const { messages, truncated } = await readHistory(engineWith(texts), place, threads);
    return [messages.map(({ seq }) => seq), truncated];
  };
  expect(await read()).toEqual([[1, 2, 3, 4], false]);
  expect(await read(2)).toEqual([[3, 4], true]);
  expect(await read(100)).toEqual([[4], true]);
});
