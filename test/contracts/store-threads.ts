import { expect } from 'vitest';
import type { ThreadId } from '../../src/core/ids.ts';
import type { NewThread, Store } from '../../src/core/ports/store.ts';
import type { Owner } from '../../src/core/principal.ts';
import type { Thread } from '../../src/core/thread.ts';
import type { StoreCases } from './store-cases.ts';
import { ann, append, begin, bob, DAY, elsewhere, ending, NOW, newId, newThread, question, turn } from './store-fixtures.ts';

async function create(store: Store, changes: Partial<NewThread> = {}, by: { owner?: Owner; now?: number } = {}): Promise<Thread> {
  const input = { owner: by.owner ?? ann, now: by.now ?? NOW, thread: newThread(changes), idempotency: null };
  const result = await store.createThread(input);
  if (result.kind === 'refused') throw new Error(result.reason);
  return result.thread;
}

export const threadCases: StoreCases = {
  'finds a thread by both of its names, as it was created': async ({ store }) => {
    const given = newThread({ title: 'Ünïcode 🦜', model: 'm', agent: 'a', tags: ['x', 'y'], metadata: { deep: { list: [1, null] } } });
    const result = await store.createThread({ owner: ann, now: NOW, thread: given, idempotency: null });
    if (result.kind !== 'created') throw new Error(result.kind);
    const { key, id, number, title, model, agent, tags, metadata } = given;
    expect(result.thread).toEqual({
      ...{ key, id, number, title, model, agent, tags, metadata, userId: 'ann', archived: false, headId: null },
      ...{ createdAt: NOW, updatedAt: NOW, userNumber: expect.any(Number), applicationNumber: expect.any(Number) },
    });
    expect(await store.findThread(ann, { id })).toEqual(result.thread);
    expect(await store.findThread(ann, { number })).toEqual(result.thread);
    await expect(store.ping()).resolves.toBeUndefined();
  },

  'keeps the numbers of users and applications': async ({ store }) => {
    const first = await create(store);
    const second = await create(store);
    const other = await create(store, {}, { owner: elsewhere });
    expect(second.userNumber).toBe(first.userNumber);
    expect(other.userNumber).not.toBe(first.userNumber);
    expect(other.applicationNumber).not.toBe(first.applicationNumber);
    expect(Number.isSafeInteger(first.userNumber) && first.userNumber > 0).toBe(true);
  },

  'gives each user a thread of its own under the same id': async ({ store }) => {
    const id = newId<ThreadId>();
    const mine = await create(store, { id });
    const his = await create(store, { id }, { owner: bob });
    expect(his.key).not.toBe(mine.key);
    expect((await store.findThread(bob, { id }))?.key).toBe(his.key);
    const again = await store.createThread({ owner: ann, now: NOW, thread: newThread({ id, title: 'other' }), idempotency: null });
    expect(again).toEqual({ kind: 'replayed', thread: mine });
  },

  'answers foreign and unused names alike': async ({ store }) => {
    const { run, thread } = await turn(store);
    const owners = [bob, elsewhere];
    for (const owner of owners) {
      for (const ref of [{ id: thread.id }, { number: thread.number }, { id: newId<ThreadId>() }]) {
        expect(await store.findThread(owner, ref)).toBeNull();
        expect(await store.changeThread({ owner, ref, changes: { title: 'mine' }, now: NOW })).toBeNull();
        expect(await store.setHead({ owner, ref, messageId: run.messageId, now: NOW })).toBe('thread_not_found');
        expect(await store.closeThread({ owner, ref, now: NOW })).toBeNull();
        expect(await store.measureThread(owner, ref)).toBeNull();
        expect(await store.listMessages({ owner, ref, branch: 'head', limit: 9 })).toBeNull();
        expect(await store.listThreadEvents(owner, ref, { after: 0, limit: 9 })).toBeNull();
        expect(await store.lastThreadEvent(owner, ref)).toBeNull();
      }
      expect(await store.findRun(owner, run.id)).toBeNull();
      expect(await store.findMessage({ owner, messageId: run.answerId })).toBeNull();
      expect(await store.cancelRun({ owner, runId: run.id, now: NOW })).toBeNull();
      expect(await store.activeRun(owner)).toBeNull();
      expect(await store.listThreads(owner, { limit: 9, cursor: null })).toEqual([]);
      expect(await store.countThreads(owner, {})).toBe(0);
    }
    expect((await store.findThread(ann, { id: thread.id }))?.title).toBeNull();
  },

  'tells an application which of its users have a thread of an id, two of them at most': async ({ store }) => {
    const { id } = await create(store);
    const owners = () => store.ownersOfThread(ann.applicationId, id);
    expect(await owners()).toEqual([ann]);
    expect(await store.ownersOfThread(elsewhere.applicationId, id)).toEqual([]);
    expect(await store.ownersOfThread(ann.applicationId, newId<ThreadId>())).toEqual([]);
    for (const owner of [bob, { ...ann, userId: 'cleo' }]) await create(store, { id }, { owner });
    expect(await owners()).toHaveLength(2);
  },

  'lists threads newest update first, page by page': async ({ store }) => {
    const made: Thread[] = [];
    for (const offset of [1, 2, 2, 3, 5]) made.push(await create(store, {}, { now: NOW + offset }));
    await create(store, {}, { owner: bob, now: NOW + 9 });
    const keys: string[] = [];
    let cursor: { updatedAt: number; key: Thread['key'] } | null = null;
    for (let page = 0; page < 3; page += 1) {
      const threads: readonly Thread[] = await store.listThreads(ann, { limit: 2, cursor });
      keys.push(...threads.map((thread) => thread.key));
      const last = threads.at(-1);
      cursor = last === undefined ? null : { updatedAt: last.updatedAt, key: last.key };
    }
    const expected = made.toSorted((a, b) => b.updatedAt - a.updatedAt || (a.key < b.key ? 1 : -1));
    expect(keys).toEqual(expected.map((thread) => thread.key));
  },

  'passes over as many threads as it is told': async ({ store }) => {
    const made: Thread[] = [];
    for (const offset of [1, 2, 3]) made.push(await create(store, {}, { now: NOW + offset }));
    const keys = async (offset: number) =>
      (await store.listThreads(ann, { limit: 2, cursor: null, offset })).map((thread) => made.findIndex(({ key }) => key === thread.key));
    expect([await keys(0), await keys(2), await keys(3), await keys(2 ** 50)]).toEqual([[2, 1], [0], [], []]);
    expect(await store.countThreads(ann, {})).toBe(3);
  },

  'measures the branch of the head, and the tokens of all answers': async ({ store }) => {
    const empty = await create(store);
    const ref = { id: empty.id };
    expect(await store.measureThread(ann, ref)).toEqual({ messages: 0, lastMessageAt: null, totalTokens: 0, uncounted: 0 });
    const { run } = await turn(store, { thread: { ref } });
    expect(await store.measureThread(ann, ref)).toEqual({ messages: 2, lastMessageAt: NOW, totalTokens: 5, uncounted: 0 });
    await turn(store, { thread: { ref }, ask: { kind: 'again', message: run.messageId }, now: NOW + 7 });
    expect(await store.measureThread(ann, ref)).toEqual({ messages: 2, lastMessageAt: NOW + 7, totalTokens: 10, uncounted: 0 });
    await begin(store, { thread: { ref }, now: NOW + 9 });
    expect(await store.measureThread(ann, ref)).toEqual({ messages: 3, lastMessageAt: NOW + 9, totalTokens: 10, uncounted: 0 });
  },

  'filters its list': async ({ store }) => {
    const tagged = await create(store, { tags: ['red', 'äß"%'], model: 'm1' }, { now: NOW + 1 });
    const plain = await create(store, { tags: ['redder'], model: 'm2' }, { now: NOW + 2 });
    await store.changeThread({ owner: ann, ref: { id: plain.id }, changes: { archived: true }, now: NOW + 3 });
    const neither = await create(store, {}, { now: NOW });
    const keys = async (filter: object) => {
      const found = (await store.listThreads(ann, { limit: 9, cursor: null, ...filter })).map((thread) => thread.key);
      expect(await store.countThreads(ann, filter)).toBe(found.length);
      return found;
    };
    expect(await keys({})).toEqual([plain.key, tagged.key, neither.key]);
    expect(await keys({ tags: ['red'] })).toEqual([tagged.key]);
    expect(await keys({ tags: ['äß"%', 'red'] })).toEqual([tagged.key]);
    expect(await keys({ tags: ['red', 'redder'] })).toEqual([]);
    expect(await keys({ model: 'm2' })).toEqual([plain.key]);
    expect(await keys({ model: 'm2', orNoModel: true })).toEqual([plain.key, neither.key]);
    expect(await keys({ archived: true })).toEqual([plain.key]);
    expect(await keys({ archived: false, model: 'm2' })).toEqual([]);
    expect(await keys({ createdBefore: NOW + 2, createdAfter: NOW })).toEqual([tagged.key]);
    expect(await keys({ createdAfter: NOW + 1 })).toEqual([plain.key]);
  },

  'adds the tokens that somebody has counted of messages without usage': async ({ store }) => {
    const { id } = await create(store);
    const ref = { id };
    const imported = { ...question('imported'), role: 'assistant' as const };
    const ask = { kind: 'append', messages: [imported, question('asked')], parent: 'head' } as const;
    const { run } = await begin(store, { thread: { ref }, ask });
    expect(await store.measureThread(ann, ref)).toMatchObject({ totalTokens: 0, uncounted: 1 });
    expect(await store.uncountedMessages(bob, ref, 9)).toEqual([]);
    expect(await store.uncountedMessages(ann, ref, 9)).toEqual([{ id: imported.id, text: 'imported' }]);
    const end = ending(run, 2, 'answered');
    await append(store, { ends: [{ ...end, answer: { ...end.answer, usage: null } }] });
    const uncounted = await store.uncountedMessages(ann, ref, 9);
    expect(uncounted.map(({ text }) => text)).toEqual(['imported', 'asked', 'answered']);
    expect(await store.uncountedMessages(ann, ref, 2)).toEqual(uncounted.slice(0, 2));
    await store.noteTokens(uncounted.map((message, index) => ({ id: message.id, tokens: 10 ** index })));
    expect(await store.measureThread(ann, ref)).toMatchObject({ messages: 3, totalTokens: 111, uncounted: 0 });
    // An answer that tells what it took tells of its question, too.
    await turn(store, { thread: { ref }, ask: { kind: 'again', message: run.messageId } });
    expect(await store.measureThread(ann, ref)).toMatchObject({ totalTokens: 106, uncounted: 0 });
  },

  'adds and takes away tags, and nobody loses theirs': async ({ store }) => {
    const { id } = await create(store, { tags: ['a', 'b'] });
    const change = (changes: object, owner = ann) =>
      store.changeTags({ owner, ref: { id }, changes: { most: 100, ...changes }, now: NOW + 5 });
    expect(await change({ add: ['a'], remove: ['x'] })).toMatchObject({ tags: ['a', 'b'], updatedAt: NOW });
    await Promise.all(Array.from({ length: 20 }, (_, index) => change({ add: [`t${index}`] })));
    const all = await store.findThread(ann, { id });
    expect(all?.tags.toSorted()).toEqual(['a', 'b', ...Array.from({ length: 20 }, (_, index) => `t${index}`)].toSorted());
    expect(await change({ remove: all?.tags.slice(1) })).toMatchObject({ tags: ['a'], updatedAt: NOW + 5 });
    expect(await change({ add: ['c', 'c', 'b'], remove: ['a'] })).toMatchObject({ tags: ['c', 'b'] });
    expect(await change({ add: ['d'], most: 2 })).toBe('too_many_tags');
    expect(await change({ remove: ['b'], most: 0 })).toMatchObject({ tags: ['c'] });
    expect(await change({ add: ['d'] }, bob)).toBe('thread_not_found');
    const events = await store.listThreadEvents(ann, { id }, { after: 0, limit: 99 });
    expect(events).toHaveLength(23);
  },

  'changes only what is named': async ({ store }) => {
    const thread = await create(store, { title: 'a', model: 'm', tags: ['t'] });
    const changes = { title: null, archived: true, metadata: { k: 1 } };
    const changed = await store.changeThread({ owner: ann, ref: { number: thread.number }, changes, now: NOW + 5 });
    expect(changed).toEqual({ ...thread, ...changes, updatedAt: NOW + 5 });
    expect(await store.findThread(ann, { id: thread.id })).toEqual(changed);
  },

  'numbers what happens in a thread from 1 without holes': async ({ store }) => {
    const { run, thread } = await turn(store);
    await store.changeThread({ owner: ann, ref: { id: thread.id }, changes: { title: 'x' }, now: NOW });
    await store.setHead({ owner: ann, ref: { id: thread.id }, messageId: run.messageId, now: NOW });
    const events = await store.listThreadEvents(ann, { id: thread.id }, { after: 0, limit: 99 });
    expect(events?.map(({ number, type }) => `${number} ${type}`)).toEqual([
      ...['1 message.added', '2 run.started', '3 message.added', '4 run.ended', '5 thread.changed', '6 thread.changed'],
    ]);
    expect(events?.[3]).toEqual({ type: 'run.ended', run_id: run.id, status: 'completed', number: 4 });
    expect(await store.lastThreadEvent(ann, { id: thread.id })).toBe(6);
    const page = await store.listThreadEvents(ann, { id: thread.id }, { after: 1, limit: 2 });
    expect(page).toEqual(events?.slice(1, 3));
    expect(await store.listThreadEvents(ann, { id: thread.id }, { after: 6, limit: 2 })).toEqual([]);
  },

  'repeats a creation under its key for a day': async ({ store }) => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    const input = { owner: ann, now: NOW, thread: newThread(), idempotency };
    const first = await store.createThread(input);
    const other = { ...input, thread: newThread() };
    expect(await store.createThread({ ...other, now: NOW + DAY - 1 })).toEqual({ ...first, kind: 'replayed' });
    const mismatch = { ...other, idempotency: { key: 'k', fingerprint: 'g' } };
    expect(await store.createThread(mismatch)).toEqual({ kind: 'refused', reason: 'idempotency_mismatch' });
    expect((await store.createThread({ ...mismatch, owner: bob, thread: newThread() })).kind).toBe('created');
    expect((await store.createThread({ ...other, now: NOW + DAY })).kind).toBe('created');
    await store.forgetOldKeys(NOW + DAY + 1);
    expect((await store.createThread({ ...other, thread: newThread(), now: NOW + DAY + 2 })).kind).toBe('replayed');
    await store.forgetOldKeys(NOW + 2 * DAY + 1);
    expect((await store.createThread({ ...other, thread: newThread(), now: NOW })).kind).toBe('created');
  },

  'finds the newest run under way of a user': async ({ store }) => {
    expect(await store.activeRun(ann)).toBeNull();
    const older = await begin(store);
    const newer = await begin(store, { now: NOW + 1 });
    expect(await store.activeRun(ann)).toEqual(newer.run);
    expect(await store.liveRunOf(ann, older.run.messageId)).toEqual(older.run);
    expect(await store.liveRunOf(bob, older.run.messageId)).toBeNull();
  },
};
