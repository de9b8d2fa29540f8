// Whom nobody may ban, as it changes: names that come to stand for others, addresses that become the host's own. Told to
// the kernel, and bans that stand against it end.
import type { Cancel, Clock, Log } from '../../ports.ts';
import type { Bans } from '../bans.ts';
import type { Enforcer } from '../enforcer.ts';
import type { Faults } from '../telling/faults.ts';
import type { Host } from './host.ts';
import { followNames } from './names.ts';
import type { Names } from './names.ts';
import { followOwnAddresses } from './own-addresses.ts';
import type { Protection } from './protection.ts';
import { every } from '../service/timers.ts';
import { liftAllowed, liftCrowds, liftProtected } from '../releases.ts';
import type { Sittings } from '../sitting.ts';

/** How often networks that are banned are looked at for somebody to be spared. */
const LOOK = 60_000;

export interface ExemptParts {
  readonly host: Host;
  readonly protection: Protection;
  readonly bans: Bans;
  readonly sittings: Sittings;
  readonly enforcer: Enforcer;
  /** Until it resolves the kernel is left to whoever boots. */
  readonly booted: Promise<void>;
  /** Commits what is known and tells the kernel. */
  settle(): Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults: Faults;
  fail(error: unknown): void;
}

export interface Exempt extends Names {
  /** Ends the bans on whom nobody may ban now; the caller settles. @returns how many. */
  release(): number;
  readonly stop: Cancel;
}

export function followExempt(parts: ExemptParts): Exempt {
  const { host, protection, enforcer, clock, log, faults } = parts;
  const release = (): number =>
    liftAllowed(parts, protection, clock.now()) +
    liftProtected(parts, protection, clock.now()) +
    liftCrowds(parts, protection, clock.now());

  async function protect(): Promise<void> {
    await parts.booted;
    await enforcer.allow(protection.allowed());
    if (release() > 0) await parts.settle();
  }

  const onChange = (): void => void protect().catch(parts.fail);
  const names = followNames({ protection, resolver: host.resolver, clock, log, faults }, onChange);
  const leaveAddresses = followOwnAddresses({ host, protection, clock, log, faults }, onChange);
  // No event says that someone logged in from a network that is banned.
  const stopLooking = every(
    clock,
    LOOK,
    () => {
      if (liftCrowds(parts, protection, clock.now()) > 0) void parts.settle().catch(parts.fail);
    },
    parts.fail,
  );
  return {
    ...names,
    release,
    stop() {
      names.stop();
      stopLooking();
      leaveAddresses();
    },
  };
}
