import { expect } from 'vitest';
import type { RunId } from '../../src/core/ids.ts';
import type { StoreCases } from './store-cases.ts';
import { ann, append, begin, ending, NOW, newId, question, segment, typesOf } from './store-fixtures.ts';

const numbers = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `token ${from + index}`);

export const logCases: StoreCases = {
  'stores the end, the answer and the final state together': async ({ store }) => {
    const { run, thread } = await begin(store);
    await append(store, { segments: [segment(run, 2, ['Hi', '.'])], ends: [ending(run, 4)], now: NOW + 50 });
    const usage = { input_tokens: 3, output_tokens: 2 };
    expect(await store.findRun(ann, run.id)).toEqual({ ...run, status: 'completed', usage, finishReason: 'stop', endedAt: NOW + 50 });
    expect(await store.findMessage({ owner: ann, messageId: run.answerId })).toEqual({
      ...{ id: run.answerId, threadId: thread.id, seq: 2, parentId: run.messageId, role: 'assistant', status: 'completed' },
      ...{ parts: [{ type: 'text', text: 'Hi.' }], runId: run.id, model: 'demo', usage, createdAt: NOW + 50 },
    });
    expect((await store.findThread(ann, { id: thread.id }))?.updatedAt).toBe(NOW + 50);
    expect(await store.activeRun(ann)).toBeNull();
    expect(await store.liveRunOf(ann, run.messageId)).toBeNull();
  },

  'keeps why a run failed': async ({ store }) => {
    const { run } = await begin(store);
    const failure = { code: 'upstream_timeout', detail: 'The model did not answer.', retryable: true };
    const answer = { parts: [], status: 'failed', model: 'demo', usage: null } as const;
    const terminal = segment(run, 2, [{ type: 'run.failed', ...failure }]);
    const end = { segment: terminal, status: 'failed', answer, failure, finishReason: null } as const;
    await append(store, { ends: [end] });
    expect(await store.findRun(ann, run.id)).toMatchObject({ status: 'failed', failure, usage: null });
  },

  'reads the same events from any offset, live and ended': async ({ store }) => {
    const { run } = await begin(store);
    const other = await begin(store);
    for (let first = 2; first < 40; first += 4) {
      await append(store, {
        segments: [segment(run, first, numbers(first, first + 3)), segment(other.run, first, numbers(first, first + 3))],
      });
    }
    const read = async (after: number) => (await store.readLog({ runId: run.id, after, maxBytes: 1_000_000 })).events;
    const live = await read(0);
    expect(live.map((json) => (JSON.parse(json) as { offset: number }).offset)).toEqual(
      Array.from({ length: 41 }, (_, index) => index + 1),
    );
    for (const after of [1, 2, 3, 17, 40, 41]) expect(await read(after)).toEqual(live.slice(after));
    await append(store, { ends: [ending(run, 42)] });
    const ended = await read(0);
    expect(ended.slice(0, 41)).toEqual(live);
    for (const after of [0, 1, 17, 40, 41, 42]) expect(await read(after)).toEqual(ended.slice(after));
  },

  'reads in pages of bounded size that leave nothing out': async ({ store }) => {
    const { run } = await begin(store);
    await append(store, {
      segments: [segment(run, 2, numbers(2, 50)), segment(run, 51, ['x'.repeat(5000)]), segment(run, 52, numbers(52, 60))],
    });
    const pages = async () => {
      const events: string[] = [];
      for (;;) {
        const page = await store.readLog({ runId: run.id, after: events.length, maxBytes: 1000 });
        expect(page.events.length === 1 || Buffer.byteLength(page.events.join('')) <= 1000).toBe(true);
        events.push(...page.events);
        if (page.ended || page.events.length === 0) return { events, ended: page.ended };
      }
    };
    const live = await pages();
    expect([live.events.length, live.ended]).toEqual([60, false]);
    await append(store, { ends: [ending(run, 61)] });
    const ended = await pages();
    expect([ended.events.length, ended.ended]).toEqual([61, true]);
    expect(ended.events.slice(0, 60)).toEqual(live.events);
  },

  'refuses a stale attempt and says so': async ({ store }) => {
    const { run } = await begin(store);
    const good = await begin(store);
    const stale = { ...run, attempt: 0 };
    const unknown = { ...run, id: newId<RunId>() };
    const result = await append(store, {
      segments: [segment(stale, 2, ['stale']), segment(good.run, 2, ['good']), segment(unknown, 1, ['unknown'])],
      ends: [ending(unknown, 2)],
    });
    expect(new Set(result.fenced)).toEqual(new Set([run.id, unknown.id]));
    expect((await store.readLog({ runId: run.id, after: 1, maxBytes: 1000 })).events).toEqual([]);
    expect((await store.readLog({ runId: good.run.id, after: 1, maxBytes: 1000 })).events).toHaveLength(1);
  },

  'writes nothing to a run that has ended': async ({ store }) => {
    const { run } = await begin(store);
    await append(store, { ends: [ending(run, 2)] });
    expect((await append(store, { segments: [segment(run, 3, ['late'])] })).fenced).toEqual([run.id]);
    expect((await append(store, { ends: [ending(run, 3, 'other')] })).fenced).toEqual([run.id]);
    const page = await store.readLog({ runId: run.id, after: 0, maxBytes: 1000 });
    expect([typesOf(page.events), page.ended]).toEqual([['1 run.started', '2 run.completed'], true]);
    expect((await store.findMessage({ owner: ann, messageId: run.answerId }))?.parts).toEqual([{ type: 'text', text: 'Hi.' }]);
  },

  'takes the same offsets once, and no offsets behind a gap': async ({ store }) => {
    const { run } = await begin(store);
    const first = segment(run, 2, ['a', 'b']);
    expect((await append(store, { segments: [first] })).fenced).toEqual([]);
    expect((await append(store, { segments: [first] })).fenced).toEqual([]);
    expect((await append(store, { segments: [segment({ ...run, attempt: 9 }, 2, ['a', 'b'])] })).fenced).toEqual([run.id]);
    expect((await append(store, { segments: [segment(run, 9, ['far'])] })).fenced).toEqual([run.id]);
    expect((await store.readLog({ runId: run.id, after: 0, maxBytes: 1000 })).events).toHaveLength(3);
  },

  'reads a long log from any offset in pages, also when it has ended': async ({ store }) => {
    const { run } = await begin(store);
    const texts = Array.from({ length: 60 }, (_, index) => `${index} ${'x'.repeat(10_000)}`);
    const numbered = texts.map((text, index) => segment(run, index + 2, [text]));
    for (const one of numbered) await append(store, { segments: [one] });
    await append(store, { ends: [ending(run, 62)] });
    for (const start of [0, 1, 13, 14, 30, 61]) {
      const offsets: number[] = [];
      for (let after = start, ended = false; !ended; ) {
        const page = await store.readLog({ runId: run.id, after, maxBytes: 65_536 });
        offsets.push(...page.events.map((json) => JSON.parse(json).offset));
        after = offsets.at(-1) ?? after;
        ended = page.ended;
      }
      expect(offsets).toEqual(Array.from({ length: 62 - start }, (_, index) => start + 1 + index));
    }
  },

  'takes the repeat of an end, whose answer got lost, as written': async ({ store }) => {
    const { run } = await begin(store);
    await append(store, { segments: [segment(run, 2, ['a'])] });
    expect((await append(store, { ends: [ending(run, 3)] })).fenced).toEqual([]);
    const stored = await store.readLog({ runId: run.id, after: 0, maxBytes: 10_000 });
    expect((await append(store, { ends: [ending(run, 3)] })).fenced).toEqual([]);
    for (const other of [ending(run, 3, 'Other.'), ending({ ...run, attempt: 2 }, 3)]) {
      expect((await append(store, { ends: [other] })).fenced).toEqual([run.id]);
    }
    expect(await store.readLog({ runId: run.id, after: 0, maxBytes: 10_000 })).toEqual(stored);
  },

  'leaves a log as it was when its end cannot be stored': async ({ store }) => {
    const { run } = await begin(store);
    await append(store, { segments: [segment(run, 2, ['a'])] });
    const squatter = { ...question('Who took the name?'), id: run.answerId };
    await begin(store, { ask: { kind: 'append', messages: [squatter], parent: null } });
    await expect(append(store, { ends: [ending(run, 3)] })).rejects.toThrow();
    expect((await append(store, { segments: [segment(run, 3, ['b'])] })).fenced).toEqual([]);
    const page = await store.readLog({ runId: run.id, after: 0, maxBytes: 1000 });
    expect([typesOf(page.events), page.ended]).toEqual([['1 run.started', '2 text.appended', '3 text.appended'], false]);
  },

  'says that the log of an unknown run is over': async ({ store }) => {
    expect(await store.readLog({ runId: newId<RunId>(), after: 0, maxBytes: 1000 })).toEqual({ events: [], ended: true });
  },
};
