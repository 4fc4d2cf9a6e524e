import type { ModelError } from '../../../core/ports/model-provider.ts';
import { malformed, statusError } from '../upstream/failures.ts';
import { fieldsOf, stringOf } from '../upstream/json-fields.ts';
import type { Quote } from '../upstream/redact.ts';

/**
 * What an error of the SDK, thrown or among its parts, stands for. The SDK's own errors stay behind: they carry the whole request, and the
 * text that could not be understood.
 */
export function sdkError(error: unknown, quote: Quote): ModelError {
  const { statusCode, message } = fieldsOf(error);
  if (typeof statusCode === 'number' && (statusCode < 200 || statusCode > 299)) return statusError(statusCode, quote(stringOf(message)));
  // An error that the provider put into its stream is plain data.
  if (!(error instanceof Error)) return statusError(500, quote(stringOf(message)));
  return malformed(new Error(error.name));
}
