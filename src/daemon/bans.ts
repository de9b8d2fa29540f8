// The bans in force, as they stand in memory, and what of them is still to be committed and enforced.
// One open ban per (jail, address), as in the ledger.
import { contains, isAddress, mask } from '../address.ts';
import type { Ban, BanEvent, Instant, Network } from '../model.ts';
import { createDeadlines } from './deadlines.ts';

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
  /** Ends every ban whose time is up. */
  expire(now: Instant): Ban[];
  nextExpiry(): Instant | undefined;
  find(jail: string, address: Network): Ban | undefined;
  /** Open bans on exactly this network. */
  on(network: Network): readonly Ban[];
  /** Open bans that hold the network or lie in it. */
  touching(network: Network): Ban[];
  /** In order of number. */
  open(): Iterable<Ban>;
  countIn(jail: string): number;
  /** The number that the next ban gets. */
  readonly nextId: number;
  readonly size: number;
  /** For the ledger: bans and events since the last call. {@link restore} hands them back when they couldn't be written. */
  takeDirty(): { bans: Ban[]; events: BanEvent[] };
  restore(dirty: { bans: readonly Ban[]; events: readonly BanEvent[] }): void;
  readonly hasDirty: boolean;
  /** What these jails' bans drop may be something else now. */
  touch(jails: ReadonlySet<string>): void;
  /** For the enforcer: networks whose bans changed since the last call. */
  takeTouched(): Network[];
}

/** Told of each change to a ban, as it happens and before it is committed. */
export type OnBan = (what: BanEvent['what'], ban: Ban, why: string) => void;

/** @param remembered the open bans of the ledger; all of them count as touched. */
export function createBans(remembered: Iterable<Ban>, nextId: number, onBan: OnBan = () => {}): Bans {
  const byKey = new Map<string, Ban>();
  const byNetwork = new Map<string, Ban[]>();
  const byId = new Map<number, Ban>();
  /** How many open bans stand on networks of each length: who holds an address is found by one look-up a length. */
  const lengths = { 4: new Map<number, number>(), 6: new Map<number, number>() };
  const perJail = new Map<string, number>();
  const deadlines = createDeadlines<Ban>();
  const dirty = new Map<number, Ban>();
  let events: BanEvent[] = [];
  const touched = new Map<string, Network>();
  let id = nextId;

  for (const ban of remembered) insert(ban);

  function insert(ban: Ban): void {
    byKey.set(keyOf(ban.jail, ban.address), ban);
    byNetwork.set(ban.address.text, [...(byNetwork.get(ban.address.text) ?? []), ban]);
    byId.set(ban.id, ban);
    count(lengths[ban.address.family], ban.address.bits, 1);
    count(perJail, ban.jail, 1);
    if (ban.until !== undefined) deadlines.add(ban.until, ban);
    touched.set(ban.address.text, ban.address);
  }

  function remove(ban: Ban): void {
    byKey.delete(keyOf(ban.jail, ban.address));
    const rest = (byNetwork.get(ban.address.text) ?? []).filter((other) => other.id !== ban.id);
    if (rest.length > 0) byNetwork.set(ban.address.text, rest);
    else byNetwork.delete(ban.address.text);
    count(lengths[ban.address.family], ban.address.bits, -1);
    count(perJail, ban.jail, -1);
    touched.set(ban.address.text, ban.address);
  }

  const find = (jail: string, address: Network): Ban | undefined => byKey.get(keyOf(jail, address));
  /** A ban is replaced when it changes; an entry of the queue that is no longer the ban of that number is stale. */
  const isCurrent = (ban: Ban): boolean => find(ban.jail, ban.address) === ban;

  function end(ban: Ban, at: Instant, by: string, why: string): Ban {
    const ended: Ban = { ...ban, endedAt: at, endedBy: by };
    remove(ban);
    byId.delete(ban.id);
    dirty.set(ban.id, ended);
    events.push({ ban: ban.id, at, what: 'ended', by, why });
    onBan('ended', ended, why);
    return ended;
  }

  return {
    find,
    end,
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
      const ban: Ban = { ...wanted, until, id: id++, endedAt: undefined, endedBy: undefined };
      events.push({ ban: ban.id, at: ban.since, what: 'banned', by: ban.by, why: ban.reason });
      dirty.set(ban.id, ban);
      insert(ban);
      onBan('banned', ban, ban.reason);
      return until !== undefined && until <= now
        ? end(ban, until, 'expired', 'over when it was decided')
        : ban;
    },
    extend(ban, until, by, why, now) {
      const extended: Ban = { ...ban, until };
      remove(ban);
      insert(extended);
      dirty.set(ban.id, extended);
      events.push({ ban: ban.id, at: now, what: 'extended', by, why });
      onBan('extended', extended, why);
      return extended;
    },
    expire(now) {
      return deadlines
        .takeDue(now, isCurrent)
        .map((ban) => end(ban, ban.until!, 'expired', 'its time was up'));
    },
    nextExpiry: () => deadlines.next(isCurrent),
    on: (network) => byNetwork.get(network.text) ?? [],
    touching(network) {
      const found: Ban[] = [];
      for (const bits of lengths[network.family].keys())
        if (bits <= network.bits) found.push(...(byNetwork.get(mask(network, bits).text) ?? []));
      if (!isAddress(network))
        for (const ban of byId.values())
          if (ban.address.bits > network.bits && contains(network, ban.address)) found.push(ban);
      return found;
    },
    open: () => byId.values(),
    countIn: (jail) => perJail.get(jail) ?? 0,
    get nextId() {
      return id;
    },
    get size() {
      return byKey.size;
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
    },
    get hasDirty() {
      return dirty.size > 0;
    },
    touch(jails) {
      for (const ban of byId.values()) if (jails.has(ban.jail)) touched.set(ban.address.text, ban.address);
    },
    takeTouched() {
      const taken = [...touched.values()];
      touched.clear();
      return taken;
    },
  };
}

function count<K>(counts: Map<K, number>, key: K, by: number): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}

function keyOf(jail: string, address: Network): string {
  return `${jail}\0${address.text}`;
}
