// The bans in force, as they stand in memory, and what of them is still to be committed and enforced.
// One open ban per (jail, address), as in the ledger.
import { isAddress, mask } from '../address.ts';
import type { Ban, BanEvent, Evidence, Instant, Network } from '../model.ts';
import { createOpenBans } from '../open-bans.ts';
import type { OpenBans } from '../open-bans.ts';
import { createDeadlines, type Deadlines } from './deadlines.ts';

/** Everything about a new ban but its number and its end. */
export type NewBan = Omit<Ban, 'id' | 'endedAt' | 'endedBy'>;

export interface Bans {
  /**
   * Opens a ban; one that was over before `now` is recorded as ended at once.
   * Where (jail, address) has an open ban, that one ends: expired if its time was up by then, else replaced, and the
   * new one lasts at least as long.
   */
  impose(ban: NewBan, now: Instant): Ban;
  /** Moves the end of an open ban. */
  extend(ban: Ban, until: Instant | undefined, by: string, why: string, now: Instant): Ban;
  end(ban: Ban, at: Instant, by: string, why: string): Ban;
  /** Ends bans whose time is up, up to `most` of them, earliest first. */
  expire(now: Instant, most?: number): Ban[];
  nextExpiry(): Instant | undefined;
  find(jail: string, address: Network): Ban | undefined;
  /** Open bans on exactly this network. */
  on(network: Network): readonly Ban[];
  /** Open bans that hold the network or lie in it. */
  touching(network: Network): Ban[];
  /** Of those that are wanted the one longest in force, or one of the longest; never the newest. */
  longestInForce(isWanted: (ban: Ban) => boolean): Ban | undefined;
  /** The lengths of the networks that open bans stand on. */
  lengths(family: 4 | 6): readonly number[];
  /** In order of number. @param after only those with a higher one. @param jail only its own. */
  open(after?: number, jail?: string): Iterable<Ban>;
  /** Those on networks shorter than so many bits, by family. */
  wide(bits: Readonly<Record<Network['family'], number>>): Iterable<Ban>;
  countIn(jail: string): number;
  /** All that are open, for who writes them down at the end. */
  readonly inForce: OpenBans;
  /** The number that the next ban gets. */
  readonly nextId: number;
  readonly size: number;
  /** For the ledger: bans and events since the last call. {@link restore} hands them back when they couldn't be written. */
  takeDirty(): { bans: Ban[]; events: BanEvent[] };
  restore(dirty: { bans: readonly Ban[]; events: readonly BanEvent[] }): void;
  /** The ledger is a new one: every open ban is to be written again, with how it began. */
  rewrite(): void;
  /** The ledger has them now, and their evidence: from here on that stands there alone. */
  written(dirty: { bans: readonly Ban[] }): void;
  /** How many bans the ledger doesn't know as they are. */
  readonly unwritten: number;
  /** How many were over before the ledger could be written, and were let go because there were too many of them. */
  readonly lost: number;
  readonly hasDirty: boolean;
  /** What these jails' bans drop may be something else now. */
  touch(jails: ReadonlySet<string>): void;
  /** For the enforcer: networks whose bans changed since they were taken last, up to `most` of them, longest waiting first. */
  takeTouched(most?: number): Network[];
  /**
   * For an enforcer that looks at everything: the networks of all open bans, each once (one may be met again where bans end
   * meanwhile), and after them what was touched and has none. From here on only what changes is touched. What changes meanwhile is met or not, and is touched.
   */
  takeAll(): Generator<Network>;
  /** How many wait to be taken, by the one way or the other. */
  readonly touched: number;
}

/** So many changed bans may wait for the ledger; of those beyond, the ones that are over are not written any more. */
export const UNWRITTEN = 100_000;
/** So many of them keep their evidence. */
const UNWRITTEN_EVIDENCE = 10_000;
/** So many are looked at for one that may end. */
const LOOKS = 64;
const NO_EVIDENCE: readonly Evidence[] = [];

/** Told of each change to a ban, as it happens and before it is committed. */
export type OnBan = (what: BanEvent['what'], ban: Ban, why: string) => void;

/**
 * @param remembered the open bans of the ledger, which are handed over, without evidence: that stands there. All of them wait for
 * {@link Bans.takeAll}.
 */
export function createBans(
  remembered: OpenBans | readonly Ban[],
  nextId: number,
  onBan: OnBan = () => {},
): Bans {
  const inForce = 'networks' in remembered ? remembered : createOpenBans();
  if (!('networks' in remembered))
    for (const ban of remembered) inForce.add({ ...ban, evidence: NO_EVIDENCE });
  let deadlines: Deadlines<number> | undefined;
  const dirty = new Map<number, Ban>();
  let events: BanEvent[] = [];
  let touched = new Map<string, Network>();
  /** Those of the ledger count as touched until all are taken: there may be hundreds of thousands. */
  let untaken = inForce.networks;
  let id = nextId;
  /** Never written so far: what is not in the ledger need not be taken out of it. */
  const fresh = new Set<number>();
  let lost = 0;
  let walk: Iterator<Ban> | undefined;

  /** The ledger can't be written, and bans come all the same. */
  function letGo(): void {
    let evidence = dirty.size - UNWRITTEN_EVIDENCE;
    for (const ban of dirty.values()) {
      if (evidence-- <= 0) break;
      // In place: it may be on its way to the ledger, and was made here.
      Object.assign(ban, { evidence: NO_EVIDENCE });
      inForce.forgetEvidence(ban.id);
    }
    let surplus = dirty.size - UNWRITTEN;
    if (surplus <= 0) return;
    const gone = new Set<number>();
    for (const { id: number, endedAt } of dirty.values()) {
      if (surplus <= 0) break;
      if (endedAt === undefined || !fresh.has(number)) continue;
      gone.add(number);
      surplus--;
    }
    for (const number of gone) {
      dirty.delete(number);
      fresh.delete(number);
    }
    events = events.filter(({ ban }) => !gone.has(ban));
    lost += gone.size;
  }

  /** What ends when. Put in order once somebody asks: at a start the kernel has to hear of all of them first. */
  function due(): Deadlines<number> {
    if (deadlines) return deadlines;
    deadlines = createDeadlines(() => inForce.size);
    for (const [number, until] of inForce.endings()) deadlines.add(number, until);
    return deadlines;
  }

  function touch({ address }: Ban): void {
    touched.set(address.text, address);
  }

  const find = (jail: string, address: Network): Ban | undefined =>
    inForce.on(address).find((ban) => ban.jail === jail);
  /** A ban's end moves: an entry of the queue that is no longer the end of that number is stale. */
  const isCurrent = (number: number, at: Instant): boolean => inForce.endOf(number) === at;

  function end(ban: Ban, at: Instant, by: string, why: string): Ban {
    const ended: Ban = { ...ban, endedAt: at, endedBy: by };
    inForce.remove(ban.id);
    touch(ban);
    dirty.set(ban.id, ended);
    events.push({ ban: ban.id, at, what: 'ended', by, why });
    onBan('ended', ended, why);
    return ended;
  }

  return {
    find,
    end,
    inForce,
    impose(wanted, now) {
      let until = wanted.until;
      const standing = find(wanted.jail, wanted.address);
      if (standing?.until !== undefined && standing.until <= wanted.since)
        end(standing, standing.until, 'expired', 'its time was up');
      else if (standing) {
        if (until !== undefined)
          until = standing.until === undefined ? undefined : Math.max(until, standing.until);
        end(standing, wanted.since, 'replaced', 'a new sentence took its place');
      }
      const ban = openBan(wanted, id++, until);
      events.push(beginningOf(ban));
      dirty.set(ban.id, ban);
      fresh.add(ban.id);
      inForce.add(ban);
      if (until !== undefined) deadlines?.add(ban.id, until);
      touch(ban);
      onBan('banned', ban, ban.reason);
      return until !== undefined && until <= now
        ? end(ban, until, 'expired', 'over when it was decided')
        : ban;
    },
    extend(ban, until, by, why, now) {
      const extended: Ban = { ...ban, until };
      inForce.extend(ban.id, until);
      if (until !== undefined) deadlines?.add(ban.id, until);
      touch(ban);
      dirty.set(ban.id, extended);
      events.push({ ban: ban.id, at: now, what: 'extended', by, why });
      onBan('extended', extended, why);
      return extended;
    },
    expire(now, most) {
      // Whoever was given the same end twice is due twice.
      return [...new Set(due().takeDue(now, isCurrent, most))].map((number) => {
        const ban = inForce.get(number)!;
        return end(ban, ban.until!, 'expired', 'its time was up');
      });
    },
    nextExpiry: () => due().next(isCurrent),
    on: (network) => inForce.on(network),
    touching(network) {
      const found: Ban[] = [];
      // Who holds an address is found by one look-up a length.
      for (const bits of inForce.lengths(network.family))
        if (bits <= network.bits) found.push(...inForce.on(mask(network, bits)));
      if (!isAddress(network))
        for (const ban of inForce.within(network)) if (ban.address.bits > network.bits) found.push(ban);
      return found;
    },
    longestInForce(isWanted) {
      // They stand in the order of their numbers. One walk goes on from where it stopped: those behind it may stay.
      for (let looks = Math.min(LOOKS, inForce.size); looks > 0; looks--) {
        let next = (walk ??= inForce.values()).next();
        if (next.done) {
          walk = inForce.values();
          next = walk.next();
        }
        if (!next.done && next.value.id < id - 1 && isWanted(next.value)) return next.value;
      }
      return undefined;
    },
    lengths: (family) => inForce.lengths(family),
    open: (after, jail) => inForce.values(after, jail),
    wide: (bits) => inForce.wide(bits),
    countIn: (jail) => inForce.countIn(jail),
    get nextId() {
      return id;
    },
    get size() {
      return inForce.size;
    },
    takeDirty() {
      // In order of number: a ban that ended must be written before the one that took its place.
      const taken = { bans: [...dirty.values()].toSorted((a, b) => a.id - b.id), events };
      dirty.clear();
      events = [];
      return taken;
    },
    restore(taken) {
      for (const ban of taken.bans) if (!dirty.has(ban.id)) dirty.set(ban.id, ban);
      events = [...taken.events, ...events];
      letGo();
    },
    rewrite() {
      for (const ban of inForce) if (!dirty.has(ban.id)) dirty.set(ban.id, ban);
      const told = new Set(events.filter(({ what }) => what === 'banned').map(({ ban }) => ban));
      const untold = [...dirty.values()].filter(({ id: number }) => !told.has(number));
      events = [...untold.map(beginningOf), ...events];
      for (const number of dirty.keys()) fresh.add(number);
    },
    written(taken) {
      for (const { id: number } of taken.bans) {
        fresh.delete(number);
        // What has changed meanwhile is written once more, whole.
        if (!dirty.has(number)) inForce.forgetEvidence(number);
      }
    },
    get unwritten() {
      return dirty.size;
    },
    get lost() {
      return lost;
    },
    get hasDirty() {
      return dirty.size > 0;
    },
    touch(jails) {
      for (const ban of inForce) if (jails.has(ban.jail)) touch(ban);
    },
    takeTouched(most = Infinity) {
      const taken: Network[] = [];
      for (const [text, network] of touched) {
        if (taken.length >= most) break;
        taken.push(network);
        touched.delete(text);
      }
      return taken;
    },
    *takeAll() {
      const changed = touched;
      touched = new Map();
      untaken = inForce.networks + changed.size;
      for (const network of inForce.eachNetwork()) {
        untaken--;
        yield network;
      }
      for (const network of changed.values()) if (inForce.on(network).length === 0) yield network;
      untaken = 0;
    },
    get touched() {
      return touched.size + Math.max(0, untaken);
    },
  };
}

/** By name: what is spread takes more room, and several times as long. */
function openBan(
  { address, jail, since, nth, reason, by, evidence, scope, via }: NewBan,
  id: number,
  until: Instant | undefined,
): Ban {
  return {
    id,
    address,
    jail,
    since,
    until,
    nth,
    reason,
    by,
    evidence,
    scope,
    via,
    endedAt: undefined,
    endedBy: undefined,
  };
}

function beginningOf({ id, since, by, reason }: Ban): BanEvent {
  return { ban: id, at: since, what: 'banned', by, why: reason };
}
