// Bans that end because the config says so, or because of what has become of their address.
import { isAddress } from '../address.ts';
import type { Ban, Instant, Network } from '../model.ts';
import type { Bans } from './bans.ts';
import type { Protection } from './host/protection.ts';
import { whyWelcomed } from './host/welcomed.ts';
import type { Sittings } from './sitting.ts';

interface Parts {
  readonly bans: Bans;
  readonly sittings: Pick<Sittings, 'all' | 'find' | 'forgive'>;
}

/** To ask for so many whole networks takes as long as to look at each ban. */
const MANY = 100;

/** Bans that touch one of these networks, each once, and perhaps others. */
function touchingAny(bans: Bans, networks: readonly Network[]): Iterable<Ban> {
  if (networks.filter((network) => !isAddress(network)).length > MANY) return bans.open();
  const found = networks.flatMap((network) => bans.touching(network));
  return new Map(found.map((ban) => [ban.id, ban])).values();
}

/**
 * Ends those of these open bans that are meant; what was counted of those addresses before `now` never counts again.
 * @returns how many.
 */
function lift(
  { bans, sittings }: Parts,
  among: Iterable<Ban>,
  isMeant: (ban: Ban) => boolean,
  by: string,
  why: string,
  now: Instant,
): number {
  const meant: Ban[] = [];
  for (const ban of among) if (isMeant(ban)) meant.push(ban);
  for (const ban of meant) {
    sittings.forgive(ban.jail, ban.address, now);
    bans.end(ban, now, by, why);
  }
  return meant.length;
}

/** Ends bans on what has come to be allowed. @returns how many. */
export function liftAllowed(parts: Parts, protection: Protection, now: Instant): number {
  const isAllowed = ({ address }: Ban): boolean => protection.whyAllowed(address) !== undefined;
  const among = touchingAny(parts.bans, protection.allowed());
  return lift(parts, among, isAllowed, 'allow', 'the address is allowed now', now);
}

/**
 * Ends bans on whole networks that jails decided and that hold somebody by now who must be spared: allowed, ignored, the
 * host's own, or someone who has logged in since. @returns how many.
 */
export function liftCrowds(parts: Parts, protection: Protection, now: Instant): number {
  const { bans, sittings } = parts;
  const longest = { 4: 32, 6: Math.max(0, ...sittings.all.map(({ ready }) => ready.rules.ipv6Prefix)) };
  // Hardly any host has such bans, and those that have hundreds of thousands of others need not go through them.
  if (!([4, 6] as const).some((family) => bans.lengths(family).some((bits) => bits < longest[family])))
    return 0;
  const holdsSpared = ({ jail, by, address }: Ban): boolean => {
    const ready = by === 'admin' ? undefined : sittings.find(jail)?.ready;
    if (!ready || address.bits >= (address.family === 4 ? 32 : ready.rules.ipv6Prefix)) return false;
    const why = protection.forJail(() => ready.ignore).whySpared?.(address, now);
    return (why ?? whyWelcomed(sittings, address, now)) !== undefined;
  };
  return lift(
    parts,
    bans.wide(longest),
    holdsSpared,
    'protected',
    'it holds an address that must be spared now',
    now,
  );
}

/** Ends what these jails decided. @param from only bans with this number or a later one. @returns how many. */
export function liftDecided(
  parts: Parts,
  jails: readonly string[],
  by: string,
  why: string,
  now: Instant,
  from = 0,
): number {
  const isMeant = (ban: Ban): boolean => ban.by !== 'admin';
  const among = [...new Set(jails)].flatMap((jail) => [...parts.bans.open(from - 1, jail)]);
  return lift(parts, among, isMeant, by, why, now);
}

/**
 * Ends bans on what has come to be the host's own or its gateway. An administrator's stay: he may have insisted, and
 * what he typed is his. @returns how many.
 */
export function liftProtected(parts: Parts, protection: Protection, now: Instant): number {
  const isProtected = ({ address, by }: Ban): boolean =>
    by !== 'admin' && protection.whyProtected(address) !== undefined;
  const among = touchingAny(parts.bans, protection.own());
  return lift(
    parts,
    among,
    isProtected,
    'protected',
    "it holds this host's own address or its gateway now",
    now,
  );
}
