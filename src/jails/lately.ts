// Who was asked about lately: a log names the same few over and over, and an IPv6 address has to be cut to its prefix, and that
// to be put into text, to be found. Of fixed size; whoever comes to the same place drives the other out.
import type { Network } from '../model.ts';
import type { Tally } from './tally.ts';

const FIRST_PLACES = 256;
const MOST_PLACES = 16_384;

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

  function placeOf({ bytes, bits }: Network): number {
    let hash = bits;
    for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes.charCodeAt(at), 0x01000193);
    return (hash ^ (hash >>> 15)) & (asked.length - 1);
  }

  const isSame = (one: Network | undefined, other: Network): boolean =>
    one === other || (one?.bytes === other.bytes && one.bits === other.bits);

  return {
    find(address) {
      const place = placeOf(address);
      return isSame(asked[place], address) ? found[place] : undefined;
    },
    note(address, tally) {
      if (++noted > asked.length * 2 && asked.length < MOST_PLACES) begin(asked.length * 4);
      const place = placeOf(address);
      asked[place] = address;
      found[place] = tally;
    },
    forget(address) {
      const place = placeOf(address);
      if (isSame(asked[place], address)) asked[place] = found[place] = undefined;
    },
    forgetAll: () => begin(asked.length),
  };
}
