import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { connectPlain, readDirectly } from './plain-connection.ts';

// Not imported: with an import of node:http, Node.js loads its fetch() too, which costs every start 30 ms.
const http = process.getBuiltinModule('node:http');

const MAX_HEADER_BYTES = 16 * 1024;

/** Sends requests to one provider over kept-alive connections. */
export interface Endpoint {
  /** What must never be shown: the key and the host. */
  readonly secrets: readonly string[];
  /** Resolves with the response's head; redirects are not followed. Aborting the signal closes the connection, also while the body is read. */
  send(call: Call): Promise<IncomingMessage>;
}

interface Call {
  readonly path: string;
  /** JSON, sent by POST; null asks by GET. */
  readonly body: string | null;
  /** Names in lower case; the endpoint's own win. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Reads the answer's body past Node's HTTP parser where that is possible; only `readText` finds it then. */
  readonly direct?: boolean;
  readonly signal: AbortSignal;
}

interface EndpointOptions {
  readonly baseUrl: string;
  /** Null for a provider that wants none. */
  readonly apiKey: string | null;
  /** The header that carries the key, its name in lower case. */
  readonly authorize: (apiKey: string) => { readonly name: string; readonly value: string };
}

/** Throws when the address is no http(s) URL or the key cannot stand in a header. */
export function createEndpoint({ baseUrl, apiKey, authorize }: EndpointOptions): Endpoint {
  const url = new URL(baseUrl);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error('The base URL of a model provider must begin with http:// or https://.');
  const transport = url.protocol === 'https:' ? https : http;
  const agent = new transport.Agent({ keepAlive: true, maxFreeSockets: 256, scheduling: 'lifo' });
  if (transport === http) agent.createConnection = connectPlain;
  const prefix = url.pathname.replace(/\/+$/, '');
  // A URL writes an IPv6 address in brackets, a socket wants it without.
  const place = { agent, hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port, maxHeaderSize: MAX_HEADER_BYTES };
  const own: Record<string, string> = {
    host: url.host,
    accept: 'text/event-stream, application/json',
    'accept-encoding': 'identity',
    'user-agent': 'polylogue',
  };
  if (apiKey !== null && apiKey !== '') addHeader(own, authorize(apiKey));
  const fields = Object.entries(own).flat();
  return {
    secrets: [apiKey ?? '', url.host, url.hostname],
    send: ({ path, body, headers = {}, direct = false, signal }) =>
      new Promise((resolve, reject) => {
        const others = Object.entries(headers).filter(([name]) => !Object.hasOwn(own, name));
        const request = transport.request({
          ...place,
          method: body === null ? 'GET' : 'POST',
          path: `${prefix}${path}${url.search}`,
          // As a list, of which Node makes the head at once instead of keeping each one.
          headers: [...others.flat(), ...fields, ...contentFields(body)],
        });
        // Node's own `signal` would also watch for the request's end, and give its socket an error that nobody hears behind the answer's last bytes.
        const abort = () => void request.destroy();
        signal.addEventListener('abort', abort, { once: true });
        if (signal.aborted) abort();
        request.once('response', (response) => {
          if (direct) readDirectly(response);
          resolve(response);
        });
        request.on('error', reject);
        request.end(body ?? undefined);
      }),
  };
}

function contentFields(body: string | null): readonly string[] {
  return body === null ? [] : ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(body))];
}

function addHeader(headers: Record<string, string>, { name, value }: { name: string; value: string }): void {
  try {
    http.validateHeaderValue(name, value);
  } catch {
    // The original error is left behind: it would carry the key into a log.
    throw new Error('The API key of a model provider holds characters that cannot stand in an HTTP header.');
  }
  headers[name] = value;
}
