// Addresses as text: read and written. Pure, and quick: of a log under attack nearly every line bears a new one.
// What counts as an address is what net.isIPv4 and net.isIPv6 take, without zones; IPv6 is written as RFC 5952 says.

const DOT = 46;
const COLON = 58;
const GROUPS = 8;

/** The four bytes of `192.0.2.7`; undefined for any other spelling. */
export function readIPv4(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length > 15 || text.length < 7) return undefined;
  const bytes = new Uint8Array(4);
  return fillIPv4(text, 0, bytes, 0) ? bytes : undefined;
}

/** The sixteen bytes of an IPv6 address, its last four dotted or not; undefined where it is none, or names a zone. */
export function readIPv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  const { length } = text;
  if (length < 2 || length > 45) return undefined;
  const bytes = new Uint8Array(16);
  let groups = 0;
  let gap = -1;
  let at = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return undefined;
    gap = 0;
    at = 2;
  }
  while (at < length) {
    const start = at;
    let value = 0;
    for (; at < length; at++) {
      const digit = hexDigit(text.charCodeAt(at));
      if (digit < 0) break;
      value = (value << 4) | digit;
    }
    if (at < length && text.charCodeAt(at) === DOT) {
      if (groups > GROUPS - 2 || !fillIPv4(text, start, bytes, groups * 2)) return undefined;
      groups += 2;
      at = length;
      break;
    }
    if (at === start || at - start > 4 || groups === GROUPS) return undefined;
    bytes[groups * 2] = value >> 8;
    bytes[groups * 2 + 1] = value & 0xff;
    groups++;
    if (at === length) break;
    if (text.charCodeAt(at) !== COLON || ++at === length) return undefined;
    if (text.charCodeAt(at) !== COLON) continue;
    if (gap >= 0) return undefined;
    gap = groups;
    at++;
  }
  if (gap < 0) return groups === GROUPS ? bytes : undefined;
  // `::` stands for one group at least.
  if (groups === GROUPS) return undefined;
  const behind = (groups - gap) * 2;
  bytes.copyWithin(16 - behind, gap * 2, groups * 2);
  bytes.fill(0, gap * 2, 16 - behind);
  return bytes;
}

/** Reads four numbers up to the end of the text; none has a zero in front. */
function fillIPv4(text: string, from: number, bytes: Uint8Array, to: number): boolean {
  let at = from;
  for (let part = 0; part < 4; part++) {
    const start = at;
    let value = 0;
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (at - start > 2) return false;
    }
    if (at === start || value > 255 || (at - start > 1 && text.charCodeAt(start) === 48)) return false;
    bytes[to + part] = value;
    if (part < 3 && text.charCodeAt(at++) !== DOT) return false;
  }
  return at === text.length;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

export function writeIPv4(bytes: Uint8Array): string {
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
}

/** In lower case, the first of the longest runs of two zeros or more as `::`. */
export function writeIPv6(bytes: Uint8Array): string {
  let longest = 1;
  let gap = -1;
  for (let start = 0; start < GROUPS; start++) {
    let end = start;
    while (end < GROUPS && groupAt(bytes, end) === 0) end++;
    if (end - start > longest) [longest, gap] = [end - start, start];
    if (end > start) start = end;
  }
  let text = '';
  for (let group = 0; group < GROUPS; group++) {
    if (group === gap) {
      text += '::';
      group += longest - 1;
      continue;
    }
    const isBehindGap = gap >= 0 && group === gap + longest;
    if (group > 0 && !isBehindGap) text += ':';
    text += groupAt(bytes, group).toString(16);
  }
  return text;
}

function groupAt(bytes: Uint8Array, group: number): number {
  return (bytes[group * 2]! << 8) | bytes[group * 2 + 1]!;
}
