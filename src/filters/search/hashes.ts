// Which four bytes of each literal a search looks at, and where their hash stands in a table: the plan for many literals. Pure.
import { placedBy } from './fingerprints.ts';
import type { Numbered, Placed } from './fingerprints.ts';

/** The plan of a search by hashes of four bytes. */
export interface Hashes {
  readonly kind: 'hashes';
  /** By hash: the number of a group, from 1; 0: none of the literals. */
  readonly table: Uint8Array;
  readonly groups: readonly (readonly Placed[])[];
}

/** Bytes of a window. */
export const WINDOW = 4;
/** Of a hash; the table lies in the processor's nearest cache. */
export const HASH_BITS = 14;
/** Knuth's multiplicative hash. */
export const FACTOR = 0x9e3779b1 | 0;
/** Set in each byte before it is hashed, so that letters of both cases are one. */
export const CASE = 0x20202020;
/** What a byte of the table can name. */
const MOST_GROUPS = 255;

/** @param literals of four bytes or more. */
export function planHashes(literals: readonly Numbered[]): Hashes {
  const table = new Uint8Array(1 << HASH_BITS);
  const groups: Placed[][] = [];
  let next = 0;
  for (const placed of placedBy(literals, WINDOW)) {
    const hash = hashOf(placed);
    let group = table[hash]!;
    if (group === 0) {
      group = (next % MOST_GROUPS) + 1;
      next++;
    }
    table[hash] = group;
    (groups[group - 1] ??= []).push(placed);
  }
  return { kind: 'hashes', table, groups };
}

function hashOf({ literal, offset }: Placed): number {
  const window = Buffer.from(literal.bytes, 'latin1').readInt32LE(offset);
  return Math.imul(window | CASE, FACTOR) >>> (32 - HASH_BITS);
}
