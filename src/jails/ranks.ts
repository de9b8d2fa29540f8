// Who is missed least when there are too many offenders: three queues, in each of them whoever was silent for longest first.
//
// No queue is emptied below its share, a quarter of all. So an offender goes only after so many others of his own rank were
// heard of since his last match: whoever tries again sooner than that is banned, however many strangers come in between.
import type { Duration, Instant } from '../model.ts';
import type { Windows } from './counting.ts';
import type { Tally } from './tally.ts';

/** `faint`: less than half of what bans. `near`: at least that. `known`: there is a sentence or a pardon to be remembered. */
const FAINT = 0;
const NEAR = 1;
const KNOWN = 2;
const RANKS = 3;

const SHARE = 1 / 4;
/** So many are looked at to find one who isn't banned. */
const LOOKS = 16;
const LEAST_ROOM = 256;

export interface Ranks {
  /** He was heard of: the last of the rank that is his now. */
  place(tally: Tally): void;
  remove(tally: Tally): void;
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
  members: readonly (Tally | undefined)[],
): Ranks {
  // Queues of numbers, not of offenders: with each match three of them are changed, and numbers lie side by side. A queue
  // is a ring that begins and ends with a place of its own; whoever stands in none is his own ring.
  let before = new Int32Array(0);
  let after = new Int32Array(0);
  let rankOf = new Int8Array(0);
  const sizes = [0, 0, 0];
  grow(LEAST_ROOM);

  function grow(room: number): void {
    const old = before.length;
    const [wasBefore, wasAfter, wasRank] = [before, after, rankOf];
    [before, after, rankOf] = [new Int32Array(room), new Int32Array(room), new Int8Array(room)];
    before.set(wasBefore);
    after.set(wasAfter);
    rankOf.set(wasRank);
    for (let place = old; place < room; place++) {
      before[place] = after[place] = place;
      rankOf[place] = -1;
    }
  }

  /** The first places are those of the queues themselves. */
  const placeOf = (tally: Tally): number => tally.index + RANKS;
  const firstOf = (rank: number): Tally | undefined => {
    const place = after[rank]!;
    return place < RANKS ? undefined : members[place - RANKS];
  };

  const rankNow = (tally: Tally): number =>
    tally.nth > 0 || tally.forgivenUntil > -Infinity
      ? KNOWN
      : tally.total * 2 < rules.maxRetry
        ? FAINT
        : NEAR;

  function put(rank: number, place: number): void {
    const last = before[rank]!;
    after[last] = place;
    before[place] = last;
    after[place] = rank;
    before[rank] = place;
    rankOf[place] = rank;
    sizes[rank]!++;
  }

  function take(place: number): void {
    const rank = rankOf[place]!;
    if (rank < 0) return;
    after[before[place]!] = after[place]!;
    before[after[place]!] = before[place]!;
    rankOf[place] = -1;
    sizes[rank]!--;
  }

  /** The longest silent of those who are not banned; the others go to the back. */
  function unbanned(rank: number, at: Instant): Tally | undefined {
    for (let looks = Math.min(LOOKS, sizes[rank]!); looks > 0; looks--) {
      const tally = firstOf(rank)!;
      if (at >= tally.lastUntil) return tally;
      take(placeOf(tally));
      put(rank, placeOf(tally));
    }
    return undefined;
  }

  return {
    place(tally) {
      const place = placeOf(tally);
      if (place >= before.length) grow(before.length * 2);
      const rank = rankNow(tally);
      if (before[rank] === place) return;
      take(place);
      put(rank, place);
    },
    remove: (tally) => take(placeOf(tally)),
    least(at, limit) {
      const nearest = firstOf(NEAR);
      // However near he was: nothing of it counts any more.
      if (nearest && windows.newestOf(nearest) < at - rules.findTime) return nearest;
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
