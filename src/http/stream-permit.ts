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
  raw.on('close', release);
}

/** Throws `auth_revoked` when the request's credential counts no more. */
export function checkNotRevoked(reply: FastifyReply): void {
  if (visitOf(reply.request).principal?.revoked?.aborted) throw credentialRevoked();
}

/** Calls back when the request's credential is revoked or its time is over, until the function it returns is called. */
export function onCredentialEnd(reply: FastifyReply, clock: Clock, callback: () => void): () => void {
  const { principal } = visitOf(reply.request);
  const forget = onRevoked(principal?.revoked, callback);
  if (principal?.expiresAt == null) return forget;
  const cancel = callAt(clock, principal.expiresAt, callback);
  return () => {
    forget();
    cancel();
  };
}
