import { v7 } from 'uuid';
import { expect } from 'vitest';
import type { ApplicationId } from '../../src/core/ids.ts';
import type { BeginResult, BeginRun, Store } from '../../src/core/ports/store.ts';
import type { Owner } from '../../src/core/principal.ts';
import type { Opened, StoreCases } from './store-cases.ts';
import { ann, append, begin, beginning, begun, bob, elsewhere, ending, NOW } from './store-fixtures.ts';

const refused = { kind: 'refused', reason: 'run_limit' };

const perUser = (user: number): Partial<BeginRun> => ({ maxUnfinished: { user, application: null } });
const perApplication = (application: number): Partial<BeginRun> => ({ maxUnfinished: { user: null, application } });

/** Two servers where the store is shared, else the one that it has. */
async function servers({ store, open }: Opened): Promise<{ both: readonly [Store, Store]; close(): Promise<void> }> {
  if (!store.capabilities.shared) return { both: [store, store], close: async () => undefined };
  const other = await open();
  return { both: [store, other], close: () => other.close() };
}

async function atOnce(stores: readonly [Store, Store], inputs: readonly BeginRun[]) {
  const results: readonly BeginResult[] = await Promise.all(inputs.map((input, index) => stores[index % 2 === 0 ? 0 : 1].beginRun(input)));
  const runs = results.flatMap((result) => (result.kind === 'begun' ? [result.run] : []));
  expect(results.filter((result) => result.kind !== 'begun')).toEqual(Array.from({ length: inputs.length - runs.length }, () => refused));
  return runs;
}

const times = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));

export const runLimitCases: StoreCases = {
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
    const runs = await atOnce(both, inputs(ann.applicationId));
    expect(runs).toHaveLength(4);
    expect(await atOnce(both, inputs(elsewhere.applicationId))).toHaveLength(4);
    const [first] = runs;
    if (first === undefined) throw new Error('No run has begun.');
    await append(opened.store, { ends: [ending(first, 2)] });
    expect(await atOnce(both, inputs(ann.applicationId))).toHaveLength(1);
    await close();
  },

  'hold both at once, whichever is reached first': async ({ store }) => {
    const limits = { maxUnfinished: { user: 2, application: 3 } };
    for (const owner of [ann, ann, bob]) await begin(store, { owner, ...limits });
    expect(await store.beginRun(beginning({ owner: bob, ...limits }))).toEqual(refused);
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

  'never refuse a repeat, and a refusal is no result to repeat': async ({ store }) => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    const first = begun(await store.beginRun(beginning({ idempotency, ...perUser(1) })));
    const later = { key: v7(), fingerprint: 'f' };
    expect(await store.beginRun(beginning({ idempotency: later, ...perUser(1) }))).toEqual(refused);
    expect(await store.beginRun(beginning({ idempotency, ...perUser(1) }))).toEqual({ ...first, kind: 'replayed' });
    await append(store, { ends: [ending(first.run, 2)] });
    expect((await store.beginRun(beginning({ idempotency: later, ...perUser(1) }))).kind).toBe('begun');
  },

  'allow nothing at a limit of none': async ({ store }) => {
    expect(await store.beginRun(beginning(perUser(0)))).toEqual(refused);
    expect(await store.beginRun(beginning(perApplication(0)))).toEqual(refused);
    expect(await store.listThreads(ann, { limit: 9, cursor: null })).toEqual([]);
  },
};
