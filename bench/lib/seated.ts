// The jails of a config in this very process, without a ledger and a kernel: for programs that time what decides.
import { join } from 'node:path';
import { behaviourOf, createBrakes, type Brakes } from '../../src/daemon/brakes.ts';
import { createProtection } from '../../src/daemon/host/protection.ts';
import { createRegulars, type Regulars } from '../../src/daemon/intake/regulars.ts';
import { createSessions, type Sessions } from '../../src/daemon/intake/sessions.ts';
import type { SittingJail } from '../../src/daemon/judge.ts';
import { NOTHING_KNOWN, seatJails, type Sittings } from '../../src/daemon/sitting.ts';
import { type Clock, silentLog } from '../../src/ports.ts';
import { createPlans, type Plan, prepareSetup, type Setup, takenAsProven } from '../../src/setup/index.ts';
import { ROOT } from './places.ts';
import { writeConfig } from './reading.ts';

export interface Seated {
  readonly plan: Plan<SittingJail>;
  readonly sittings: Sittings;
  readonly brakes: Brakes;
  readonly regulars: Regulars;
  readonly sessions: Sessions;
}

/** @param folder takes the config. @throws with its faults. */
export function readySetup(
  folder: string,
  config: Parameters<typeof writeConfig>[1],
  filters?: Parameters<typeof writeConfig>[2],
): Setup {
  const result = prepareSetup({
    ...{ configFile: writeConfig(folder, config, filters), version: 'bench' },
    ...{ shippedFilters: join(ROOT, 'filters'), trusted: { uid: process.geteuid!() } },
    ...{ proofs: takenAsProven, everyFilter: false },
  });
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.setup;
}

export function seat(setup: Setup, clock: Clock): Seated {
  const ignores = setup.jails.map((jail) => jail.ignore);
  const protection = createProtection(setup.allow, ignores, { protectedNetworks: () => [] });
  const regulars = createRegulars();
  const brakes: Brakes = createBrakes({ ...behaviourOf(() => sittings, regulars), log: silentLog });
  const sittings: Sittings = seatJails(setup, protection, () => NOTHING_KNOWN, clock.now(), brakes);
  const plans = createPlans(
    sittings.all,
    ({ ready }) => ready,
    ({ ready }) => ready.config.logs,
  );
  return { plan: plans.for(sittings.all), sittings, brakes, regulars, sessions: createSessions([]) };
}
