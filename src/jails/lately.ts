// Who was asked about lately: a log names the same few over and over, and an IPv6 address has to be cut to its prefix, and that
// to be put into text, to be found. Of fixed size: whoever came first to the same places is driven out.
import type { AddressWords } from '../address-words.ts';
import { WHICH, type Rows } from './rows.ts';

const FIRST_PLACES = 256;
const MOST_PLACES = 16_384;
/** So many share as many places side by side. */
const SHARED = 4;
/**
 * The four words of an address; the index of whoever answers for it, and one more (0: the place is free); and which of all who
 * came to have that index he is.
 */
const WIDTH = 6;
const ANSWER = 4;
const WHO = 5;

export interface Lately {
  /** The index of whoever answers for the address; -1: that wasn't asked lately. */
  find(address: AddressWords): number;
  note(address: AddressWords, index: number): void;
  /** Another one may answer for the address from now on. */
  forget(address: AddressWords): void;
  forgetAll(): void;
}

/** Of IPv6 addresses only. */
export function createLately(rows: Pick<Rows, 'get'>): Lately {
  let numbers = new Int32Array(FIRST_PLACES * WIDTH);
  let last = FIRST_PLACES - 1;
  let noted = 0;

  /** Goes on with four times the places; whom one of them doesn't fit is forgotten. */
  function widen(): void {
    const old = numbers;
    last = (last + 1) * 4 - 1;
    numbers = new Int32Array((last + 1) * WIDTH);
    noted = 0;
    for (let from = 0; from < old.length; from += WIDTH) {
      if (old[from + ANSWER] === 0) continue;
      const home = homeOf(old[from]!, old[from + 1]!, old[from + 2]!, old[from + 3]!);
      for (let place = home; place < home + SHARED; place++) {
        if (numbers[place * WIDTH + ANSWER] !== 0) continue;
        numbers.set(old.subarray(from, from + WIDTH), place * WIDTH);
        noted++;
        break;
      }
    }
  }

  /** The first of the places that it shares with others. */
  function homeOf(first: number, second: number, third: number, fourth: number): number {
    let hash = Math.imul(first, 0x9e3779b1) ^ second;
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ third;
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) ^ fourth;
    hash = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1);
    return (hash ^ (hash >>> 15)) & last & -SHARED;
  }

  function isAt(place: number, { first, second, third, fourth }: AddressWords): boolean {
    const from = place * WIDTH;
    return (
      numbers[from] === first &&
      numbers[from + 1] === second &&
      numbers[from + 2] === third &&
      numbers[from + 3] === fourth &&
      numbers[from + ANSWER] !== 0
    );
  }

  /** -1: it was not asked for lately. */
  function placeOf(address: AddressWords): number {
    const home = homeOf(address.first, address.second, address.third, address.fourth);
    for (let place = home; place < home + SHARED; place++) if (isAt(place, address)) return place;
    return -1;
  }

  return {
    find(address) {
      const place = placeOf(address);
      if (place < 0) return -1;
      const index = numbers[place * WIDTH + ANSWER]! - 1;
      return rows.get(index, WHICH) === numbers[place * WIDTH + WHO] ? index : -1;
    },
    note(address, index) {
      if (++noted * 2 > last + 1 && last + 1 < MOST_PLACES) widen();
      let place = placeOf(address);
      if (place < 0) {
        const home = homeOf(address.first, address.second, address.third, address.fourth);
        place = home + SHARED - 1;
        while (place > home && numbers[place * WIDTH + ANSWER] !== 0) place--;
        // Nobody's is left: the one that came first goes.
        if (numbers[place * WIDTH + ANSWER] !== 0) {
          numbers.copyWithin(home * WIDTH, (home + 1) * WIDTH, (home + SHARED) * WIDTH);
          place = home + SHARED - 1;
        }
      }
      const from = place * WIDTH;
      numbers[from] = address.first;
      numbers[from + 1] = address.second;
      numbers[from + 2] = address.third;
      numbers[from + 3] = address.fourth;
      numbers[from + ANSWER] = index + 1;
      numbers[from + WHO] = rows.get(index, WHICH);
    },
    forget(address) {
      const place = placeOf(address);
      if (place >= 0) numbers[place * WIDTH + ANSWER] = 0;
    },
    forgetAll() {
      numbers.fill(0);
      noted = 0;
    },
  };
}
