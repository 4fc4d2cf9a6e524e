/** An address, range or host that outgoing requests may reach although it is not public. */
export type Destination =
  /** `prefix` is null for a single address. */
  | { readonly kind: 'range'; readonly address: string; readonly prefix: number | null }
  /** A null port is any. */
  | { readonly kind: 'host'; readonly host: string; readonly port: number | null };

const RANGE = /^([0-9a-f.:]+)\/(\d{1,3})$/i;
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f.:]*:[0-9a-f.:]*)$/i;
const HOST = /^(\[[0-9a-f:.]+\]|[^\s:/?#@*[\]]+)(?::(\d{1,5}))?$/i;

/**
 * Reads `10.0.0.0/8`, `fd00::/8`, `10.0.0.5`, `intranet.example` or `localhost:3000`; null when the text is none of these. Whether an address is
 * one is for whoever compares with it.
 */
export function parseDestination(text: string): Destination | null {
  const range = RANGE.exec(text);
  if (range) return { kind: 'range', address: range[1] ?? '', prefix: Number(range[2]) };
  if (ADDRESS.test(text)) return { kind: 'range', address: text, prefix: null };
  const [, name, port] = HOST.exec(text) ?? [];
  const host = name === undefined ? undefined : URL.parse(`http://${name}`)?.hostname;
  if (host === undefined || host === '' || Number(port ?? 1) > 65_535 || Number(port ?? 1) === 0) return null;
  return { kind: 'host', host: plainHost(host), port: port === undefined ? null : Number(port) };
}

/** A URL's host name without the brackets of an IPv6 address and without the dot of a complete name. */
export function plainHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}
