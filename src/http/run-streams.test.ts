import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeStream, createGrowingRun } from '../../test/support/run-readers.ts';
import type { MessageId, RunId, ThreadId } from '../core/ids.ts';
import { logEvent, type RunEvent, type RunFact } from '../core/run-event.ts';
import type { Follow } from '../engine/index.ts';
import { createRunStreams } from './run-streams.ts';
import { frameId, serializeFrame } from './sse.ts';
import type { StreamCursor } from './stream-cursor.ts';
import type { Frame, StreamFormat } from './stream-format.ts';

const runId = 'run' as RunId;

/** Holds a text back until the next event and cuts it into two parts, so that frames depend on what came before. */
const format: StreamFormat = {
  name: 'test',
  ids: true,
  pings: false,
  contentType: 'text/event-stream',
  createEncoder() {
    let held = '';
    let expected = 1;
    return (event) => {
      const { offset } = event;
      if (offset !== expected) throw new Error(`event ${offset} where ${expected} belongs`);
      expected += 1;
      const frames: Frame[] = [];
      if (held !== '') frames.push({ part: 1, event: null, data: held }, { part: 2, event: null, data: String(held.length) });
      held = event.type === 'text.appended' ? event.text : '';
      if (event.type === 'run.completed') frames.push({ part: null, event: 'end', data: 'done' });
      return frames;
    };
  },
};

function logOf(texts: readonly string[]): RunEvent[] {
  const message = { id: 'm' as MessageId, seq: 2, role: 'assistant', status: 'completed', parts: [] } as const;
  const facts: RunFact[] = texts.map((text) => ({ type: 'text.appended', message_id: 'm' as MessageId, text, at: 0 }));
  facts.push({ type: 'run.completed', message, usage: null, model: 'x', finish_reason: 'stop' });
  facts.unshift({
    type: 'run.started',
    thread_id: 't' as ThreadId,
    message_id: 'q' as MessageId,
    answer_id: 'm' as MessageId,
    model: 'x',
    attempt: 1,
  });
  return facts.map((fact, index) => logEvent(runId, index + 1, fact));
}

function expectedBytes(log: readonly RunEvent[], cursor: StreamCursor): string {
  const encode = format.createEncoder();
  let text = '';
  for (const event of log) {
    for (const frame of encode(event)) {
      const { part } = frame;
      const behind = event.offset > cursor.offset || (event.offset === cursor.offset && cursor.part !== null && (part ?? 9) > cursor.part);
      if (behind || frame.event === 'end') text += serializeFrame(frame, frameId(event.offset, part));
    }
  }
  return text;
}

function streamsOn(engine: { runs: { follow(input: Follow): Promise<void> } }, onFault: (error: unknown) => void = failTest) {
  return createRunStreams({ engine, maxReadersPerRun: 50, onFault });
}

function failTest(error: unknown): void {
  throw error;
}

async function settle(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
}

const start: StreamCursor = { offset: 0, part: null };

describe('run streams, one reader', () => {
  it('sends every frame and ends behind the terminal one', async () => {
    const log = logOf(['a', 'b\n\nevent: end', 'c']);
    const engine = createGrowingRun(log, () => 3);
    const { stream, seen } = createFakeStream(1e6);
    const done = streamsOn(engine).open({ runId, format, cursor: start, respond: () => stream });
    engine.grow(3);
    await settle();
    expect(seen.text).toBe('id: 3.1\ndata: a\n\nid: 3.2\ndata: 1\n\n');
    engine.grow(9);
    await done;
    expect(seen.text).toBe(expectedBytes(log, start));
    expect(seen.text.endsWith('id: 5\nevent: end\ndata: done\n\n')).toBe(true);
    expect(seen).toMatchObject({ ended: true, broken: false });
    await settle(2);
    expect(engine.following).toBe(0);
  });

  it.each([
    [{ offset: 4, part: null }, 'id: 5.1\ndata: c\n\nid: 5.2\ndata: 1\n\nid: 5\nevent: end\ndata: done\n\n'],
    [{ offset: 4, part: 1 }, 'id: 4.2\ndata: 1\n\nid: 5.1\ndata: c\n\nid: 5.2\ndata: 1\n\nid: 5\nevent: end\ndata: done\n\n'],
    [{ offset: 5, part: 2 }, 'id: 5\nevent: end\ndata: done\n\n'],
  ])('resumes behind %j', async (cursor, text) => {
    const engine = createGrowingRun(logOf(['a', 'b', 'c']), () => 2);
    const { stream, seen } = createFakeStream(1e6);
    engine.grow(9);
    await streamsOn(engine).open({ runId, format, cursor, respond: () => stream });
    expect(seen.text).toContain(text);
    expect(seen.text.length).toBe(text.length);
  });

  it('says how the run ended also to a cursor beyond the end', async () => {
    const engine = createGrowingRun(logOf(['a']), () => 9);
    const { stream, seen } = createFakeStream(1e6);
    engine.grow(9);
    await streamsOn(engine).open({ runId, format, cursor: { offset: 99, part: null }, respond: () => stream });
    expect(seen.text).toContain('event: end');
    expect(seen.ended).toBe(true);
  });

  it('waits for a socket that does not drain, holding little', async () => {
    const log = logOf(Array.from({ length: 400 }, () => 'x'.repeat(1_000)));
    const engine = createGrowingRun(log, () => 500);
    const { stream, seen, drain } = createFakeStream(16_384);
    const done = streamsOn(engine).open({ runId, format, cursor: start, respond: () => stream });
    engine.grow(log.length);
    await settle();
    expect(seen.ended).toBe(false);
    while (!seen.ended) {
      drain();
      await settle(1);
    }
    await done;
    expect(seen.text).toBe(expectedBytes(log, start));
    expect(seen.largestUnsent).toBeLessThan(3 * 16_384);
  });

  it('breaks the connection off when the log cannot be read', async () => {
    const faults: unknown[] = [];
    const follow = () => Promise.reject(new Error('disk'));
    const { stream, seen } = createFakeStream(1e6);
    await streamsOn({ runs: { follow } }, (error) => faults.push(error)).open({ runId, format, cursor: start, respond: () => stream });
    expect(seen).toMatchObject({ ended: false, broken: true });
    expect(faults).toHaveLength(1);
  });
});

describe('run streams, many readers', () => {
  it('reads the log once for readers that keep up', async () => {
    const log = logOf(Array.from({ length: 50 }, (_, index) => `text ${index}`));
    const engine = createGrowingRun(log, () => 7);
    const streams = streamsOn(engine);
    const readers = Array.from({ length: 20 }, () => createFakeStream(1e6));
    engine.grow(5);
    const done = readers.map(({ stream }) => streams.open({ runId, format, cursor: start, respond: () => stream }));
    await settle();
    expect(engine.following).toBe(1);
    engine.grow(log.length);
    await Promise.all(done);
    for (const { seen } of readers) expect(seen.text).toBe(expectedBytes(log, start));
  });

  it('does not let a stopped reader hold the others up', async () => {
    const log = logOf(Array.from({ length: 40 }, () => 'x'.repeat(1_000)));
    const engine = createGrowingRun(log, () => 5);
    const streams = streamsOn(engine);
    const readers = [createFakeStream(4_000), createFakeStream(1e9), createFakeStream(1e9)] as const;
    engine.grow(1);
    const done = readers.map(({ stream }) => streams.open({ runId, format, cursor: start, respond: () => stream }));
    for (let to = 2; to <= log.length; to += 1) {
      engine.grow(to);
      await settle(3);
    }
    await Promise.all(done.slice(1));
    expect(readers[0].seen.ended).toBe(false);
    expect(readers[0].seen.largestUnsent).toBeLessThan(12_000);
    while (!readers[0].seen.ended) {
      readers[0].drain();
      await settle(1);
    }
    for (const { seen } of readers) expect(seen.text).toBe(expectedBytes(log, start));
  });

  it('does not let a late reader wait for a stopped one', async () => {
    const log = logOf(Array.from({ length: 10 }, () => 'x'.repeat(1_000)));
    const engine = createGrowingRun(log, () => 2);
    const streams = streamsOn(engine);
    const stopped = createFakeStream(2_000);
    const slow = streams.open({ runId, format, cursor: start, respond: () => stopped.stream });
    engine.grow(6);
    await settle();
    const late = createFakeStream(1e9);
    const done = streams.open({ runId, format, cursor: start, respond: () => late.stream });
    await settle();
    engine.grow(log.length);
    await done;
    expect(late.seen.text).toBe(expectedBytes(log, start));
    stopped.stream.destroy();
    await slow;
  });

  it('refuses readers over the bound without opening a response, and lets in again when one left', async () => {
    const streams = createRunStreams({ engine: createGrowingRun(logOf([]), () => 1), maxReadersPerRun: 1, onFault: failTest });
    const first = createFakeStream(1e6);
    const done = streams.open({ runId, format, cursor: start, respond: () => first.stream });
    const refused = streams.open({ runId, format, cursor: start, respond: () => expect.fail('opened') });
    await expect(refused).rejects.toMatchObject({ code: 'too_many_readers' });
    first.stream.destroy();
    await done;
    const second = createFakeStream(1e6);
    const again = streams.open({ runId, format, cursor: start, respond: () => second.stream });
    second.stream.destroy();
    await again;
  });
});

const scenario = fc.record({
  texts: fc.array(fc.string({ maxLength: 12 }), { maxLength: 30 }),
  pieces: fc.infiniteStream(fc.integer({ min: 1, max: 6 })),
  readers: fc.array(
    fc.record({
      joinsAt: fc.nat(40),
      room: fc.constantFrom(10, 60, 1e6),
      drainsEvery: fc.integer({ min: 1, max: 9 }),
      leavesAt: fc.option(fc.nat(60), { freq: 5 }),
      cursor: fc.record({ offset: fc.nat(34), part: fc.option(fc.constantFrom(1, 2)) }),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  growth: fc.infiniteStream(fc.nat(3)),
});

interface Plan {
  readonly joinsAt: number;
  readonly room: number;
  readonly drainsEvery: number;
  readonly leavesAt: number | null;
  readonly cursor: StreamCursor;
}

/** A reader that lives by its plan, one turn at a time. */
function createReader(plan: Plan, streams: ReturnType<typeof createRunStreams>) {
  const { stream, seen, drain } = createFakeStream(plan.room);
  let done: Promise<void> | null = null;
  return {
    seen,
    cursor: plan.cursor,
    get over() {
      return stream.signal.aborted;
    },
    finished: () => done,
    act(turn: number) {
      if (turn === plan.joinsAt) done = streams.open({ runId, format, cursor: plan.cursor, respond: () => stream });
      if (turn % plan.drainsEvery === 0) drain();
      if (done && turn === plan.leavesAt) stream.destroy();
    },
  };
}

interface World {
  readonly engine: { grow(to: number): void };
  readonly readers: readonly ReturnType<typeof createReader>[];
  readonly growth: Iterator<number>;
}

/** Turn by turn: the log grows, readers come, drain and go, until all are over. */
async function live({ engine, readers, growth }: World): Promise<void> {
  let stored = 0;
  for (let turn = 0; turn < 2_000 && !readers.every(({ over }) => over); turn += 1) {
    stored += Number(growth.next().value);
    engine.grow(stored);
    for (const reader of readers) reader.act(turn);
    await nextTurn();
  }
}

describe('run streams, any timing', () => {
  it('gives every reader exactly the frames behind its cursor', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ texts, pieces, readers: plans, growth }) => {
        const log = logOf(texts);
        const engine = createGrowingRun(log, () => pieces.next().value ?? 1);
        const streams = streamsOn(engine);
        const readers = plans.map((plan) => createReader(plan, streams));
        await live({ engine, readers, growth });
        await Promise.all(readers.map((reader) => reader.finished()));
        await settle(5);
        expect(engine.following).toBe(0);
        for (const { seen, cursor } of readers) {
          const whole = expectedBytes(log, cursor);
          expect(seen.text).toBe(seen.ended ? whole : whole.slice(0, seen.text.length));
        }
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});
