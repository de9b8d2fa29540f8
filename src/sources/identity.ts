// By what a file is known: its first bytes and the bytes before the position. Never its path, never its device.
import { hash } from 'node:crypto';

/** So many first bytes identify a file (fewer while it is shorter). */
export const HEAD = 1024;
/** So many bytes before the position prove that it is still the same content. */
export const TAIL = 256;

/** Prefixes of the head that are hashed too, so that a file shorter than the known head still compares. */
const RUNGS = [32, 64, 128, 256, 512];
const DIGEST_LENGTH = 32;

/** The first 128 bits of SHA-256, in hex. */
export function digest(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex').slice(0, DIGEST_LENGTH);
}

/** One digest for each rung below the head's length, then one of the whole head. */
export function headHashOf(head: Uint8Array): string {
  const rungs = RUNGS.filter((length) => length < head.length);
  return [...rungs, head.length].map((length) => digest(head.subarray(0, length))).join('');
}

/**
 * Compares a known head with the first bytes of a file over their common length.
 * @returns false also where the common length is too short to say anything.
 */
export function isSameHead(known: { headLength: number; headHash: string }, head: Uint8Array): boolean {
  if (known.headLength === 0) return false;
  if (head.length >= known.headLength)
    return digest(head.subarray(0, known.headLength)) === known.headHash.slice(-DIGEST_LENGTH);
  const rung = RUNGS.filter((length) => length < known.headLength && length <= head.length).length - 1;
  if (rung < 0) return false;
  const expected = known.headHash.slice(rung * DIGEST_LENGTH, (rung + 1) * DIGEST_LENGTH);
  return digest(head.subarray(0, RUNGS[rung])) === expected;
}
