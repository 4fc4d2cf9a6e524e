import { expect, test } from 'vitest';
import { createFakeClock } from '../../../test/support/fake-clock.ts';
import { NOW, openKnownCredentials } from '../../../test/support/known-credentials.ts';
import { digestOf } from './api-key.ts';
import { createKeyDirectory, type KnownKey } from './key-directory.ts';
import { createRecordCache } from './record-cache.ts';

test('no more is remembered than its bound, and the longest unused is forgotten', async () => {
  const asked: number[] = [];
  const load = async (key: number) => {
    asked.push(key);
    return key < 100 ? `record ${key}` : null;
  };
  const cache = createRecordCache({ load, clock: createFakeClock(), capacity: 3, absenceMs: 10_000 });
  for (const key of [1, 2, 3, 1, 4, 1, 3, 4, 101, 102, 103, 104, 102]) await cache.find(key);
  expect(asked).toEqual([1, 2, 3, 4, 101, 102, 103, 104]);
  expect(cache.keys()).toEqual([1, 3, 4]);
  asked.length = 0;
  for (const key of [2, 101]) await cache.find(key);
  expect(asked).toEqual([2, 101]);
});

test('a look-up that fails is not remembered', async () => {
  let failing = true;
  const load = async () => {
    if (failing) throw new Error('down');
    return 'record';
  };
  const cache = createRecordCache({ load, clock: createFakeClock(), capacity: 3, absenceMs: 10_000 });
  await expect(Promise.all([cache.find(1), cache.find(1)])).rejects.toThrow('down');
  failing = false;
  expect(await cache.find(1)).toBe('record');
});

test('revocation reaches principals of keys that are not remembered any more', async () => {
  const { store, createKey, clock } = await openKnownCredentials();
  const directory = createKeyDirectory({ store, clock, bounds: { remembered: 1, watched: 3 } });
  const made = [];
  for (let round = 0; round < 3; round += 1) made.push(await createKey());
  const known: (KnownKey | null)[] = [];
  for (const { secret } of made) known.push(await directory.byDigest(digestOf(secret)));
  const signals = () => known.map((one) => one?.revoked.aborted);
  for (const { key } of made.slice(0, 2)) await store.revokeKey({ applicationId: null, id: key.id, now: NOW * 1000 });
  await directory.refresh();
  expect(signals()).toEqual([true, true, false]);
});

test('a principal that can be watched for no longer is ended', async () => {
  const { store, createKey, clock } = await openKnownCredentials();
  const directory = createKeyDirectory({ store, clock, bounds: { remembered: 1, watched: 2 } });
  const [first, second, third] = [await createKey(), await createKey(), await createKey()];
  const look = (key: { secret: string }) => directory.byDigest(digestOf(key.secret));
  const [one, two] = [await look(first), await look(second)];
  await look(first);
  await look(third);
  expect([one?.revoked.aborted, two?.revoked.aborted]).toEqual([false, true]);
  expect((await look(second))?.revoked.aborted).toBe(false);
});
