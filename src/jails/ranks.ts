// Who is missed least when there are too many offenders: three queues, in each of them whoever was silent for longest first.
//
// No queue is emptied below its share, a quarter of all. So an offender goes only after so many others of his own rank were
// heard of since his last match: whoever tries again sooner than that is banned, however many strangers come in between.
import type { Duration, Instant } from '../model.ts';
import type { Windows } from './counting.ts';
import { NOTE, RANK, ROW, type Rows } from './rows.ts';
import type { Tally } from './tally.ts';

/** `faint`: less than half of what bans. `near`: at least that. `known`: there is a sentence or a pardon to be remembered. */
const FAINT = 0;
const NEAR = 1;
const KNOWN = 2;
const RANKS = 3;

const SHARE = 1 / 4;
/** So many are looked at to find one who isn't banned. */
const LOOKS = 16;
const LEAST_ROOM = 64;

export interface Ranks {
  /** He was heard of: the last of the rank that is his now. */
  place(tally: Tally): void;
  /** The same of somebody who has neither sentence nor pardon. */
  placeCounted(index: number): void;
  remove(index: number): void;
  /**
   * Who may go, never one who is banned at `at`; undefined where only those are left beside the shares.
   * @param limit how many there should be.
   */
  least(at: Instant, limit: number): Tally | undefined;
}

/**
 * A queue as notes of who was heard of, one behind the other: whoever is heard of again is noted again, and only his latest note
 * counts. So a match changes nothing that is another's, and fetches nothing of his.
 */
interface Queue {
  notes: Int32Array;
  /** The notes from `first` to before `end`; those before are done with. */
  first: number;
  end: number;
  /** How many stand in it: so many of its notes count. */
  size: number;
}

/** @param members those who stand in a queue, by their `index`. */
export function createRanks(
  rules: { readonly maxRetry: number; readonly findTime: Duration },
  windows: Windows,
  rows: Rows,
  members: readonly (Tally | undefined)[],
): Ranks {
  const queues: readonly Queue[] = Array.from({ length: RANKS }, () => ({
    notes: new Int32Array(LEAST_ROOM),
    ...{ first: 0, end: 0, size: 0 },
  }));

  /** Leaves only the notes that count, in half of the room or less. */
  function tidy(rank: number): void {
    const queue = queues[rank]!;
    const { notes } = queue;
    const room = queue.size * 2 > notes.length ? notes.length * 2 : notes.length;
    const kept = room > notes.length ? new Int32Array(room) : notes;
    const { numbers } = rows;
    let end = 0;
    for (let note = queue.first; note < queue.end; note++) {
      const index = notes[note]!;
      const row = index * ROW;
      if (numbers[row + NOTE] !== note || numbers[row + RANK] !== rank) continue;
      numbers[row + NOTE] = end;
      kept[end++] = index;
    }
    queue.notes = kept;
    queue.first = 0;
    queue.end = end;
  }

  const firstOf = (rank: number): Tally | undefined => {
    const queue = queues[rank]!;
    for (; queue.first < queue.end; queue.first++) {
      const index = queue.notes[queue.first]!;
      if (rows.get(index, NOTE) === queue.first && rows.get(index, RANK) === rank) return members[index];
    }
    return undefined;
  };

  const rankCounted = (index: number): number => (windows.totalOf(index) * 2 < rules.maxRetry ? FAINT : NEAR);
  const rankNow = (tally: Tally): number =>
    tally.nth > 0 || tally.forgivenUntil > -Infinity ? KNOWN : rankCounted(tally.index);

  function take(index: number): void {
    const rank = rows.get(index, RANK);
    if (rank < 0) return;
    queues[rank]!.size--;
    rows.set(index, RANK, -1);
  }

  function put(index: number, rank: number): void {
    const queue = queues[rank]!;
    const before = rows.get(index, RANK);
    if (before === rank && rows.get(index, NOTE) === queue.end - 1) return;
    if (queue.end === queue.notes.length) tidy(rank);
    if (before !== rank) {
      if (before >= 0) queues[before]!.size--;
      queue.size++;
      rows.set(index, RANK, rank);
    }
    rows.set(index, NOTE, queue.end);
    queue.notes[queue.end++] = index;
  }

  /** The longest silent of those who are not banned; the others go to the back. */
  function unbanned(rank: number, at: Instant): Tally | undefined {
    for (let looks = Math.min(LOOKS, queues[rank]!.size); looks > 0; looks--) {
      const tally = firstOf(rank)!;
      if (at >= tally.lastUntil) return tally;
      put(tally.index, rank);
    }
    return undefined;
  }

  return {
    place(tally) {
      put(tally.index, rankNow(tally));
    },
    placeCounted(index) {
      put(index, rankCounted(index));
    },
    remove: take,
    least(at, limit) {
      const nearest = firstOf(NEAR);
      // However near he was: nothing of it counts any more.
      if (nearest && windows.newestOf(nearest.index) < at - rules.findTime) return nearest;
      const all = queues.reduce((sum, { size }) => sum + size, 0);
      const share = Math.floor(Math.min(all, limit) * SHARE);
      for (let rank = FAINT; rank < RANKS; rank++) {
        if (queues[rank]!.size <= share) continue;
        const found = rank === KNOWN ? unbanned(rank, at) : firstOf(rank);
        if (found) return found;
      }
      return undefined;
    },
  };
}
