import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { systemClock } from './system-clock.ts';

test('sleep resolves after its time and leaves no listener behind', async () => {
  const { signal } = new AbortController();
  await systemClock.sleep(1, signal);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test("sleep rejects with the signal's own reason, before and during the wait", async () => {
  const reason = new Error('stop');
  await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  const controller = new AbortController();
  const waiting = systemClock.sleep(60_000, controller.signal);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

test('after calls back once, and not when it was taken back', async () => {
  const calls: string[] = [];
  const cancel = systemClock.after(1, () => calls.push('cancelled'));
  cancel();
  await new Promise<void>((resolve) => {
    systemClock.after(5, () => {
      calls.push('called');
      resolve();
    });
  });
  expect(calls).toEqual(['called']);
});

test('every runs a task again when it is done, until it is stopped', async () => {
  let runs = 0;
  await new Promise<void>((resolve) => {
    const stop = systemClock.every(1, async () => {
      runs += 1;
      if (runs < 3) return;
      stop();
      resolve();
    });
  });
  await systemClock.sleep(10);
  expect(runs).toBe(3);
});
