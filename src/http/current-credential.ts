import type { Clock } from '../core/ports/clock.ts';
import { credentialRevoked } from '../core/refusals.ts';
import type { StartRun } from '../engine/index.ts';
import { type CredentialCarrier, credentialRefused } from './authenticate.ts';
import { visitOf } from './visit.ts';

/**
 * Looks once more at the credential that a request was let in with: its body may come long after its headers. Throws `auth_revoked`, or
 * `auth_expired` (`auth_invalid` in protocols that do not tell) when it counts no more.
 */
export function checkCredential(request: Pick<CredentialCarrier, 'raw'>, clock: Clock): void {
  const { principal, tellsExpired } = visitOf(request);
  if (principal?.revoked?.aborted) throw credentialRevoked();
  if (principal?.expiresAt == null || clock.now() < principal.expiresAt) return;
  throw credentialRefused(tellsExpired ? 'auth_expired' : 'auth_invalid');
}

/** Makes a run that the request asks for begin only while its credential is not revoked. */
export function unlessRevoked(request: Pick<CredentialCarrier, 'raw'>): Pick<StartRun, 'revoked'> {
  const revoked = visitOf(request).principal?.revoked;
  return revoked ? { revoked } : {};
}
