import { expect } from 'vitest';
import type { ProcessId, RunId } from '../../src/core/ids.ts';
import type { Store } from '../../src/core/ports/store.ts';
import type { Opened, StoreCases } from './store-cases.ts';
import { ann, append, begin, beginning, ending, lease, NOW, newId, question, segment, typesOf } from './store-fixtures.ts';
import { agentSnapshot, deciding, eventAt, logOf, namesOf, waitFor, waiting } from './store-waits-fixtures.ts';

const nextLease = { processId: newId<ProcessId>(), until: NOW + 99_000 };

async function reopen(opened: Opened): Promise<Store> {
  await opened.store.close();
  opened.store = await opened.open();
  return opened.store;
}

export const waitCases: StoreCases = {
  'lets a run wait without a process': async ({ store }) => {
    const { run, thread } = await waitFor(store, ['c1', 'c2']);
    expect(await store.findRun(ann, run.id)).toEqual({ ...run, status: 'waiting' });
    expect([await namesOf(store, run), (await logOf(store, run)).ended]).toEqual([
      ['1 run.started', '2 text.appended', '3 approval.requested', '4 approval.requested'],
      false,
    ]);
    expect(await store.takeLost({ now: NOW + 1e12, lease: nextLease })).toEqual([]);
    expect(await store.takeLost({ now: NOW, lease: nextLease, only: run.id })).toEqual([]);
    expect(await store.claimQueued({ now: NOW, lease: nextLease })).toEqual([]);
    expect([(await store.activeRun(ann))?.id, (await store.liveRunOf(ann, run.messageId))?.id]).toEqual([run.id, run.id]);
    expect(await store.countUnfinished(99)).toEqual({ queued: 0, running: 0, waiting: 1 });
    const maxUnfinished = { user: 1, application: null };
    expect(await store.runsLeft({ owner: ann, maxUnfinished })).toBe('user');
    const behind = await begin(store, { thread: { ref: { id: thread.id } } });
    expect(behind.run.status).toBe('queued');
  },

  'takes nothing more from the attempt that has let go': async ({ store }) => {
    const { run } = await waitFor(store, ['c1']);
    expect((await append(store, { segments: [segment(run, 4, ['late'])] })).fenced).toEqual([run.id]);
    expect((await append(store, { ends: [ending(run, 4)] })).fenced).toEqual([run.id]);
    expect((await append(store, { waits: [waiting(run, 4, ['c9'])] })).fenced).toEqual([run.id]);
    expect(await namesOf(store, run)).toEqual(['1 run.started', '2 text.appended', '3 approval.requested']);
    expect(await store.decideApproval(deciding(run, 'c9'))).toEqual({ kind: 'approval_not_found' });
  },

  'lets nobody wait for whom another attempt has the run': async ({ store }) => {
    const { run } = await begin(store, { snapshot: agentSnapshot() });
    const other = await begin(store, { snapshot: agentSnapshot() });
    const [unknown, stale] = [
      { ...run, id: newId<RunId>() },
      { ...run, attempt: 9 },
    ];
    const waits = [unknown, stale].map((one) => waiting(one, 2, ['c1']));
    const mixed = await append(store, { waits: [...waits, waiting(other.run, 2, ['c1'])] });
    expect(new Set(mixed.fenced)).toEqual(new Set([unknown.id, run.id]));
    expect((await store.findRun(ann, other.run.id))?.status).toBe('waiting');
    await store.takeLost({ now: lease.until, lease: nextLease });
    expect((await append(store, { waits: [waiting(run, 2, ['c1'])] })).fenced).toEqual([run.id]);
    expect(await store.findRun(ann, run.id)).toEqual({ ...run, attempt: 2 });
    expect(await store.decideApproval(deciding(run, 'c1'))).toEqual({ kind: 'approval_not_found' });
    expect((await append(store, { waits: [waiting({ ...run, attempt: 2 }, 9, ['c1'])] })).fenced).toEqual([run.id]);
    expect(await namesOf(store, run)).toEqual(['1 run.started']);
  },

  'takes what was to stand before a wait in the same batch with it, or neither': async ({ store }) => {
    const { run } = await begin(store, { snapshot: agentSnapshot() });
    const good = { segments: [segment(run, 2, ['a'])], waits: [waiting(run, 3, ['c1'])] };
    expect((await append(store, good)).fenced).toEqual([]);
    const other = await begin(store, { snapshot: agentSnapshot() });
    const gap = { segments: [segment(other.run, 3, ['a'])], waits: [waiting(other.run, 2, ['c1'])] };
    expect((await append(store, gap)).fenced).toEqual([other.run.id]);
    expect(await store.findRun(ann, other.run.id)).toEqual(other.run);
  },

  'leaves a run as it was when the batch of its wait cannot be stored': async ({ store }) => {
    const { run } = await begin(store, { snapshot: agentSnapshot() });
    const other = await begin(store);
    const squatter = { ...question('Who took the name?'), id: other.run.answerId };
    await begin(store, { ask: { kind: 'append', messages: [squatter], parent: null } });
    await expect(append(store, { waits: [waiting(run, 2, ['c1'])], ends: [ending(other.run, 2)] })).rejects.toThrow();
    expect(await store.findRun(ann, run.id)).toEqual(run);
    expect(await store.decideApproval(deciding(run, 'c1'))).toEqual({ kind: 'approval_not_found' });
    expect((await append(store, { segments: [segment(run, 2, ['a'])] })).fenced).toEqual([]);
    expect((await append(store, { waits: [waiting(run, 3, ['c1'])] })).fenced).toEqual([]);
    expect(await namesOf(store, run)).toEqual(['1 run.started', '2 text.appended', '3 approval.requested']);
  },

  'takes the repeat of a wait, whose answer got lost, as written': async ({ store }) => {
    const { run, wait } = await waitFor(store, ['c1', 'c2']);
    const repeat = async () => (await append(store, { waits: [wait], lease })).fenced;
    expect(await repeat()).toEqual([]);
    await store.decideApproval(deciding(run, 'c1'));
    expect(await repeat()).toEqual([]);
    expect(await store.decideApproval(deciding(run, 'c1'))).toMatchObject({ kind: 'already_decided' });
    await store.decideApproval(deciding(run, 'c2'));
    const [resumed] = await store.claimQueued({ now: NOW, lease: nextLease });
    expect(await repeat()).toEqual([]);
    expect((await append(store, { waits: [waiting(run, 3, ['c3', 'c4'])] })).fenced).toEqual([run.id]);
    if (resumed === undefined) throw new Error('The run has not gone on.');
    await append(store, { ends: [ending(resumed, 8)] });
    expect(await repeat()).toEqual([]);
    expect((await store.findRun(ann, run.id))?.status).toBe('completed');
  },

  'goes on when all is decided, before what is queued behind it': async ({ store }) => {
    const { run, thread, queued } = await waitFor(store, ['c1', 'c2'], { behind: 2 });
    const facts = await store.lastThreadEvent(ann, { id: thread.id });
    const first = await store.decideApproval(deciding(run, 'c2', { arguments: '{"n":"\\u0000é"}' }));
    expect(first).toEqual({ kind: 'decided', run: { ...run, status: 'waiting' } });
    expect(await store.claimQueued({ now: NOW, lease: nextLease })).toEqual([]);
    const second = await store.decideApproval(deciding(run, 'c1', { decision: 'deny' }));
    expect(second).toEqual({ kind: 'decided', run: { ...run, status: 'queued' } });
    const resumed = { ...run, status: 'running', attempt: 2 };
    expect(await store.claimQueued({ now: NOW, lease: nextLease })).toEqual([resumed]);
    expect(await store.findRun(ann, run.id)).toEqual(resumed);
    expect((await namesOf(store, run)).slice(3)).toEqual([
      ...['4 approval.requested', '5 approval.decided', '6 approval.decided', '7 run.restarted'],
    ]);
    const decided = { type: 'approval.decided', run_id: run.id, expired: false };
    expect(await eventAt(store, run, 5)).toEqual({
      ...decided,
      ...{ offset: 5, call_id: 'c2', decision: 'approve', arguments: '{"n":"\\u0000é"}' },
    });
    expect(await eventAt(store, run, 6)).toEqual({ ...decided, offset: 6, call_id: 'c1', decision: 'deny', arguments: null });
    expect(await eventAt(store, run, 7)).toEqual({ type: 'run.restarted', run_id: run.id, offset: 7, attempt: 2 });
    expect(await store.lastThreadEvent(ann, { id: thread.id })).toBe(facts);
    expect((await append(store, { segments: [segment(run, 8, ['stale'])] })).fenced).toEqual([run.id]);
    expect((await append(store, { segments: [segment({ ...run, attempt: 2 }, 8, ['Done.'])] })).fenced).toEqual([]);
    const { started } = await append(store, { ends: [ending({ ...run, attempt: 2 }, 9)], lease: nextLease });
    expect(started.map(({ id }) => id)).toEqual([queued[0]?.id]);
    expect((await namesOf(store, run)).slice(6)).toEqual(['7 run.restarted', '8 text.appended', '9 run.completed']);
  },

  'waits and goes on again and again': async ({ store }) => {
    const { run } = await waitFor(store, ['c1']);
    let attempt = run;
    for (let round = 2; round < 5; round += 1) {
      const offset = round * 3 - 2;
      await store.decideApproval(deciding(run, round === 2 ? 'c1' : `c${round - 1}`));
      [attempt = run] = await store.claimQueued({ now: NOW, lease: nextLease });
      expect(attempt.attempt).toBe(round);
      expect((await append(store, { waits: [waiting(attempt, offset + 2, [`c${round}`])] })).fenced).toEqual([]);
    }
    expect((await namesOf(store, run)).at(-1)).toBe('12 approval.requested');
    const lost = await store.takeLost({ now: nextLease.until, lease });
    expect(lost).toEqual([]);
  },

  'asks anew about a call that was decided before': async ({ store }) => {
    const { run } = await waitFor(store, ['c1']);
    await store.decideApproval(deciding(run, 'c1'));
    const [resumed = run] = await store.claimQueued({ now: NOW, lease: nextLease });
    await append(store, { waits: [waiting(resumed, 6, ['c1'])] });
    expect(await store.decideApproval(deciding(run, 'c1', { decision: 'deny' }))).toMatchObject({
      kind: 'decided',
      run: { status: 'queued' },
    });
  },

  'is still there after the server was not': async (opened) => {
    const { run, thread } = await waitFor(opened.store, ['c1', 'c2']);
    await opened.store.decideApproval(deciding(run, 'c1'));
    const before = await logOf(opened.store, run);
    let store = await reopen(opened);
    expect(await store.takeLost({ now: NOW + 1e12, lease: nextLease })).toEqual([]);
    expect(await logOf(store, run)).toEqual(before);
    expect(await store.findRun(ann, run.id)).toEqual({ ...run, status: 'waiting' });
    await store.decideApproval(deciding(run, 'c2'));
    store = await reopen(opened);
    const [resumed] = await store.claimQueued({ now: NOW, lease });
    expect(resumed).toEqual({ ...run, status: 'running', attempt: 2 });
    store = await reopen(opened);
    const [lost] = await store.takeLost({ now: NOW + 1e12, lease: nextLease });
    expect(lost?.run).toEqual({ ...run, status: 'running', attempt: 3 });
    expect(typesOf(lost?.events ?? [])).toEqual([
      ...['1 run.started', '2 text.appended', '3 approval.requested', '4 approval.requested'],
      ...['5 approval.decided', '6 approval.decided', '7 run.restarted'],
    ]);
    expect((await append(store, { ends: [ending({ ...run, attempt: 3 }, 8)] })).fenced).toEqual([]);
    expect((await store.listMessages({ owner: ann, ref: { id: thread.id }, branch: 'head', limit: 9 }))?.map(({ seq }) => seq)).toEqual([
      2, 1,
    ]);
  },

  'takes a repeated beginning as it was, though the run waits': async ({ store }) => {
    const input = beginning({ idempotency: { key: 'k', fingerprint: 'f' }, snapshot: agentSnapshot() });
    const first = await store.beginRun(input);
    if (first.kind !== 'begun') throw new Error('The run has not begun.');
    await append(store, { waits: [waiting(first.run, 2, ['c1'])] });
    expect(await store.beginRun(input)).toEqual({ kind: 'replayed', run: first.run, thread: first.thread });
  },
};
