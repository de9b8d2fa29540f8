// Who was asked about lately: a log names the same few over and over, and an IPv6 address has to be cut to its prefix, and that
// to be put into text, to be found. Of fixed size: whoever came first to the same places is driven out.
import type { Network } from '../model.ts';
import type { Tally } from './tally.ts';

const FIRST_PLACES = 256;
const MOST_PLACES = 16_384;
/** So many share as many places side by side. */
const SHARED = 4;

export interface Lately {
  /** Who answers for the address, if that was asked lately. */
  find(address: Network): Tally | undefined;
  note(address: Network, tally: Tally): void;
  /** Another one may answer for the address from now on. */
  forget(address: Network): void;
  forgetAll(): void;
}

/** Of IPv6 only. Holds on to nobody who is gone for longer than until his place is taken: whoever asks must look at `index`. */
export function createLately(): Lately {
  let asked: (Network | undefined)[] = Array.from({ length: FIRST_PLACES });
  let found: (Tally | undefined)[] = Array.from({ length: FIRST_PLACES });
  let noted = 0;

  function begin(places: number): void {
    asked = Array.from({ length: places });
    found = Array.from({ length: places });
    noted = 0;
  }

  /** The first of the places that it shares with others. */
  function homeOf({ bytes, bits }: Network): number {
    let hash = bits;
    for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes.charCodeAt(at), 0x01000193);
    return (hash ^ (hash >>> 15)) & (asked.length - SHARED);
  }

  const isSame = (one: Network | undefined, other: Network): boolean =>
    one === other || (one?.bytes === other.bytes && one.bits === other.bits);

  /** -1: it was not asked for lately. */
  function placeOf(address: Network): number {
    const home = homeOf(address);
    for (let place = home; place < home + SHARED; place++) if (isSame(asked[place], address)) return place;
    return -1;
  }

  return {
    find(address) {
      const place = placeOf(address);
      return place < 0 ? undefined : found[place];
    },
    note(address, tally) {
      if (++noted > asked.length && asked.length < MOST_PLACES) begin(asked.length * 4);
      let place = placeOf(address);
      if (place < 0) {
        const home = homeOf(address);
        place = home + SHARED - 1;
        while (place > home && asked[place]) place--;
        // Nobody's is left: the one that came first goes.
        if (asked[place]) for (; place < home + SHARED - 1; place++) copy(place + 1, place);
      }
      asked[place] = address;
      found[place] = tally;
    },
    forget(address) {
      const place = placeOf(address);
      if (place >= 0) asked[place] = found[place] = undefined;
    },
    forgetAll: () => begin(asked.length),
  };

  function copy(from: number, to: number): void {
    asked[to] = asked[from];
    found[to] = found[from];
  }
}
