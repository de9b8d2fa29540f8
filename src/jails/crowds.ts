// Offenders who had to make room, collapsed to their networks: what they did is still told, though nobody is counted by it.
//
// A collapsed count never bans and never weighs in a verdict: in a network there are others than the attacker. It tells an
// administrator where the many come from, who can then ban the network by hand.
import { mask } from '../address.ts';
import type { Duration, Instant, Network } from '../model.ts';
import type { Windows } from './counting.ts';
import type { Tally } from './tally.ts';

/** IPv4 by what is routed at the least, IPv6 by what one site is given. */
const BITS = { 4: 24, 6: 48 } as const;
/** Beyond it one of the smallest makes room. */
const MOST_CROWDS = 1_000;
const LOOKS = 16;

/** What was forgotten of one network. */
export interface Crowd {
  readonly network: Network;
  /** How often one of its addresses made room. */
  readonly forgotten: number;
  /** Matches of theirs that still counted then. */
  readonly matches: number;
  /** The latest of them, by its stamp. */
  readonly last: Instant;
}

export interface Crowds {
  readonly size: number;
  note(tally: Tally): void;
  /** The largest, by matches. */
  largest(most: number): Crowd[];
  /** Forgets those from which nobody made room for findTime. */
  prune(now: Instant): void;
}

interface Kept {
  network: Network;
  forgotten: number;
  matches: number;
  last: Instant;
  idleSince: Instant;
}

export function createCrowds(findTime: Duration, windows: Windows): Crowds {
  const crowds = new Map<string, Kept>();
  let round: IterableIterator<Kept> | undefined;

  /** The smallest of a few, taken in turn: who is large stays. */
  function smallest(): Kept {
    let least: Kept | undefined;
    for (let looks = LOOKS; looks > 0;) {
      const next = (round ??= crowds.values()).next();
      if (next.done) {
        round = crowds.values();
        continue;
      }
      looks--;
      if (!least || next.value.matches < least.matches) least = next.value;
    }
    return least!;
  }

  return {
    get size() {
      return crowds.size;
    },
    note(tally) {
      const { address } = tally;
      const network = mask(address, Math.min(address.bits, BITS[address.family]));
      let crowd = crowds.get(network.text);
      if (!crowd) {
        if (crowds.size >= MOST_CROWDS) crowds.delete(smallest().network.text);
        crowd = { network, forgotten: 0, matches: 0, last: -Infinity, idleSince: Infinity };
        crowds.set(network.text, crowd);
      }
      crowd.forgotten++;
      crowd.matches += windows.totalOf(tally.index);
      crowd.last = Math.max(crowd.last, windows.newestOf(tally.index));
      crowd.idleSince = Infinity;
    },
    largest: (most) =>
      [...crowds.values()]
        .toSorted((a, b) => b.matches - a.matches)
        .slice(0, most)
        .map(({ network, forgotten, matches, last }) => ({ network, forgotten, matches, last })),
    prune(now) {
      // A walk that stands still holds on to what is gone.
      round = undefined;
      for (const [text, crowd] of crowds)
        if (crowd.idleSince === Infinity) crowd.idleSince = now;
        else if (now - crowd.idleSince > findTime) crowds.delete(text);
    },
  };
}
