import { expect } from 'vitest';
import type { MessageId } from '../../src/core/ids.ts';
import type { BeginResult } from '../../src/core/ports/store.ts';
import type { StoreCases } from './store-cases.ts';
import {
  ann,
  append,
  begin,
  beginning,
  begun,
  bob,
  DAY,
  ending,
  NOW,
  newId,
  newThread,
  question,
  turn,
  typesOf,
} from './store-fixtures.ts';

const refused = (reason: string) => ({ kind: 'refused', reason });

export const beginCases: StoreCases = {
  'stores question and run together and names the answer': async ({ store }) => {
    const input = beginning({ title: 'Greeting' });
    const { run, thread } = begun(await store.beginRun(input));
    expect(run).toMatchObject({ id: input.names.runId, answerId: input.names.answerId, status: 'running', attempt: 1, answerSeq: 2 });
    expect(thread).toMatchObject({ title: 'Greeting', headId: run.answerId, updatedAt: NOW });
    expect(await store.findRun(ann, run.id)).toEqual(run);
    expect(await store.findRunInApplication(ann.applicationId, run.id)).toEqual(run);
    expect(await store.findThread(ann, { id: thread.id })).toEqual(thread);
    expect(await store.findMessage({ owner: ann, messageId: run.messageId })).toEqual({
      ...{ id: run.messageId, threadId: thread.id, seq: 1, parentId: null, role: 'user', status: 'completed', createdAt: NOW },
      ...{ parts: [{ type: 'text', text: 'Hello?' }], runId: null, model: null, usage: null },
    });
    expect(await store.findMessage({ owner: ann, messageId: run.answerId })).toBeNull();
    const page = await store.readLog({ runId: run.id, after: 0, maxBytes: 1000 });
    expect(page.ended).toBe(false);
    expect(page.events.map((json) => JSON.parse(json))).toEqual([
      {
        ...{ type: 'run.started', run_id: run.id, offset: 1, thread_id: thread.id, message_id: run.messageId },
        ...{ answer_id: run.answerId, model: 'demo', attempt: 1 },
      },
    ]);
  },

  'keeps a title and gives none to a thread that has one': async ({ store }) => {
    const { thread } = await turn(store, { title: 'First' });
    const later = await begin(store, { thread: { ref: { number: thread.number } }, title: 'Second', now: NOW + 7 });
    expect(later.thread).toMatchObject({ key: thread.key, title: 'First', updatedAt: NOW + 7 });
  },

  'opens the existing thread when a user creates it again': async ({ store }) => {
    const create = newThread();
    const first = await turn(store, { thread: { create } });
    const second = await begin(store, { thread: { create: { ...newThread(), id: create.id } } });
    expect(second.thread.key).toBe(first.thread.key);
    expect(second.run.answerSeq).toBe(4);
  },

  'leaves a run queued without a lease': async ({ store }) => {
    const { run } = await begin(store, { lease: null });
    expect(run).toMatchObject({ status: 'queued', attempt: 0 });
    expect(await store.readLog({ runId: run.id, after: 0, maxBytes: 1000 })).toEqual({ events: [], ended: false });
  },

  'refuses what it cannot find and writes nothing': async ({ store }) => {
    const { thread } = await turn(store);
    const ref = { id: thread.id };
    const stray = await turn(store, { owner: bob });
    const ask = { kind: 'append', messages: [question('?')], parent: stray.run.messageId } as const;
    expect(await store.beginRun(beginning({ owner: bob, thread: { ref } }))).toEqual(refused('thread_not_found'));
    expect(await store.beginRun(beginning({ thread: { ref }, ask }))).toEqual(refused('message_not_found'));
    const again = { kind: 'again', message: stray.run.messageId } as const;
    expect(await store.beginRun(beginning({ thread: { ref }, ask: again }))).toEqual(refused('message_not_found'));
    const create = newThread();
    const inNew = beginning({ thread: { create }, ask: { ...ask, parent: newId<MessageId>() } });
    expect(await store.beginRun(inNew)).toEqual(refused('message_not_found'));
    expect(await store.findThread(ann, { id: create.id })).toBeNull();
    expect(await store.findThread(ann, ref)).toMatchObject({ headId: thread.headId, updatedAt: NOW });
  },

  'refuses when the head has moved': async ({ store }) => {
    const { run, thread } = await turn(store);
    const ref = { id: thread.id };
    expect(await store.beginRun(beginning({ thread: { ref }, expectedHead: run.messageId }))).toEqual(refused('head_moved'));
    expect(await store.beginRun(beginning({ thread: { ref }, expectedHead: null }))).toEqual(refused('head_moved'));
    expect((await store.beginRun(beginning({ thread: { ref }, expectedHead: run.answerId }))).kind).toBe('begun');
  },

  'adds several messages as one chain': async ({ store }) => {
    const messages = [question('a'), { ...question('b'), role: 'assistant' as const }, question('c')];
    const { run, thread } = await begin(store, { ask: { kind: 'append', messages, parent: null } });
    expect(run).toMatchObject({ messageId: messages[2]?.id, answerSeq: 4 });
    const listed = await store.listMessages({ owner: ann, ref: { id: thread.id }, branch: 'head', limit: 9 });
    expect(listed?.map(({ id, seq, parentId }) => ({ id, seq, parentId }))).toEqual(
      messages.map(({ id }, index) => ({ id, seq: index + 1, parentId: messages[index - 1]?.id ?? null })).reverse(),
    );
  },

  'answers a question once more, named by itself or by its answer': async ({ store }) => {
    const { run, thread } = await turn(store);
    const ref = { id: thread.id };
    for (const [index, message] of [run.messageId, run.answerId].entries()) {
      const again = await begin(store, { thread: { ref }, ask: { kind: 'again', message } });
      expect(again.run).toMatchObject({ messageId: run.messageId, answerSeq: 3 + index, status: 'running' });
      expect(again.thread.headId).toBe(again.run.answerId);
      await append(store, { ends: [ending(again.run, 2)] });
    }
    expect(await store.listMessages({ owner: ann, ref, branch: 'head', limit: 9 })).toHaveLength(2);
  },

  'gives the first result again under its key': async ({ store }) => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    const input = beginning({ idempotency });
    const first = begun(await store.beginRun(input));
    await append(store, { ends: [ending(first.run, 2)] });
    const repeat = beginning({ idempotency, now: NOW + DAY - 1 });
    expect(await store.beginRun(repeat)).toEqual({ ...first, kind: 'replayed' });
    const mismatch = { ...repeat, idempotency: { key: 'k', fingerprint: 'g' } };
    expect(await store.beginRun(mismatch)).toEqual(refused('idempotency_mismatch'));
    expect((await store.beginRun({ ...mismatch, owner: bob })).kind).toBe('begun');
    expect((await store.beginRun(beginning({ idempotency, now: NOW + DAY }))).kind).toBe('begun');
  },

  'makes one run of 200 equal requests at once': async ({ store }) => {
    const requests = Array.from({ length: 200 }, () => store.beginRun(beginning({ idempotency: { key: 'k', fingerprint: 'f' } })));
    const results = await Promise.all(requests);
    expect(results.filter((result) => result.kind === 'begun')).toHaveLength(1);
    expect(results.filter((result) => result.kind === 'replayed')).toHaveLength(199);
    expect(new Set(results.map((result) => (result.kind === 'refused' ? result.reason : result.run.id))).size).toBe(1);
    expect(await store.listThreads(ann, { limit: 9, cursor: null })).toHaveLength(1);
  },

  'lets a failing request hurt no other that came with it': async ({ store }) => {
    const live = await begin(store);
    const bad = () => beginning({ names: { runId: newId(), answerId: live.run.answerId } });
    const inputs = Array.from({ length: 30 }, (_, index) => (index % 3 === 1 ? bad() : beginning()));
    const results = await Promise.allSettled<BeginResult>(inputs.map((input) => store.beginRun(input)));
    expect(results.map((result) => result.status)).toEqual(inputs.map((_, index) => (index % 3 === 1 ? 'rejected' : 'fulfilled')));
    expect(await store.listThreads(ann, { limit: 99, cursor: null })).toHaveLength(21);
    for (const result of results) {
      if (result.status === 'rejected') continue;
      const { run } = begun(result.value);
      expect(await append(store, { ends: [ending(run, 2)] })).toEqual({ fenced: [], started: [] });
      const page = await store.readLog({ runId: run.id, after: 0, maxBytes: 10_000 });
      expect(typesOf(page.events)).toEqual(['1 run.started', '2 run.completed']);
    }
  },
};
