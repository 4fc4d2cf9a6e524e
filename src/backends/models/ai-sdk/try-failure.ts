import type { ModelError } from '../../../core/ports/model-provider.ts';
import type { Failure } from '../upstream/failures.ts';

/** A failure that no answer of the provider describes. */
export function failureWith(error: ModelError, again: boolean): Failure {
  return { error, again, retryAfterMs: null, refusal: '' };
}

/** Whether the next try may go better: the connection was lost, or the provider had no room for the request. */
export function mayPass({ code }: ModelError): boolean {
  return code === 'upstream_interrupted' || code === 'upstream_unavailable' || code === 'upstream_rate_limited';
}
