// Which few bytes of each literal a search looks at first, and which literals share a bucket: the plan for few literals. Pure.
// The method is "Teddy" of Intel's Hyperscan: of sixteen places at once it is told which buckets might begin there, by a
// look-up of each half byte.
import type { Literal } from '../literal.ts';
import { shareAt, shareOf, valuesAt } from './frequency.ts';

export interface Numbered {
  readonly literal: Literal;
  /** Where it stands in the list that was asked for. */
  readonly id: number;
}

/** A literal with the window of it that is looked at first. */
export interface Placed extends Numbered {
  /** How many bytes of it stand before the window. */
  readonly offset: number;
}

/** The plan of a search by half bytes. */
export interface Fingerprints {
  readonly kind: 'fingerprints';
  /** How many bytes a window has. */
  readonly width: number;
  /** At most eight: a bit each. */
  readonly buckets: readonly (readonly Placed[])[];
  /** At which share of all places a closer look is taken, about. */
  readonly noise: number;
}

const MOST_BUCKETS = 8;
/** All values of a half byte, as bytes. */
const ANY: readonly number[] = Array.from({ length: 16 }, (_, half) => half * 17);
/** Few literals are told apart by three bytes; more of them need four. */
const FEW = 12;

/** @param literals not empty; letters in lower case where they are folded. */
export function planFingerprints(literals: readonly Numbered[]): Fingerprints {
  const longest = Math.max(...literals.map(({ literal }) => literal.bytes.length));
  const width = Math.min(longest, literals.length <= FEW ? 3 : 4);
  const buckets = inBuckets(placedBy(literals, width), width);
  return {
    kind: 'fingerprints',
    width,
    buckets: buckets.map(({ members }) => members),
    noise: buckets.reduce((sum, { noise }) => sum + noise, 0),
  };
}

/** Each literal by the window of it that is the rarest in logs. */
export function placedBy(literals: readonly Numbered[], width: number): Placed[] {
  return literals.map((each) => ({ ...each, offset: rarestWindow(each.literal, width) }));
}

/** The two tables of a place in the window: by half byte, which buckets (bits) have it there. */
export function tablesAt(
  buckets: readonly (readonly Placed[])[],
  place: number,
): { low: number[]; high: number[] } {
  const low = Array.from({ length: 16 }, () => 0);
  const high = Array.from({ length: 16 }, () => 0);
  buckets.forEach((bucket, index) => {
    for (const { literal, offset } of bucket)
      for (const value of valuesOf(literal, offset + place)) {
        low[value & 15]! |= 1 << index;
        high[value >> 4]! |= 1 << index;
      }
  });
  return { low, high };
}

function rarestWindow(literal: Literal, width: number): number {
  let best = 0;
  let least = Infinity;
  for (let offset = 0; offset + width <= literal.bytes.length; offset++) {
    let share = 1;
    for (let place = 0; place < width; place++) share *= shareAt(literal, offset + place);
    if (share < least) [best, least] = [offset, share];
  }
  return best;
}

interface Bucket {
  readonly members: readonly Placed[];
  readonly noise: number;
}

/** Neighbours by their first bytes are put together, those first that make the least noise, until there are few enough. */
function inBuckets(placed: readonly Placed[], width: number): readonly Bucket[] {
  const key = ({ literal, offset }: Placed): string => literal.bytes.slice(offset, offset + width);
  const bucketOf = (members: readonly Placed[]): Bucket => ({ members, noise: noiseOf(members, width) });
  const joined = (one: Bucket, other: Bucket): Bucket => bucketOf([...one.members, ...other.members]);
  const buckets = placed.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)).map((each) => bucketOf([each]));
  /** Of each bucket with the next one. */
  const together = buckets.slice(1).map((bucket, index) => joined(buckets[index]!, bucket));
  while (buckets.length > MOST_BUCKETS) {
    let best = 0;
    let least = Infinity;
    together.forEach(({ noise }, index) => {
      const more = noise - buckets[index]!.noise - buckets[index + 1]!.noise;
      if (more < least) [best, least] = [index, more];
    });
    buckets.splice(best, 2, together[best]!);
    together.splice(best, 1);
    for (const index of [best - 1, best])
      if (together[index]) together[index] = joined(buckets[index]!, buckets[index + 1]!);
  }
  return buckets;
}

/** Which share of all places look like the beginning of a bucket, about. */
function noiseOf(bucket: readonly Placed[], width: number): number {
  let noise = 1;
  for (let place = 0; place < width; place++) {
    // A bit for each half byte.
    let low = 0;
    let high = 0;
    for (const { literal, offset } of bucket)
      for (const value of valuesOf(literal, offset + place)) {
        low |= 1 << (value & 15);
        high |= 1 << (value >> 4);
      }
    let share = 0;
    for (let byte = 0; byte < 256; byte++)
      if (((low >> (byte & 15)) & (high >> (byte >> 4)) & 1) === 1) share += shareOf(byte);
    noise *= share;
  }
  return noise;
}

/** Behind a literal that is shorter than a window anything may stand. */
function valuesOf(literal: Literal, index: number): readonly number[] {
  return index < literal.bytes.length ? valuesAt(literal, index) : ANY;
}
