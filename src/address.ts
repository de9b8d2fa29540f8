// Addresses and networks: parse, normalise, contain, mask. Pure.
// Canonical spellings only: no octal, no zone ids. `::ffff:a.b.c.d` is IPv4. IPv6 is written as RFC 5952 says.
import { bytesOfIPv4, readIPv4, readIPv6, wordAt, writeBytes } from './address-text.ts';
import type { Network } from './model.ts';

/** IPv4 addresses that hide in IPv6: `::ffff:0:0/96`. */
const MAPPED = `${'\0'.repeat(10)}\xff\xff`;

/**
 * Reads one address. `::ffff:192.0.2.7` is read as `192.0.2.7`.
 * @returns undefined for anything but a canonical-form address (octal, zone ids, spaces, networks).
 */
export function parseAddress(text: string): Network | undefined {
  // Written anew: `text` may be a view of a whole chunk of a log, which it would keep in memory.
  const bytes = readIPv4(text);
  if (bytes !== undefined) return addressOf(4, bytes);
  const long = readIPv6(text);
  return long === undefined ? undefined : normalise(long);
}

/** @param address 0xc0000207 for 192.0.2.7, or the same with a sign. */
export function ipv4(address: number): Network {
  return addressOf(4, bytesOfIPv4(address));
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
  return { network, hostBits: network.bytes !== address.bytes };
}

/** The network of 4 or 16 bytes, as `bytes` has them or as an array. Host bits are cleared. */
export function networkOf(family: 4 | 6, bytes: string | Uint8Array, bits: number): Network {
  const all = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1');
  if (bits >= widthOf(family)) return addressOf(family, all);
  const cut = masked(all, bits);
  return { family, bits, bytes: cut, text: `${writeBytes(cut)}/${bits}`, first: wordAt(cut, 0) };
}

/** The network of the first `bits` bits of `network`; `network` itself where it is no longer than that. */
export function mask(network: Network, bits: number): Network {
  return bits >= network.bits ? network : networkOf(network.family, network.bytes, bits);
}

/** Is it an address by which a host speaks to itself: 127.0.0.0/8, ::1? */
export function isLoopback({ family, bytes, text }: Network): boolean {
  return family === 4 ? bytes.charCodeAt(0) === 127 : text === '::1';
}

/** Is `inner` (an address or a network) wholly inside `outer`? */
export function contains(outer: Network, inner: Network): boolean {
  if (outer.family !== inner.family || outer.bits > inner.bits) return false;
  const whole = outer.bits >> 3;
  if (!inner.bytes.startsWith(outer.bytes.slice(0, whole))) return false;
  const rest = outer.bits & 7;
  return rest === 0 || (outer.bytes.charCodeAt(whole) ^ inner.bytes.charCodeAt(whole)) >> (8 - rest) === 0;
}

/** Do the two share an address? */
export function overlaps(a: Network, b: Network): boolean {
  return contains(a, b) || contains(b, a);
}

export function isSingleIPv4({ family, bits }: Network): boolean {
  return family === 4 && bits === 32;
}

/** 32 or 128: the length of an address of that family. */
export function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

export function isAddress(network: Network): boolean {
  return network.bits === widthOf(network.family);
}

/** The 16 normalised bytes under which the ledger stores an address (IPv4 as `::ffff:a.b.c.d`), and the prefix length there. */
export function toStored({ family, bytes, bits }: Network): { bytes: Uint8Array; bits: number } {
  // By hand: it is done with each offender that is written, and a Buffer of a text takes several times as long.
  const stored = new Uint8Array(16);
  const from = family === 4 ? MAPPED.length : 0;
  if (family === 4) stored[10] = stored[11] = 0xff;
  for (let at = 0; at < bytes.length; at++) stored[from + at] = bytes.charCodeAt(at);
  return { bytes: stored, bits: family === 4 ? bits + 96 : bits };
}

/** The inverse of {@link toStored}. */
export function fromStored(bytes: Uint8Array, bits: number): Network {
  const stored = Buffer.from(bytes).toString('latin1');
  return bits >= 96 && stored.startsWith(MAPPED)
    ? networkOf(4, stored.slice(12), bits - 96)
    : networkOf(6, stored, bits);
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
  const lengths = { 4: [] as LengthOfSet[], 6: [] as LengthOfSet[] };
  for (const network of byText.values()) {
    const { family, bits } = network;
    let length = lengths[family].find((each) => each.bits === bits);
    if (!length) lengths[family].push((length = { bits, beginnings: new Set() }));
    length.beginnings.add(beginningOf(network, bits));
  }
  for (const all of [lengths[4], lengths[6]]) all.sort((a, b) => b.bits - a.bits);
  const holding = (network: Network): Network | undefined => {
    for (const { bits, beginnings } of lengths[network.family]) {
      if (bits > network.bits || !beginnings.has(beginningOf(network, bits))) continue;
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

/** The networks of one length in a set, told by numbers: nearly every address is in none, and to put a text together takes long. */
interface LengthOfSet {
  readonly bits: number;
  readonly beginnings: Set<number>;
}

/** The first `bits` bits, of 32 and more the first 32, as a number. */
function beginningOf({ first }: Network, bits: number): number {
  // A shift by 32 is one by nothing.
  return bits === 0 ? 0 : bits < 32 ? first >>> (32 - bits) : first;
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

function normalise(bytes: string): Network {
  return bytes.startsWith(MAPPED) ? addressOf(4, bytes.slice(12)) : addressOf(6, bytes);
}

function addressOf(family: 4 | 6, bytes: string): Network {
  return { family, bits: widthOf(family), bytes, text: writeBytes(bytes), first: wordAt(bytes, 0) };
}

function masked(bytes: string, bits: number): string {
  const whole = bits >> 3;
  const rest = bits & 7;
  const edge = rest === 0 ? '' : String.fromCharCode(bytes.charCodeAt(whole) & (0xff << (8 - rest)));
  return (bytes.slice(0, whole) + edge).padEnd(bytes.length, '\0');
}
