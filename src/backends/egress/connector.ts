import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { EgressError } from '../../core/ports/egress.ts';
import type { DestinationPolicy } from './destination-policy.ts';

const CONNECT_MS = 10_000;

/** All addresses that a name has now. */
export type Resolve = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

/** Asks the system, as any program does. */
export const systemResolve: Resolve = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });

/**
 * Opens connections for undici. Addresses are checked between the answer of the name server and the connection, so that no second answer counts;
 * a name of which only one address is refused is refused.
 */
export function createConnector(policy: DestinationPolicy, resolve: Resolve): buildConnector.connector {
  const settings = { timeout: CONNECT_MS, allowH2: false, autoSelectFamily: true };
  const free = buildConnector({ ...settings, lookup: lookupWith(resolve, () => true) });
  const guarded = buildConnector({ ...settings, lookup: lookupWith(resolve, policy.permits) });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    if (policy.trusts(host, port)) free(options, callback);
    // Nobody looks up what is an address already.
    else if (isIP(host) !== 0 && !policy.permits(host)) callback(refused(), null);
    else guarded(options, callback);
  };
}

function lookupWith(resolve: Resolve, permits: (address: string) => boolean): LookupFunction {
  return (host, { all }, callback) => {
    resolve(host).then(
      (found) => {
        const [first] = found;
        if (first === undefined) callback(new Error('the name has no address'), '', 0);
        else if (!found.every(({ address }) => permits(address))) callback(refused(), '', 0);
        else if (all === true) callback(null, [...found]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error('no answer'), '', 0),
    );
  };
}

function refused(): EgressError {
  return new EgressError('destination_refused', 'This server does not send requests to that address.');
}
