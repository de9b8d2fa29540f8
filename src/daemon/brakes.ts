// The brakes of all jails: told of every ban, they take a jail that bans the wrong people out of force, and give back whom it
// had just banned. What they remember is part of the one commit. See docs/decisions/0034.
import { createBrake, NOTHING_BRAKED } from '../jails/index.ts';
import type { Brake } from '../jails/contract.ts';
import type { KeptBrake } from '../ledger/contract.ts';
import type { Ban, BanEvent, BrakeRule, Instant, Network, Tripped } from '../model.ts';
import type { Log } from '../ports.ts';
import type { Bans } from './bans.ts';
import type { Faults } from './telling/faults.ts';
import type { Regulars } from './intake/regulars.ts';
import type { Braking, Sittings } from './sitting.ts';

const FAULT = 'W_BRAKE_TRIPPED';

export interface BrakeParts {
  readonly sittings: Pick<Sittings, 'find' | 'forgive' | 'all'>;
  readonly bans: Pick<Bans, 'open' | 'end'>;
}

export interface Brakes extends Braking {
  /** Hears of each change to a ban. What follows from it waits for {@link settle}. */
  onBan(what: BanEvent['what'], ban: Ban): void;
  /** Lifts what jails that have just tripped banned by mistake. @returns those jails. To be called in the same turn. */
  settle(parts: BrakeParts, now: Instant): readonly string[];
  /**
   * An administrator has answered: these jails enforce again. What they detected meanwhile ends, so that nobody is blocked
   * for it. @returns those that had tripped; the caller settles.
   */
  release(jails: readonly string[], parts: BrakeParts, now: Instant): readonly string[];
  /** Other rules may be in force. "off" is an answer to a brake that has tripped; any other rule is none. */
  refit(parts: BrakeParts, now: Instant): void;
  takeDirty(): { readonly brakes: KeptBrake[] };
  restore(taken: { readonly brakes: readonly KeptBrake[] }): void;
  /** The ledger is a new one: all of it is to be written again. */
  rewrite(): void;
}

export interface BrakesOptions {
  /** The rule of a jail that is in session and enforces; undefined for any other. */
  ruleOf(jail: string): BrakeRule | undefined;
  /** Had the address behaved before, in the eyes of that jail? */
  hasBehaved(jail: string, address: Network, at: Instant): boolean;
  readonly log: Log;
  /** Left out: nobody is told. */
  readonly faults?: Faults;
  /** Told when a jail trips (with the reason), and when it is released. */
  onChange?(jail: string, why: string | undefined): void;
}

/** The rules of the jails in session, and behaviour by what is remembered of log-ins and of lines without a match. */
export function behaviourOf(
  sittings: () => Pick<Sittings, 'find'>,
  regulars: Regulars,
): Pick<BrakesOptions, 'ruleOf' | 'hasBehaved'> {
  return {
    ruleOf(jail) {
      const config = sittings().find(jail)?.ready.config;
      return config?.dryRun ? undefined : config?.brake;
    },
    hasBehaved: (jail, address, at) =>
      sittings().find(jail)?.jail.welcomes.find(address, at) !== undefined || regulars.isRegular(address, at),
  };
}

export function createBrakes(options: BrakesOptions, remembered: Iterable<KeptBrake> = []): Brakes {
  const { ruleOf, hasBehaved, log, faults, onChange = () => {} } = options;
  const memories = new Map(Array.from(remembered, ({ jail, memory }) => [jail, memory]));
  const brakes = new Map<string, { of: BrakeRule; readonly rule: string; readonly brake: Brake }>();
  const dirty = new Set<string>();
  /** Jails that have tripped in this turn, with the bans that are to be lifted. */
  let struck = new Map<string, ReadonlySet<number>>();
  const trippedOf = (jail: string): Tripped | undefined =>
    brakes.get(jail)?.brake.tripped ?? memories.get(jail)?.tripped;

  tell();

  /** A jail keeps what its brake remembers under other rules. */
  function brakeOf(jail: string): Brake | undefined {
    const rule = ruleOf(jail);
    if (!rule) return undefined;
    const known = brakes.get(jail);
    // A reload makes the same rule anew. Until then it is the same object, in a flood of bans as well.
    if (known?.of === rule) return known.brake;
    const written = JSON.stringify(rule);
    if (known?.rule === written) {
      known.of = rule;
      return known.brake;
    }
    const memory = known?.brake.memory() ?? memories.get(jail) ?? NOTHING_BRAKED;
    const brake = createBrake(rule, memory);
    brakes.set(jail, { of: rule, rule: written, brake });
    memories.delete(jail);
    return brake;
  }

  function tell(): void {
    const all = [...brakes.keys(), ...memories.keys()].filter((jail) => trippedOf(jail));
    if (all.length === 0) return faults?.clear(FAULT);
    const said = all.map((jail) => `the jail ${jail} only detects (${trippedOf(jail)!.why})`);
    faults?.raise(FAULT, `A brake has tripped, so that a filter may be wrong: ${said.join('; ')}.`);
  }

  const release: Brakes['release'] = (jails, { bans, sittings }, now) => {
    const released = jails.filter((jail) => trippedOf(jail));
    if (released.length === 0) return released;
    const meant = new Map(released.map((jail) => [jail, trippedOf(jail)!.from]));
    for (const ban of [...bans.open()]) {
      const from = meant.get(ban.jail);
      if (from === undefined || ban.id < from || ban.by === 'admin') continue;
      sittings.forgive(ban.jail, ban.address, now);
      bans.end(ban, now, 'brake', 'it was only detected, for the brake of its jail had tripped');
    }
    for (const jail of released) {
      brakes.get(jail)?.brake.release();
      memories.delete(jail);
      dirty.add(jail);
      log.warn({ jail }, 'brake released');
      onChange(jail, undefined);
    }
    tell();
    return released;
  };

  return {
    release,
    onBan(what, ban) {
      const { id, jail, address, since, by } = ban;
      if (what !== 'banned' || by === 'admin') return;
      const brake = brakeOf(jail);
      if (!brake || brake.tripped) return;
      const behaved = ruleOf(jail)!.kind === 'behaving' && hasBehaved(jail, address, since);
      const mistakes = brake.note({ ban: id, address: address.text, at: since, behaved });
      dirty.add(jail);
      if (mistakes) struck.set(jail, new Set(mistakes));
    },
    settle({ bans, sittings }, now) {
      if (struck.size === 0) return [];
      const tripping = struck;
      struck = new Map();
      const mistaken = [...bans.open()].filter(({ id, jail }) => tripping.get(jail)?.has(id));
      for (const ban of mistaken) {
        sittings.forgive(ban.jail, ban.address, now);
        bans.end(ban, now, 'brake', 'the brake of its jail tripped: the address had behaved before');
      }
      for (const jail of tripping.keys()) {
        const { why } = trippedOf(jail)!;
        const lifted = mistaken.filter((ban) => ban.jail === jail).length;
        log.error({ jail, why, lifted }, 'brake tripped');
        onChange(jail, why);
      }
      tell();
      return [...tripping.keys()];
    },
    tripped: trippedOf,
    spares(ban) {
      const tripped = trippedOf(ban.jail);
      return tripped !== undefined && ban.id >= tripped.from && ban.by !== 'admin';
    },
    refit(parts, now) {
      const known = new Set([...brakes.keys(), ...memories.keys()]);
      for (const jail of known) brakeOf(jail);
      const off = [...known].filter((jail) => trippedOf(jail) && ruleOf(jail)?.kind === 'off');
      release(off, parts, now);
    },
    takeDirty() {
      const taken = Array.from(dirty, (jail) => ({
        jail,
        memory: brakes.get(jail)?.brake.memory() ?? memories.get(jail) ?? NOTHING_BRAKED,
      }));
      dirty.clear();
      return { brakes: taken };
    },
    restore(taken) {
      for (const { jail } of taken.brakes) dirty.add(jail);
    },
    rewrite() {
      for (const jail of [...brakes.keys(), ...memories.keys()]) dirty.add(jail);
    },
  };
}
