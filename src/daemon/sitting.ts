// The jails in session: each with its rules, its memory of offenders, and whom it never counts.
import { createJail, priorOf } from '../jails/index.ts';
import { randomInt } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { scopeAt } from '../answer.ts';
import type { Ignoring, Jail, JailStats } from '../jails/contract.ts';
import type { JailMemory } from '../ledger/contract.ts';
import type { Ban, Instant, Network, Offender, Scope, Step, Tripped } from '../model.ts';
import { scopeOf } from '../setup/index.ts';
import type { ReadyJail, Setup } from '../setup/index.ts';
import type { SittingJail } from './pipeline.ts';
import type { Protection } from './host/protection.ts';
import { whyWelcomed } from './host/welcomed.ts';
import { createRoom } from './room.ts';

/** Bans by hand without a jail stand under this name. */
export const MANUAL = 'manual';

export interface Sittings {
  readonly all: readonly SittingJail[];
  /** Those in session, and those that are not any more but have something to commit. */
  readonly jails: readonly Jail[];
  find(name: string): SittingJail | undefined;
  /** Is it configured, enabled or not? `manual` is no jail. */
  isConfigured(name: string): boolean;
  /** What traffic a ban drops, or how it answers; undefined where its jail only detects. Where the jail is gone, the ban itself says. */
  scopeOf(ban: Ban): Scope | undefined;
  /** Lines of the jail stamped up to `until` never count, also where it comes back in session later. */
  forgive(jail: string, address: Network, until: Instant): void;
  /**
   * Other jails are in session from now on. One that was before keeps its offenders, under whatever rules; one that is
   * back finds those that it had. `protection` must have the setup's lists by then.
   */
  reseat(setup: Setup, now: Instant): Reseated;
  /**
   * Goes on with what the ledger remembers of offenders, in short turns, until all of it is there. Whoever asks for a jail
   * before that gets one with all of it: it is read at once.
   */
  recollect(): Promise<void>;
  /** Everything was committed: jails that are not in session need not be kept. */
  dismiss(): void;
}

/** Which jails a reload brought, took and changed, by name. */
export interface Reseated {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** Jails, in session or not, whose bans drop other traffic now, or nothing. */
  readonly rescoped: readonly string[];
  /** Forgotten by jails that others took the place of: to be deleted from the ledger. */
  readonly forgotten: readonly { readonly jail: string; readonly address: Network }[];
}

/** What bans by hand drop. */
export const EVERYTHING: Scope = { protocol: 'any', ports: [] };

/** 31 bits. */
const MOST_SALT = 2 ** 31;
/** Of a jail that nothing is known of. */
export const NOTHING_KNOWN: JailMemory = { offenders: [], welcomes: [] };

/** What the jails ask of their brakes. */
export interface Braking {
  /** Why the jail only detects; undefined where its brake has not tripped. */
  tripped(jail: string): Tripped | undefined;
  /** Is the ban one that its jail passed after it tripped? It is only detected. */
  spares(ban: Ban): boolean;
}

/** Where nobody is banned for real. */
const NO_BRAKES: Braking = { tripped: () => undefined, spares: () => false };

/** A jail that is not in session, to be changed by hand: it loses nothing that it remembers, and never decides. */
function absentJail(name: string, { offenders, welcomes }: JailMemory, now: Instant): Jail {
  const banTime = { first: 0, factor: 1, max: Infinity, forget: Infinity, scope: 'jail' } as const;
  const rules = {
    ...{ name, banTime, maxRetry: Infinity, findTime: Infinity, ipv6Prefix: 128 },
    ...{ resetOnSuccess: false, protectAfterSuccess: Infinity },
  };
  const ignoring = { whyIgnored: () => undefined, isProtected: () => false };
  return createJail(rules, ignoring, offenders, now, { welcomes });
}

/**
 * @param remembered what the ledger knows of a jail.
 * @param toCome offenders of the jails in session that are not among those: read by and by, and those of other jails passed over.
 */
export function seatJails(
  initial: Setup,
  protection: Protection,
  remembered: (jail: string) => JailMemory,
  now: Instant,
  brakes = NO_BRAKES,
  toCome: Iterable<readonly Offender[]> = [],
): Sittings {
  let seats: ReadonlyMap<string, SittingJail> = new Map();
  /** Not in session any more; the ledger may not have all that they remember. */
  const retired = new Map<string, Jail>();
  let { limits } = initial.config;
  /** A list of its own, for it is gone through with each new offender. */
  let seated: readonly Jail[] = [];
  const room = createRoom(
    () => limits,
    () => seated,
  );
  let configured: ReadonlyMap<
    string,
    { readonly dryRun: boolean; readonly scope: Scope; readonly respond: readonly Step[] }
  >;
  /** What is still to come. */
  let rest: Iterator<readonly Offender[]> | undefined;
  seat(initial, now);
  rest = toCome[Symbol.iterator]();
  const beginners = new Map(seated.map((jail) => [jail.rules.name, jail]));

  /** Some more of what is to come. @returns whether there may be more. */
  function recollectSome(): boolean {
    const page = rest?.next();
    if (!page || page.done) {
      rest = undefined;
      beginners.clear();
      return false;
    }
    for (const offender of page.value) beginners.get(offender.jail)?.recollect(offender, now);
    return true;
  }

  function recollectAll(): void {
    while (rest) recollectSome();
  }

  function seat(setup: Setup, at: Instant): void {
    const before = seats;
    limits = setup.config.limits;
    seats = new Map(
      setup.jails.map((ready) => [ready.rules.name, sittingOf(ready, jailFor(ready, before, at))]),
    );
    seated = Array.from(seats.values(), ({ jail }) => jail);
    for (const [name, { jail }] of before) if (!seats.has(name)) retired.set(name, jail);
    configured = new Map(
      setup.config.jails.map((config) => [
        config.name,
        { dryRun: config.dryRun, scope: scopeOf(config), respond: config.respond },
      ]),
    );
  }

  function sittingOf(ready: ReadyJail, jail: Jail): SittingJail {
    return {
      ready,
      get jail() {
        if (rest) recollectAll();
        return jail;
      },
      get onlyDetects() {
        return ready.config.dryRun || brakes.tripped(ready.rules.name) !== undefined;
      },
    };
  }

  function jailFor(ready: ReadyJail, before: typeof seats, at: Instant): Jail {
    const { name } = ready.rules;
    const known = before.get(name)?.jail ?? retired.get(name);
    retired.delete(name);
    if (!known) return newJail(ready, remembered(name), at);
    if (isDeepStrictEqual(known.rules, ready.rules)) return known;
    // Other rules: a new jail with everything that the one before remembers and has not committed yet.
    const jail = newJail(
      ready,
      { offenders: known.offenders(), welcomes: [...known.welcomes.all()] },
      at,
      known.stats,
    );
    jail.restore(known.takeDirty());
    jail.welcomes.restore(known.welcomes.takeDirty());
    return jail;
  }

  function newJail(ready: ReadyJail, memory: JailMemory, at: Instant, stats?: JailStats): Jail {
    const { name } = ready.rules;
    const own = protection.forJail(() => (seats.get(name)?.ready ?? ready).ignore);
    const ignoring: Ignoring = {
      ...own,
      // A network isn't banned over a log-in at another jail either.
      whySpared: (network, instant) =>
        own.whySpared?.(network, instant) ?? whyWelcomed({ all: [...seats.values()] }, network, instant),
    };
    return createJail(ready.rules, ignoring, memory.offenders, at, {
      // A jail may count the sentences of every jail: each is handed a way to ask all of them.
      prior: priorOf(() => seated),
      bounds: () => room.bounds(),
      makeRoom: (when) => room.make(when),
      salt: randomInt(MOST_SALT),
      welcomes: memory.welcomes,
      ...(stats && { stats }),
    });
  }

  return {
    get all() {
      return [...seats.values()];
    },
    get jails() {
      recollectAll();
      return [...Array.from(seats.values(), ({ jail }) => jail), ...retired.values()];
    },
    find: (name) => seats.get(name),
    isConfigured: (name) => configured.has(name),
    scopeOf(ban) {
      if (ban.jail === MANUAL) return EVERYTHING;
      // Its packets bear the proxy's address.
      if (ban.via !== undefined || brakes.spares(ban)) return undefined;
      const jail = configured.get(ban.jail);
      if (!jail) return ban.scope;
      if (jail.dryRun) return undefined;
      // By hand is to be shut out, not to be warned.
      return ban.by === 'admin' ? jail.scope : scopeAt(jail.scope, jail.respond, ban.nth);
    },
    forgive(name, address, until) {
      if (name === MANUAL) return;
      const jail = seats.get(name)?.jail ?? retired.get(name) ?? absentJail(name, remembered(name), until);
      // Kept until it is committed, and there for whoever takes its place.
      if (!seats.has(name)) retired.set(name, jail);
      jail.forgive(address, until);
    },
    async recollect() {
      while (recollectSome()) await breathe();
    },
    reseat(setup, at) {
      recollectAll();
      const before = new Map(Array.from(seats, ([name, { ready }]) => [name, ready.fingerprint]));
      const leaving = [...Array.from(seats.values(), ({ jail }) => jail), ...retired.values()];
      const forgotten = leaving.flatMap((jail) =>
        jail.takeForgotten().map((address) => ({ jail: jail.rules.name, address })),
      );
      const scopes = configured;
      seat(setup, at);
      const isKept = (name: string): boolean => before.get(name) === seats.get(name)!.ready.fingerprint;
      return {
        added: [...seats.keys()].filter((name) => !before.has(name)),
        removed: [...before.keys()].filter((name) => !seats.has(name)),
        changed: [...seats.keys()].filter((name) => before.has(name) && !isKept(name)),
        rescoped: [...new Set([...scopes.keys(), ...configured.keys()])].filter(
          (name) => !isDeepStrictEqual(scopes.get(name), configured.get(name)),
        ),
        forgotten,
      };
    },
    dismiss() {
      for (const [name, jail] of retired) if (jail.dirty === 0) retired.delete(name);
    },
  };
}
