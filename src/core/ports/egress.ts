/** Sends a request over HTTP to an address that may be anybody's choice, as `fetch` does; rejects with an `EgressError` or the signal's reason. */
export type OutgoingFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** Outgoing HTTP that reaches only what the operator allows. */
export interface Egress {
  readonly fetch: OutgoingFetch;
  close(): Promise<void>;
}

export type EgressErrorCode = 'destination_refused' | 'destination_unreachable' | 'too_many_redirects' | 'answer_too_large' | 'timed_out';

/** Why a request was not made or not answered, in words that a model and a user may see: they tell nothing of the network behind a name. */
export class EgressError extends Error {
  override readonly name = 'EgressError';
  readonly code: EgressErrorCode;

  constructor(code: EgressErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
