// Who is missed least when there are too many offenders: three queues, in each of them whoever was silent for longest first.
//
// No queue is emptied below its share, a quarter of all. So an offender goes only after so many others of his own rank were
// heard of since his last match: whoever tries again sooner than that is banned, however many strangers come in between.
import type { Duration, Instant } from '../model.ts';
import type { Windows } from './counting.ts';
import { HEARD, RANK, type Rows } from './rows.ts';
import type { Tally } from './tally.ts';

/** `faint`: less than half of what bans. `near`: at least that. `known`: there is a sentence or a pardon to be remembered. */
const FAINT = 0;
const NEAR = 1;
const KNOWN = 2;
const RANKS = 3;

const SHARE = 1 / 4;
/** So many who were heard of since they were placed are looked at in one go: more would hold everything up. */
const HEARD_LOOKS = 4_096;
/** So many are looked at to find one who isn't banned. */
const LOOKS = 16;
const LEAST_ROOM = 256;

export interface Ranks {
  /** He was heard of: the last of the rank that is his now. */
  place(tally: Tally): void;
  /**
   * He was heard of, and has neither sentence nor pardon. It is noted only: should it come to be his turn to make room, he is
   * the last instead. So he stays as long as if he had been placed, and a match fetches nothing of others.
   */
  hear(index: number): void;
  remove(index: number): void;
  /**
   * Who may go, never one who is banned at `at`; undefined where only those are left beside the shares.
   * @param limit how many there should be.
   */
  least(at: Instant, limit: number): Tally | undefined;
}

/** @param members those who stand in a queue, by their `index`. */
export function createRanks(
  rules: { readonly maxRetry: number; readonly findTime: Duration },
  windows: Windows,
  rows: Rows,
  members: readonly (Tally | undefined)[],
): Ranks {
  // Queues of numbers, not of offenders: with each match three of them are changed, and numbers lie side by side. A queue
  // is a ring that begins and ends with a place of its own; whoever stands in none is his own ring.
  /** Of each place which one stands before it and which one after, one pair after the other. */
  let links = new Int32Array(0);
  const sizes = [0, 0, 0];
  grow(LEAST_ROOM);

  function grow(room: number): void {
    const old = links;
    links = new Int32Array(room * 2);
    links.set(old);
    for (let place = old.length / 2; place < room; place++) links[place * 2] = links[place * 2 + 1] = place;
  }

  /** The first places are those of the queues themselves. */
  const placeOf = (index: number): number => index + RANKS;
  /** The longest silent. */
  const firstOf = (rank: number): Tally | undefined => {
    for (let looks = HEARD_LOOKS; ; looks--) {
      const place = links[rank * 2 + 1]!;
      if (place < RANKS) return undefined;
      const index = place - RANKS;
      if (!rows.is(index, HEARD) || looks === 0) return members[index];
      take(index);
      put(index, rank);
    }
  };

  const rankCounted = (index: number): number => (windows.totalOf(index) * 2 < rules.maxRetry ? FAINT : NEAR);
  const rankNow = (tally: Tally): number =>
    tally.nth > 0 || tally.forgivenUntil > -Infinity ? KNOWN : rankCounted(tally.index);

  function put(index: number, rank: number): void {
    const place = placeOf(index);
    const last = links[rank * 2]!;
    links[last * 2 + 1] = place;
    links[place * 2] = last;
    links[place * 2 + 1] = rank;
    links[rank * 2] = place;
    rows.set(index, RANK, rank);
    rows.unnote(index, HEARD);
    sizes[rank]!++;
  }

  function take(index: number): void {
    const rank = rows.get(index, RANK);
    if (rank < 0) return;
    const place = placeOf(index);
    const before = links[place * 2]!;
    const after = links[place * 2 + 1]!;
    links[before * 2 + 1] = after;
    links[after * 2] = before;
    sizes[rank]!--;
    rows.set(index, RANK, -1);
  }

  function move(index: number, rank: number): void {
    const place = placeOf(index);
    while (place * 2 >= links.length) grow(links.length);
    if (links[rank * 2] === place) return rows.unnote(index, HEARD);
    take(index);
    put(index, rank);
  }

  /** The longest silent of those who are not banned; the others go to the back. */
  function unbanned(rank: number, at: Instant): Tally | undefined {
    for (let looks = Math.min(LOOKS, sizes[rank]!); looks > 0; looks--) {
      const tally = firstOf(rank)!;
      if (at >= tally.lastUntil) return tally;
      take(tally.index);
      put(tally.index, rank);
    }
    return undefined;
  }

  return {
    place(tally) {
      move(tally.index, rankNow(tally));
    },
    hear(index) {
      const rank = rankCounted(index);
      if (rank === rows.get(index, RANK)) rows.note(index, HEARD);
      else move(index, rank);
    },
    remove: take,
    least(at, limit) {
      const nearest = firstOf(NEAR);
      // However near he was: nothing of it counts any more.
      if (nearest && windows.newestOf(nearest.index) < at - rules.findTime) return nearest;
      const all = sizes[FAINT]! + sizes[NEAR]! + sizes[KNOWN]!;
      const share = Math.floor(Math.min(all, limit) * SHARE);
      for (let rank = FAINT; rank < RANKS; rank++) {
        if (sizes[rank]! <= share) continue;
        const found = rank === KNOWN ? unbanned(rank, at) : firstOf(rank);
        if (found) return found;
      }
      return undefined;
    },
  };
}
