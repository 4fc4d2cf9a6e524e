import { BlockList, isIP, isIPv6 } from 'node:net';
import { parseDestination, plainHost } from '../../core/destination.ts';
import { isPublicAddress } from './address-ranges.ts';

/** What requests may connect to. */
export interface DestinationPolicy {
  /** Whether this host, as a URL names it, may be reached at whatever address it has. */
  trusts(host: string, port: number): boolean;
  /** Whether connections to this address may be made. */
  permits(address: string): boolean;
}

/** Permits public addresses and what `allow` lists; throws for an entry that names nothing. */
export function createDestinationPolicy(allow: readonly string[]): DestinationPolicy {
  const hosts = new Set<string>();
  const ranges = new BlockList();
  for (const entry of allow) {
    const destination = parseDestination(entry);
    if (destination === null) throw new Error('An allowed destination must be an address, a range or a host');
    if (destination.kind === 'host') hosts.add(keyOf(destination.host, destination.port));
    else addRange(ranges, destination.address, destination.prefix);
  }
  return {
    trusts(host, port) {
      const plain = plainHost(host.toLowerCase());
      return hosts.has(keyOf(plain, null)) || hosts.has(keyOf(plain, port));
    },
    permits: (address) => isPublicAddress(address) || (isIP(address) !== 0 && ranges.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')),
  };
}

function addRange(ranges: BlockList, address: string, prefix: number | null): void {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (prefix === null) ranges.addAddress(address, family);
  else ranges.addSubnet(address, prefix, family);
}

function keyOf(host: string, port: number | null): string {
  return `${host} ${port ?? '*'}`;
}
