import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LoadLevel } from '../../core/ports/load.ts';
import { createEventLoopGauge, type EventLoopGauge } from './event-loop.ts';

let gauge: EventLoopGauge;

beforeEach(() => {
  gauge = createEventLoopGauge();
});

afterEach(() => gauge.close());

/** Keeps the event loop from everything else, then lets it have one turn. */
async function hold(ms: number): Promise<void> {
  for (const until = performance.now() + ms; performance.now() < until; );
  await sleep(0);
}

async function until(...levels: readonly LoadLevel[]): Promise<void> {
  for (let waited = 0; waited < 10_000 && !levels.includes(gauge.level()); waited += 20) await sleep(20);
  expect(levels).toContain(gauge.level());
}

test('a loop with nothing to do is calm', async () => {
  await sleep(600);
  await until('calm');
});

test('a loop that works most of the time is busy, and calm again when it has rested', async () => {
  for (let turn = 0; turn < 40 && gauge.level() === 'calm'; turn += 1) await hold(50);
  expect(gauge.level()).toBe('busy');
  await until('calm');
});

test('a loop that keeps everybody waiting is overloaded, until something was on time again', async () => {
  await hold(900);
  expect(gauge.level()).not.toBe('overloaded');
  await hold(900);
  await hold(900);
  expect(gauge.level()).toBe('overloaded');
  await until('busy', 'calm');
});
