import { expect, test } from 'vitest';
import { createDeadline } from './deadline.ts';

const never = new AbortController().signal;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('silence is too long as soon as it is, also where the first byte may take longer', async () => {
  const deadline = createDeadline(never, { firstByteMs: 5_000, idleMs: 50, totalMs: 10_000 });
  await sleep(120);
  expect(deadline.signal.aborted).toBe(false);
  deadline.touch();
  await expect.poll(() => deadline.signal.aborted, { timeout: 1_000, interval: 10 }).toBe(true);
  deadline.release();
});
