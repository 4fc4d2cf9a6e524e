import { expect } from 'vitest';
import type { MessageId, ThreadId } from '../../src/core/ids.ts';
import type { Message } from '../../src/core/message.ts';
import { textOf } from '../../src/core/message.ts';
import type { Store } from '../../src/core/ports/store.ts';
import type { Run } from '../../src/core/run.ts';
import type { StoreCases } from './store-cases.ts';
import { ann, append, begin, ending, NOW, newId, newThread, question, turn } from './store-fixtures.ts';

const texts = (messages: readonly Message[] | null) => messages?.map((message) => textOf(message.parts));

const ask = (text: string, parent: MessageId | null | 'head' = 'head') =>
  ({ ask: { kind: 'append', messages: [question(text)], parent } }) as const;

/** A thread with the questions q1, q2 ... and their answers a1, a2 ... */
async function conversation(store: Store, turns: number, changes = {}): Promise<{ id: ThreadId; runs: readonly Run[] }> {
  const create = newThread(changes);
  const runs: Run[] = [];
  for (let number = 1; number <= turns; number += 1) {
    runs.push((await turn(store, { thread: { create }, ...ask(`q${number}`) }, `a${number}`)).run);
  }
  return { id: create.id, runs };
}

function nth(runs: readonly Run[], index: number): Run {
  const run = runs[index];
  if (run === undefined) throw new Error(`There is no run ${index}.`);
  return run;
}

export const branchCases: StoreCases = {
  'lists a branch newest first, page by page': async ({ store }) => {
    const { id, runs } = await conversation(store, 3);
    const list = (branch: MessageId | 'head', limit: number) => store.listMessages({ owner: ann, ref: { id }, branch, limit });
    expect(texts(await list('head', 99))).toEqual(['a3', 'q3', 'a2', 'q2', 'a1', 'q1']);
    const page = await list('head', 3);
    expect(texts(page)).toEqual(['a3', 'q3', 'a2']);
    expect(texts(await list(page?.at(-1)?.parentId ?? 'head', 3))).toEqual(['q2', 'a1', 'q1']);
    expect(texts(await list(nth(runs, 0).answerId, 9))).toEqual(['a1', 'q1']);
    expect(await list(newId<MessageId>(), 9)).toBeNull();
  },

  'lists nothing of an empty thread': async ({ store }) => {
    const thread = newThread();
    await store.createThread({ owner: ann, now: NOW, thread, idempotency: null });
    expect(await store.listMessages({ owner: ann, ref: { id: thread.id }, branch: 'head', limit: 9 })).toEqual([]);
  },

  'walks over answers that are not stored yet': async ({ store }) => {
    const { id } = await conversation(store, 1);
    const live = await begin(store, { thread: { ref: { id } }, ...ask('q2') });
    const queued = await begin(store, { thread: { ref: { id } }, ...ask('q3') });
    const list = () => store.listMessages({ owner: ann, ref: { id }, branch: 'head', limit: 9 });
    expect(texts(await list())).toEqual(['q3', 'q2', 'a1', 'q1']);
    const context = async () => {
      const place = { threadKey: queued.run.threadKey, messageId: queued.run.messageId };
      return (await store.contextOf({ ...place, limit: 9, maxChars: 1_000_000 })).messages;
    };
    expect(texts(await context())).toEqual(['q1', 'a1', 'q2', 'q3']);
    await append(store, { ends: [ending(live.run, 2, 'a2')] });
    expect(texts(await list())).toEqual(['q3', 'a2', 'q2', 'a1', 'q1']);
    expect(texts(await context())).toEqual(['q1', 'a1', 'q2', 'a2', 'q3']);
  },

  'branches where a message is put below an earlier one, and goes back': async ({ store }) => {
    const { id, runs } = await conversation(store, 2);
    const ref = { id };
    const { run } = await turn(store, { thread: { ref }, ...ask('q2b', nth(runs, 0).answerId) }, 'a2b');
    const list = async () => texts(await store.listMessages({ owner: ann, ref, branch: 'head', limit: 9 }));
    expect(await list()).toEqual(['a2b', 'q2b', 'a1', 'q1']);
    expect(await store.setHead({ owner: ann, ref, messageId: nth(runs, 1).answerId, now: NOW + 9 })).toMatchObject({ updatedAt: NOW + 9 });
    expect(await list()).toEqual(['a2', 'q2', 'a1', 'q1']);
    expect(await store.setHead({ owner: ann, ref, messageId: newId<MessageId>(), now: NOW })).toBe('message_not_found');
    const root = await turn(store, { thread: { ref }, ...ask('q1c', null) }, 'a1c');
    expect(await list()).toEqual(['a1c', 'q1c']);
    expect(root.run.answerSeq).toBe(8);
    expect(
      texts((await store.contextOf({ threadKey: run.threadKey, messageId: run.messageId, limit: 9, maxChars: 1_000_000 })).messages),
    ).toEqual(['q1', 'a1', 'q2b']);
  },

  'puts a message below an answer that is still being written': async ({ store }) => {
    const live = await begin(store);
    const ref = { id: live.thread.id };
    const { run } = await begin(store, { thread: { ref }, ...ask('next', live.run.answerId) });
    expect((await store.findMessage({ owner: ann, messageId: run.messageId }))?.parentId).toBe(live.run.answerId);
    expect(await store.setHead({ owner: ann, ref, messageId: live.run.answerId, now: NOW })).toMatchObject({ headId: live.run.answerId });
  },

  'bounds a context to its newest messages': async ({ store }) => {
    const { runs } = await conversation(store, 3);
    const { threadKey, messageId } = nth(runs, 2);
    expect(texts((await store.contextOf({ threadKey, messageId, limit: 99, maxChars: 40 })).messages)).toEqual(['a2', 'q3']);
    expect(texts((await store.contextOf({ threadKey, messageId, limit: 3, maxChars: 1_000_000 })).messages)).toEqual(['q2', 'a2', 'q3']);
    expect(texts((await store.contextOf({ threadKey, messageId, limit: 99, maxChars: 1_000_000 })).messages)).toEqual([
      'q1',
      'a1',
      'q2',
      'a2',
      'q3',
    ]);
  },

  'carries the last turns of the latest thread into a new one': async ({ store }) => {
    const earlier = await conversation(store, 3);
    const unused = newThread();
    await store.createThread({ owner: ann, now: NOW, thread: unused, idempotency: null });
    const later = await conversation(store, 1, { carryTurns: 2 });
    const { threadKey, messageId } = nth(later.runs, 0);
    const context = async (limit: number) => texts((await store.contextOf({ threadKey, messageId, limit, maxChars: 1_000_000 })).messages);
    expect(await context(9)).toEqual(['q2', 'a2', 'q3', 'a3', 'q1']);
    const second = await turn(store, { thread: { ref: { id: later.id } }, ...ask('q2') });
    const cut = await store.contextOf({ threadKey, messageId: second.run.messageId, limit: 2, maxChars: 1_000_000 });
    expect(texts(cut.messages)).toEqual(['a1', 'q2']);
    const list = await store.listMessages({ owner: ann, ref: { id: later.id }, branch: 'head', limit: 99 });
    expect(list).toHaveLength(4);
    await store.closeThread({ owner: ann, ref: { id: earlier.id }, now: NOW });
    expect(await context(9)).toEqual(['q1']);
  },
};
