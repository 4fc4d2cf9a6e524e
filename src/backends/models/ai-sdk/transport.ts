import type { IncomingMessage } from 'node:http';
import type { Connection } from '../upstream/connection.ts';
import type { Deadline } from '../upstream/deadline.ts';
import { type Failure, malformed } from '../upstream/failures.ts';
import { isRefused, refusal, unanswered } from '../upstream/response.ts';
import { bodyStream } from './body-stream.ts';
import { failureWith, mayPass } from './try-failure.ts';

/** Stands in the SDK's addresses for the provider's own, so that none of its errors can name that. */
export const PLACEHOLDER_URL = 'http://provider.invalid';
/** Stands in the SDK's headers for the key, which only the endpoint knows. */
export const PLACEHOLDER_KEY = 'held-by-the-endpoint';

const NOT_PASSED_ON: ReadonlySet<string> = new Set(['authorization', 'x-api-key', 'x-goog-api-key', 'user-agent', 'content-type']);

/** Carries the SDK's requests of one try over the provider's endpoint. */
export interface Transport {
  readonly fetch: typeof globalThis.fetch;
  /** What went wrong on the way; null while nothing did. The SDK hears of it only as a stream that ends, so that it hands out all it got. */
  failure(): Failure | null;
  /** Closes the connection without waiting for more. */
  close(): void;
}

/** A transport that the deadline's signal closes at once. */
export function createTransport(connection: Connection, deadline: Deadline): Transport {
  let failure: Failure | null = null;
  let current: IncomingMessage | null = null;

  async function send(path: string, init: RequestInit): Promise<IncomingMessage> {
    const { endpoint } = connection;
    try {
      return await endpoint.send({ path, body: String(init.body), headers: headersOf(init.headers), signal: deadline.signal });
    } catch (error) {
      deadline.signal.throwIfAborted();
      throw fail(failureWith(unanswered(error), true));
    }
  }

  function fail(found: Failure): Error {
    failure ??= found;
    return found.error;
  }

  return {
    failure: () => failure,
    close: () => void current?.destroy(),
    async fetch(input, init = {}) {
      const { pathname, search } = new URL(String(input));
      const response = await send(pathname + search, init);
      current = response;
      if (isRefused(response)) throw fail(await refusal(connection, response, deadline));
      if (!isEventStream(response)) {
        response.destroy();
        throw fail(failureWith(malformed(new Error('no event stream')), false));
      }
      const onFailure = (error: Failure['error']) => void fail(failureWith(error, mayPass(error)));
      const body = bodyStream(response, { deadline, maxBytes: connection.limits.lineCharacters, onFailure });
      return new Response(body, { status: response.statusCode, headers: { 'content-type': 'text/event-stream' } });
    },
  };
}

function headersOf(headers: RequestInit['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries([...new Headers(headers)].filter(([name]) => !NOT_PASSED_ON.has(name)));
}

function isEventStream({ headers }: IncomingMessage): boolean {
  const encoding = headers['content-encoding'] ?? 'identity';
  return encoding === 'identity' && (headers['content-type'] ?? '').startsWith('text/event-stream');
}
