// Addresses and networks: parse, normalise, contain, mask. Pure.
// Canonical spellings only: no octal, no zone ids. `::ffff:a.b.c.d` is IPv4. IPv6 is written as RFC 5952 says.
import { readIPv4, readIPv6, writeIPv4, writeIPv6 } from './address-text.ts';
import type { Network } from './model.ts';

/** IPv4 addresses that hide in IPv6: `::ffff:0:0/96`. */
const MAPPED = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/**
 * Reads one address. `::ffff:192.0.2.7` is read as `192.0.2.7`.
 * @returns undefined for anything but a canonical-form address (octal, zone ids, spaces, networks).
 */
export function parseAddress(text: string): Network | undefined {
  // Written anew: `text` may be a view of a whole chunk of a log, which it would keep in memory.
  const four = readIPv4(text);
  if (four) return { family: 4, bits: 32, bytes: four, text: writeIPv4(four) };
  const sixteen = readIPv6(text);
  return sixteen && normalise(sixteen);
}

/**
 * Reads an address or a network in CIDR notation.
 * @returns the network, and whether bits beyond the prefix were set (`127.0.0.1/8` is taken as `127.0.0.0/8`).
 */
export function parseNetwork(text: string): { network: Network; hostBits: boolean } | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) {
    const address = parseAddress(text);
    return address && { network: address, hostBits: false };
  }
  const prefix = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(prefix)) return undefined;
  let bits = Number(prefix);
  const written = text.slice(0, slash);
  const address = parseAddress(written);
  if (!address) return undefined;
  if (address.family === 4 && written.includes(':')) bits -= 96; // ::ffff:192.0.2.0/120 is 192.0.2.0/24
  if (bits < 0 || bits > widthOf(address.family)) return undefined;
  const network = mask(address, bits);
  return { network, hostBits: !network.bytes.every((byte, index) => byte === address.bytes[index]) };
}

/** The network of 4 or 16 bytes: the inverse of `bytes`. Host bits are cleared. */
export function networkOf(family: 4 | 6, bytes: Uint8Array, bits: number): Network {
  const cut = masked(bytes, bits);
  const base = formatBytes(family, cut);
  return { family, bits, bytes: cut, text: bits === widthOf(family) ? base : `${base}/${bits}` };
}

/** The network of the first `bits` bits of `network`; `network` itself where it is no longer than that. */
export function mask(network: Network, bits: number): Network {
  return bits >= network.bits ? network : networkOf(network.family, network.bytes, bits);
}

/** Is it an address by which a host speaks to itself: 127.0.0.0/8, ::1? */
export function isLoopback({ family, bytes, text }: Network): boolean {
  return family === 4 ? bytes[0] === 127 : text === '::1';
}

/** Is `inner` (an address or a network) wholly inside `outer`? */
export function contains(outer: Network, inner: Network): boolean {
  if (outer.family !== inner.family || outer.bits > inner.bits) return false;
  const whole = outer.bits >> 3;
  for (let i = 0; i < whole; i++) if (outer.bytes[i] !== inner.bytes[i]) return false;
  const rest = outer.bits & 7;
  return rest === 0 || (outer.bytes[whole]! ^ inner.bytes[whole]!) >> (8 - rest) === 0;
}

/** Do the two share an address? */
export function overlaps(a: Network, b: Network): boolean {
  return contains(a, b) || contains(b, a);
}

/** 32 or 128: the length of an address of that family. */
export function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

export function isAddress(network: Network): boolean {
  return network.bits === widthOf(network.family);
}

/** The 16 normalised bytes under which the ledger stores an address (IPv4 as `::ffff:a.b.c.d`), and the prefix length there. */
export function toStored(network: Network): { bytes: Uint8Array; bits: number } {
  if (network.family === 6) return { bytes: network.bytes, bits: network.bits };
  const bytes = new Uint8Array(16);
  bytes.set(MAPPED);
  bytes.set(network.bytes, 12);
  return { bytes, bits: network.bits + 96 };
}

/** The inverse of {@link toStored}. */
export function fromStored(bytes: Uint8Array, bits: number): Network {
  if (bits >= 96 && isMapped(bytes)) return networkOf(4, bytes.slice(12), bits - 96);
  return networkOf(6, bytes, bits);
}

/** A set of networks that is asked by address. Few networks, many questions: one map look-up per distinct length. */
export interface NetworkSet {
  readonly networks: readonly Network[];
  /** The first network of the set that holds all of `network`. */
  holding(network: Network): Network | undefined;
  /** The first network of the set that shares an address with `network`. */
  touching(network: Network): Network | undefined;
}

export function createNetworkSet(networks: Iterable<Network>): NetworkSet {
  const byText = new Map<string, Network>();
  for (const network of networks) byText.set(network.text, network);
  const lengths = { 4: new Set<number>(), 6: new Set<number>() };
  for (const network of byText.values()) lengths[network.family].add(network.bits);
  const sorted = {
    4: [...lengths[4]].toSorted((a, b) => b - a),
    6: [...lengths[6]].toSorted((a, b) => b - a),
  };
  const holding = (network: Network): Network | undefined => {
    for (const bits of sorted[network.family]) {
      if (bits > network.bits) continue;
      const found = byText.get(mask(network, bits).text);
      if (found) return found;
    }
    return undefined;
  };
  return {
    networks: [...byText.values()],
    holding,
    touching(network) {
      const outer = holding(network);
      if (outer || isAddress(network)) return outer;
      for (const inner of byText.values()) if (contains(network, inner)) return inner;
      return undefined;
    },
  };
}

/** Prefixes in which one network holds many unrelated hosts, so that each address is its own offender. */
const EXACT = ['64:ff9b::/96', '64:ff9b:1::/48', '2001::/32', 'fe80::/10'].map(
  (text) => parseNetwork(text)!.network,
);

/**
 * Under which network an address is counted and banned: itself in IPv4, its /64 (or `ipv6Prefix`) in IPv6 —
 * exactly where the prefix is a translator's, Teredo's or link-local, or where it holds a protected address.
 */
export function offenderOf(
  address: Network,
  ipv6Prefix: number,
  isProtected: (network: Network) => boolean,
): Network {
  if (address.family === 4 || ipv6Prefix >= address.bits) return address;
  if (EXACT.some((network) => contains(network, address))) return address;
  const prefix = mask(address, ipv6Prefix);
  return isProtected(prefix) ? address : prefix;
}

function normalise(bytes: Uint8Array): Network {
  if (!isMapped(bytes)) return { family: 6, bits: 128, bytes, text: writeIPv6(bytes) };
  const four = bytes.slice(12);
  return { family: 4, bits: 32, bytes: four, text: writeIPv4(four) };
}

function isMapped(bytes: Uint8Array): boolean {
  for (let index = 0; index < MAPPED.length; index++) if (bytes[index] !== MAPPED[index]) return false;
  return true;
}

function formatBytes(family: 4 | 6, bytes: Uint8Array): string {
  return family === 4 ? writeIPv4(bytes) : writeIPv6(bytes);
}

function masked(bytes: Uint8Array, bits: number): Uint8Array {
  const cut = new Uint8Array(bytes.length);
  const whole = bits >> 3;
  for (let index = 0; index < whole; index++) cut[index] = bytes[index]!;
  if ((bits & 7) !== 0) cut[whole] = bytes[whole]! & (0xff << (8 - (bits & 7)));
  return cut;
}
