// The jails in session: each with its rules, its memory of offenders, and whom it never counts.
import { createJail, priorOf } from '../jails/index.ts';
import type { Jail } from '../jails/contract.ts';
import type { Ban, Instant, Offender, Scope, Welcome } from '../model.ts';
import { scopeOf } from '../setup/index.ts';
import type { Setup } from '../setup/index.ts';
import type { SittingJail } from './pipeline.ts';
import type { Protection } from './protection.ts';

/** Bans by hand without a jail stand under this name. */
export const MANUAL = 'manual';

export interface Sittings {
  readonly all: readonly SittingJail[];
  readonly jails: readonly Jail[];
  find(name: string): SittingJail | undefined;
  /** Is it configured, enabled or not? `manual` is no jail. */
  isConfigured(name: string): boolean;
  /** What traffic a ban drops; undefined where its jail only detects. Where the jail is gone, the ban itself says. */
  scopeOf(ban: Ban): Scope | undefined;
}

/** What a jail remembers at most: some 90 MB. Beyond it the least suspicious are forgotten, and status counts them. */
const MAX_OFFENDERS = 100_000;
/** What bans by hand drop. */
export const EVERYTHING: Scope = { protocol: 'any', ports: [] };

/**
 * @param remembered what the ledger knows of every jail's offenders.
 * @param welcomes and of the log-ins that protect an address in them.
 */
export function seatJails(
  setup: Setup,
  protection: Protection,
  remembered: readonly Offender[],
  welcomes: readonly Welcome[],
  now: Instant,
): Sittings {
  const byJail = Map.groupBy(remembered, (offender) => offender.jail);
  // A jail may count the sentences of every jail: each is handed a way to ask all of them.
  const options = {
    prior: priorOf(() => all.map((sitting) => sitting.jail)),
    maxOffenders: MAX_OFFENDERS,
    welcomes,
  };
  const all = setup.jails.map((ready): SittingJail => {
    const offenders = byJail.get(ready.rules.name) ?? [];
    return {
      ready,
      jail: createJail(ready.rules, protection.forJail(ready.ignore), offenders, now, options),
    };
  });
  const configured = new Map(
    setup.config.jails.map((config) => [config.name, { config, scope: scopeOf(config) }]),
  );
  const byName = new Map(all.map((sitting) => [sitting.ready.rules.name, sitting]));
  return {
    all,
    jails: all.map((sitting) => sitting.jail),
    find: (name) => byName.get(name),
    isConfigured: (name) => configured.has(name),
    scopeOf(ban) {
      if (ban.jail === MANUAL) return EVERYTHING;
      // Its packets bear the proxy's address.
      if (ban.via !== undefined) return undefined;
      const jail = configured.get(ban.jail);
      if (!jail) return ban.scope;
      return jail.config.dryRun ? undefined : jail.scope;
    },
  };
}
