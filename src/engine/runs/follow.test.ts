import { describe, expect, test } from 'vitest';
import { createFakeClock, settle } from '../../../test/support/fake-clock.ts';
import { runningRun } from '../../../test/support/runs.ts';
import { storeUnavailable } from '../../core/errors.ts';
import type { LogPage } from '../../core/ports/store.ts';
import { lineOf, logEvent, type RunEvent, type RunFact } from '../../core/run-event.ts';
import { createWakeUps } from '../wake-ups.ts';
import { createFollow } from './follow.ts';
import { createLiveRun, createLiveRuns } from './live-run.ts';

const run = runningRun('run');
const started = createLiveRun(run, () => {}).after(0, 1);

function text(offset: number): RunEvent {
  return logEvent(run.id, offset, { type: 'text.appended', message_id: run.answerId, text: `t${offset} `, at: 0 });
}

function terminal(offset: number): RunEvent {
  return logEvent(run.id, offset, { type: 'run.cancelled' } satisfies RunFact);
}

/** A reader in a house whose store and live runs a test sets. */
function setUp({ after = 0, hold = false }: { after?: number; hold?: boolean } = {}) {
  const clock = createFakeClock();
  const live = createLiveRuns();
  const wakeUps = createWakeUps(clock, null);
  const stored: { events: RunEvent[]; ended: boolean; reads: number; failure: Error | null } = {
    events: [],
    ended: false,
    reads: 0,
    failure: null,
  };
  const log = {
    async readLog({ after: from }: { after: number }): Promise<LogPage> {
      stored.reads += 1;
      if (stored.failure) throw stored.failure;
      return { events: stored.events.filter(({ offset }) => offset > from).map(lineOf), ended: stored.ended };
    },
  };
  const seen: number[] = [];
  const texts: RunEvent[] = [];
  const holds: (() => void)[] = [];
  const stop = new AbortController();
  const state = { over: false };
  const onEvents = (events: readonly RunEvent[]) => {
    seen.push(...events.map(({ offset }) => offset));
    texts.push(...events.filter(({ type }) => type === 'text.appended'));
    return hold ? new Promise<void>((resolve) => holds.push(resolve)) : undefined;
  };
  const follow = createFollow({ live, log, wakeUps, clock });
  const done = () =>
    follow({ runId: run.id, after, signal: stop.signal, onEvents }).then(() => {
      state.over = true;
    });
  return { clock, live, wakeUps, stored, seen, texts, holds, stop, state, done };
}

describe('following a run', () => {
  test('hands over the live log from the start, then each commit, and ends after the terminal event', async () => {
    const { live, seen, state, done } = setUp();
    const running = createLiveRun(run, () => {});
    live.add(running);
    running.commit([text(2)]);
    const reading = done();
    await settle();
    expect(seen).toEqual([1, 2]);
    running.commit([text(3), text(4)]);
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(state.over).toBe(false);
    running.commit([terminal(5)]);
    await reading;
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  test('a reader that holds back gets the rest when it is ready, while others do not wait', async () => {
    const { live, seen, holds, done } = setUp({ hold: true });
    const running = createLiveRun(run, () => {});
    live.add(running);
    const reading = done();
    await settle();
    running.commit([text(2)]);
    running.commit([text(3), terminal(4)]);
    expect(seen).toEqual([1]);
    for (let turn = 0; turn < 3; turn += 1) {
      holds.shift()?.();
      await settle();
    }
    await reading;
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test('waits for a queued run, and goes over to the live log when it starts', async () => {
    const { live, wakeUps, seen, done } = setUp();
    const reading = done();
    await settle();
    expect(seen).toEqual([]);
    const running = createLiveRun(run, () => {});
    live.add(running);
    wakeUps.hint(run.id);
    await settle();
    running.commit([terminal(2)]);
    await reading;
    expect(seen).toEqual([1, 2]);
  });

  test('a hint that gets lost costs time, not events', async () => {
    const { clock, stored, seen, done } = setUp();
    const reading = done();
    await settle();
    stored.events = [...started, text(2), terminal(3)];
    stored.ended = true;
    await settle();
    expect(seen).toEqual([]);
    clock.advance(2_000);
    await reading;
    expect(seen).toEqual([1, 2, 3]);
  });

  test('waits for a store that cannot be reached, and breaks off for no other reason', async () => {
    const { clock, stored, seen, done } = setUp();
    stored.failure = storeUnavailable(new Error('connection lost'));
    const reading = done();
    await settle();
    stored.failure = null;
    stored.events = [...started, terminal(2)];
    stored.ended = true;
    clock.advance(2_000);
    await reading;
    expect(seen).toEqual([1, 2]);
    stored.failure = new Error('a bug');
    await expect(done()).rejects.toThrow('a bug');
  });

  test('goes on in the store when the run is lost to another process', async () => {
    const { live, stored, seen, done } = setUp();
    const running = createLiveRun(run, () => {});
    live.add(running);
    const reading = done();
    await settle();
    running.commit([text(2)]);
    stored.events = [...started, text(2), text(3), terminal(4)];
    stored.ended = true;
    live.remove(running);
    running.stop('lost');
    await reading;
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test.each([3, 4, 99])('a cursor at or beyond the end (%i) gets the terminal event', async (after) => {
    const { stored, seen, done } = setUp({ after });
    stored.events = [...started, text(2), terminal(3)];
    stored.ended = true;
    await done();
    expect(seen).toEqual([3]);
  });

  test('a reader that resumes in the middle of a stored log learns whose text it is', async () => {
    const { stored, texts, done } = setUp({ after: 2 });
    stored.events = [...started, text(2), text(3), terminal(4)];
    stored.ended = true;
    await done();
    expect(texts).toEqual([text(3)]);
  });

  test('a run that was cancelled before its start has nothing but its end', async () => {
    const { stored, seen, done } = setUp();
    stored.events = [terminal(1)];
    stored.ended = true;
    await done();
    expect(seen).toEqual([1]);
  });

  test('a run whose thread was deleted ends as cancelled', async () => {
    const { stored, seen, done } = setUp({ after: 2 });
    stored.ended = true;
    await done();
    expect(seen).toEqual([3]);
  });

  test('stops reading when its signal aborts', async () => {
    const { stop, done, stored } = setUp();
    const reading = done();
    await settle();
    stop.abort();
    await reading;
    expect(stored.reads).toBe(1);
  });
});
