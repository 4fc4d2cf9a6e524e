import { EgressError } from '../../core/ports/egress.ts';

/** What of a request another server may see. */
const HARMLESS: readonly string[] = ['accept', 'accept-language', 'user-agent'];

/** One request of a chain. */
export interface Hop {
  readonly url: URL;
  readonly init: RequestInit;
}

/** Refuses what is not plain HTTP(S): other schemes, credentials in the address. */
export function checkedUrl(url: string | URL, base?: URL): URL {
  const parsed = URL.parse(String(url), base?.href);
  if (parsed === null) throw new EgressError('destination_refused', 'This is not a valid address.');
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new EgressError('destination_refused', 'Only http and https addresses can be reached.');
  if (parsed.username !== '' || parsed.password !== '')
    throw new EgressError('destination_refused', 'An address must not contain a user name or a password.');
  return parsed;
}

/** Whether a status asks for another request (RFC 9110 section 15.4). */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/**
 * The request that a redirect asks for. Another origin gets no credentials and no body; TLS is never given up. Rejects what would need that with
 * an `EgressError`.
 */
export function nextHop({ url, init }: Hop, status: number, location: string | null): Hop {
  const target = checkedUrl(location ?? '', url);
  if (url.protocol === 'https:' && target.protocol === 'http:')
    throw new EgressError('destination_refused', 'The address redirects to an unencrypted one.');
  const method = (init.method ?? 'GET').toUpperCase();
  const becomesGet = status === 303 ? method !== 'HEAD' : (status === 301 || status === 302) && method === 'POST';
  const sameOrigin = target.origin === url.origin;
  const readsOnly = becomesGet || method === 'GET' || method === 'HEAD';
  if (!sameOrigin && !readsOnly)
    throw new EgressError('destination_refused', 'The address redirects to another server, which gets no data.');
  const { body, ...rest } = init;
  return {
    url: target,
    init: {
      ...rest,
      method: becomesGet ? 'GET' : method,
      headers: headersFor(init.headers, sameOrigin, becomesGet),
      ...(readsOnly || body === undefined ? {} : { body }),
    },
  };
}

function headersFor(headers: RequestInit['headers'], sameOrigin: boolean, becomesGet: boolean): Headers {
  const kept = new Headers(headers);
  for (const name of [...kept.keys()]) {
    const goes = sameOrigin ? !(becomesGet && name.startsWith('content-')) : HARMLESS.includes(name);
    if (!goes) kept.delete(name);
  }
  return kept;
}
