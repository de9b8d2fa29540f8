// How much the jails remember at most, each and together, as the config in force says. Where together it is too much, the
// jail that remembers most gives way, not the one that happens to be asked.
import type { Limits } from '../config/contract.ts';
import type { Bounds, Jail } from '../jails/contract.ts';
import type { Instant } from '../model.ts';

export interface Room {
  /** What one jail may remember. */
  bounds(): Bounds;
  /** One more offender comes to be remembered. */
  make(at: Instant): void;
}

/** @param jails those in session. Both are asked each time. */
export function createRoom(limits: () => Limits, jails: () => readonly Jail[]): Room {
  return {
    bounds() {
      const { offendersPerJail, evidence } = limits();
      return { offenders: offendersPerJail, evidence: evidence / Math.max(1, jails().length) };
    },
    make(at) {
      const all = jails();
      let count = 0;
      for (const jail of all) count += jail.size;
      if (count < limits().offenders) return;
      // Where all of the largest are banned, another one's turn comes.
      for (const jail of all.toSorted((a, b) => b.size - a.size)) if (jail.evict(at)) return;
    },
  };
}
