// The run of characters that a pattern or a layout took for an address → the address.
import { parseAddress } from '../address.ts';
import type { Network } from '../model.ts';
import { ownCopy } from '../text.ts';

/** Slots of the table of remembered texts: it begins small, for there are many readers, and grows as it fills. */
const FIRST_SLOTS = 256;
const MOST_SLOTS = 16_384;
/** Longer texts are read anew each time. */
const LONGEST_REMEMBERED = 64;
/** `[address]` with or without a port. */
const BRACKETED = /^\[([^[\]]+)\](?::\d{1,5})?$/;
/** `192.0.2.7:443`, also behind `::ffff:`. An IPv6 address without brackets has no port that could be told from it. */
const WITH_PORT = /^(.*\.\d{1,3}):\d{1,5}$/;
/** What a sentence goes on with behind an address. */
const WITH_MARK = /^(.*[^.:])[.:]$/;

/** Reads a text that is an address as a whole. */
export type ReadAddress = (written: string) => Network | undefined;
/** Reads the part [from, to) of a text. */
export type ReadAddressAt = (text: string, from: number, to: number) => Network | undefined;

/**
 * Reads addresses as logs write them: bare, in brackets, with a port, with a full stop or colon behind.
 * It remembers what it read. Nothing that it returns holds on to the text it was given.
 */
export function createAddressReader(): ReadAddress {
  const at = createAddressReaderAt();
  return (written) => at(written, 0, written.length);
}

/** The same, in place: what it has read before costs no slice. */
export function createAddressReaderAt(): ReadAddressAt {
  let table: (Remembered | undefined)[] = Array.from({ length: FIRST_SLOTS });
  let kept = 0;
  return (text, from, to) => {
    if (to - from > LONGEST_REMEMBERED) return readAddress(text.slice(from, to));
    const slot = hashOf(text, from, to) & (table.length - 1);
    const known = table[slot];
    if (known && stands(known.written, text, from, to)) return known.address;
    const slice = text.slice(from, to);
    const address = readAddress(slice);
    // A copy: the slice may be a view of a whole chunk of a log, which it would keep in memory.
    const written = address?.text === slice ? address.text : ownCopy(slice);
    table[slot] = { written, address };
    // Whoever comes to the same slot drives the other out: no more is kept than there is room for.
    if (++kept > table.length && table.length < MOST_SLOTS) {
      table = grown(table);
      kept = 0;
    }
    return address;
  };
}

interface Remembered {
  readonly written: string;
  readonly address: Network | undefined;
}

function grown(table: readonly (Remembered | undefined)[]): (Remembered | undefined)[] {
  const larger: (Remembered | undefined)[] = Array.from({ length: table.length * 4 });
  for (const each of table)
    if (each) larger[hashOf(each.written, 0, each.written.length) & (larger.length - 1)] = each;
  return larger;
}

/** FNV-1a, its upper bits mixed into the lower ones. */
function hashOf(text: string, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}

function stands(written: string, text: string, from: number, to: number): boolean {
  if (written.length !== to - from) return false;
  for (let at = 0; at < written.length; at++)
    if (written.charCodeAt(at) !== text.charCodeAt(from + at)) return false;
  return true;
}

function readAddress(written: string): Network | undefined {
  return (
    parseAddress(written) ?? read(BRACKETED, written) ?? read(WITH_PORT, written) ?? read(WITH_MARK, written)
  );
}

function read(form: RegExp, written: string): Network | undefined {
  const inner = form.exec(written)?.[1];
  return inner === undefined ? undefined : (parseAddress(inner) ?? read(BRACKETED, inner));
}

/** Bytes that were read as latin1, decoded as UTF-8, in a string that doesn't hold on to them. */
export function decoded(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
