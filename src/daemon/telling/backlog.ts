// What was decided and the kernel doesn't know yet: how much, since when, and how fast it takes it.
import type { Firewall } from '../../firewall/contract.ts';
import type { Duration } from '../../model.ts';
import type { Clock } from '../../ports.ts';
import { formatDuration } from '../../time.ts';
import type { Bans } from '../bans.ts';

/** A kernel that is told within this time keeps up. */
const PATIENCE: Duration = 5_000;

export interface Backlog {
  /** The same firewall; what it is told is counted. */
  readonly firewall: Firewall;
  /** Runs what tells the kernel. A call that shares its run with another one is one with it. */
  during(sync: () => Promise<void>): Promise<void>;
  /** How many networks the kernel has not been told of. */
  readonly waiting: number;
  /** How long the oldest of them has waited, in milliseconds. */
  readonly age: Duration;
  /** By how much the kernel doesn't keep up, in a sentence for status; undefined where it does. */
  fault(): string | undefined;
}

export function createBacklog(inner: Firewall, bans: Pick<Bans, 'touched'>, clock: Clock): Backlog {
  let inFlight = 0;
  /** Changes a second, of the last batch that was large enough to tell. */
  let rate: number | undefined;
  /** Since when each run is asked for; two at a time, because calls share them. */
  const asked = new Map<Promise<void>, Duration>();

  const firewall: Firewall = {
    ...inner,
    async apply(changes, now) {
      const began = clock.monotonic();
      inFlight += changes.length;
      try {
        return await inner.apply(changes, now);
      } finally {
        inFlight -= changes.length;
        const took = clock.monotonic() - began;
        if (took > 0 && changes.length >= 100) rate = (changes.length / took) * 1_000;
      }
    },
  };

  const age = (): Duration => {
    const [oldest] = asked.values();
    return oldest === undefined ? 0 : clock.monotonic() - oldest;
  };
  const waiting = (): number => inFlight + bans.touched;

  return {
    firewall,
    async during(sync) {
      const run = sync();
      if (asked.has(run)) return run;
      asked.set(run, clock.monotonic());
      try {
        await run;
      } finally {
        asked.delete(run);
      }
    },
    get waiting() {
      return waiting();
    },
    get age() {
      return age();
    },
    fault() {
      const waited = age();
      if (waited < PATIENCE) return undefined;
      const speed = rate === undefined ? '' : `; it takes ${Math.round(rate)} a second`;
      return `The kernel doesn't keep up: ${waiting()} changes wait for it, the oldest for ${formatDuration(Math.round(waited / 1_000) * 1_000)}${speed}.`;
    },
  };
}
