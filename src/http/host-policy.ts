import { isIPv4 } from 'node:net';
import { AppError } from '../core/errors.ts';

/** Whether requests may name a host, as their `Host` header has it. */
export type HostPolicy = (host: string | undefined) => boolean;

/**
 * Takes what no foreign name server can point here: addresses, names without a dot, this machine's own names (RFC 6761 section 6.3), with any
 * port; and the hosts of these origins. Whoever names none is no browser. Without it a page whose name is made to point here could read
 * everything that needs no secret.
 */
export function createHostPolicy(origins: readonly string[]): HostPolicy {
  const named = new Set(origins.map((origin) => new URL(origin).hostname));
  return (host) => {
    if (host === undefined) return true;
    const name = /^(.*?)(?::\d{1,5})?$/.exec(host.toLowerCase())?.[1] ?? '';
    return !name.includes('.') || isIPv4(name) || name.endsWith('.localhost') || named.has(name);
  };
}

/** How a request is refused that names a host which this server does not go by. */
export function hostUnknown(): AppError {
  return new AppError(
    'host_unknown',
    'With its development key this server answers to no name of the web: list the origin by which you call it in ALLOWED_ORIGINS.',
  );
}
