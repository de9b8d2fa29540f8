// Who is missed least when there are too many offenders: three queues, in each of them whoever was silent for longest first.
//
// No queue is emptied below its share, a quarter of all. So an offender goes only after so many others of his own rank were
// heard of since his last match: whoever tries again sooner than that is banned, however many strangers come in between.
import type { Duration, Instant } from '../model.ts';
import { newestOf } from './counting.ts';
import type { Queue, Tally } from './tally.ts';

/** `faint`: less than half of what bans. `near`: at least that. `known`: there is a sentence or a pardon to be remembered. */
const RANKS = ['faint', 'near', 'known'] as const;
type Rank = (typeof RANKS)[number];

const SHARE = 1 / 4;
/** So many are looked at to find one who isn't banned. */
const LOOKS = 16;

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

export function createRanks(rules: { readonly maxRetry: number; readonly findTime: Duration }): Ranks {
  const queues: Readonly<Record<Rank, Queue>> = { faint: empty(), near: empty(), known: empty() };

  const rankOf = ({ nth, forgivenUntil, window }: Tally): Rank =>
    nth > 0 || forgivenUntil > -Infinity ? 'known' : window.total * 2 < rules.maxRetry ? 'faint' : 'near';

  /** The longest silent of those who are not banned; the others go to the back. */
  function unbanned(queue: Queue, at: Instant): Tally | undefined {
    for (let looks = Math.min(LOOKS, queue.size); looks > 0; looks--) {
      const tally = queue.first!;
      if (at >= tally.lastUntil) return tally;
      take(tally);
      put(queue, tally);
    }
    return undefined;
  }

  return {
    place(tally) {
      take(tally);
      put(queues[rankOf(tally)], tally);
    },
    remove: take,
    least(at, limit) {
      const nearest = queues.near.first;
      // However near he was: nothing of it counts any more.
      if (nearest && newestOf(nearest.window) < at - rules.findTime) return nearest;
      const all = queues.faint.size + queues.near.size + queues.known.size;
      const share = Math.floor(Math.min(all, limit) * SHARE);
      for (const rank of RANKS) {
        const queue = queues[rank];
        if (queue.size <= share) continue;
        const found = rank === 'known' ? unbanned(queue, at) : queue.first;
        if (found) return found;
      }
      return undefined;
    },
  };
}

function empty(): Queue {
  return { first: undefined, last: undefined, size: 0 };
}

function put(queue: Queue, tally: Tally): void {
  tally.queue = queue;
  tally.before = queue.last;
  if (queue.last) queue.last.after = tally;
  else queue.first = tally;
  queue.last = tally;
  queue.size++;
}

function take(tally: Tally): void {
  const { queue, before, after } = tally;
  if (!queue) return;
  if (before) before.after = after;
  else queue.first = after;
  if (after) after.before = before;
  else queue.last = before;
  queue.size--;
  tally.queue = tally.before = tally.after = undefined;
}
