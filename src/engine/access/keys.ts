import type { ApiKey } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { LAST_TIME } from '../../core/last-time.ts';
import { SCOPES, type Scope } from '../../core/principal.ts';
import { keyNotFound } from '../../core/refusals.ts';
import type { Access, CreateKey } from '../engine.ts';
import type { AccessPorts } from './access-ports.ts';
import { applicationUnknown } from './applications.ts';
import { checkName, checkTier, checkUserId, createChecks } from './checks.ts';

const DEFAULT_SCOPES: readonly Scope[] = ['read', 'write'];

/** Keys of one application that may count at the same time. For many users there are tokens, which nobody stores. */
const MAX_KEYS = 1_000;

type KeyAccess = Pick<Access, 'createKey' | 'listKeys' | 'findKey' | 'revokeKey'>;

export function createKeyAccess(ports: AccessPorts): KeyAccess {
  const { store, clock, ids } = ports;
  return {
    async createKey(input) {
      check(input, ports);
      const { secret, digest, hint } = ports.access.keys.make();
      const key: ApiKey = {
        id: ids.uuid(),
        applicationId: input.applicationId,
        name: input.name,
        hint,
        scopes: inOrder(input.scopes ?? DEFAULT_SCOPES),
        dialects: input.dialects == null ? null : [...new Set(input.dialects)],
        userId: input.userId ?? null,
        tier: input.tier ?? null,
        createdAt: clock.now(),
        expiresAt: input.expiresAt ?? null,
        lastUsedAt: null,
        revokedAt: null,
      };
      const outcome = await store.createKey({ key, digest, most: MAX_KEYS });
      if (outcome === 'application_unknown') throw applicationUnknown();
      if (outcome === 'too_many') throw tooManyKeys();
      await ports.changed({ what: 'key created', applicationId: key.applicationId, keyId: key.id, by: input.by ?? null });
      return { key, secret };
    },
    listKeys: (applicationId, page) => store.listKeys(applicationId, page),
    findKey: async (id) => (await store.findKeys([id]))[0] ?? null,
    async revokeKey(applicationId, id, by = null) {
      const key = await store.revokeKey({ applicationId, id, now: clock.now() });
      if (key === null) throw keyNotFound();
      await ports.changed({ what: 'key revoked', applicationId: key.applicationId, keyId: id, by });
      return key;
    },
  };
}

function tooManyKeys(): AppError {
  return new AppError('state_conflict', `The application has ${MAX_KEYS} API keys that count: revoke those that nobody uses`);
}

function check(input: CreateKey, { clock, tiers, access }: AccessPorts): void {
  const { scopes = DEFAULT_SCOPES, dialects = null, userId = null, expiresAt = null } = input;
  const checks = createChecks();
  checkName(checks, input.name);
  const known: ReadonlySet<string> = new Set(SCOPES);
  checks.that(scopes.length > 0 && scopes.every((scope) => known.has(scope)), 'scopes', `must name some of ${SCOPES.join(', ')}`);
  const mayBind = !scopes.includes('act_as') && !scopes.includes('admin');
  checks.that(userId === null || mayBind, 'scopes', 'must be read and write only for a key that is bound to a user');
  const fits = dialects === null || (dialects.length > 0 && dialects.every((dialect) => access.dialects.includes(dialect)));
  checks.that(fits, 'dialects', `must name some of ${access.dialects.join(', ')}`);
  if (userId !== null) checkUserId(checks, userId);
  checkTier(checks, input.tier ?? null, tiers.keys());
  const comes = expiresAt === null || (Number.isInteger(expiresAt) && expiresAt > clock.now() && expiresAt <= LAST_TIME);
  checks.that(comes, 'expires_at', 'must be a time that is still to come');
  checks.done();
}

/** Each scope once, in the order in which people read them. */
function inOrder(scopes: readonly Scope[]): readonly Scope[] {
  return SCOPES.filter((scope) => scopes.includes(scope));
}
