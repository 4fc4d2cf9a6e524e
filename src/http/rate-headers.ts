import type { FastifyReply } from 'fastify';
import type { AppError } from '../core/errors.ts';
import { type RateState, tightest } from '../core/limits.ts';
import type { CredentialCarrier } from './authenticate.ts';
import { visitOf } from './visit.ts';

/** Makes the answer's headers tell of this allowance too: of several they show the one that refuses first. */
export function noteRate(request: Pick<CredentialCarrier, 'raw'>, rate: RateState | null): void {
  const visit = visitOf(request);
  visit.rate = tightest([visit.rate, rate]);
}

/** Makes the answer's headers tell of the allowance that a failure says is used up. */
export function noteRefusal(request: Pick<CredentialCarrier, 'raw'>, { rate }: AppError): void {
  if (rate) visitOf(request).rate = rate;
}

/** Whole seconds until the window is over, rounded up, so that whoever waits for so long finds it over. */
export function secondsLeft({ remaining, resetMs }: RateState): number {
  return Math.max(remaining > 0 ? 0 : 1, Math.ceil(resetMs / 1000));
}

/** Sets `X-RateLimit-Limit`, `-Remaining`, `-Reset` and `RateLimit` (IETF draft-ietf-httpapi-ratelimit-headers) where a bound applies. */
export function setRateHeaders(reply: FastifyReply): void {
  const { rate } = visitOf(reply.request);
  if (!rate) return;
  const seconds = secondsLeft(rate);
  reply
    .header('x-ratelimit-limit', String(rate.limit))
    .header('x-ratelimit-remaining', String(rate.remaining))
    .header('x-ratelimit-reset', String(seconds))
    .header('ratelimit', `"${rate.name}";r=${rate.remaining};t=${seconds}`);
}
