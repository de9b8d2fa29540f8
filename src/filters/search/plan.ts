// Literals → how they are searched for: by half bytes where that makes little noise, else those of four bytes or more by their
// hashes. Pure.
import type { Literal } from '../literal.ts';
import type { Fingerprints } from './fingerprints.ts';
import { planFingerprints } from './fingerprints.ts';
import type { Hashes } from './hashes.ts';
import { WINDOW, planHashes } from './hashes.ts';

/** Longer ones are looked for by their beginning. */
const LONGEST = 255;
/**
 * A closer look at a place costs as much as the first one at fifty. What is planned is a twentieth of what is met: letters
 * stand together.
 */
const MOST_NOISE = 0.000_5;

/** So many are never told apart by half bytes: it isn't tried. */
const MOST_BY_HALVES = 120;

/** Each is a pass over the text. The number of a literal is its place in the list. */
export function planSearch(literals: readonly Literal[]): readonly (Fingerprints | Hashes)[] {
  const all = literals.map(({ bytes, fold }, id) => ({
    literal: { bytes: bytes.slice(0, LONGEST), fold },
    id,
  }));
  const one = all.length <= MOST_BY_HALVES ? planFingerprints(all) : undefined;
  if (one && one.noise <= MOST_NOISE) return [one];
  const short = all.filter(({ literal }) => literal.bytes.length < WINDOW);
  const long = all.filter(({ literal }) => literal.bytes.length >= WINDOW);
  if (long.length === 0) return [one ?? planFingerprints(all)];
  return [...(short.length > 0 ? [planFingerprints(short)] : []), planHashes(long)];
}
