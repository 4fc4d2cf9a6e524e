import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/support/fake-clock.ts';
import type { UnfinishedRuns } from '../../core/ports/store.ts';
import { addStoredRuns } from './stored-runs.ts';

/** Figures over a store that answers as the test says. */
function figuresOf(countUnfinished: () => Promise<UnfinishedRuns>) {
  const registry = new Registry();
  const clock = createFakeClock();
  let asked = 0;
  const store = {
    countUnfinished: () => {
      asked += 1;
      return countUnfinished();
    },
  };
  const refresh = addStoredRuns({ registry, store, clock });
  const lines = async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('polylogue_'));
  return { clock, refresh, lines, asked: () => asked };
}

test('however many ask, the store counts once in five seconds', async () => {
  let queued = 3;
  const { clock, refresh, lines, asked } = figuresOf(async () => ({ queued, running: 2, waiting: 0 }));
  await Promise.all(Array.from({ length: 50 }, refresh));
  queued = 4;
  clock.advance(4_999);
  await refresh();
  expect([asked(), (await lines())[0]]).toEqual([1, 'polylogue_stored_runs{state="queued"} 3']);
  clock.advance(1);
  await refresh();
  expect([asked(), await lines()]).toEqual([
    2,
    ['polylogue_stored_runs{state="queued"} 4', 'polylogue_stored_runs{state="running"} 2', 'polylogue_stored_runs{state="waiting"} 0'],
  ]);
});

test('a store that fails gives no figures, and those of before are gone', async () => {
  let works = true;
  const { clock, refresh, lines } = figuresOf(async () => {
    if (!works) throw new Error('The disk is full.');
    return { queued: 1, running: 1, waiting: 1 };
  });
  await refresh();
  expect(await lines()).toHaveLength(3);
  works = false;
  clock.advance(5_000);
  await refresh();
  expect(await lines()).toEqual([]);
});

test('a store that does not answer holds nobody up, and is asked once', async () => {
  const answer = Promise.withResolvers<UnfinishedRuns>();
  const { clock, refresh, lines, asked } = figuresOf(() => answer.promise);
  for (let scrape = 0; scrape < 3; scrape += 1) {
    const refreshed = refresh();
    clock.advance(2_000);
    await refreshed;
  }
  expect([asked(), await lines()]).toEqual([1, []]);
  answer.resolve({ queued: 7, running: 0, waiting: 0 });
  await refresh();
  expect((await lines())[0]).toBe('polylogue_stored_runs{state="queued"} 7');
});
