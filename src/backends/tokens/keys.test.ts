import { expect, test } from 'vitest';
import { settle } from '../../../test/support/fake-clock.ts';
import { NOW, openKnownCredentials } from '../../../test/support/known-credentials.ts';
import { AppError } from '../../core/errors.ts';
import type { Store } from '../../core/ports/store.ts';
import { keyMaker } from './api-key.ts';

test('a key speaks for its application as far as its record says', async () => {
  const { verify, createKey, createApplication } = await openKnownCredentials();
  const bakery = await createApplication('bakery', { tier: 'gold' });
  const { key, secret } = await createKey({ applicationId: bakery, scopes: ['read', 'act_as'], dialects: ['levia'] });
  expect(await verify(secret)).toEqual({
    kind: 'key',
    by: 'key',
    applicationId: 'bakery',
    keyId: key.id,
    scopes: new Set(['read', 'act_as']),
    dialects: new Set(['levia']),
    tier: 'gold',
    expiresAt: null,
    revoked: expect.any(AbortSignal),
  });
  const own = await createKey({ applicationId: bakery, tier: 'silver', expiresAt: (NOW + 60) * 1000 });
  expect(await verify(own.secret)).toMatchObject({ tier: 'silver', dialects: null, expiresAt: (NOW + 60) * 1000 });
  expect(await verify((await createKey()).secret)).toMatchObject({ applicationId: 'default', tier: 'default' });
});

test('a key that is bound to a user is that user and nothing more', async () => {
  const { verify, createKey } = await openKnownCredentials();
  const { secret } = await createKey({ userId: 'ann', scopes: ['read', 'write', 'admin', 'act_as'] });
  expect(await verify(secret)).toMatchObject({ kind: 'user', by: 'key', userId: 'ann', scopes: new Set(['read', 'write']) });
});

test('a key ends when its time is over, and only that is told', async () => {
  const { verify, hasExpired, createKey, clock } = await openKnownCredentials();
  const { secret } = await createKey({ expiresAt: (NOW + 60) * 1000 });
  const revoked = await createKey({ expiresAt: (NOW + 60) * 1000, revokedAt: NOW * 1000 });
  expect([await hasExpired(secret), await verify(secret)]).toEqual([false, expect.objectContaining({ kind: 'key' })]);
  clock.advance(60_000);
  expect([await hasExpired(secret), await verify(secret)]).toEqual([true, null]);
  expect([await hasExpired(revoked.secret), await verify(revoked.secret)]).toEqual([false, null]);
  expect(await hasExpired(keyMaker.make().secret)).toBe(false);
});

test('a key that was seen costs no query, however often it is shown', async () => {
  const { verify, createKey, calls } = await openKnownCredentials();
  const { secret } = await createKey();
  const first = await Promise.all(Array.from({ length: 50 }, () => verify(secret)));
  expect(calls()).toEqual({ findKeyByDigest: 1, findApplication: 1 });
  for (let round = 0; round < 50; round += 1) expect(await verify(secret)).toBe(first[0]);
  expect(calls()).toEqual({});
});

test('what is no key never reaches the store', async () => {
  const { verify, createKey, calls } = await openKnownCredentials();
  const { secret } = await createKey();
  const last = secret.endsWith('0') ? '1' : '0';
  const misspelt = secret.slice(0, -1) + last;
  for (const text of [
    misspelt,
    secret.toLowerCase(),
    `${secret} `,
    'plg_',
    "plg_' OR 1=1--",
    `plg_${'%'.repeat(38)}`,
    `plg_${'x'.repeat(1e6)}`,
  ]) {
    expect(await verify(text)).toBeNull();
  }
  expect(calls()).toEqual({});
});

test('that a key is unknown is remembered for ten seconds', async () => {
  const { verify, calls, clock, store, createKey } = await openKnownCredentials();
  const { secret, digest, hint } = keyMaker.make();
  for (let round = 0; round < 5; round += 1) expect(await verify(secret)).toBeNull();
  expect(calls()).toEqual({ findKeyByDigest: 1 });
  const { key } = await createKey();
  await store.createKey({ key: { ...key, id: crypto.randomUUID() as string as typeof key.id, hint }, digest });
  expect(await verify(secret)).toBeNull();
  clock.advance(10_000);
  expect(await verify(secret)).toMatchObject({ kind: 'key' });
});

test('a key that is made counts after the next refresh, although it was tried before', async () => {
  const { verify, refresh, store, createKey } = await openKnownCredentials();
  const { secret, digest } = keyMaker.make();
  expect(await verify(secret)).toBeNull();
  const { key } = await createKey();
  await store.createKey({ key: { ...key, id: crypto.randomUUID() as string as typeof key.id }, digest });
  await refresh();
  expect(await verify(secret)).toMatchObject({ kind: 'key' });
});

test('revocation ends a key and the signal that all its principals share', async () => {
  const { verify, refresh, createKey, store, calls } = await openKnownCredentials();
  const { key, secret } = await createKey();
  const other = await verify((await createKey()).secret);
  const [first, second] = [await verify(secret), await verify(secret)];
  expect(first?.revoked).toBe(second?.revoked);
  await store.revokeKey({ applicationId: null, id: key.id, now: NOW * 1000 });
  expect(first?.revoked?.aborted).toBe(false);
  await refresh();
  expect(first?.revoked?.aborted).toBe(true);
  expect(first?.revoked?.reason).toMatchObject({ code: 'auth_revoked' });
  expect(other?.revoked?.aborted).toBe(false);
  calls();
  expect(await verify(secret)).toBeNull();
  expect(calls()).toEqual({});
});

test('a refresh without a change asks for nothing but the version', async () => {
  const { verify, refresh, createKey, calls } = await openKnownCredentials();
  await verify((await createKey()).secret);
  await refresh();
  calls();
  await refresh();
  expect(calls()).toEqual({ accessVersion: 1 });
});

const shared = (store: Store): Store => ({ ...store, capabilities: { ...store.capabilities, shared: true } });

test('on a shared store a revocation by another process counts within a second', async () => {
  const { verify, createKey, store, clock } = await openKnownCredentials({ between: shared });
  const { key, secret } = await createKey();
  const principal = await verify(secret);
  await store.revokeKey({ applicationId: null, id: key.id, now: NOW * 1000 });
  clock.advance(500);
  await expect.poll(() => principal?.revoked?.aborted).toBe(true);
  expect(await verify(secret)).toBeNull();
});

/** A store whose answers to one operation come when the test lets them. */
function holding(name: 'findKeyByDigest' | 'findKeys' | 'findApplication') {
  const waiting: (() => void)[] = [];
  let held = true;
  return {
    between: (store: Store): Store => {
      const operation: (...input: never[]) => Promise<unknown> = store[name];
      const late = async (...input: never[]) => {
        const answer = await operation(...input);
        if (held) await new Promise<void>((resolve) => waiting.push(resolve));
        return answer;
      };
      return { ...store, [name]: late };
    },
    waiting: () => waiting.length,
    release: () => {
      held = false;
      for (const resolve of waiting) resolve();
    },
  };
}

test.each(['findKeyByDigest', 'findApplication'] as const)('a revocation while %s is under way is not missed', async (name) => {
  const gate = holding(name);
  const { verify, refresh, createKey, store } = await openKnownCredentials({ between: gate.between });
  const { key, secret } = await createKey();
  await refresh();
  const racing = verify(secret);
  await expect.poll(gate.waiting).toBe(1);
  await store.revokeKey({ applicationId: null, id: key.id, now: NOW * 1000 });
  await refresh();
  gate.release();
  expect(await racing).toBeNull();
  expect(await verify(secret)).toBeNull();
});

test('a refresh that begins while another one reads sees what changed in between', async () => {
  const gate = holding('findKeys');
  const { verify, refresh, createKey, store } = await openKnownCredentials({ between: gate.between });
  const { key, secret } = await createKey();
  const principal = await verify(secret);
  const early = refresh();
  await expect.poll(gate.waiting).toBe(1);
  await store.revokeKey({ applicationId: null, id: key.id, now: NOW * 1000 });
  const late = refresh();
  gate.release();
  await Promise.all([early, late]);
  expect(principal?.revoked?.aborted).toBe(true);
  expect(await verify(secret)).toBeNull();
});

function failing(state: { down: boolean }) {
  const unavailable = () => Promise.reject(new AppError('overloaded', 'The store is down'));
  return (store: Store): Store => ({
    ...store,
    findKeyByDigest: (digest) => (state.down ? unavailable() : store.findKeyByDigest(digest)),
    accessVersion: () => (state.down ? unavailable() : store.accessVersion()),
    touchKeys: (uses) => (state.down ? unavailable() : store.touchKeys(uses)),
  });
}

test('while the store is down known keys count, unknown ones are no reason to send anybody away, and one line is logged', async () => {
  const state = { down: false };
  const { verify, refresh, createKey, clock, store, faults } = await openKnownCredentials({ between: failing(state) });
  const [known, unknown] = [await createKey(), await createKey()];
  const principal = await verify(known.secret);
  state.down = true;
  await expect(refresh()).rejects.toMatchObject({ code: 'overloaded' });
  for (let round = 0; round < 5; round += 1) {
    clock.advance(500);
    await settle();
  }
  expect(await verify(known.secret)).toBe(principal);
  await expect(verify(unknown.secret)).rejects.toMatchObject({ code: 'overloaded' });
  expect(faults).toEqual([expect.stringContaining('cannot be read')]);
  await store.revokeKey({ applicationId: null, id: known.key.id, now: NOW * 1000 });
  state.down = false;
  clock.advance(500);
  await expect.poll(() => principal?.revoked?.aborted).toBe(true);
});

test('when keys were last used is written once a minute, and at the end', async () => {
  const state = { down: false };
  const known = await openKnownCredentials({ between: failing(state) });
  const { verify, createKey, store, clock, calls } = known;
  const { key, secret } = await createKey();
  const lastUse = async () => (await store.findKeys([key.id]))[0]?.lastUsedAt;
  for (let round = 0; round < 20; round += 1) await verify(secret);
  expect(calls()).not.toHaveProperty('touchKeys');
  clock.advance(60_000);
  await expect.poll(lastUse).toBe(NOW * 1000);
  expect(calls().touchKeys).toBe(1);
  clock.advance(60_000);
  expect(calls()).not.toHaveProperty('touchKeys');
  await verify(secret);
  state.down = true;
  clock.advance(60_000);
  await expect.poll(() => known.faults.length).toBe(1);
  state.down = false;
  await known.close();
  expect(await lastUse()).toBe((NOW + 120) * 1000);
});

test("a key follows its application's tier without an end of its principals", async () => {
  const { verify, refresh, createKey, createApplication, store } = await openKnownCredentials();
  const id = await createApplication('shop');
  const { secret } = await createKey({ applicationId: id });
  const before = await verify(secret);
  await store.changeApplication(id, { tier: 'gold' });
  await refresh();
  const after = await verify(secret);
  expect([before?.tier, after?.tier]).toEqual(['default', 'gold']);
  expect(after?.revoked).toBe(before?.revoked);
  expect(after?.revoked?.aborted).toBe(false);
});

test('principals of a key that is to end at another time are ended', async () => {
  const state = { expiresAt: null as number | null, version: 0 };
  const between = (store: Store): Store => ({
    ...store,
    findKeys: async (ids) => (await store.findKeys(ids)).map((key) => ({ ...key, expiresAt: state.expiresAt })),
    accessVersion: async () => (await store.accessVersion()) + state.version,
  });
  const { verify, refresh, createKey } = await openKnownCredentials({ between });
  const { secret } = await createKey();
  const before = await verify(secret);
  state.expiresAt = (NOW + 60) * 1000;
  state.version = 1;
  await refresh();
  const after = await verify(secret);
  expect(before?.revoked?.aborted).toBe(true);
  expect(after).toMatchObject({ expiresAt: (NOW + 60) * 1000, revoked: { aborted: false } });
});
