import { beforeEach, describe, expect, test } from 'vitest';
import { createFakeClock, type FakeClock, settle } from '../../../test/support/fake-clock.ts';
import { recordingObserver, runningRun } from '../../../test/support/runs.ts';
import type { LogBatch, LogBatchResult } from '../../core/ports/store.ts';
import type { RunFact } from '../../core/run-event.ts';
import { createLiveRun, type LiveRun } from './live-run.ts';
import { createLogWriter, type LogWriter } from './log-writer.ts';

/** A log whose commits a test lets through or breaks, one by one. */
function createHeldLog() {
  const waiting: { batch: LogBatch; resolve: (result: LogBatchResult) => void; reject: (error: Error) => void }[] = [];
  return {
    waiting,
    appendLog: (batch: LogBatch) => new Promise<LogBatchResult>((resolve, reject) => waiting.push({ batch, resolve, reject })),
    async commit(result: LogBatchResult = { fenced: [], started: [] }): Promise<LogBatch> {
      const next = waiting.shift();
      if (!next) throw new Error('no flush is in flight');
      next.resolve(result);
      await settle();
      return next.batch;
    },
    async fail(): Promise<LogBatch> {
      const next = waiting.shift();
      if (!next) throw new Error('no flush is in flight');
      next.reject(new Error('disk full'));
      await settle();
      return next.batch;
    },
  };
}

let clock: FakeClock;
let log: ReturnType<typeof createHeldLog>;
let observer: ReturnType<typeof recordingObserver>;
let writer: LogWriter;
let windowMs: number;

function live(name: string): LiveRun {
  return createLiveRun(runningRun(name), () => {});
}

function text(run: LiveRun, words: string): RunFact {
  const fact: RunFact = { type: 'text.appended', message_id: run.run.answerId, text: words, at: run.answer.length };
  run.answer.add(fact);
  return fact;
}

function textsOf(batch: LogBatch): string[] {
  return batch.segments.map((segment) =>
    segment.events
      .split('\n')
      .map((json) => JSON.parse(json).text)
      .join('|'),
  );
}

beforeEach(() => {
  clock = createFakeClock();
  log = createHeldLog();
  windowMs = 10;
  observer = recordingObserver();
  writer = createLogWriter({
    log,
    clock,
    observer,
    lease: () => null,
    onStarted: () => {},
    onEnded: () => {},
    windowMs: () => windowMs,
  });
});

describe('the log writer', () => {
  test('delivers nothing before it is stored', async () => {
    const run = live('a');
    const seen: number[] = [];
    run.listen((events) => seen.push(...events.map((event) => event.offset)));
    void writer.append(run, text(run, 'hello'), 'window');
    await settle();
    expect(log.waiting).toHaveLength(1);
    expect(seen).toEqual([]);
    await log.commit();
    expect(seen).toEqual([2]);
  });

  test('joins what a run appends while a flush is in flight, across runs in one batch', async () => {
    const [a, b] = [live('a'), live('b')];
    void writer.append(a, text(a, 'one '), 'window');
    await settle();
    for (const word of ['two ', 'three ']) void writer.append(a, text(a, word), 'window');
    void writer.append(b, text(b, 'other'), 'window');
    await settle();
    expect(textsOf(await log.commit())).toEqual(['one ']);
    clock.advance(10);
    await settle();
    expect(textsOf(await log.commit())).toEqual(['two three ', 'other']);
    expect(a.after(0, 10).map(({ offset }) => offset)).toEqual([1, 2, 3]);
  });

  test('keeps a window between flushes of deltas', async () => {
    const run = live('a');
    void writer.append(run, text(run, 'one'), 'window');
    await settle();
    await log.commit();
    void writer.append(run, text(run, 'two'), 'window');
    await settle();
    expect(log.waiting).toHaveLength(0);
    clock.advance(10);
    await settle();
    expect(log.waiting).toHaveLength(1);
  });

  test('an urgent fact goes at once and takes only its own run along', async () => {
    const [a, b] = [live('a'), live('b')];
    void writer.append(a, text(a, 'one'), 'window');
    await settle();
    await log.commit();
    void writer.append(a, text(a, 'waits'), 'window');
    void writer.append(b, text(b, 'first'), 'urgent');
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
    void writer.append(run, text(run, 'first'), 'urgent');
    await settle();
    expect((await log.commit()).durable).toBe(false);
    void writer.append(run, { type: 'node.entered', name: 'weather' }, 'urgent');
    await settle();
    expect((await log.commit()).durable).toBe(true);
    void writer.end(run, { fact: { type: 'run.cancelled' }, status: 'cancelled', failure: null });
    await settle();
    expect((await log.commit()).durable).toBe(true);
  });

  test('waits as long between flushes as the window is by now', async () => {
    const run = live('a');
    void writer.append(run, text(run, 'one'), 'window');
    await settle();
    await log.commit();
    windowMs = 25;
    void writer.append(run, text(run, 'two'), 'window');
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
    void writer.append(patient, text(patient, 'one'), 'window');
    await settle();
    await log.commit();
    void writer.append(patient, text(patient, 'waits'), 'window');
    const stored: string[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      void writer.append(first, text(first, `urgent ${turn}`), 'urgent');
      await settle();
      clock.advance(5);
      // The next one is there before this flush is over.
      void writer.append(first, text(first, ' again'), 'urgent');
      stored.push(...textsOf(await log.commit()));
      stored.push(...textsOf(await log.commit()));
    }
    expect(stored).toContain('waits');
  });

  test('tries the same offsets again when the store fails, delivering nothing meanwhile', async () => {
    const run = live('a');
    const seen: string[] = [];
    run.listen((events) => seen.push(...events.map(({ json }) => json)));
    void writer.append(run, text(run, 'kept'), 'window');
    await settle();
    const refused = await log.fail();
    expect(writer.failing).toBe(true);
    void writer.append(run, text(run, ' and more'), 'window');
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
    expect(writer.append(run, text(run, 'x'.repeat(60_000)), 'window')).toBeUndefined();
    const wait = writer.append(run, text(run, 'y'.repeat(10_000)), 'window');
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
    void writer.append(run, text(run, words), 'window');
    await settle();
    const batch = await log.commit();
    const events = batch.segments.flatMap(({ events }) => events.split('\n').map((json) => JSON.parse(json)));
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
