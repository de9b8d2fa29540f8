// The setup in force, and what follows from it: which jails hear of a chunk, and how its stamps are read.
import type { Config } from '../config/contract.ts';
import type { Instant } from '../model.ts';
import type { Clock } from '../ports.ts';
import { createPlans } from '../setup/index.ts';
import type { Plans, Resolved, Setup } from '../setup/index.ts';
import type { SittingJail } from './pipeline.ts';
import type { Protection } from './host/protection.ts';
import type { Reseated, Sittings } from './sitting.ts';
import { chooseSources, createStampFinder } from './intake/watches.ts';
import type { Feeding } from './intake/watches.ts';

export interface InForce {
  readonly config: Config;
  readonly plans: Plans<SittingJail>;
  /** Which sources feed its jails. */
  readonly feeding: Feeding;
  /** The stamp of a line (latin1) of a file that these patterns name. */
  stampOf(patterns: readonly string[], line: string): Instant | undefined;
  /** Another setup takes its place: allow lists, jails and plans at once. */
  replace(setup: Setup): Reseated;
}

export function createInForce(
  initial: Setup,
  parts: {
    readonly protection: Protection;
    readonly sittings: Sittings;
    readonly clock: Clock;
    /** `run -`. */
    readonly asksForInput: boolean;
  },
): InForce {
  const { protection, sittings, clock, asksForInput } = parts;
  const ordersOf = ({ config, jails }: Setup) => {
    const feeding = chooseSources(jails, clock.now(), { asksForInput, directory: config.journalDirectory });
    const plans = createPlans(
      sittings.all,
      ({ ready }) => ready,
      ({ ready }) => feeding.patternsOf(ready),
    );
    return { config, feeding, plans, stampOf: createStampFinder(jails, () => clock.now()) };
  };
  let orders = ordersOf(initial);
  return {
    get config() {
      return orders.config;
    },
    get feeding() {
      return orders.feeding;
    },
    get plans() {
      return orders.plans;
    },
    stampOf: (patterns, line) => orders.stampOf(patterns, line),
    replace(setup) {
      protection.replace(setup.allow, ignoresOf(setup));
      const reseated = sittings.reseat(setup, clock.now());
      orders = ordersOf(setup);
      return reseated;
    },
  };
}

export function ignoresOf(setup: Setup): Resolved[] {
  return setup.jails.map((jail) => jail.ignore);
}

/** Names that a setup's lists hold. */
export function namesOf(setup: Setup): string[] {
  return [...new Set([setup.allow, ...ignoresOf(setup)].flatMap((list) => list.names))];
}
