import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/support/fake-clock.ts';
import { systemClock } from '../clock/system-clock.ts';
import { watchProcess } from './watch.ts';

const HOURS_MS = 10_000_000;

/** A process that holds so many bytes until it is killed. */
function holder(bytes: number) {
  return spawn(process.execPath, ['-e', `globalThis.held = Buffer.alloc(${bytes}, 1); setInterval(() => {}, 1000);`], { stdio: 'ignore' });
}

test('a process that takes more memory than it may is told of once', async () => {
  const child = holder(300_000_000);
  try {
    let told = 0;
    await new Promise<void>((resolve) => {
      const limits = { memoryBytes: 250_000_000, timeMs: HOURS_MS };
      const onExcess = (): void => {
        told += 1;
        resolve();
      };
      watchProcess(child.pid ?? 0, { clock: systemClock, limits, onExcess });
    });
    await systemClock.sleep(100);
    expect(told).toBe(1);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

test('time is up once, unless the watch has ended; a process that is gone takes nothing', () => {
  const clock = createFakeClock();
  const told: string[] = [];
  const limits = { memoryBytes: 1, timeMs: 10_000 };
  const nobody = 2 ** 30;
  watchProcess(nobody, { clock, limits, onExcess: () => told.push('watched') });
  const stop = watchProcess(nobody, { clock, limits, onExcess: () => told.push('stopped') });
  clock.advance(9_999);
  expect(told).toEqual([]);
  stop();
  clock.advance(20_000);
  expect(told).toEqual(['watched']);
});
