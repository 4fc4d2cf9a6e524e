import { v7 } from 'uuid';
import { expect } from 'vitest';
import type { ApplicationId } from '../../src/core/ids.ts';
import type { BeginResult, BeginRun, RunsLeft, Store } from '../../src/core/ports/store.ts';
import type { Owner } from '../../src/core/principal.ts';
import type { Opened, StoreCases } from './store-cases.ts';
import { ann, append, begin, beginning, begun, bob, elsewhere, ending, NOW } from './store-fixtures.ts';

const refusedFor = (bound: keyof RunsLeft) => ({ kind: 'refused', reason: 'run_limit', bound });
const refused = refusedFor('user');

const perUser = (user: number): Partial<BeginRun> => ({ maxUnfinished: { user, application: null } });
const perApplication = (application: number): Partial<BeginRun> => ({ maxUnfinished: { user: null, application } });

/** Two servers where the store is shared, else the one that it has. */
async function servers({ store, open }: Opened): Promise<{ both: readonly [Store, Store]; close(): Promise<void> }> {
  if (!store.capabilities.shared) return { both: [store, store], close: async () => undefined };
  const other = await open();
  return { both: [store, other], close: () => other.close() };
}

async function atOnce(stores: readonly [Store, Store], inputs: readonly BeginRun[], bound: keyof RunsLeft = 'user') {
  const results: readonly BeginResult[] = await Promise.all(inputs.map((input, index) => stores[index % 2 === 0 ? 0 : 1].beginRun(input)));
  const runs = results.flatMap((result) => (result.kind === 'begun' ? [result.run] : []));
  const refusals = results.filter((result) => result.kind !== 'begun');
  expect(refusals).toEqual(Array.from({ length: inputs.length - runs.length }, () => refusedFor(bound)));
  return runs;
}

const times = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));

export const runLimitCases: StoreCases = {
  'tell how a run would be refused, and write nothing': async ({ store }) => {
    const { thread, run } = await begin(store, perUser(2));
    const inThread = (changes: Partial<BeginRun>) => beginning({ thread: { ref: { id: thread.id } }, ...changes });
    expect(await store.refusalToBegin(inThread(perUser(1)))).toEqual(refused);
    expect(await store.refusalToBegin(inThread(perApplication(1)))).toEqual(refusedFor('application'));
    expect(await store.refusalToBegin(inThread({ maxQueued: 0 }))).toEqual({ kind: 'refused', reason: 'queue_full' });
    expect(await store.refusalToBegin(beginning({ thread: { ref: { id: v7() as typeof thread.id } } }))).toMatchObject({ kind: 'refused' });
    for (let tries = 0; tries < 3; tries += 1) expect(await store.refusalToBegin(inThread(perUser(2)))).toBeNull();
    expect(await store.refusalToBegin(beginning(perUser(2)))).toBeNull();
    expect(await store.listThreads(ann, { limit: 9, cursor: null })).toHaveLength(1);
    await append(store, { ends: [ending(run, 2)] });
    expect(await store.refusalToBegin(inThread(perUser(1)))).toBeNull();
    expect((await store.beginRun(inThread(perUser(1)))).kind).toBe('begun');
  },

  'begin three of 50 runs at once where three are allowed, and one more when one has ended': async (opened) => {
    const { both, close } = await servers(opened);
    const runs = await atOnce(
      both,
      times(50, () => beginning(perUser(3))),
    );
    expect(runs).toHaveLength(3);
    expect(await opened.store.listThreads(ann, { limit: 99, cursor: null })).toHaveLength(3);
    const [first] = runs;
    if (first === undefined) throw new Error('No run has begun.');
    await append(opened.store, { ends: [ending(first, 2)] });
    const next = await atOnce(
      both,
      times(20, () => beginning(perUser(3))),
    );
    expect(next).toHaveLength(1);
    await close();
  },

  'count queued runs, and make room when one is cancelled': async ({ store }) => {
    const { thread } = await begin(store, perUser(2));
    const ref = { id: thread.id };
    const queued = await begin(store, { thread: { ref }, ...perUser(2) });
    expect(queued.run.status).toBe('queued');
    expect(await store.beginRun(beginning({ thread: { ref }, ...perUser(2) }))).toEqual(refused);
    await store.cancelRun({ owner: ann, runId: queued.run.id, now: NOW });
    expect((await store.beginRun(beginning({ thread: { ref }, ...perUser(2) }))).kind).toBe('begun');
  },

  'do not count other users, nor users of that name elsewhere': async ({ store }) => {
    for (const owner of [bob, elsewhere]) await begin(store, { owner, ...perUser(1) });
    expect((await store.beginRun(beginning(perUser(1)))).kind).toBe('begun');
    for (const owner of [ann, bob, elsewhere]) expect(await store.beginRun(beginning({ owner, ...perUser(1) }))).toEqual(refused);
    expect((await store.beginRun(beginning())).kind).toBe('begun');
  },

  'hold for an application as a whole': async (opened) => {
    const { both, close } = await servers(opened);
    const inputs = (applicationId: ApplicationId) =>
      times(30, (index) => beginning({ owner: { applicationId, userId: `user ${index}` }, ...perApplication(4) }));
    const runs = await atOnce(both, inputs(ann.applicationId), 'application');
    expect(runs).toHaveLength(4);
    expect(await atOnce(both, inputs(elsewhere.applicationId), 'application')).toHaveLength(4);
    const [first] = runs;
    if (first === undefined) throw new Error('No run has begun.');
    await append(opened.store, { ends: [ending(first, 2)] });
    expect(await atOnce(both, inputs(ann.applicationId), 'application')).toHaveLength(1);
    await close();
  },

  'hold both at once, whichever is reached first': async ({ store }) => {
    const limits = { maxUnfinished: { user: 2, application: 3 } };
    for (const owner of [ann, ann, bob]) await begin(store, { owner, ...limits });
    expect(await store.beginRun(beginning({ owner: bob, ...limits }))).toEqual(refusedFor('application'));
    expect((await store.beginRun(beginning({ owner: bob, ...perUser(2) }))).kind).toBe('begun');
    expect(await store.beginRun(beginning({ owner: ann, ...perUser(2) }))).toEqual(refused);
  },

  'are exact where many may run': async (opened) => {
    const { both, close } = await servers(opened);
    const owners: readonly Owner[] = times(6, (index) => ({ ...ann, userId: `user ${index}` }));
    const limits = { maxUnfinished: { user: 70, application: 90 } };
    const runs = await atOnce(
      both,
      times(120, (index) => beginning({ owner: owners[index % 6] ?? ann, ...limits })),
      'application',
    );
    expect(runs).toHaveLength(90);
    const alone = { applicationId: elsewhere.applicationId, userId: 'alone' };
    expect(
      await atOnce(
        both,
        times(90, () => beginning({ owner: alone, ...limits })),
      ),
    ).toHaveLength(70);
    await close();
  },

  'tell who begins how many more may': async (opened) => {
    const { both, close } = await servers(opened);
    const left: (RunsLeft | null)[] = [];
    const limits: readonly Partial<BeginRun>[] = [
      { maxUnfinished: { user: 2, application: 200 } },
      { maxUnfinished: { user: 2, application: null } },
      { owner: bob, maxUnfinished: { user: null, application: 3 } },
      { owner: bob },
      { owner: elsewhere, maxUnfinished: { user: 200, application: 200 } },
    ];
    for (const [index, changes] of limits.entries()) {
      const result = await both[index % 2 === 0 ? 0 : 1].beginRun(beginning(changes));
      left.push(result.kind === 'begun' ? result.runsLeft : null);
    }
    expect(left).toEqual([
      { user: 1, application: 199 },
      { user: 0, application: null },
      { user: null, application: 0 },
      { user: null, application: null },
      { user: 199, application: 199 },
    ]);
    await close();
  },

  'count what has not ended by its state, of all users': async ({ store }) => {
    expect(await store.countUnfinished(9)).toEqual({ queued: 0, running: 0, waiting: 0 });
    const { run, thread } = await begin(store);
    await begin(store, { thread: { ref: { id: thread.id } } });
    await begin(store, { thread: { ref: { id: thread.id } } });
    const { run: others } = await begin(store, { owner: elsewhere });
    expect(await store.countUnfinished(9)).toEqual({ queued: 2, running: 2, waiting: 0 });
    const { queued, running } = await store.countUnfinished(3);
    expect(queued + running).toBe(3);
    await append(store, { ends: [ending(run, 2), ending(others, 2)] });
    expect(await store.countUnfinished(9)).toEqual({ queued: 2, running: 0, waiting: 0 });
  },

  'never refuse a repeat, and a refusal is no result to repeat': async ({ store }) => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    const first = begun(await store.beginRun(beginning({ idempotency, ...perUser(1) })));
    const later = { key: v7(), fingerprint: 'f' };
    expect(await store.beginRun(beginning({ idempotency: later, ...perUser(1) }))).toEqual(refused);
    expect(await store.beginRun(beginning({ idempotency, ...perUser(1) }))).toEqual({
      kind: 'replayed',
      run: first.run,
      thread: first.thread,
    });
    await append(store, { ends: [ending(first.run, 2)] });
    expect((await store.beginRun(beginning({ idempotency: later, ...perUser(1) }))).kind).toBe('begun');
  },

  'allow nothing at a limit of none': async ({ store }) => {
    expect(await store.beginRun(beginning(perUser(0)))).toEqual(refused);
    expect(await store.beginRun(beginning(perApplication(0)))).toEqual(refusedFor('application'));
    expect(await store.listThreads(ann, { limit: 9, cursor: null })).toEqual([]);
  },
};
