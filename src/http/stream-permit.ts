import type { FastifyReply } from 'fastify';
import type { Clock } from '../core/ports/clock.ts';
import { credentialRevoked } from '../core/refusals.ts';
import type { Engine } from '../engine/index.ts';
import { callAt } from './expiry.ts';
import { onRevoked } from './revocation.ts';
import { visitOf } from './visit.ts';

/** Counts a response among its caller's open connections, once and until it is over. Throws `too_many_connections`. */
export function countConnection(reply: FastifyReply, limits: Pick<Engine['limits'], 'connect'>): void {
  const visit = visitOf(reply.request);
  const { raw } = reply;
  if (visit.counted || !visit.caller || raw.destroyed) return;
  const release = limits.connect(visit.caller);
  visit.counted = true;
  raw.once('close', release);
}

/** Throws `auth_revoked` when the request's credential counts no more. */
export function checkNotRevoked(reply: FastifyReply): void {
  if (visitOf(reply.request).principal?.revoked?.aborted) throw credentialRevoked();
}

/** Calls back when the request's credential is revoked or its time is over, unless the signal aborts before. */
export function onCredentialEnd(
  reply: FastifyReply,
  { clock, signal, callback }: { clock: Clock; signal: AbortSignal; callback: () => void },
): void {
  const { principal } = visitOf(reply.request);
  if (!principal || signal.aborted) return;
  const forget = onRevoked(principal.revoked, callback);
  signal.addEventListener('abort', forget, { once: true });
  if (principal.expiresAt !== null) callAt(clock, principal.expiresAt, { signal, callback });
}
