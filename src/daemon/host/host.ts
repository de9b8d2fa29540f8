// This host as a blocking daemon must know it: its own addresses and its default gateways, which no jail may ban, and
// what names stand for on it.
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { networkOf, parseAddress, parseNetwork } from '../../address.ts';
import type { Network } from '../../model.ts';
import type { Cancel, Clock, Exec } from '../../ports.ts';
import { watchAddresses } from './address-watch.ts';
import type { AddressListener } from './address-watch.ts';
import { createResolver } from './resolver.ts';
import type { Resolver, ResolverOptions } from './resolver.ts';

export interface Host {
  /** What must never be banned by a jail, with the reason in an administrator's words. Asked anew each time. */
  protectedNetworks(): { network: Network; why: string }[];
  /** Tells when that may have changed, until cancelled. */
  watch(listener: AddressListener): Cancel;
  readonly resolver: Resolver;
}

/** @param ports what {@link Host.watch} needs; where nobody watches, it may be left out. */
export function createHost(
  ports?: { readonly exec: Exec; readonly clock: Clock },
  names: ResolverOptions = {},
): Host {
  return {
    resolver: createResolver(names),
    watch: (listener) => (ports ? watchAddresses(ports.exec, ports.clock, listener) : () => {}),
    protectedNetworks() {
      const found = [
        ...LOOPBACK.map((network) => ({ network, why: 'the loopback of this host' })),
        ...NOBODYS.map((network) => ({ network, why: 'what hosts send from that have no address yet' })),
      ];
      for (const addresses of Object.values(networkInterfaces()))
        for (const { address } of addresses ?? []) {
          const own = parseAddress(address.split('%')[0]!);
          if (own) found.push({ network: own, why: 'an address of this host' });
        }
      const gateways = [
        ...gatewaysIn4(readOrNothing('/proc/self/net/route')),
        ...gatewaysIn6(readOrNothing('/proc/self/net/ipv6_route')),
      ];
      for (const gateway of gateways) found.push({ network: gateway, why: 'the default gateway' });
      return found;
    },
  };
}

const LOOPBACK = ['127.0.0.0/8', '::1'].map((text) => parseNetwork(text)!.network);
/** Logs have them where a client is not known. Were they dropped, no neighbour could find out that an address is taken. */
const NOBODYS = ['0.0.0.0', '::'].map((text) => parseNetwork(text)!.network);

/** `/proc/net/route`: destination, gateway and mask as hexadecimal words in the host's byte order (little endian). */
export function gatewaysIn4(table: string): Network[] {
  const found: Network[] = [];
  for (const line of table.split('\n').slice(1)) {
    const [, destination, gateway, , , , , mask] = line.split('\t');
    if (destination !== '00000000' || mask !== '00000000' || !gateway || gateway === '00000000') continue;
    found.push(networkOf(4, Uint8Array.from(Buffer.from(gateway, 'hex')).toReversed(), 32));
  }
  return found;
}

/** `/proc/net/ipv6_route`: destination, its length, source, its length, next hop, … in network byte order. */
export function gatewaysIn6(table: string): Network[] {
  const found: Network[] = [];
  for (const line of table.split('\n')) {
    const [destination, length, , , hop] = line.split(/\s+/);
    if (!hop || !/^0{32}$/.test(destination!) || length !== '00' || /^0{32}$/.test(hop)) continue;
    found.push(networkOf(6, Uint8Array.from(Buffer.from(hop, 'hex')), 128));
  }
  return found;
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // A kernel without IPv6 has no such table.
  }
}
