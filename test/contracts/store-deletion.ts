import { expect } from 'vitest';
import type { NewThread } from '../../src/core/ports/store.ts';
import type { Opened, StoreCases } from './store-cases.ts';
import { ann, append, begin, beginning, ending, NOW, newThread, question, segment, turn } from './store-fixtures.ts';

const CANARY = 'cAnArY-7f3a';

/** Numbers from 0 to 1, the same for the same seed: this one lets SQLite move rows so that it leaves copies behind. */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

async function deleteWholly({ store, place }: Opened, thread: (NewThread & { readonly word: string }) | undefined): Promise<void> {
  if (thread === undefined) throw new Error('There is no such thread.');
  await store.closeThread({ owner: ann, ref: { id: thread.id }, now: NOW });
  await store.purgeThread(thread.key);
  expect(await place.holding(thread.word.trim())).toEqual([]);
}

const asking = (text: string) => ({ kind: 'append', messages: [question(text)], parent: 'head' }) as const;

export const deletionCases: StoreCases = {
  'hides a closed thread from everybody and tells what runs there': async ({ store }) => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    const { run, thread } = await begin(store, { idempotency });
    const ref = { id: thread.id };
    const queued = await begin(store, { thread: { ref } });
    const closed = await store.closeThread({ owner: ann, ref, now: NOW });
    expect(closed?.unfinished).toEqual([run, queued.run]);
    expect(await store.closeThread({ owner: ann, ref, now: NOW })).toBeNull();
    expect(await store.findThread(ann, { number: thread.number })).toBeNull();
    expect(await store.ownersOfThread(ann.applicationId, thread.id)).toEqual([]);
    expect([await store.countThreads(ann, {}), await store.measureThread(ann, ref)]).toEqual([0, null]);
    expect(await store.listThreads(ann, { limit: 9, cursor: null })).toEqual([]);
    expect([await store.findRun(ann, run.id), await store.findRunInApplication(ann.applicationId, run.id)]).toEqual([null, null]);
    expect([await store.activeRun(ann), await store.liveRunOf(ann, run.messageId)]).toEqual([null, null]);
    expect(await store.findMessage({ owner: ann, messageId: run.messageId })).toBeNull();
    expect((await store.contextOf({ threadKey: thread.key, messageId: run.messageId, limit: 9, maxChars: 1_000_000 })).messages).toEqual(
      [],
    );
    expect(await store.lastThreadEvent(ann, ref)).toBeNull();
    expect(await store.beginRun(beginning({ thread: { ref } }))).toEqual({ kind: 'refused', reason: 'thread_not_found' });
    expect((await store.beginRun(beginning({ idempotency }))).kind).toBe('begun');
  },

  'lets the runs of a closed thread end and starts no other': async ({ store }) => {
    const { run, thread } = await begin(store);
    const queued = await begin(store, { thread: { ref: { id: thread.id } } });
    const lease = { processId: 'p', until: NOW + 99_000 } as Parameters<typeof store.renewLeases>[0];
    await store.closeThread({ owner: ann, ref: { id: thread.id }, now: NOW });
    expect(await append(store, { ends: [ending(run, 2)], lease })).toEqual({ fenced: [], started: [] });
    expect(await store.claimQueued({ now: NOW, lease })).toEqual([]);
    expect(await store.cancelRun({ owner: ann, runId: queued.run.id, now: NOW })).toMatchObject({ status: 'cancelled' });
    await store.purgeThread(thread.key);
    expect(await store.readLog({ runId: run.id, after: 0, maxBytes: 1000 })).toEqual({ events: [], ended: true });
    expect((await append(store, { segments: [segment(run, 3, ['late'])] })).fenced).toEqual([run.id]);
  },

  'gives a deleted id to a new, empty thread': async ({ store }) => {
    const create = newThread();
    const first = await turn(store, { thread: { create } });
    await store.closeThread({ owner: ann, ref: { id: create.id }, now: NOW });
    const again = await store.createThread({ owner: ann, now: NOW, thread: newThread({ id: create.id }), idempotency: null });
    expect(again).toMatchObject({ kind: 'created', thread: { id: create.id, headId: null } });
    await store.purgeThread(first.thread.key);
    expect((await store.findThread(ann, { id: create.id }))?.headId).toBeNull();
  },

  'purges closed threads only': async ({ store }) => {
    const { run, thread } = await turn(store);
    await store.purgeThread(thread.key);
    await store.purgeThread(null);
    expect(await store.findRun(ann, run.id)).not.toBeNull();
  },

  'leaves no byte of a deleted thread in its files or tables': async ({ store, place }) => {
    const secret = newThread({ title: CANARY, tags: [CANARY], metadata: { note: CANARY } });
    const keep = newThread();
    for (let number = 0; number < 120; number += 1) {
      const create = number % 4 === 0 ? secret : keep;
      const text = number % 4 === 0 ? `${CANARY} ${'x'.repeat(number * 90)}` : `kept ${'y'.repeat((number * 37) % 900)}`;
      const idempotency = { key: `k${number}`, fingerprint: 'f' };
      const { run } = await begin(store, { thread: { create }, ask: asking(text), idempotency });
      await append(store, { segments: [segment(run, 2, [text, text])] });
      await append(store, { ends: [ending(run, 4, text)] });
    }
    const live = await begin(store, { thread: { create: secret }, ask: asking(CANARY) });
    await append(store, { segments: [segment(live.run, 2, [CANARY])] });
    expect(await place.holding(CANARY)).not.toEqual([]);
    const closed = await store.closeThread({ owner: ann, ref: { id: secret.id }, now: NOW });
    expect(closed?.unfinished).toHaveLength(1);
    await store.purgeThread(secret.key);
    expect(await place.holding(CANARY)).toEqual([]);
    expect(await store.listMessages({ owner: ann, ref: { id: keep.id }, branch: 'head', limit: 999 })).toHaveLength(180);
  },

  'leaves no copy behind that was made when rows were moved': async (opened) => {
    const { store } = opened;
    if (store.capabilities.shared) return;
    const threads = Array.from({ length: 6 }, (_, index) => ({ ...newThread({ title: `CANARY${index}x` }), word: `CANARY${index}x ` }));
    const random = pseudoRandom(4);
    for (let number = 0; number < 300; number += 1) {
      if (number === 180) await deleteWholly(opened, threads[1]);
      if (number === 240) await deleteWholly(opened, threads[3]);
      const thread = threads[number % 6];
      if (thread === undefined || (number >= 180 && thread === threads[1]) || (number >= 240 && thread === threads[3])) continue;
      const { word, ...create } = thread;
      const text = word.repeat(1 + Math.floor(500 * random() ** 3));
      const { run } = await begin(store, { thread: { create }, ask: asking(text) });
      await append(store, { segments: [segment(run, 2, [text])] });
      await append(store, { ends: [ending(run, 3, text)] });
    }
    for (const index of [0, 2, 4]) await deleteWholly(opened, threads[index]);
    expect(await store.listThreads(ann, { limit: 9, cursor: null })).toHaveLength(1);
  },

  'finishes at the next start what was left half deleted': async (opened) => {
    if (opened.store.capabilities.shared) return;
    const { run, thread } = await begin(opened.store, { ask: asking(CANARY) });
    await append(opened.store, { segments: [segment(run, 2, [CANARY])] });
    await opened.store.closeThread({ owner: ann, ref: { id: thread.id }, now: NOW });
    await opened.store.close();
    opened.store = await opened.open();
    expect(await opened.store.takeLost({ now: NOW + 99_999_999, lease: { processId: 'p' as never, until: NOW } })).toEqual([]);
    await opened.store.purgeThread(null);
    expect(await opened.place.holding(CANARY)).toEqual([]);
    await opened.store.close();
    opened.store = await opened.open();
    expect(await opened.store.readLog({ runId: run.id, after: 0, maxBytes: 1000 })).toEqual({ events: [], ended: true });
  },

  'refuses to open what another server has open': async ({ store, open, place }) => {
    if (store.capabilities.shared) return;
    await expect(open()).rejects.toThrow(place.address);
    await expect(open()).rejects.toThrow(String(process.pid));
    await expect(store.ping()).resolves.toBeUndefined();
  },

  'finishes what was asked before it closes, and nothing later': async (opened) => {
    const inputs = Array.from({ length: 20 }, () => beginning());
    const results = Promise.all(inputs.map((input) => opened.store.beginRun(input)));
    await opened.store.close();
    expect((await results).map((result) => result.kind)).toEqual(inputs.map(() => 'begun'));
    await expect(opened.store.ping()).rejects.toThrow();
    await expect(opened.store.close()).resolves.toBeUndefined();
    opened.store = await opened.open();
    expect(await opened.store.listThreads(ann, { limit: 99, cursor: null })).toHaveLength(20);
  },
};
