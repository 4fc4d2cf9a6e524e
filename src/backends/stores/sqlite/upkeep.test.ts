import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Call } from './protocol.ts';
import { startUpkeep, type Upkeep } from './upkeep.ts';

let checkpoints: number;
let upkeep: Upkeep;

const begin: Call = { id: 1, operation: 'beginRun', input: [] };
const flushOf = (runs: number): Call => ({ id: 2, operation: 'appendLog', input: [{ runIds: Array.from({ length: runs }, String) }] });

/** A batch every 20 ms: there is never nothing to do. */
async function work(ms: number, call: Call): Promise<void> {
  for (let passed = 0; passed < ms; passed += 20) {
    await vi.advanceTimersByTimeAsync(20);
    await upkeep.afterBatch([call]);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  checkpoints = 0;
  const connection = {
    checkpoint: () => {
      checkpoints += 1;
    },
  };
  upkeep = startUpkeep(connection, { clear: () => false, index: async () => false });
});

afterEach(() => {
  upkeep.finish();
  vi.useRealTimers();
});

test('where there is always something to do, a checkpoint is made behind a long flush once a second', async () => {
  await work(980, flushOf(400));
  expect(checkpoints).toBe(0);
  await work(3000, flushOf(400));
  expect(checkpoints).toBe(3);
});

test('behind other batches it waits, but not for ever', async () => {
  await work(1980, begin);
  expect(checkpoints).toBe(0);
  await work(20, flushOf(31));
  expect(checkpoints).toBe(1);
});

test('a rest checkpoints, and the first batch behind it does not once more', async () => {
  await vi.advanceTimersByTimeAsync(5000);
  expect(checkpoints).toBe(1);
  await work(980, flushOf(400));
  expect(checkpoints).toBe(1);
});
