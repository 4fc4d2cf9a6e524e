import type { FastifyReply, FastifyRequest } from 'fastify';
import { credentialRevoked } from '../core/refusals.ts';
import { onRevoked } from './revocation.ts';
import { visitOf } from './visit.ts';

/** A request that is being answered. */
export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/**
 * Does what an answer waits for, with a signal that aborts as soon as nobody waits any more: the client has left, or the request's credential
 * is revoked. Rejects with `auth_revoked` after that, else with what `work` rejects with.
 */
export async function whileAwaited<T>({ request, reply }: Exchange, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const revoked = visitOf(request).principal?.revoked;
  const gone = new AbortController();
  const leave = () => gone.abort();
  const forget = onRevoked(revoked, leave);
  // The request's own signal is deaf: it is there only once the body is read, and then the request has closed already.
  reply.raw.once('close', leave);
  if (reply.raw.destroyed) leave();
  try {
    const result = await work(gone.signal);
    if (revoked?.aborted) throw credentialRevoked();
    return result;
  } catch (error) {
    if (revoked?.aborted) throw credentialRevoked();
    throw error;
  } finally {
    forget();
    reply.raw.off('close', leave);
  }
}
