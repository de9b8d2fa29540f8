// Under pressure: bans make room, the kernel may be slower than we decide, memory is full. Here is what is done about it,
// counted and told.
import type { BoundView } from '../api/contract.ts';
import type { Firewall } from '../firewall/contract.ts';
import type { Cancel, Clock } from '../ports.ts';
import { createDisplacement } from './displacement.ts';
import type { Recalled } from './recall.ts';
import { keepAlarms } from './service/alarms.ts';
import type { Housekeeping } from './service/housekeeping.ts';
import { createBacklog } from './telling/backlog.ts';
import type { Backlog } from './telling/backlog.ts';
import { createBounds } from './telling/bounds.ts';
import type { Events } from './telling/events.ts';
import type { Faults } from './telling/faults.ts';

export interface Pressure {
  readonly backlog: Backlog;
  /** To be called after bans were decided. */
  makeRoom(): void;
  /** What grows, for status. */
  bounds(housekeeping: Pick<Housekeeping, 'use'>, events: Events): () => BoundView[];
  /** Tells as faults what was let go. @returns what ends it. */
  alarms(faults: Faults, fail: (error: unknown) => void): Cancel;
}

export function createPressure(recalled: Recalled, firewall: Firewall, clock: Clock): Pressure {
  const { bans, sittings, inForce } = recalled;
  const backlog = createBacklog(firewall, bans, clock);
  const displacement = createDisplacement(
    bans,
    sittings,
    () => inForce.config.limits.bans,
    () => clock.now(),
  );
  const displaced = (): number => displacement.count;
  return {
    backlog,
    makeRoom: () => displacement.run(),
    bounds: (housekeeping, events) =>
      createBounds({
        ...{ ...recalled, housekeeping, events, backlog, displaced },
        limits: () => inForce.config.limits,
        jails: () => sittings.jails,
      }),
    alarms: (faults, fail) =>
      keepAlarms({
        ...{ backlog, clock, faults, fail, displaced },
        jails: () => sittings.jails,
        lost: () => bans.lost,
      }),
  };
}
