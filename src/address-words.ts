// An address as numbers, for those who look up thousands of them in a moment and need the text of none. Pure.
import { ipv4At, ipv6At, wordAt } from './address-text.ts';
import type { Network } from './model.ts';

/** Its four bytes, or its sixteen, as numbers of 32 bits with a sign; an IPv4 address has `first` only, and the others are 0. */
export interface AddressWords {
  family: 4 | 6;
  first: number;
  second: number;
  third: number;
  fourth: number;
}

/** `0.0.0.0`; to be filled anew for each address. */
export function createWords(): AddressWords {
  return { family: 4, first: 0, second: 0, third: 0, fourth: 0 };
}

/** `::ffff:0:0/96`. */
const MAPPED = 0xffff;

/**
 * Reads the bytes [from, to), as parseAddress reads a text: `::ffff:192.0.2.7` is IPv4.
 * @returns whether it is an address; where it isn't, `words` are nobody's.
 */
export function readWords(bytes: Uint8Array, from: number, to: number, words: AddressWords): boolean {
  const number = ipv4At(bytes, from, to);
  if (number >= 0) {
    becomeIPv4(words, number | 0);
    return true;
  }
  words.family = 6;
  if (!ipv6At(bytes, from, to, words)) return false;
  if (words.first === 0 && words.second === 0 && words.third === MAPPED) becomeIPv4(words, words.fourth);
  return true;
}

function becomeIPv4(words: AddressWords, number: number): void {
  words.family = 4;
  words.first = number;
  words.second = words.third = words.fourth = 0;
}

/** Of a network those of its first address. */
export function fillWords(words: AddressWords, { family, first, bytes }: Network): void {
  if (family === 4) return becomeIPv4(words, first);
  words.family = 6;
  words.first = first;
  words.second = wordAt(bytes, 4);
  words.third = wordAt(bytes, 8);
  words.fourth = wordAt(bytes, 12);
}
