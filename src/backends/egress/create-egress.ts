import { Agent, fetch as undiciFetch } from 'undici';
import type { Clock } from '../../core/ports/clock.ts';
import { type Egress, EgressError } from '../../core/ports/egress.ts';
import { boundedBody } from './bounded-body.ts';
import { createConnector, type Resolve, systemResolve } from './connector.ts';
import { createDestinationPolicy } from './destination-policy.ts';
import { checkedUrl, type Hop, isRedirect, nextHop } from './redirect.ts';

const MAX_REDIRECTS = 5;

export interface EgressOptions {
  /** Addresses, ranges and hosts beyond the public Internet, as `parseDestination` reads them. */
  readonly allow: readonly string[];
  /** Of one answer's body, after decompression. */
  readonly maxBytes: number;
  /** For one request with its redirects and its whole body, in milliseconds; null leaves that to the caller's signal. */
  readonly timeoutMs: number | null;
  readonly clock: Pick<Clock, 'after'>;
  /** Instead of the system's. */
  readonly resolve?: Resolve;
}

/** Outgoing HTTP with the destination checked when each connection is made; redirects are followed by hand, at most five. */
export function createEgress({ allow, maxBytes, timeoutMs, clock, resolve = systemResolve }: EgressOptions): Egress {
  const agent = new Agent({
    connect: createConnector(createDestinationPolicy(allow), resolve),
    // A stream of events may be silent for long; whoever asks bounds the time.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  });

  function deadline(signal: AbortSignal | null | undefined) {
    const timeout = new AbortController();
    const late = () => timeout.abort(new EgressError('timed_out', 'The server did not answer in time.'));
    const onEnd = timeoutMs === null ? () => {} : clock.after(timeoutMs, late);
    return { signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal, onEnd };
  }

  async function once({ url, init }: Hop, signal: AbortSignal): Promise<Response> {
    try {
      // Both are the WHATWG's fetch; their types come from two places.
      const request = { ...init, signal, redirect: 'manual', dispatcher: agent } as unknown as Parameters<typeof undiciFetch>[1];
      return (await undiciFetch(url, request)) as unknown as Response;
    } catch (error) {
      signal.throwIfAborted();
      throw refusalIn(error) ?? new EgressError('destination_unreachable', 'The server cannot be reached.', error);
    }
  }

  async function follow(first: Hop, signal: AbortSignal): Promise<{ response: Response; url: URL }> {
    const mode = first.init.redirect ?? 'follow';
    for (let hop = first, hops = 0; ; hops += 1) {
      const response = await once(hop, signal);
      if (!isRedirect(response.status) || mode === 'manual') return { response, url: hop.url };
      await response.body?.cancel();
      if (mode === 'error') throw new EgressError('destination_refused', 'The server redirects to another address.');
      if (hops === MAX_REDIRECTS) throw new EgressError('too_many_redirects', 'The server redirects too often.');
      hop = nextHop(hop, response.status, response.headers.get('location'));
    }
  }

  return {
    async fetch(input, init = {}) {
      const { signal, onEnd } = deadline(init.signal);
      try {
        const { response, url } = await follow({ url: checkedUrl(input), init }, signal);
        return bounded(response, { url, maxBytes, signal, onEnd });
      } catch (error) {
        onEnd();
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

interface Bounds {
  readonly url: URL;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly onEnd: () => void;
}

function bounded(response: Response, { url, maxBytes, signal, onEnd }: Bounds): Response {
  const { status, statusText, body } = response;
  if (body === null) onEnd();
  const headers = new Headers([...response.headers]);
  // They describe the bytes before decompression.
  headers.delete('content-encoding');
  headers.delete('content-length');
  const copy = new Response(body === null ? null : boundedBody(body, { maxBytes, signal, onEnd }), { status, statusText, headers });
  Object.defineProperty(copy, 'url', { value: url.href });
  return copy;
}

/** Why a connection was not made, which undici wraps. */
function refusalIn(error: unknown): EgressError | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1)
    if (cause instanceof EgressError) return cause;
  return null;
}
