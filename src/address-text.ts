// How addresses are spelled: text to bytes and back, in one pass each, for it happens with every line that matches. Pure.
// Bytes stand in a string, one character a byte: it takes a tenth of the room of a Uint8Array, and is compared at once.

const DOT = 46;
const COLON = 58;
const GROUPS = 8;

/** @returns 4 bytes; undefined for anything but four decimal numbers below 256 without leading zeros. */
export function readIPv4(text: string): string | undefined {
  const address = ipv4At(text, 0, text.length);
  return address < 0 ? undefined : bytesOfIPv4(address);
}

/** The same of the part [from, to) of a text, as a number: 192.0.2.7 is 0xc0000207; -1 for anything else. */
export function ipv4At(text: string, from: number, to: number): number {
  if (to - from < 7 || to - from > 15) return -1;
  let address = 0;
  let part = -1;
  let parts = 0;
  for (let at = from; at <= to; at++) {
    const code = at === to ? DOT : text.charCodeAt(at);
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

/** @param address as {@link ipv4At} has it. */
export function bytesOfIPv4(address: number): string {
  return String.fromCharCode(address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255);
}

/** @returns 16 bytes; undefined for anything but RFC 4291's spellings, of which the last 4 bytes may be an IPv4 address. */
export function readIPv6(text: string): string | undefined {
  if (text.length < 2 || text.length > 45) return undefined;
  const groups: number[] = [];
  /** Before which group the zeros stand that `::` leaves out. */
  let gap = -1;
  let at = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return undefined;
    gap = 0;
    at = 2;
  }
  while (at < text.length) {
    const from = at;
    let group = 0;
    for (let digit = digitAt(text, at); digit >= 0; digit = digitAt(text, ++at)) group = group * 16 + digit;
    if (text.charCodeAt(at) === DOT) {
      const tail = readIPv4(text.slice(from));
      if (tail === undefined) return undefined;
      groups.push(
        (tail.charCodeAt(0) << 8) | tail.charCodeAt(1),
        (tail.charCodeAt(2) << 8) | tail.charCodeAt(3),
      );
      break;
    }
    if (at === from || at - from > 4 || groups.push(group) > GROUPS) return undefined;
    if (at === text.length) break;
    if (text.charCodeAt(at) !== COLON || ++at === text.length) return undefined;
    if (text.charCodeAt(at) !== COLON) continue;
    if (gap >= 0) return undefined;
    gap = groups.length;
    at++;
  }
  const missing = GROUPS - groups.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  if (gap >= 0) groups.splice(gap, 0, ...ZEROS.slice(0, missing));
  // In one call: a string that grows by concatenation takes several times its room.
  return String.fromCharCode(...groups.flatMap((group) => [group >> 8, group & 255]));
}

const ZEROS: readonly number[] = Array.from({ length: GROUPS }, () => 0);

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
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
