import { expect } from 'vitest';
import type { ProcessId, RunId } from '../../src/core/ids.ts';
import type { StoreCases } from './store-cases.ts';
import { ann, append, begin, bob, elsewhere, ending, lease, NOW, newId, segment, typesOf } from './store-fixtures.ts';
import { agentSnapshot, deciding, EXPIRES, eventAt, logOf, namesOf, waitFor, waiting } from './store-waits-fixtures.ts';

const nextLease = { processId: newId<ProcessId>(), until: NOW + 99_000 };

export const decisionCases: StoreCases = {
  'is decided once': async ({ store }) => {
    const { run } = await waitFor(store, ['c1', 'c2']);
    await store.decideApproval(deciding(run, 'c1', { decision: 'deny' }));
    const before = await logOf(store, run);
    for (const decision of ['approve', 'deny'] as const) {
      expect(await store.decideApproval(deciding(run, 'c1', { decision }))).toEqual({
        ...{ kind: 'already_decided', decision: 'deny', run: { ...run, status: 'waiting' } },
      });
    }
    expect(await logOf(store, run)).toEqual(before);
    await store.decideApproval(deciding(run, 'c2'));
    expect(await store.decideApproval(deciding(run, 'c2'))).toMatchObject({ kind: 'already_decided', run: { status: 'queued' } });
    const [resumed = run] = await store.claimQueued({ now: NOW, lease: nextLease });
    expect(await store.decideApproval(deciding(run, 'c2'))).toMatchObject({ kind: 'already_decided', run: { status: 'running' } });
    await append(store, { ends: [ending(resumed, 8)] });
    expect(await store.decideApproval(deciding(run, 'c2'))).toMatchObject({ kind: 'already_decided', run: { status: 'completed' } });
  },

  'is decided by one of many who decide at once': async (opened) => {
    const { store } = opened;
    const second = store.capabilities.shared ? await opened.open() : store;
    const { run, queued } = await waitFor(store, ['c1', 'c2'], { behind: 1 });
    const decisions = Array.from({ length: 12 }, (_, index) =>
      deciding(run, index % 4 < 2 ? 'c1' : 'c2', { decision: index % 2 ? 'approve' : 'deny' }),
    );
    const results = await Promise.all(decisions.map((input, index) => (index % 3 === 0 ? second : store).decideApproval(input)));
    expect(results.map(({ kind }) => kind).toSorted()).toEqual([...Array(10).fill('already_decided'), 'decided', 'decided']);
    const claims = await Promise.all([store, second].map((one) => one.claimQueued({ now: NOW, lease: nextLease })));
    expect(claims.flat().map(({ id, attempt }) => [id, attempt])).toEqual([[run.id, 2]]);
    expect((await namesOf(store, run)).slice(4)).toEqual(['5 approval.decided', '6 approval.decided', '7 run.restarted']);
    expect((await store.findRun(ann, queued[0]?.id ?? run.id))?.status).toBe('queued');
    if (second !== store) await second.close();
  },

  'is decided by its user only': async ({ store }) => {
    const { run } = await waitFor(store, ['c1']);
    const nothing = { kind: 'run_not_found' };
    for (const owner of [bob, elsewhere]) expect(await store.decideApproval(deciding(run, 'c1', { owner }))).toEqual(nothing);
    expect(await store.decideApproval(deciding(run, 'c1', { runId: newId<RunId>() }))).toEqual(nothing);
    for (const callId of ['', 'C1', 'c1 ', 'c1\0', '\ud800', "' or 1=1 --", '%', 'x'.repeat(100_000)]) {
      expect(await store.decideApproval(deciding(run, callId))).toEqual({ kind: 'approval_not_found' });
    }
    expect(await namesOf(store, run)).toHaveLength(3);
  },

  'counts as denied when nobody decides in time': async ({ store }) => {
    const { run } = await waitFor(store, ['c2', 'c1']);
    const patient = await waitFor(store, ['c1']);
    await store.decideApproval(deciding(run, 'c2'));
    expect(await store.expireApprovals(EXPIRES - 1)).toEqual([]);
    const touched = await store.expireApprovals(EXPIRES);
    expect(touched.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
      [
        { ...run, status: 'queued' },
        { ...patient.run, status: 'queued' },
      ].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    );
    expect(await store.expireApprovals(EXPIRES)).toEqual([]);
    expect(await eventAt(store, run, 6)).toEqual({
      ...{ type: 'approval.decided', run_id: run.id, offset: 6, call_id: 'c1', decision: 'deny', arguments: null, expired: true },
    });
    expect(await store.decideApproval(deciding(run, 'c1'))).toMatchObject({ kind: 'already_decided', decision: 'deny' });
    expect(await store.decideApproval(deciding(run, 'c2'))).toMatchObject({ kind: 'already_decided', decision: 'approve' });
  },

  'denies what comes too late, whoever looks first': async ({ store }) => {
    const { run } = await waitFor(store, ['c1', 'c2']);
    const late = await store.decideApproval(deciding(run, 'c1', { now: EXPIRES }));
    expect(late).toEqual({ kind: 'already_decided', decision: 'deny', run: { ...run, status: 'waiting' } });
    expect(await eventAt(store, run, 5)).toMatchObject({ call_id: 'c1', decision: 'deny', expired: true });
    const last = await store.decideApproval(deciding(run, 'c2', { now: EXPIRES }));
    expect(last).toEqual({ kind: 'already_decided', decision: 'deny', run: { ...run, status: 'queued' } });
    expect(await store.expireApprovals(EXPIRES)).toEqual([]);
  },

  'lets one of a decision and the time’s end win': async (opened) => {
    const { store } = opened;
    const second = store.capabilities.shared ? await opened.open() : store;
    for (let round = 0; round < 6; round += 1) {
      const { run } = await waitFor(store, ['c1']);
      const decide = () => store.decideApproval(deciding(run, 'c1'));
      const expire = () => second.expireApprovals(EXPIRES);
      const both = round % 2 ? [decide(), expire()] : [expire(), decide()];
      await Promise.all(both);
      expect(await namesOf(store, run)).toEqual(['1 run.started', '2 text.appended', '3 approval.requested', '4 approval.decided']);
      expect((await store.findRun(ann, run.id))?.status).toBe('queued');
    }
    if (second !== store) await second.close();
  },

  'keeps what was said so far when it is cancelled while it waits': async ({ store }) => {
    const { run, thread, queued } = await waitFor(store, ['c1', 'c2'], { behind: 1 });
    await store.decideApproval(deciding(run, 'c2'));
    const cancelled = await store.cancelRun({ owner: ann, runId: run.id, now: NOW + 5 });
    expect(cancelled).toEqual({ ...run, status: 'cancelled', endedAt: NOW + 5 });
    const page = await logOf(store, run);
    expect([typesOf(page.events).at(-1), page.ended]).toEqual(['6 run.cancelled', true]);
    expect(await store.findMessage({ owner: ann, messageId: run.answerId })).toMatchObject({
      ...{ status: 'cancelled', parts: [{ type: 'text', text: 'Let me see.' }], threadId: thread.id },
    });
    expect(await store.decideApproval(deciding(run, 'c1'))).toEqual({ kind: 'already_decided', decision: 'deny', run: cancelled });
    expect(await store.expireApprovals(EXPIRES)).toEqual([]);
    expect((await store.claimQueued({ now: NOW, lease })).map(({ id }) => id)).toEqual([queued[0]?.id]);
    expect(await logOf(store, run)).toEqual(page);
  },

  'keeps what was said so far in lines that leave out their run': async ({ store }) => {
    const { run } = await begin(store, { snapshot: agentSnapshot() });
    const words = { runId: run.id, attempt: run.attempt, first: 2, last: 4, events: '"A look?\\n"\n[0,"Let me"]\n[6," see."]' };
    await append(store, { segments: [words] });
    await append(store, { waits: [waiting(run, 5, ['c1'])] });
    await store.cancelRun({ owner: ann, runId: run.id, now: NOW + 5 });
    expect((await logOf(store, run)).events.slice(1, 4)).toEqual(words.events.split('\n'));
    expect(await store.findMessage({ owner: ann, messageId: run.answerId })).toMatchObject({
      parts: [
        { type: 'reasoning', text: 'A look?\n' },
        { type: 'text', text: 'Let me see.' },
      ],
    });
  },

  'keeps what was said so far when it is cancelled before it goes on': async ({ store }) => {
    const { run } = await waitFor(store, ['c1']);
    await store.decideApproval(deciding(run, 'c1'));
    const tool = { call_id: 'c1', name: 'add_task' };
    const [resumed = run] = await store.claimQueued({ now: NOW, lease });
    const called = segment(resumed, 6, [
      { type: 'tool.called', ...tool, arguments: '{}', called_at: '2027-01-15T08:00:00Z' },
      { type: 'tool.returned', ...tool, status: 'completed', result: 'Added.', returned_at: '2027-01-15T08:00:01Z' },
      'Next.',
    ]);
    await append(store, { segments: [called], waits: [waiting(resumed, 9, ['c2'])] });
    await store.decideApproval(deciding(run, 'c2'));
    await store.cancelRun({ owner: ann, runId: run.id, now: NOW + 5 });
    const stored = await store.findMessage({ owner: ann, messageId: run.answerId });
    expect(stored?.parts).toMatchObject([
      { type: 'text', text: 'Let me see.' },
      { type: 'tool_call', ...tool, arguments: '{}' },
      { type: 'tool_result', ...tool, status: 'completed', result: 'Added.' },
      { type: 'text', text: 'Next.' },
    ]);
    expect((await namesOf(store, run)).slice(-2)).toEqual(['10 approval.decided', '11 run.cancelled']);
  },

  'is cancelled or decided, not both': async (opened) => {
    const { store } = opened;
    const second = store.capabilities.shared ? await opened.open() : store;
    for (let round = 0; round < 4; round += 1) {
      const { run } = await waitFor(store, ['c1']);
      const decide = second.decideApproval(deciding(run, 'c1'));
      const [cancelled, decided] = await Promise.all([store.cancelRun({ owner: ann, runId: run.id, now: NOW }), decide]);
      expect(cancelled?.status).toBe('cancelled');
      const names = (await namesOf(store, run)).slice(3).map((name) => name.split(' ')[1]);
      expect(names).toEqual(decided.kind === 'decided' ? ['approval.decided', 'run.cancelled'] : ['run.cancelled']);
    }
    if (second !== store) await second.close();
  },

  'goes with its thread, and nobody decides about it any more': async ({ store, place }) => {
    const canary = 'aRgUmEnT-93e1';
    const { run, thread } = await begin(store, { snapshot: agentSnapshot() });
    const wait = waiting(run, 2, [`c-${canary}`, 'c2']);
    await append(store, { waits: [wait] });
    await store.decideApproval(deciding(run, 'c2', { arguments: JSON.stringify({ text: canary }) }));
    expect(await place.holding(canary)).not.toEqual([]);
    const closed = await store.closeThread({ owner: ann, ref: { id: thread.id }, now: NOW });
    expect(closed?.unfinished.map(({ id, status }) => [id, status])).toEqual([[run.id, 'waiting']]);
    expect(await store.decideApproval(deciding(run, `c-${canary}`))).toEqual({ kind: 'run_not_found' });
    expect(await store.expireApprovals(EXPIRES)).toEqual([]);
    expect((await store.cancelRun({ owner: ann, runId: run.id, now: NOW }))?.status).toBe('cancelled');
    await store.purgeThread(thread.key);
    expect(await place.holding(canary)).toEqual([]);
    expect(await store.decideApproval(deciding(run, 'c2'))).toEqual({ kind: 'run_not_found' });
  },
};
