import { beforeEach, describe, expect, test } from 'vitest';
import { createFakeClock, type FakeClock, settle } from '../../../test/support/fake-clock.ts';
import { createHeldLog, eventsOf, textsOf } from '../../../test/support/held-log.ts';
import { recordingObserver, runningRun } from '../../../test/support/runs.ts';
import { lineOf } from '../../core/run-event.ts';
import { createLiveRun, type LiveRun } from './live-run.ts';
import { createLogWriter, type LogWriter } from './log-writer.ts';

let clock: FakeClock;
let log: ReturnType<typeof createHeldLog>;
let observer: ReturnType<typeof recordingObserver>;
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
  busy = false;
  observer = recordingObserver();
  writer = createLogWriter({
    log,
    clock,
    observer,
    lease: () => null,
    onStarted: () => {},
    onEnded: () => {},
    windowMs: () => windowMs,
    isBusy: () => busy,
  });
});

describe('the log writer', () => {
  test('delivers nothing before it is stored', async () => {
    const run = live('a');
    const seen: number[] = [];
    run.listen((events) => seen.push(...events.map((event) => event.offset)));
    void say(run, 'hello');
    await settle();
    expect(log.waiting).toHaveLength(1);
    expect(seen).toEqual([]);
    await log.commit();
    expect(seen).toEqual([2]);
  });

  test('joins what a run appends while a flush is in flight, across runs in one batch', async () => {
    const [a, b] = [live('a'), live('b')];
    void say(a, 'one ');
    await settle();
    for (const word of ['two ', 'three ']) void say(a, word);
    void say(b, 'other');
    await settle();
    expect(textsOf(await log.commit())).toEqual(['one ']);
    clock.advance(10);
    await settle();
    expect(textsOf(await log.commit())).toEqual(['two three ', 'other']);
    expect(a.after(0, 10).map(({ offset }) => offset)).toEqual([1, 2, 3]);
  });

  test('keeps a window between flushes of deltas', async () => {
    const run = live('a');
    void say(run, 'one');
    await settle();
    await log.commit();
    void say(run, 'two');
    await settle();
    expect(log.waiting).toHaveLength(0);
    clock.advance(10);
    await settle();
    expect(log.waiting).toHaveLength(1);
  });

  test('an urgent fact goes at once and takes only its own run along', async () => {
    const [a, b] = [live('a'), live('b')];
    void say(a, 'one');
    await settle();
    await log.commit();
    void say(a, 'waits');
    void say(b, 'first', 'urgent');
    await settle();
    const urgent = await log.commit();
    expect(textsOf(urgent)).toEqual(['first']);
    clock.advance(10);
    await settle();
    const window = await log.commit();
    expect(textsOf(window)).toEqual(['waits']);
  });

  test('only what is more than text waits for the disk', async () => {
    const run = live('a');
    void say(run, 'first', 'urgent');
    await settle();
    expect((await log.commit()).durable).toBe(false);
    void writer.append(run, { type: 'node.entered', name: 'weather' });
    await settle();
    expect((await log.commit()).durable).toBe(true);
    void writer.end(run, { fact: { type: 'run.cancelled' }, status: 'cancelled', failure: null });
    await settle();
    expect((await log.commit()).durable).toBe(true);
  });

  test('waits as long between flushes as the window is by now', async () => {
    const run = live('a');
    void say(run, 'one');
    await settle();
    await log.commit();
    windowMs = 25;
    void say(run, 'two');
    await settle();
    clock.advance(24);
    await settle();
    expect(log.waiting).toHaveLength(0);
    clock.advance(1);
    await settle();
    expect(log.waiting).toHaveLength(1);
  });

  test('urgent facts that never end do not hold up the others for longer than the window', async () => {
    const [patient, first] = [live('patient'), live('first')];
    void say(patient, 'one');
    await settle();
    await log.commit();
    void say(patient, 'waits');
    const stored: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      void say(first, `urgent ${turn}`, 'urgent');
      await settle();
      clock.advance(5);
      // The next one is there before this flush is over.
      void say(first, ' again', 'urgent');
      stored.push(...textsOf(await log.commit()));
      stored.push(...textsOf(await log.commit()));
    }
    expect(stored).toContain('waits');
  });

  test('tries the same offsets again when the store fails, delivering nothing meanwhile', async () => {
    const run = live('a');
    const seen: string[] = [];
    run.listen((events) => seen.push(...events.map(lineOf)));
    void say(run, 'kept');
    await settle();
    const refused = await log.fail();
    expect(writer.failing).toBe(true);
    void say(run, ' and more');
    clock.advance(2_000);
    await settle();
    const repeated = await log.commit();
    expect(repeated.segments).toEqual(refused.segments);
    expect(seen).toHaveLength(1);
    expect(writer.failing).toBe(false);
    expect(observer.reports.map(([name]) => name)).toEqual(['flushFailed', 'flushed']);
  });

  test('asks a run to wait when too much of it is not stored', async () => {
    const run = live('a');
    let released = false;
    expect(say(run, 'x'.repeat(60_000))).toBeUndefined();
    const wait = say(run, 'y'.repeat(10_000));
    void wait?.then(() => {
      released = true;
    });
    await settle();
    expect(released).toBe(false);
    await log.commit();
    expect(released).toBe(true);
  });

  test('cuts long text into events of bounded size, never inside a surrogate pair', async () => {
    const run = live('a');
    const words = `a${'😀'.repeat(20_000)}`;
    void say(run, words);
    await settle();
    const batch = await log.commit();
    const events = eventsOf(batch).flatMap((event) => (event.type === 'text.appended' ? [event] : []));
    expect(events.map((event) => event.text).join('')).toBe(words);
    expect(events.every((event) => event.text.length <= 16_384 && event.text.isWellFormed())).toBe(true);
    let at = 0;
    for (const event of events) {
      expect(event.at).toBe(at);
      at += event.text.length;
    }
  });

  test('a run that is not ours any more is lost: its text is not delivered and its end resolves', async () => {
    const run = live('a');
    const seen: unknown[] = [];
    run.listen((events) => seen.push(...events));
    const end = writer.end(run, { fact: { type: 'run.cancelled' }, status: 'cancelled', failure: null });
    await settle();
    await log.commit({ fenced: [run.run.id], started: [] });
    await end;
    expect(seen).toEqual([]);
    expect(run.stopReason).toBe('lost');
  });
});
