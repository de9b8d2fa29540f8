// Where whose IPv4 address is asked for stands among the offenders of a jail: numbers only, so that a look-up fetches one
// place from memory. Pure.
//
// Nobody can fill one corner of it by choice of addresses, which services over UDP log as whoever likes wrote them: where they
// stand hangs on a number that nobody knows. (Of IPv6 anyone has more to choose from than numbers tell apart: texts in a map of
// V8's, which draws a number of its own, are for those.)

/** In pairs. */
const LEAST_ROOM = 256;
/** So full a table gets: two thirds. */
const MOST = 2 / 3;

export interface Places {
  readonly size: number;
  /** @param number the first four bytes of the address, with a sign. @returns -1: it isn't there. */
  find(number: number): number;
  /** It must not be there yet. */
  add(number: number, place: number): void;
  delete(number: number): void;
}

/**
 * Numbers that differ in few bits are told far apart, and which ones meet in a table hangs on the salt.
 * @returns 32 bits.
 */
export function scattered(number: number, salt: number): number {
  // Odd: so that no two numbers become the same.
  const hash = Math.imul(number ^ salt, 0x9e3779b1 ^ (salt << 1));
  return hash ^ (hash >>> 15);
}

/** @param salt a number that nobody outside can know. */
export function createPlaces(salt: number): Places {
  /** A number and the place after its own, one pair after the other; 0 in the place of one: nobody. */
  let pairs = new Int32Array(LEAST_ROOM * 2);
  let last = LEAST_ROOM - 1;
  let size = 0;

  /** Where a number belongs; where that is taken, behind it. */
  const homeOf = (number: number): number => scattered(number, salt) & last;

  /** The pair of the number, or the free one where it would be. */
  function pairOf(number: number): number {
    let pair = homeOf(number);
    while (pairs[pair * 2 + 1] !== 0 && pairs[pair * 2] !== number) pair = (pair + 1) & last;
    return pair;
  }

  function put(number: number, placeAfter: number): void {
    const pair = pairOf(number);
    pairs[pair * 2] = number;
    pairs[pair * 2 + 1] = placeAfter;
  }

  function grow(): void {
    const old = pairs;
    pairs = new Int32Array(old.length * 2);
    last = pairs.length / 2 - 1;
    for (let at = 0; at < old.length; at += 2) if (old[at + 1] !== 0) put(old[at]!, old[at + 1]!);
  }

  return {
    get size() {
      return size;
    },
    find: (number) => pairs[pairOf(number) * 2 + 1]! - 1,
    add(number, place) {
      if (++size > (last + 1) * MOST) grow();
      put(number, place + 1);
    },
    delete(number) {
      let hole = pairOf(number);
      if (pairs[hole * 2 + 1] === 0) return;
      size--;
      // Whoever stands behind it and belongs there or before comes forward, or he would not be found again.
      for (let pair = (hole + 1) & last; pairs[pair * 2 + 1] !== 0; pair = (pair + 1) & last) {
        const distance = (pair - homeOf(pairs[pair * 2]!)) & last;
        if (distance < ((pair - hole) & last)) continue;
        pairs[hole * 2] = pairs[pair * 2]!;
        pairs[hole * 2 + 1] = pairs[pair * 2 + 1]!;
        hole = pair;
      }
      pairs[hole * 2 + 1] = 0;
    },
  };
}
