import { AppError } from '../core/errors.ts';
import { isReservedUser, SERVICE_USER } from '../core/ids.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Credentials } from '../core/ports/credentials.ts';
import type { Caller, Principal, Scope } from '../core/principal.ts';
import type { Engine } from '../engine/index.ts';
import { authenticate } from './authenticate.ts';
import { checkCredential } from './current-credential.ts';
import type { Doorkeeper } from './dialect.ts';
import { visitOf } from './visit.ts';

const MAX_USER_ID = 255;
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);

interface DoorkeeperOptions {
  readonly credentials: Credentials;
  readonly limits: Pick<Engine['limits'], 'request'>;
  readonly clock: Clock;
  /** The dialect whose door it keeps. */
  readonly dialect: string;
}

/** Keeps one dialect's door, and notes what it learns of each request for its streams and headers. */
export function createDoorkeeper({ credentials, limits, clock, dialect }: DoorkeeperOptions): Doorkeeper {
  const callerFor = rememberCallers();
  return {
    async authenticate(request, options) {
      const principal = await authenticate(credentials, request, options);
      if (principal.dialects && !principal.dialects.has(dialect)) {
        throw new AppError('scope_denied', `This credential does not count in the ${dialect} API.`);
      }
      if (request.method !== undefined) requireScope(principal, READING.has(request.method) ? 'read' : 'write');
      const visit = visitOf(request);
      visit.principal = principal;
      visit.tellsExpired = options?.tellsExpired ?? false;
      return principal;
    },
    async callerOf(request, principal, namedUser) {
      const caller = callerFor(principal, userOf(principal, namedUser));
      const visit = visitOf(request);
      visit.caller = caller;
      visit.rate = await limits.request(caller);
      checkCredential(request, clock);
      return caller;
    },
    require: requireScope,
  };
}

/** One caller for all requests of a principal, as long as they are for one user: what bounds a caller is found once. */
function rememberCallers(): (principal: Principal, userId: string) => Caller {
  const callers = new WeakMap<Principal, Caller>();
  return (principal, userId) => {
    const known = callers.get(principal);
    if (known?.userId === userId) return known;
    const named = principal.kind === 'user' || !isReservedUser(userId);
    const caller: Caller = { applicationId: principal.applicationId, userId, tier: principal.tier, named };
    callers.set(principal, caller);
    return caller;
  };
}

/** Whether a credential may ask for what belongs to any user of its application without naming that user. */
export function mayActForAll(principal: Principal): boolean {
  return principal.kind === 'key' && principal.scopes.has('act_as');
}

/** Throws `validation_failed` or `unicode_invalid` unless an application may call a user so. */
export function checkUserId(userId: string): void {
  if (!userId.isWellFormed() || userId.includes('\0')) {
    throw new AppError('unicode_invalid', 'The user id contains characters that cannot be stored.');
  }
  if (userId.length === 0 || [...userId.slice(0, 2 * MAX_USER_ID + 1)].length > MAX_USER_ID) {
    const message = `must have 1 to ${MAX_USER_ID} characters`;
    throw new AppError('validation_failed', `The user id ${message}.`, { fields: [{ path: ['user_id'], message, keyword: 'length' }] });
  }
}

/** Throws `scope_denied` unless the credential has the scope. */
export function requireScope(principal: Pick<Principal, 'scopes'>, scope: Scope): void {
  if (!principal.scopes.has(scope)) throw new AppError('scope_denied', `This credential lacks the scope ${scope}.`);
}

function userOf(principal: Principal, namedUser: string | null): string {
  if (principal.kind === 'user') {
    // Whoever puts a token into a request may not be who wrote its headers; who sends a bound key has been told whose it is.
    if (principal.by === 'key' && namedUser !== null && namedUser !== principal.userId) {
      throw new AppError('scope_denied', 'This API key acts for one user only, and not for the one named.');
    }
    return principal.userId;
  }
  if (namedUser === null) return SERVICE_USER;
  if (!principal.scopes.has('act_as')) throw new AppError('scope_denied', 'This API key may not act for a named user.');
  checkUserId(namedUser);
  return namedUser;
}
