import { expect } from 'vitest';
import type { ProcessId } from '../../src/core/ids.ts';
import type { StoreCases } from './store-cases.ts';
import { ann, append, begin, beginning, ending, lease, NOW, newId, newThread, segment, turn, typesOf } from './store-fixtures.ts';

const nextLease = { processId: newId<ProcessId>(), until: NOW + 99_000 };

export const queueCases: StoreCases = {
  'brings 50 requests at once to one thread into one order': async ({ store }) => {
    const create = newThread();
    const inputs = Array.from({ length: 50 }, () => beginning({ thread: { create: { ...newThread(), id: create.id } }, maxQueued: 50 }));
    const runs = (await Promise.all(inputs.map((input) => store.beginRun(input)))).flatMap((result) =>
      result.kind === 'begun' ? [result.run] : [],
    );
    const ordered = runs.toSorted((a, b) => a.answerSeq - b.answerSeq);
    expect(ordered.map((run) => run.answerSeq)).toEqual(ordered.map((_, index) => 2 * index + 2));
    expect(ordered.map((run) => run.status)).toEqual(ordered.map((_, index) => (index === 0 ? 'running' : 'queued')));
    const questions = await Promise.all(ordered.map((run) => store.findMessage({ owner: ann, messageId: run.messageId })));
    expect(questions.map((message) => message?.seq)).toEqual(ordered.map((_, index) => 2 * index + 1));
    expect(questions.map((message) => message?.parentId)).toEqual([null, ...ordered.slice(0, -1).map((run) => run.answerId)]);
    let running = ordered[0];
    for (const following of [...ordered.slice(1), undefined]) {
      if (running === undefined) throw new Error('The queue has stopped.');
      const { started } = await append(store, { ends: [ending(running, 2)], lease });
      expect(started.map((run) => run.id)).toEqual(following === undefined ? [] : [following.id]);
      running = started[0];
    }
    const listed = await store.listMessages({ owner: ann, ref: { id: create.id }, branch: 'head', limit: 200 });
    expect(listed?.map((message) => message.seq)).toEqual(Array.from({ length: 100 }, (_, index) => 100 - index));
  },

  'bounds the queue': async ({ store }) => {
    const { thread } = await begin(store, { maxQueued: 2 });
    const next = () => store.beginRun(beginning({ thread: { ref: { id: thread.id } }, maxQueued: 2 }));
    expect([(await next()).kind, (await next()).kind]).toEqual(['begun', 'begun']);
    const head = (await store.findThread(ann, { id: thread.id }))?.headId;
    expect(await next()).toEqual({ kind: 'refused', reason: 'queue_full' });
    expect((await store.findThread(ann, { id: thread.id }))?.headId).toBe(head);
  },

  'leaves the queue alone while draining and claims it later': async ({ store }) => {
    const first = await begin(store);
    const second = await begin(store, { thread: { ref: { id: first.thread.id } } });
    const third = await begin(store, { thread: { ref: { id: first.thread.id } } });
    expect(await store.claimQueued({ now: NOW, lease })).toEqual([]);
    expect((await append(store, { ends: [ending(first.run, 2)] })).started).toEqual([]);
    expect(await store.claimQueued({ now: NOW, lease })).toEqual([{ ...second.run, status: 'running', attempt: 1 }]);
    expect(await store.findRun(ann, third.run.id)).toEqual(third.run);
    const { events } = await store.readLog({ runId: second.run.id, after: 0, maxBytes: 1000 });
    expect(typesOf(events)).toEqual(['1 run.started']);
    const facts = await store.listThreadEvents(ann, { id: first.thread.id }, { after: 0, limit: 99 });
    expect(facts?.at(-1)).toMatchObject({ type: 'run.started', run_id: second.run.id });
  },

  'ends a queued run at once when it is cancelled': async ({ store }) => {
    const first = await begin(store);
    const second = await begin(store, { thread: { ref: { id: first.thread.id } } });
    const cancelled = await store.cancelRun({ owner: ann, runId: second.run.id, now: NOW + 5 });
    expect(cancelled).toEqual({ ...second.run, status: 'cancelled', endedAt: NOW + 5 });
    expect(await store.findRun(ann, second.run.id)).toEqual(cancelled);
    const page = await store.readLog({ runId: second.run.id, after: 0, maxBytes: 1000 });
    expect(page).toEqual({ events: [JSON.stringify({ type: 'run.cancelled', run_id: second.run.id, offset: 1 })], ended: true });
    expect(await store.findMessage({ owner: ann, messageId: second.run.answerId })).toMatchObject({
      ...{ status: 'cancelled', parts: [], seq: second.run.answerSeq, parentId: second.run.messageId, runId: second.run.id },
    });
    expect(await store.cancelRun({ owner: ann, runId: second.run.id, now: NOW + 9 })).toEqual(cancelled);
    expect((await append(store, { ends: [ending(first.run, 2)], lease })).started).toEqual([]);
  },

  'gives a running run back to be cancelled by its process': async ({ store }) => {
    const { run } = await begin(store);
    expect(await store.cancelRun({ owner: ann, runId: run.id, now: NOW + 5 })).toEqual(run);
    expect(await store.findRun(ann, run.id)).toEqual(run);
  },

  'takes over what a lost process left, with all its events': async (opened) => {
    const left = await begin(opened.store);
    const waiting = await begin(opened.store, { thread: { ref: { id: left.thread.id } } });
    const done = await turn(opened.store);
    await append(opened.store, { segments: [segment(left.run, 2, ['a', 'b']), segment(left.run, 4, ['c'])] });
    await opened.store.close();
    const store = await opened.open();
    opened.store = store;
    expect(await store.takeLost({ now: lease.until - 1, lease: nextLease })).toEqual([]);
    const lost = await store.takeLost({ now: lease.until, lease: nextLease });
    expect(lost.map(({ run }) => run)).toEqual([{ ...left.run, attempt: 2 }]);
    expect(typesOf(lost[0]?.events ?? [])).toEqual(['1 run.started', '2 text.appended', '3 text.appended', '4 text.appended']);
    expect(await store.takeLost({ now: lease.until, lease: nextLease })).toEqual([]);
    expect((await append(store, { segments: [segment(left.run, 5, ['stale'])] })).fenced).toEqual([left.run.id]);
    const taken = { ...left.run, attempt: 2 };
    expect((await append(store, { segments: [segment(taken, 5, [{ type: 'run.restarted', attempt: 2 }])] })).fenced).toEqual([]);
    expect((await append(store, { ends: [ending(left.run, 6)] })).fenced).toEqual([left.run.id]);
    const { fenced, started } = await append(store, { ends: [ending(taken, 6)], lease: nextLease });
    expect([fenced, started.map((run) => run.id)]).toEqual([[], [waiting.run.id]]);
    const page = await store.readLog({ runId: left.run.id, after: 3, maxBytes: 10_000 });
    expect(typesOf(page.events)).toEqual(['4 text.appended', '5 run.restarted', '6 run.completed']);
    expect((await store.findRun(ann, done.run.id))?.attempt).toBe(1);
  },

  'renews the leases of one process only, and only those it names': async ({ store }) => {
    const mine = await begin(store);
    const other = await begin(store, { lease: { ...lease, processId: newId<ProcessId>() } });
    const unnamed = await begin(store);
    const kept = await store.renewLeases({ ...lease, until: lease.until + 5000, runIds: [mine.run.id, other.run.id] });
    expect(kept).toEqual([mine.run.id]);
    const lost = await store.takeLost({ now: lease.until, lease: nextLease });
    expect(lost.map(({ run }) => run.id).toSorted()).toEqual([other.run.id, unnamed.run.id].toSorted());
    expect(await store.renewLeases({ ...lease, until: lease.until + 5000 })).toEqual([mine.run.id]);
    expect((await store.takeLost({ now: lease.until + 5000, lease: nextLease })).map(({ run }) => run.id)).toEqual([mine.run.id]);
  },
};
