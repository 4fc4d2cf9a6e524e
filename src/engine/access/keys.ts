import type { ApiKey } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { SCOPES, type Scope } from '../../core/principal.ts';
import type { Access, CreateKey } from '../engine.ts';
import type { AccessPorts } from './access-ports.ts';
import { applicationUnknown } from './applications.ts';
import { checkName, checkTier, checkUserId, createChecks } from './checks.ts';

const DEFAULT_SCOPES: readonly Scope[] = ['read', 'write'];
/** The end of the year 9999, behind which RFC 3339 has no times. */
const LAST_TIME = 253_402_300_799_999;

type KeyAccess = Pick<Access, 'createKey' | 'listKeys' | 'revokeKey'>;

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
      if (!(await store.createKey({ key, digest }))) throw applicationUnknown();
      await ports.changed();
      return { key, secret };
    },
    listKeys: (applicationId) => store.listKeys(applicationId),
    async revokeKey(applicationId, id) {
      const key = await store.revokeKey({ applicationId, id, now: clock.now() });
      if (key === null) throw new AppError('key_not_found', 'There is no such API key');
      await ports.changed();
      return key;
    },
  };
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
