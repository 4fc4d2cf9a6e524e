import { beforeEach, describe, expect, test } from 'vitest';
import { createFakeClock, type FakeClock, settle } from '../../../test/support/fake-clock.ts';
import { createHeldLog, textsOf } from '../../../test/support/held-log.ts';
import { recordingObserver, runningRun } from '../../../test/support/runs.ts';
import { createLiveRun, type LiveRun } from './live-run.ts';
import { createLogWriter, type LogWriter } from './log-writer.ts';

let clock: FakeClock;
let log: ReturnType<typeof createHeldLog>;
let writer: LogWriter;
let windowMs: number;
let busy: boolean;

function live(name: string): LiveRun {
  return createLiveRun(runningRun(name), () => {});
}

function say(run: LiveRun, text: string, lane: 'window' | 'urgent' = 'window'): void | Promise<void> {
  return writer.appendText(run, { type: 'text.appended', text }, lane);
}

beforeEach(() => {
  clock = createFakeClock();
  log = createHeldLog();
  windowMs = 10;
  busy = true;
  writer = createLogWriter({
    log,
    clock,
    observer: recordingObserver(),
    lease: () => null,
    onStarted: () => {},
    onEnded: () => {},
    windowMs: () => windowMs,
    isBusy: () => busy,
  });
});

describe('the log writer of a busy process', () => {
  test('lets quick sources pause until the next window, and what they bring then goes along', async () => {
    const run = live('a');
    const gathers = (text: string) => writer.appendText(run, { type: 'text.appended', text, gathers: true }, 'window');
    busy = true;
    expect(gathers('first')).toBeUndefined();
    await settle();
    await log.commit();
    clock.advance(4);
    const pause = gathers('early');
    let goneOn = 0;
    void pause?.then(() => {
      goneOn += 1;
      void gathers(' and late');
    });
    clock.advance(5);
    await settle();
    expect([goneOn, log.waiting.length]).toEqual([0, 0]);
    clock.advance(1);
    await settle();
    expect(goneOn).toBe(1);
    expect(textsOf(await log.commit())).toEqual(['early and late']);
    clock.advance(10);
    await settle();
    expect(log.waiting).toHaveLength(0);
  });

  test('no source pauses that is slow or gives single pieces, and none while it is calm', async () => {
    const [slow, single, calm] = [live('slow'), live('single'), live('calm')];
    const gathers = (run: LiveRun) => writer.appendText(run, { type: 'text.appended', text: 'x', gathers: true }, 'window');
    busy = true;
    for (const run of [slow, single, calm]) void say(run, 'first');
    await settle();
    await log.commit();
    expect(say(single, 'quick')).toBeUndefined();
    busy = false;
    expect(gathers(calm)).toBeUndefined();
    busy = true;
    clock.advance(15);
    expect(gathers(slow)).toBeUndefined();
  });

  test('a source that has paused goes on when nothing else is written, and when the writer is closed', async () => {
    const run = live('a');
    const gathers = () => writer.appendText(run, { type: 'text.appended', text: 'x', gathers: true }, 'window');
    const goneOn: string[] = [];
    busy = true;
    void gathers();
    await settle();
    await log.commit();
    void gathers()?.then(() => goneOn.push('by a window'));
    // Takes the text along: nothing is left for the window.
    void writer.append(run, { type: 'node.entered', name: 'weather' });
    await settle();
    await log.commit();
    clock.advance(10);
    await settle();
    expect(goneOn).toEqual(['by a window']);
    void gathers()?.then(() => goneOn.push('by the close'));
    writer.close();
    await settle();
    expect(goneOn).toEqual(['by a window', 'by the close']);
  });

  test('a source that has just gone on and pauses again is not forgotten when something urgent takes its text along', async () => {
    const run = live('a');
    const gathers = () => writer.appendText(run, { type: 'text.appended', text: 'x', gathers: true }, 'window');
    let goneOn = 0;
    const bring = () => {
      void gathers()?.then(() => {
        goneOn += 1;
        if (goneOn === 1) bring();
      });
    };
    busy = true;
    void gathers();
    await settle();
    await log.commit();
    bring();
    void writer.append(run, { type: 'node.entered', name: 'weather' });
    // The window becomes longer while one is waited for: it is over for the sources, and not for what is urgent.
    windowMs = 34;
    clock.advance(10);
    await settle();
    await log.commit();
    clock.advance(34);
    await settle();
    expect(goneOn).toBe(2);
  });

  test('hands over ends behind all else', async () => {
    const [ending, other] = [live('ending'), live('other')];
    const seen: string[] = [];
    for (const run of [ending, other]) run.listen(() => seen.push(run.run.id));
    void say(live('before'), 'x');
    await settle();
    void writer.end(ending, { fact: { type: 'run.cancelled' }, status: 'cancelled', failure: null });
    void say(other, 'text', 'urgent');
    await log.commit();
    clock.advance(10);
    await settle();
    await log.commit();
    expect(seen).toEqual([other.run.id, ending.run.id]);
  });

  test('many sources go on, and many readers get something, in several turns: all of them, once and in one flush', async () => {
    const runs = Array.from({ length: 300 }, (_, index) => live(`run ${index}`));
    const seen: string[] = [];
    for (const run of runs) run.listen((events) => seen.push(`${run.run.id} ${events.length}`));
    for (const run of runs) void say(run, 'first');
    await settle();
    await log.commit();
    await expect.poll(() => seen.length).toBe(300);
    let goneOn = 0;
    for (const run of runs) {
      void writer.appendText(run, { type: 'text.appended', text: 'x', gathers: true }, 'window')?.then(() => {
        goneOn += 1;
        void say(run, 'y');
      });
    }
    clock.advance(10);
    await expect.poll(() => log.waiting.length).toBe(1);
    expect(goneOn).toBe(300);
    expect(new Set(textsOf(await log.commit()))).toEqual(new Set(['xy']));
    await expect.poll(() => seen.length).toBe(600);
    expect(new Set(seen).size).toBe(300);
  });
});
