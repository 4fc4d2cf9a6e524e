import { expect } from 'vitest';
import type { ApiKey, Application } from '../../src/core/access.ts';
import type { ApplicationId, KeyId } from '../../src/core/ids.ts';
import { DEFAULT_APPLICATION } from '../../src/core/ids.ts';
import type { Store } from '../../src/core/ports/store.ts';
import type { StoreCases } from './store-cases.ts';
import { begin, beginning, elsewhere, NOW, newId } from './store-fixtures.ts';

const NO_RULES = { jwksUrl: null, sealedSecrets: [], issuer: null, audience: null };
const ALL = { limit: 100, after: null };
const bakery = application('bakery', { name: 'The Bakery — 面包店', createdAt: NOW });

function application(id: string, changes: Partial<Application> = {}): Application {
  return { id: id as ApplicationId, name: id, tier: null, tokens: NO_RULES, createdAt: NOW, ...changes };
}

function apiKey(changes: Partial<ApiKey> = {}): ApiKey {
  return {
    id: newId<KeyId>(),
    applicationId: DEFAULT_APPLICATION,
    name: 'Web shop 🛒',
    hint: 'x7Qa',
    scopes: ['read', 'write'],
    dialects: null,
    userId: null,
    tier: null,
    createdAt: NOW,
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
    ...changes,
  };
}

/** Stores a key, its digest made of its id. */
async function stored(store: Store, changes: Partial<ApiKey> = {}): Promise<ApiKey> {
  const key = apiKey(changes);
  expect(await store.createKey({ key, digest: `digest ${key.id}` })).toBe('created');
  return key;
}

/** Whether the version has grown since this was called last. */
async function growth(store: Store): Promise<() => Promise<boolean>> {
  let last = await store.accessVersion();
  return async () => {
    const before = last;
    last = await store.accessVersion();
    expect(last).toBeGreaterThanOrEqual(before);
    return last > before;
  };
}

export const accessCases: StoreCases = {
  'knows the default application from the beginning': async ({ store }) => {
    const [only, ...others] = await store.listApplications();
    expect(others).toEqual([]);
    expect(only).toEqual({ ...application('default'), createdAt: expect.any(Number) });
    expect(only?.createdAt).toBeGreaterThan(Date.UTC(2024));
    expect(await store.findApplication(DEFAULT_APPLICATION)).toEqual(only);
    expect(await store.createApplication(application('default', { name: 'Mine' }))).toBe(false);
    expect(await store.findApplication(DEFAULT_APPLICATION)).toEqual(only);
  },

  'keeps applications as they were made, in that order, and each id once': async (opened) => {
    const tokens = { jwksUrl: 'https://a.example/keys', sealedSecrets: ['one', 'two'], issuer: 'https://a.example', audience: 'chat' };
    const made = [bakery, application('a', { tier: 'gold', tokens }), application('zoo', { createdAt: NOW - 5 }), application('b')];
    for (const each of made) expect(await opened.store.createApplication(each)).toBe(true);
    expect(await opened.store.createApplication({ ...bakery, name: 'Another' })).toBe(false);
    await opened.store.close();
    opened.store = await opened.open();
    expect((await opened.store.listApplications()).slice(1)).toEqual(made);
    expect(await opened.store.findApplication(bakery.id)).toEqual(bakery);
    for (const unknown of ['', 'Bakery', 'bakery ', 'bak%', 'bakery\0', '\ud800'])
      expect(await opened.store.findApplication(unknown as ApplicationId)).toBeNull();
  },

  'makes an application of that id once of many at once': async ({ store }) => {
    const made = await Promise.all(Array.from({ length: 20 }, (_, index) => store.createApplication({ ...bakery, name: `Name ${index}` })));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await store.listApplications()).toHaveLength(2);
  },

  'changes what is given of an application and nothing else': async ({ store }) => {
    await store.createApplication(bakery);
    const tokens = { ...NO_RULES, sealedSecrets: ['sealed'], issuer: 'me' };
    expect(await store.changeApplication(bakery.id, { tier: 'gold' })).toEqual({ ...bakery, tier: 'gold' });
    expect(await store.changeApplication(bakery.id, { tokens })).toEqual({ ...bakery, tier: 'gold', tokens });
    expect(await store.changeApplication(bakery.id, { name: 'New', tier: null })).toEqual({ ...bakery, name: 'New', tokens });
    expect(await store.changeApplication(bakery.id, {})).toEqual({ ...bakery, name: 'New', tokens });
    expect(await store.findApplication(bakery.id)).toEqual({ ...bakery, name: 'New', tokens });
    expect(await store.changeApplication('unknown' as ApplicationId, { name: 'New' })).toBeNull();
    expect((await store.listApplications()).map(({ name }) => name)).toEqual(['default', 'New']);
  },

  'loses no change of many at once': async ({ store }) => {
    await store.createApplication(bakery);
    for (let round = 0; round < 10; round += 1) {
      const name = `Round ${round}`;
      const rules = { jwksUrl: null, sealedSecrets: [name], issuer: name, audience: name };
      const ofRules = [{ sealedSecrets: [name] }, { issuer: name }, { audience: name }];
      const changes = [{ name }, { tier: name }, ...ofRules.map((tokens) => ({ tokens }))];
      await Promise.all(changes.map((change) => store.changeApplication(bakery.id, change)));
      expect(await store.findApplication(bakery.id)).toEqual({ ...bakery, name, tier: name, tokens: rules });
    }
  },

  'keeps one secret of its own from the beginning': async (opened) => {
    const secrets = await Promise.all(Array.from({ length: 5 }, () => opened.store.serverSecret()));
    expect(new Set(secrets).size).toBe(1);
    const [secret] = secrets;
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(secret).size).toBeGreaterThan(4);
    await opened.store.close();
    opened.store = await opened.open();
    expect(await opened.store.serverSecret()).toBe(secret);
  },

  'calls an application that a user brings by its id': async ({ store }) => {
    const grown = await growth(store);
    await begin(store, { owner: elsewhere });
    expect(await grown()).toBe(true);
    expect(await store.findApplication(elsewhere.applicationId)).toEqual(application('other'));
    await store.beginRun(beginning({ owner: { ...elsewhere, userId: 'one more' } }));
    expect(await grown()).toBe(false);
    expect(await store.createApplication(application('other'))).toBe(false);
  },

  'keeps keys as they were made and finds them by digest': async (opened) => {
    const plain = await stored(opened.store);
    const full = await stored(opened.store, {
      ...{ scopes: ['read', 'write', 'admin', 'act_as'], dialects: ['levia', 'chat-ws'], userId: 'ann 🦜', tier: 'gold' },
      ...{ expiresAt: NOW + 5, lastUsedAt: NOW + 1, revokedAt: NOW + 2 },
    });
    await opened.store.close();
    opened.store = await opened.open();
    for (const key of [plain, full]) expect(await opened.store.findKeyByDigest(`digest ${key.id}`)).toEqual(key);
    for (const unknown of ['', 'digest', `Digest ${plain.id}`, `digest ${plain.id}\0`, '\ud800', '%'])
      expect(await opened.store.findKeyByDigest(unknown)).toBeNull();
  },

  'makes no key for an application that is not there': async ({ store }) => {
    const grown = await growth(store);
    const key = apiKey({ applicationId: 'nobody' as ApplicationId });
    expect(await store.createKey({ key, digest: 'd' })).toBe('application_unknown');
    expect([await store.findKeyByDigest('d'), await store.findKeys([key.id]), await store.listKeys(null, ALL)]).toEqual([null, [], []]);
    expect(await grown()).toBe(false);
  },

  'refuses a second key with the same digest': async ({ store }) => {
    const key = await stored(store);
    const grown = await growth(store);
    await expect(store.createKey({ key: apiKey(), digest: `digest ${key.id}` })).rejects.toThrow();
    expect(await store.listKeys(null, ALL)).toEqual([key]);
    expect(await grown()).toBe(false);
  },

  'finds those of many ids that there are': async ({ store }) => {
    const keys = [];
    for (let index = 0; index < 40; index += 1) keys.push(await stored(store, { createdAt: NOW + index }));
    const odd = ['', '\0', '\ud800', '"', "'", 'x'.repeat(10_000)] as KeyId[];
    const unknown = Array.from({ length: 2000 }, () => newId<KeyId>());
    const ids = keys.map((key) => key.id);
    const found = await store.findKeys([...odd, ...unknown, ...ids, ...ids.slice(0, 3)]);
    expect(found.toSorted((a, b) => a.createdAt - b.createdAt)).toEqual(keys);
    expect(await store.findKeys([])).toEqual([]);
    expect(await store.findKeys(odd)).toEqual([]);
  },

  'lists keys of an application, or of all, newest first': async ({ store }) => {
    await store.createApplication(bakery);
    const keys = [];
    for (const [index, createdAt] of [NOW, NOW, NOW - 9, NOW + 9].entries())
      keys.push(await stored(store, { createdAt, applicationId: index % 2 === 0 ? bakery.id : DEFAULT_APPLICATION }));
    const [a, b, c, d] = keys;
    expect(await store.listKeys(null, ALL)).toEqual([d, b, a, c]);
    expect(await store.listKeys(bakery.id, ALL)).toEqual([a, c]);
    expect(await store.listKeys(DEFAULT_APPLICATION, ALL)).toEqual([d, b]);
    expect(await store.listKeys('unknown' as ApplicationId, ALL)).toEqual([]);
    expect(await store.listKeys('bakery\0' as ApplicationId, ALL)).toEqual([]);
  },

  'lists keys page by page': async ({ store }) => {
    await store.createApplication(bakery);
    const keys: ApiKey[] = [];
    for (const [index, createdAt] of [NOW, NOW, NOW, NOW - 9, NOW + 9, NOW, NOW].entries())
      keys.push(await stored(store, { createdAt, applicationId: index % 3 === 0 ? bakery.id : DEFAULT_APPLICATION }));
    for (const of of [null, bakery.id, DEFAULT_APPLICATION]) {
      const whole = await store.listKeys(of, ALL);
      const paged: ApiKey[] = [];
      for (let after: KeyId | null = null; ; after = paged.at(-1)?.id ?? null) {
        const page = await store.listKeys(of, { limit: 2, after });
        paged.push(...page);
        if (page.length < 2) break;
      }
      expect(paged).toEqual(whole);
    }
    const foreign = keys[1]?.id ?? expect.fail('no key');
    for (const after of [foreign, newId<KeyId>(), '' as KeyId, '\0' as KeyId, '\ud800' as KeyId])
      expect(await store.listKeys(bakery.id, { limit: 2, after })).toEqual([]);
  },

  'makes no more keys of an application than may count, also of many at once': async ({ store }) => {
    await store.createApplication(bakery);
    const make = (changes: Partial<ApiKey> = {}) => {
      const key = apiKey({ applicationId: bakery.id, ...changes });
      return store.createKey({ key, digest: `digest ${key.id}`, most: 3 });
    };
    await stored(store, { applicationId: bakery.id, revokedAt: NOW });
    await stored(store, { applicationId: bakery.id, expiresAt: NOW });
    await stored(store);
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => make()));
    expect(outcomes.toSorted()).toEqual([...Array(3).fill('created'), ...Array(9).fill('too_many')]);
    const grown = await growth(store);
    expect(await make()).toBe('too_many');
    expect(await make({ applicationId: DEFAULT_APPLICATION })).toBe('created');
    expect(await grown()).toBe(true);
    expect(await make()).toBe('too_many');
    expect(await grown()).toBe(false);
    const [newest] = await store.listKeys(bakery.id, ALL);
    await store.revokeKey({ applicationId: bakery.id, id: newest?.id ?? expect.fail('no key'), now: NOW });
    expect([await make(), await make()]).toEqual(['created', 'too_many']);
  },

  'revokes a key once, and only within its application': async ({ store }) => {
    await store.createApplication(bakery);
    const key = await stored(store, { applicationId: bakery.id });
    const other = await stored(store, { applicationId: bakery.id });
    const grown = await growth(store);
    const revoke = (applicationId: ApplicationId | null, now: number, id = key.id) => store.revokeKey({ applicationId, id, now });
    expect(await revoke(DEFAULT_APPLICATION, NOW + 1)).toBeNull();
    expect(await revoke('bakery\0' as ApplicationId, NOW + 1)).toBeNull();
    for (const id of ['', '\0', '\ud800', newId()] as KeyId[]) expect(await revoke(null, NOW + 1, id)).toBeNull();
    expect(await grown()).toBe(false);
    expect(await revoke(bakery.id, NOW + 2)).toEqual({ ...key, revokedAt: NOW + 2 });
    expect(await grown()).toBe(true);
    expect(await revoke(bakery.id, NOW + 3)).toEqual({ ...key, revokedAt: NOW + 2 });
    expect(await revoke(null, NOW + 4)).toEqual({ ...key, revokedAt: NOW + 2 });
    expect(await grown()).toBe(false);
    expect(await store.findKeyByDigest(`digest ${key.id}`)).toEqual({ ...key, revokedAt: NOW + 2 });
    expect(await revoke(null, NOW + 5, other.id)).toEqual({ ...other, revokedAt: NOW + 5 });
  },

  'notes uses, never earlier ones, without a new version': async ({ store }) => {
    const [one, two, unused] = [await stored(store), await stored(store), await stored(store)];
    const grown = await growth(store);
    const lastUses = async () => (await store.listKeys(null, ALL)).map((key) => key.lastUsedAt);
    await store.touchKeys([
      { id: one.id, at: NOW + 5 },
      { id: two.id, at: NOW + 7 },
      { id: one.id, at: NOW + 3 },
    ]);
    expect(await lastUses()).toEqual([null, NOW + 7, NOW + 5]);
    await store.touchKeys([
      { id: two.id, at: NOW + 6 },
      { id: newId<KeyId>(), at: NOW },
      { id: '\0' as KeyId, at: NOW },
    ]);
    await store.touchKeys([]);
    expect(await lastUses()).toEqual([null, NOW + 7, NOW + 5]);
    await store.touchKeys([{ id: two.id, at: NOW + 8 }]);
    expect(await lastUses()).toEqual([null, NOW + 8, NOW + 5]);
    expect(await store.findKeys([unused.id])).toEqual([unused]);
    expect(await grown()).toBe(false);
  },

  'gives every change a greater version, also of many at once': async (opened) => {
    const grown = await growth(opened.store);
    await opened.store.createApplication(bakery);
    expect(await grown()).toBe(true);
    await opened.store.changeApplication(bakery.id, { name: 'New' });
    expect(await grown()).toBe(true);
    await stored(opened.store);
    expect(await grown()).toBe(true);
    expect(await grown()).toBe(false);
    const before = await opened.store.accessVersion();
    await Promise.all(Array.from({ length: 20 }, () => stored(opened.store)));
    expect(await opened.store.accessVersion()).toBe(before + 20);
    await opened.store.close();
    opened.store = await opened.open();
    expect(await opened.store.accessVersion()).toBe(before + 20);
  },
};
