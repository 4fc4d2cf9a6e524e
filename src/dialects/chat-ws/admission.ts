import { AppError, type ErrorCode } from '../../core/errors.ts';
import type { Caller, Principal } from '../../core/principal.ts';
import type { CredentialCarrier } from '../../http/authenticate.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import { errorStatus } from '../../http/error-status.ts';
import { callAt } from '../../http/expiry.ts';
import { createQueryReader } from '../../http/query.ts';
import { onRevoked } from '../../http/revocation.ts';
import type { SocketCounts } from '../../http/socket-counts.ts';
import type { WebSocketConnection } from '../../http/web-socket-connection.ts';
import { toErrorFrame } from './translate.ts';

const MAX_USER_ID_UNITS = 510;

/** What a socket was let in with. */
export interface Admission {
  readonly caller: Caller;
  readonly principal: Principal;
  /** Aborts when the credential counts no more: from then on nothing is done for this socket, whatever it has asked for. */
  readonly over: AbortSignal;
}

interface AdmitOptions extends Pick<DialectDeps, 'engine' | 'door' | 'clock'> {
  readonly connection: WebSocketConnection;
  readonly request: CredentialCarrier;
  readonly counts: Pick<SocketCounts, 'admitted'>;
}

/**
 * Lets a socket in, to be counted until it closes and closed when its credential ends. One that does not come in is told why and closed:
 * with 1013 where it may try again later just so, else with 1008. Null for those.
 */
export async function admit(options: AdmitOptions): Promise<Admission | null> {
  const { connection, request, door, engine, counts } = options;
  try {
    const principal = await door.authenticate(request, { queryNames: { token: 'token', key: 'key' }, tellsExpired: true });
    const caller = await door.callerOf(request, principal, createQueryReader(request.query).text('user_id', MAX_USER_ID_UNITS));
    if (connection.signal.aborted) return null;
    connection.onEnd(engine.limits.connect(caller));
    counts.admitted('ok');
    const over = untilEnd(options, principal);
    return over.aborted ? null : { caller, principal, over };
  } catch (error) {
    counts.admitted(error instanceof AppError ? error.code : 'internal');
    if (!(error instanceof AppError)) throw error;
    refuse(connection, error);
    return null;
  }
}

/** Closes the socket when its credential's time is over or it is revoked. */
function untilEnd({ connection, clock }: AdmitOptions, { by, expiresAt, revoked }: Principal): AbortSignal {
  const over = new AbortController();
  const end = (code: ErrorCode, message: string) => {
    over.abort();
    connection.send(JSON.stringify({ type: 'error', message, code }));
    connection.close(1008, code);
  };
  const expire = () => end('auth_expired', by === 'token' ? 'Token expired' : 'Key expired');
  const revoke = () => end('auth_revoked', by === 'token' ? 'Token revoked' : 'Key revoked');
  if (expiresAt !== null) connection.onEnd(callAt(clock, expiresAt, expire));
  if (!connection.signal.aborted && revoked !== null) connection.onEnd(onRevoked(revoked, revoke));
  return over.signal;
}

function refuse(connection: WebSocketConnection, failure: AppError): void {
  connection.send(JSON.stringify(toErrorFrame(failure)));
  // 1008 tells a client not to come back as it is (RFC 6455 section 7.4.1); 1013, "try again later" (IANA), that nothing is wrong with it.
  const passes = errorStatus[failure.code] === 429 || errorStatus[failure.code] === 503;
  connection.close(passes ? 1013 : 1008, failure.code);
}
