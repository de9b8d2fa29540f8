// Too many bans in force: those longest in force make room for new ones. Whoever comes back is counted, and banned again for
// longer than before.
import type { Ban, Instant } from '../model.ts';
import type { Bans } from './bans.ts';
import type { Sittings } from './sitting.ts';

export interface Displacement {
  /** To be called after bans were decided. */
  run(): void;
  /** How many bans ended so. */
  readonly count: number;
}

export function createDisplacement(
  bans: Bans,
  sittings: Pick<Sittings, 'forgive'>,
  most: () => number,
  now: () => Instant,
): Displacement {
  let count = 0;
  return {
    run() {
      for (let surplus = bans.size - most(); surplus > 0; surplus--) {
        const ban = bans.longestInForce(isDisplaceable);
        if (!ban) return;
        sittings.forgive(ban.jail, ban.address, now());
        bans.end(ban, now(), 'displaced', 'it made room for newer bans');
        count++;
      }
    },
    get count() {
      return count;
    },
  };
}

/** What somebody typed, and what was to be for good, stands. */
function isDisplaceable({ by, until }: Ban): boolean {
  return by !== 'admin' && until !== undefined;
}
