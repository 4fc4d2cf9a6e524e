import { expect } from 'vitest';
import type { RunId } from '../../src/core/ids.ts';
import type { Checkpoint } from '../../src/core/ports/checkpoint-store.ts';
import type { StoreCases } from './store-cases.ts';
import { ann, append, begin, ending, lease, NOW, newId, segment } from './store-fixtures.ts';
import { agentSnapshot, waiting } from './store-waits-fixtures.ts';

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const named = (name: string, data = bytes(1)): Checkpoint => ({ name, data });

export const checkpointCases: StoreCases = {
  'keeps bytes under names and gives them by name': async ({ store }) => {
    const { run } = await begin(store, { snapshot: agentSnapshot() });
    const other = await begin(store, { snapshot: agentSnapshot() });
    const large = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
    expect(await store.putCheckpoints(run, [named('b', bytes(0, 255, 10)), named('a/2', bytes()), named('a/1', large)])).toBe(true);
    expect(await store.putCheckpoints(other.run, [named('a/1', bytes(9))])).toBe(true);
    expect(await store.listCheckpoints(run.id, '')).toEqual([named('a/1', large), named('a/2', bytes()), named('b', bytes(0, 255, 10))]);
    expect(await store.listCheckpoints(other.run.id, '')).toEqual([named('a/1', bytes(9))]);
    expect(await store.listCheckpoints(newId<RunId>(), '')).toEqual([]);
  },

  'replaces what has the same name': async ({ store }) => {
    const { run } = await begin(store, { snapshot: agentSnapshot() });
    await store.putCheckpoints(run, [named('a', bytes(1)), named('b', bytes(1))]);
    await store.putCheckpoints(run, [named('b', bytes(2, 2)), named('c', bytes(2))]);
    expect(await store.listCheckpoints(run.id, '')).toEqual([named('a', bytes(1)), named('b', bytes(2, 2)), named('c', bytes(2))]);
    expect(await store.putCheckpoints(run, [])).toBe(true);
  },

  'finds exactly what begins so': async ({ store }) => {
    const { run } = await begin(store, { snapshot: agentSnapshot() });
    const names = ['', 'a', 'a%', 'a%b', 'a/b', 'a/é', 'a/\u{1f600}', 'a_', 'ab', 'b'];
    await store.putCheckpoints(
      run,
      names.map((name) => named(name)),
    );
    const beginning = async (prefix: string) => (await store.listCheckpoints(run.id, prefix)).map(({ name }) => name);
    for (const prefix of ['', 'a', 'a/', 'a%', 'a_', 'b', 'c', 'a/\u{1f600}']) {
      expect((await beginning(prefix)).toSorted(), prefix).toEqual(names.filter((name) => name.startsWith(prefix)).toSorted());
    }
  },

  'takes them from the attempt that has the run only': async ({ store }) => {
    const { run } = await begin(store, { snapshot: agentSnapshot() });
    await store.putCheckpoints(run, [named('a', bytes(1))]);
    expect(await store.putCheckpoints({ ...run, attempt: 2 }, [named('a', bytes(9))])).toBe(false);
    expect(await store.putCheckpoints({ ...run, id: newId<RunId>() }, [named('a')])).toBe(false);
    const [lost] = await store.takeLost({ now: lease.until, lease: { ...lease, until: lease.until + 5000 } });
    expect(lost?.run.attempt).toBe(2);
    expect(await store.putCheckpoints(run, [named('a', bytes(8)), named('b')])).toBe(false);
    expect(await store.listCheckpoints(run.id, '')).toEqual([named('a', bytes(1))]);
    expect(await store.putCheckpoints({ ...run, attempt: 2 }, [named('a', bytes(2))])).toBe(true);
    expect(await store.listCheckpoints(run.id, '')).toEqual([named('a', bytes(2))]);
  },

  'keeps them over a wait, in which nobody writes any': async (opened) => {
    const { run } = await begin(opened.store, { snapshot: agentSnapshot() });
    await opened.store.putCheckpoints(run, [named('a', bytes(1))]);
    await append(opened.store, { waits: [waiting(run, 2, ['c1'])] });
    expect(await opened.store.putCheckpoints(run, [named('a', bytes(2))])).toBe(false);
    await opened.store.close();
    opened.store = await opened.open();
    expect(await opened.store.listCheckpoints(run.id, '')).toEqual([named('a', bytes(1))]);
  },

  'lets them go with the run’s end': async ({ store, place }) => {
    const canary = Buffer.from('cHeCkPoInT-51c2');
    const [kept, gone] = [await begin(store, { snapshot: agentSnapshot() }), await begin(store, { snapshot: agentSnapshot() })];
    for (const { run } of [kept, gone]) await store.putCheckpoints(run, [named('a', canary)]);
    await append(store, { segments: [segment(gone.run, 2, ['Hi.'])], ends: [ending(gone.run, 3)] });
    expect(await store.listCheckpoints(gone.run.id, '')).toEqual([]);
    expect(await store.listCheckpoints(kept.run.id, '')).toHaveLength(1);
    expect(await store.putCheckpoints(gone.run, [named('a')])).toBe(false);
    await store.closeThread({ owner: ann, ref: { id: kept.thread.id }, now: NOW });
    await store.purgeThread(kept.thread.key);
    expect(await store.listCheckpoints(kept.run.id, '')).toEqual([]);
    expect(await place.holding(canary.toString())).toEqual([]);
  },
};
