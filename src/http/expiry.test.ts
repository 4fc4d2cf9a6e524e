import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/support/fake-clock.ts';
import { callAt } from './expiry.ts';

/** Longer than Node's timers wait. */
const FAR_MS = 2 ** 31 + 5_000;

/** Waits on a clock, and what has happened so far. */
function watch() {
  const clock = createFakeClock();
  const happened: string[] = [];
  const wait = (name: string, ms: number) => callAt(clock, clock.now() + ms, () => void happened.push(name));
  return { clock, happened, wait };
}

test('whoever waits for the same moment is called back when it has come, once, in their order', () => {
  const { clock, happened, wait } = watch();
  for (const name of ['a', 'b', 'c']) wait(name, 1_000);
  wait('later', 1_001);
  clock.advance(999);
  expect(happened).toEqual([]);
  clock.advance(1);
  expect(happened).toEqual(['a', 'b', 'c']);
  clock.advance(10_000);
  expect(happened).toEqual(['a', 'b', 'c', 'later']);
});

test('who has called it off is not called back, and all others are', () => {
  const { clock, happened, wait } = watch();
  const cancels = ['a', 'b', 'c'].map((name) => wait(name, 1_000));
  cancels[1]?.();
  cancels[1]?.();
  const alone = wait('alone', 2_000);
  alone();
  wait('again', 2_000);
  clock.advance(5_000);
  for (const cancel of cancels) cancel();
  expect(happened).toEqual(['a', 'c', 'again']);
});

test('a moment that is past comes at once, one beyond the longest timer in its time', () => {
  const { clock, happened, wait } = watch();
  wait('past', 0);
  expect(happened).toEqual(['past']);
  wait('far', FAR_MS);
  clock.advance(FAR_MS - 1);
  expect(happened).toEqual(['past']);
  clock.advance(1);
  expect(happened).toEqual(['past', 'far']);
});
