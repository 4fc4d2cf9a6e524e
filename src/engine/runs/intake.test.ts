import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/support/fake-clock.ts';
import { recordingObserver, runningRun } from '../../../test/support/runs.ts';
import type { LogBatch } from '../../core/ports/store.ts';
import { createIntake } from './intake.ts';
import { createLiveRun, type LiveRun } from './live-run.ts';
import { createLogWriter } from './log-writer.ts';

const turnOfTheLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A run whose writer has just flushed: what waits for the window is not stored yet. */
async function setUp(): Promise<{ live: LiveRun; say: (text: string) => void; stored: () => string[] }> {
  const clock = createFakeClock();
  const observer = recordingObserver();
  const batches: LogBatch[] = [];
  const appendLog = async (batch: LogBatch) => {
    batches.push(batch);
    return { fenced: [], started: [] };
  };
  const writer = createLogWriter({
    log: { appendLog },
    clock,
    observer,
    lease: () => null,
    onStarted: () => {},
    onEnded: () => {},
    windowMs: () => 10,
    isBusy: () => false,
  });
  void writer.appendText(
    createLiveRun(runningRun('other'), () => {}),
    { type: 'text.appended', text: 'before' },
    'window',
  );
  await turnOfTheLoop();
  await turnOfTheLoop();
  batches.length = 0;
  const live = createLiveRun(runningRun('a'), () => {});
  const intake = createIntake({ writer, clock, observer, limits: { answerChars: 100 } }, live, 0);
  return {
    live,
    say: (text) => void intake.take({ type: 'text', text }),
    stored: () => batches.flatMap(({ segments }) => segments.map(({ events }) => events)),
  };
}

test('the first text of a run that somebody reads is stored at once', async () => {
  const { live, say, stored } = await setUp();
  live.listen(() => {});
  say('Hello');
  await turnOfTheLoop();
  await turnOfTheLoop();
  expect(stored()).toEqual(['[0,"Hello"]']);
});

test('the first text of a run that nobody reads waits for the window', async () => {
  const { say, stored } = await setUp();
  say('Hello');
  await turnOfTheLoop();
  await turnOfTheLoop();
  expect(stored()).toEqual([]);
});
