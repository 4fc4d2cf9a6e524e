import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../backends/clock/system-clock.ts';
import { randomIds } from '../../backends/ids/random-ids.ts';
import { openSqliteStore } from '../../backends/stores/sqlite/index.ts';
import { digestOf, keyMaker } from '../../backends/tokens/api-key.ts';
import { createSecretBox } from '../../backends/tokens/secret-box.ts';
import { createTokenIssuer } from '../../backends/tokens/token-issuer.ts';
import type { AccessChange } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { type ApplicationId, DEFAULT_APPLICATION, type KeyId } from '../../core/ids.ts';
import type { Store } from '../../core/ports/store.ts';
import type { Scope } from '../../core/principal.ts';
import type { Access, ApplicationSettings, CreateKey } from '../engine.ts';
import { createAccess } from './create-access.ts';

const ROOTS = { stored: '9b1f7c3d5e8a4260b7d0c1e2f3a49586', set: [] };
const STRONG = ['c5a8e17f3b90d264e8b13f7a0c956d42', '7e20b9d46a1fc385d03e97b4f61a8c5d'] as const;
const ALL = { limit: 1_000, after: null };
const unbounded = { requestsPerMinute: null, messagesPerMinute: null, messagesPerHour: null, concurrentRuns: null, connections: null };
const tier = { user: unbounded, application: unbounded };

let directory: string;
let store: Store;
let access: Access;
let changes: number;
const reported: AccessChange[] = [];
let count = 0;
/** An application that no other test makes. */
let acme: ApplicationId;

function openAccess(): Access {
  return createAccess({
    store,
    clock: systemClock,
    ids: randomIds,
    tiers: new Map([
      ['default', tier],
      ['gold', tier],
    ]),
    observer: { accessChanged: (change) => void reported.push(change) },
    access: {
      keys: keyMaker,
      tokens: createTokenIssuer({ roots: ROOTS, clock: systemClock }),
      box: createSecretBox(ROOTS),
      onChange: async () => {
        changes += 1;
      },
      dialects: ['native', 'levia'],
    },
  });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polylogue-access-'));
  store = await openSqliteStore({ dataDir: directory });
});
beforeEach(() => {
  count += 1;
  acme = `acme-${count}` as ApplicationId;
  changes = 0;
  access = openAccess();
});
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

async function refusal(work: Promise<unknown>): Promise<{ code: string; fields: readonly string[] }> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw new Error(`not refused: ${String(error)}`);
  return { code: error.code, fields: error.fields.map(({ path }) => path.join('.')) };
}

test('a key is stored by its digest and never by itself', async () => {
  const { key, secret } = await access.createKey({ applicationId: DEFAULT_APPLICATION, name: 'backend' });
  expect(key).toMatchObject({ scopes: ['read', 'write'], dialects: null, userId: null, tier: null, expiresAt: null, revokedAt: null });
  expect(secret.endsWith(key.hint)).toBe(true);
  expect(await store.findKeyByDigest(digestOf(secret))).toEqual(key);
  expect(JSON.stringify(await access.listKeys(null, ALL))).not.toContain(secret);
  expect(changes).toBe(1);
});

test('a revoked key keeps its first revocation, and a foreign one is unknown', async () => {
  await access.createApplication(acme, { name: 'Acme' });
  const { key } = await access.createKey({ applicationId: acme, name: 'k' });
  expect(await refusal(access.revokeKey(DEFAULT_APPLICATION, key.id))).toEqual({ code: 'key_not_found', fields: [] });
  const revoked = await access.revokeKey(acme, key.id);
  expect(revoked.revokedAt).toBeTypeOf('number');
  expect(await access.revokeKey(null, key.id)).toEqual(revoked);
  expect((await refusal(access.revokeKey(null, 'nobody' as KeyId))).code).toBe('key_not_found');
});

test('of keys that count an application has a thousand', async () => {
  await access.createApplication(acme, { name: 'Acme' });
  const [first] = await Promise.all(Array.from({ length: 1_000 }, () => access.createKey({ applicationId: acme, name: 'k' })));
  expect(await refusal(access.createKey({ applicationId: acme, name: 'k' }))).toEqual({ code: 'state_conflict', fields: [] });
  expect((await access.createKey({ applicationId: DEFAULT_APPLICATION, name: 'k' })).key.name).toBe('k');
  await access.revokeKey(acme, first?.key.id ?? expect.fail('no key'));
  expect((await access.createKey({ applicationId: acme, name: 'after one has gone' })).key.name).toBe('after one has gone');
});

const key = (but: Partial<CreateKey>): CreateKey => ({ applicationId: DEFAULT_APPLICATION, name: 'k', ...but });

test.each<[string, CreateKey, string]>([
  ['no name', key({ name: '' }), 'name'],
  ['only spaces', key({ name: '   ' }), 'name'],
  ['a long name', key({ name: 'x'.repeat(101) }), 'name'],
  ['a terminal sequence', key({ name: 'a\u001b[2Jb' }), 'name'],
  ['text that runs backwards', key({ name: 'a\u202eb' }), 'name'],
  ['half a surrogate pair', key({ name: 'a\ud83d' }), 'name'],
  ['no scope', key({ scopes: [] }), 'scopes'],
  ['an unknown scope', key({ scopes: ['read', 'root' as Scope] }), 'scopes'],
  ['a scope of the prototype', key({ scopes: ['constructor' as Scope] }), 'scopes'],
  ['a bound key that acts for others', key({ userId: 'ann', scopes: ['read', 'act_as'] }), 'scopes'],
  ['a bound key that administers', key({ userId: 'ann', scopes: ['admin'] }), 'scopes'],
  ['no dialect', key({ dialects: [] }), 'dialects'],
  ['an unknown dialect', key({ dialects: ['native', 'telnet'] }), 'dialects'],
  ['a user without a name', key({ userId: '' }), 'user_id'],
  ['a user with NUL', key({ userId: 'a\0' }), 'user_id'],
  ['the name of the service user', key({ userId: 'service' }), 'user_id'],
  ['the name of the unknown user', key({ userId: 'anonymous' }), 'user_id'],
  ['a user of 256 characters', key({ userId: '🦜'.repeat(256) }), 'user_id'],
  ['an unknown tier', key({ tier: 'platinum' }), 'tier'],
  ['a tier of the prototype', key({ tier: '__proto__' }), 'tier'],
  ['an end that is over', key({ expiresAt: 1 }), 'expires_at'],
  ['an end that is no number', key({ expiresAt: Number.NaN }), 'expires_at'],
  ['an end behind all calendars', key({ expiresAt: 1e300 }), 'expires_at'],
])('a key with %s', async (_what, input, field) => {
  const before = await access.listKeys(null, ALL);
  expect(await refusal(access.createKey(input))).toEqual({ code: 'validation_failed', fields: [field] });
  expect(await access.listKeys(null, ALL)).toEqual(before);
  expect(changes).toBe(0);
});

test('a key with everything, each scope once and in order', async () => {
  const expiresAt = Date.now() + 60_000;
  const scopes: readonly Scope[] = ['write', 'read', 'write'];
  const created = await access.createKey(
    key({ name: '名 🦜', scopes, dialects: ['levia'], userId: '🦜'.repeat(255), tier: 'gold', expiresAt }),
  );
  expect(created.key).toMatchObject({ name: '名 🦜', scopes: ['read', 'write'], dialects: ['levia'], tier: 'gold', expiresAt });
});

test('a key of an application that is not there', async () => {
  for (const id of ['nobody', '', "' or 1=1 --", 'a\0b']) {
    expect(await refusal(access.createKey(key({ applicationId: id as ApplicationId })))).toMatchObject({ code: 'application_not_found' });
  }
});

test('secrets of an application are sealed, and what is left out stays', async () => {
  const made = await access.createApplication(acme, { name: 'Acme', secrets: STRONG, issuer: 'https://login.acme.example' });
  expect(made.tokens.sealedSecrets.map((sealed) => createSecretBox(ROOTS).open(sealed))).toEqual(STRONG);
  expect(JSON.stringify(await store.findApplication(acme))).not.toContain(STRONG[0]);
  const changed = await access.changeApplication(acme, { tier: 'gold', audience: 'chat' });
  expect(changed).toEqual({ ...made, tier: 'gold', tokens: { ...made.tokens, audience: 'chat' } });
  const cleared = await access.changeApplication(acme, { issuer: null, secrets: [], tier: null });
  expect(cleared).toMatchObject({ tier: null, tokens: { issuer: null, audience: 'chat', sealedSecrets: [] } });
  expect(changes).toBe(3);
});

test('changes at the same moment all count', async () => {
  await access.createApplication(acme, { name: 'Acme' });
  const settings: readonly ApplicationSettings[] = [
    { issuer: 'https://login.acme.example' },
    { audience: 'chat' },
    { jwksUrl: 'https://login.acme.example/jwks' },
    { secrets: STRONG },
    { name: 'Acme Inc.' },
  ];
  await Promise.all(settings.map((each) => access.changeApplication(acme, each)));
  const sealedSecrets = [expect.any(String), expect.any(String)];
  const tokens = { issuer: 'https://login.acme.example', audience: 'chat', jwksUrl: 'https://login.acme.example/jwks', sealedSecrets };
  expect(await store.findApplication(acme)).toMatchObject({ name: 'Acme Inc.', tokens });
});

test.each<[string, { id: string } & ApplicationSettings, string]>([
  ['capital letters', { id: 'Acme', name: 'A' }, 'id'],
  ['a hyphen in front', { id: '-acme', name: 'A' }, 'id'],
  ['64 characters', { id: 'a'.repeat(64), name: 'A' }, 'id'],
  ['a path', { id: '../acme', name: 'A' }, 'id'],
  ['a line feed at the end', { id: 'acme\n', name: 'A' }, 'id'],
  ['no name', { id: 'acme' }, 'name'],
  ['an unknown tier', { id: 'acme', name: 'A', tier: 'platinum' }, 'tier'],
  ['keys over http', { id: 'acme', name: 'A', jwksUrl: 'http://login.acme.example/jwks' }, 'jwks_url'],
  ['keys from a file', { id: 'acme', name: 'A', jwksUrl: 'file:///etc/passwd' }, 'jwks_url'],
  ['keys with a password', { id: 'acme', name: 'A', jwksUrl: 'https://a:b@login.acme.example/' }, 'jwks_url'],
  ['an empty issuer', { id: 'acme', name: 'A', issuer: '' }, 'issuer'],
  ['a long audience', { id: 'acme', name: 'A', audience: 'x'.repeat(256) }, 'audience'],
  ['a weak secret', { id: 'acme', name: 'A', secrets: ['changeme'] }, 'secrets.0'],
  ['a weak second secret', { id: 'acme', name: 'A', secrets: [STRONG[0], 'a'.repeat(64)] }, 'secrets.1'],
  ['the same secret twice', { id: 'acme', name: 'A', secrets: [STRONG[0], STRONG[0]] }, 'secrets'],
  ['three secrets', { id: 'acme', name: 'A', secrets: [...STRONG, 'fedcba98765432100123456789abcdef'] }, 'secrets'],
])('an application with %s', async (_what, { id, ...settings }, field) => {
  const before = await access.listApplications();
  expect(await refusal(access.createApplication(id as ApplicationId, settings))).toEqual({ code: 'validation_failed', fields: [field] });
  expect(await access.listApplications()).toEqual(before);
});

test('the default application takes a name and a tier, and its tokens from the settings of the server', async () => {
  expect(await access.changeApplication(DEFAULT_APPLICATION, { name: 'Ours', tier: 'gold' })).toMatchObject({ name: 'Ours', tier: 'gold' });
  const settings = { jwksUrl: 'https://login.acme.example/jwks' };
  expect((await refusal(access.changeApplication(DEFAULT_APPLICATION, settings))).code).toBe('validation_failed');
});

test('an application that is there already, or not', async () => {
  await access.createApplication(acme, { name: 'Acme', jwksUrl: 'http://127.0.0.1:9/jwks' });
  expect((await refusal(access.createApplication(acme, { name: 'Again' }))).code).toBe('state_conflict');
  expect(await store.findApplication(acme)).toMatchObject({ name: 'Acme' });
  for (const id of ['nobody', 'a\0b']) {
    expect((await refusal(access.changeApplication(id as ApplicationId, { name: 'A' }))).code).toBe('application_not_found');
  }
});

test('a token for a user of an application that is there', async () => {
  const claims = { applicationId: acme, userId: 'ann', keyId: null, expiresInSeconds: 60 };
  expect((await refusal(access.issueToken(claims))).code).toBe('application_not_found');
  await access.createApplication(acme, { name: 'Acme' });
  expect((await access.issueToken(claims)).token.split('.')).toHaveLength(3);
  for (const userId of ['', 'service', 'anonymous']) {
    expect((await refusal(access.issueToken({ ...claims, userId }))).fields).toEqual(['user_id']);
  }
  expect((await access.issueToken({ ...claims, userId: 'Service' })).token).toMatch(/^ey/);
});
