// How addresses are spelled: text to bytes and back, in one pass each, for it happens with every line that matches. Pure.
// Bytes stand in a string, one character a byte: it takes a tenth of the room of a Uint8Array, and is compared at once.

const DOT = 46;
const COLON = 58;
const GROUPS = 8;
const SHORTEST_IPV6 = 2;
const LONGEST_IPV6 = 45;

/** Where a text is spelled out: addresses are read from bytes, of which logs are made. */
const spelled = new Uint8Array(LONGEST_IPV6 + 1);

/** @returns how many bytes of {@link spelled} are the part [from, to) of the text; more than an address has where it is longer. */
function spell(text: string, from: number, to: number): number {
  const length = Math.min(to - from, LONGEST_IPV6 + 1);
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(from + at);
    spelled[at] = code < 128 ? code : 0;
  }
  return length;
}

/** @returns 4 bytes; undefined for anything but four decimal numbers below 256 without leading zeros. */
export function readIPv4(text: string): string | undefined {
  const address = ipv4In(text, 0, text.length);
  return address < 0 ? undefined : bytesOfIPv4(address);
}

/** {@link ipv4At} of the part [from, to) of a text. */
export function ipv4In(text: string, from: number, to: number): number {
  return ipv4At(spelled, 0, spell(text, from, to));
}

/** The same of the bytes [from, to), as a number: 192.0.2.7 is 0xc0000207; -1 for anything else. */
export function ipv4At(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 7 || to - from > 15) return -1;
  let address = 0;
  let part = -1;
  let parts = 0;
  for (let at = from; at <= to; at++) {
    const code = at === to ? DOT : bytes[at]!;
    if (code === DOT) {
      if (part < 0 || ++parts > 4) return -1;
      address = address * 256 + part;
      part = -1;
    } else if (code >= 48 && code <= 57) {
      if (part === 0) return -1;
      part = part < 0 ? code - 48 : part * 10 + code - 48;
      if (part > 255) return -1;
    } else return -1;
  }
  return parts === 4 ? address : -1;
}

/** Four bytes of an address as one number of 32 bits, with a sign. @param bytes one character each. */
export function wordAt(bytes: string, at: number): number {
  return (
    (bytes.charCodeAt(at) << 24) |
    (bytes.charCodeAt(at + 1) << 16) |
    (bytes.charCodeAt(at + 2) << 8) |
    bytes.charCodeAt(at + 3)
  );
}

/** @param address as {@link ipv4At} has it. */
export function bytesOfIPv4(address: number): string {
  return String.fromCharCode(address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255);
}

/** The sixteen bytes of an IPv6 address as four numbers with a sign. */
export interface IPv6Words {
  first: number;
  second: number;
  third: number;
  fourth: number;
}

/** Of the address that is being read: as they were written, and then where they belong. */
const groups = new Uint16Array(GROUPS);

/**
 * Reads the bytes [from, to), in RFC 4291's spellings, of which the last 4 bytes may be an IPv4 address.
 * @returns whether it is one; where it isn't, `words` are as before.
 */
export function ipv6At(bytes: Uint8Array, from: number, to: number, words: IPv6Words): boolean {
  if (to - from < SHORTEST_IPV6 || to - from > LONGEST_IPV6) return false;
  let count = 0;
  /** Before which group the zeros stand that `::` leaves out. */
  let gap = -1;
  let at = from;
  if (bytes[at] === COLON) {
    if (bytes[at + 1] !== COLON) return false;
    gap = 0;
    at += 2;
  }
  while (at < to) {
    const begin = at;
    let group = 0;
    for (let digit; at < to && (digit = digitOf(bytes[at]!)) >= 0; at++) group = group * 16 + digit;
    if (at < to && bytes[at] === DOT) {
      const tail = ipv4At(bytes, begin, to);
      if (tail < 0 || count + 2 > GROUPS) return false;
      groups[count++] = tail >>> 16;
      groups[count++] = tail & 0xffff;
      break;
    }
    if (at === begin || at - begin > 4 || count === GROUPS) return false;
    groups[count++] = group;
    if (at === to) break;
    if (bytes[at] !== COLON || ++at === to) return false;
    if (bytes[at] !== COLON) continue;
    if (gap >= 0) return false;
    gap = count;
    at++;
  }
  const missing = GROUPS - count;
  if (gap < 0 ? missing !== 0 : missing < 1) return false;
  if (gap >= 0) {
    groups.copyWithin(gap + missing, gap, count);
    groups.fill(0, gap, gap + missing);
  }
  words.first = (groups[0]! << 16) | groups[1]!;
  words.second = (groups[2]! << 16) | groups[3]!;
  words.third = (groups[4]! << 16) | groups[5]!;
  words.fourth = (groups[6]! << 16) | groups[7]!;
  return true;
}

const read: IPv6Words = { first: 0, second: 0, third: 0, fourth: 0 };

/** @returns 16 bytes; undefined for anything but what {@link ipv6At} takes. */
export function readIPv6(text: string): string | undefined {
  if (!ipv6At(spelled, 0, spell(text, 0, text.length), read)) return undefined;
  const words = [read.first, read.second, read.third, read.fourth];
  // In one call: a string that grows by concatenation takes several times its room.
  return String.fromCharCode(
    ...words.flatMap((word) => [word >>> 24, (word >> 16) & 255, (word >> 8) & 255, word & 255]),
  );
}

/** @param bytes 4 or 16. @returns `192.0.2.7`, or as RFC 5952 says: no leading zeros, the longest run of zero groups left out. */
export function writeBytes(bytes: string): string {
  const codes: number[] = [];
  if (bytes.length === 4) {
    for (let index = 0; index < 4; index++) {
      if (index > 0) codes.push(DOT);
      const part = bytes.charCodeAt(index);
      if (part >= 100) codes.push(48 + Math.floor(part / 100));
      if (part >= 10) codes.push(48 + (Math.floor(part / 10) % 10));
      codes.push(48 + (part % 10));
    }
    // In one call: a string that grows by concatenation takes several times its room.
    return String.fromCharCode(...codes);
  }
  const [start, end] = longestZeros(bytes);
  for (let index = 0; index < GROUPS; index++) {
    if (index === start) {
      codes.push(COLON, COLON);
      index = end - 1;
      continue;
    }
    if (codes.length > 0 && index !== end) codes.push(COLON);
    const group = groupAt(bytes, index);
    for (let shift = 12; shift >= 0; shift -= 4)
      if (shift === 0 || group >> shift > 0) codes.push(DIGITS.charCodeAt((group >> shift) & 15));
  }
  return String.fromCharCode(...codes);
}

const DIGITS = '0123456789abcdef';

/** The first of the longest runs of two or more zero groups; [8, 8] where there is none. */
function longestZeros(bytes: string): [start: number, end: number] {
  let best: [number, number] = [GROUPS, GROUPS];
  let longest = 1;
  for (let index = 0; index < GROUPS; index++) {
    const start = index;
    while (index < GROUPS && groupAt(bytes, index) === 0) index++;
    if (index - start > longest) {
      longest = index - start;
      best = [start, index];
    }
  }
  return best;
}

function groupAt(bytes: string, index: number): number {
  return (bytes.charCodeAt(index * 2) << 8) | bytes.charCodeAt(index * 2 + 1);
}

/** The value of a hexadecimal digit; -1 for anything else. */
function digitOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
