// All offenders of one jail, found by address; which of them are to be written, and who may be forgotten.
import { isAddress, mask, offenderOf } from '../address.ts';
import type { Instant, JailRules, Network, Offender } from '../model.ts';
import type { Bounds, JailStats } from './contract.ts';
import type { Windows } from './counting.ts';
import { createCrowds, type Crowds } from './crowds.ts';
import { createLately } from './lately.ts';
import { createPlaces } from './places.ts';
import { createRanks } from './ranks.ts';
import { dropEvidence, pictureOf, recall, Tally } from './tally.ts';

/** How many a prune looks at, and how many it forgets at most: a million at once would hold everything up for seconds. */
const PRUNE_LOOKS = 50_000;
const PRUNE_LIMIT = 5_000;

/** Where there are too many, so many go for each that comes: more than one, so that a limit that was lowered is reached. */
const EVICTIONS = 2;
/** So many are looked at for evidence to be dropped when a line is kept. */
const THINNING_LOOKS = 8;

export interface Offenders {
  readonly size: number;
  readonly dirty: number;
  /** Somebody of the ledger, who is not among them so far. */
  recollect(offender: Offender, at: Instant): Tally;
  /** Whose tally is of exactly this network. */
  findExactly(network: Network): Tally | undefined;
  /** Who answers for the address: itself, or the prefix under which it is counted. */
  find(address: Network): Tally | undefined;
  /** Like `find`; begins a new tally where there is none. `at` says who is banned, should someone have to make room. */
  open(address: Network, at: Instant): Tally;
  /** Like `open`, under exactly this network. */
  openExactly(network: Network, at: Instant): Tally;
  all(): Iterable<Tally>;
  /** Everyone, as the ledger keeps him. */
  pictures(): Offender[];
  /** Everyone inside a network. Looks at all offenders: for an administrator's commands only. */
  inside(network: Network): Tally[];
  /** To be called after every change: the tally is written with the next commit, and isn't idle. */
  touch(tally: Tally): void;
  /** One goes to make room, unless all who are left are banned. `at` says who is. @returns whether one went. */
  evict(at: Instant): boolean;
  /** What the evidence takes, about, in bytes. */
  readonly weight: number;
  readonly crowds: Pick<Crowds, 'size' | 'largest'>;
  takeDirty(): Offender[];
  takeForgotten(): Network[];
  restore(offenders: readonly Offender[]): void;
  prune(now: Instant): Network[];
}

interface Options {
  readonly windows: Windows;
  readonly isProtected: (network: Network) => boolean;
  readonly bounds: () => Bounds;
  readonly makeRoom: (at: Instant) => void;
  /** Called for each that is evicted or forgotten. */
  readonly onGone: (tally: Tally) => void;
  readonly stats: Pick<JailStats, 'evicted' | 'thinned'>;
  /** {@link createPlaces}'s. */
  readonly salt: number;
}

export function createOffenders(
  rules: JailRules,
  remembered: Iterable<Offender>,
  now: Instant,
  { windows, isProtected, bounds, makeRoom, onGone, stats, salt }: Options,
): Offenders {
  const { findTime, banTime, ipv6Prefix } = rules;
  /** All but single IPv4 addresses, by their texts; of those, who stands where by their numbers. */
  const others = new Map<string, Tally>();
  const places = createPlaces(salt);
  /** All by their `index`, and since when each is idle who is. */
  const members: (Tally | undefined)[] = [];
  const vacant: number[] = [];
  let idleSince = new Float64Array(0);
  const lately = createLately();
  /** In the order in which they changed; some may be gone by now. */
  let changed: Tally[] = [];
  let dirty = 0;
  const forgotten = new Map<string, Network>();
  /** IPv6 prefix lengths in use below 128, longest first. Shorter than `ipv6Prefix` answers for nobody inside. */
  let lengths: readonly number[] = ipv6Prefix < 128 ? [ipv6Prefix] : [];
  const ranks = createRanks(rules, windows, members);
  const crowds = createCrowds(findTime, windows);
  let weight = 0;
  /** Whose turn it is to lose evidence, and to be looked at for being forgotten. */
  let toThin = 0;
  let toPrune = 0;

  function weigh(tally: Tally): void {
    if (tally.weight === tally.weighed) return;
    weight += tally.weight - tally.weighed;
    tally.weighed = tally.weight;
  }

  function mark(tally: Tally): void {
    if (tally.isDirty) return;
    tally.isDirty = true;
    changed.push(tally);
    dirty++;
  }

  const add = (tally: Tally): Tally => {
    const { address } = tally;
    tally.index = vacant.pop() ?? members.length;
    if (isSingleIPv4(address)) places.add(address.first, tally.index);
    else others.set(address.text, tally);
    members[tally.index] = tally;
    ranks.place(tally);
    weigh(tally);
    forgotten.delete(address.text);
    if (address.family === 6 && isAddress(address)) lately.forget(address);
    else if (address.family === 6 && address.bits > ipv6Prefix) {
      // It answers for whoever is inside, in the place of another.
      lately.forgetAll();
      if (!lengths.includes(address.bits)) lengths = [...lengths, address.bits].toSorted((a, b) => b - a);
    }
    return tally;
  };
  const rest = (tally: Tally, at: Instant): void => {
    tally.isIdle = true;
    if (tally.index >= idleSince.length) {
      const larger = new Float64Array(Math.max(256, members.length * 2));
      larger.set(idleSince);
      idleSince = larger;
    }
    idleSince[tally.index] = at;
  };
  const recollect = (offender: Offender, at: Instant): Tally => {
    const tally = add(recall(offender, windows));
    rest(tally, at);
    return tally;
  };
  for (const offender of remembered) if (offender.jail === rules.name) recollect(offender, now);

  const sizeOf = (): number => places.size + others.size;
  const findExactly = (network: Network): Tally | undefined =>
    isSingleIPv4(network) ? members[places.find(network.first)] : others.get(network.text);

  const find = (address: Network): Tally | undefined => {
    if (address.family === 4) return findExactly(address);
    const known = lately.find(address);
    if (known && known.index >= 0) return known;
    const found = others.get(address.text) ?? findAround(address);
    if (found) lately.note(address, found);
    return found;
  };

  /** Whoever is counted under a prefix stays so, whatever becomes protected meanwhile. */
  const findAround = (address: Network): Tally | undefined => {
    for (const bits of lengths) {
      const tally = bits < address.bits ? others.get(mask(address, bits).text) : undefined;
      if (tally) return tally;
    }
    return undefined;
  };

  const drop = (tally: Tally): void => {
    if (isSingleIPv4(tally.address)) places.delete(tally.address.first);
    else others.delete(tally.address.text);
    ranks.remove(tally);
    members[tally.index] = undefined;
    vacant.push(tally.index);
    tally.index = -1;
    if (tally.isDirty) dirty--;
    tally.isDirty = false;
    weight -= tally.weighed;
    onGone(tally);
    windows.clear(tally);
  };

  const evict = (at: Instant): boolean => {
    const least = ranks.least(at, bounds().offenders);
    if (!least) return false;
    if (least.nth === 0 && least.total > 0) crowds.note(least);
    drop(least);
    forgotten.set(least.address.text, least.address);
    stats.evicted++;
    return true;
  };

  /** Too much evidence: others lose theirs, in turn. What it led to is counted all the same. */
  const thin = (spared: Tally): void => {
    for (let looks = THINNING_LOOKS; looks > 0 && weight > bounds().evidence; looks--) {
      const tally = members[(toThin = (toThin + 1) % members.length)];
      if (!tally || tally === spared || tally.evidence.length === 0) continue;
      stats.thinned += tally.evidence.length;
      dropEvidence(tally);
      weigh(tally);
    }
  };

  const openExactly = (network: Network, at: Instant): Tally => {
    const known = findExactly(network);
    if (known) return known;
    for (let goes = EVICTIONS; goes > 0 && sizeOf() >= bounds().offenders; goes--) if (!evict(at)) break;
    makeRoom(at);
    return add(new Tally(network));
  };

  const present = (): Tally[] => members.filter((tally) => tally !== undefined);

  /** Nothing that happens from now on could depend on him any more. */
  const isPast = (tally: Tally, at: Instant): boolean => {
    if (windows.newestOf(tally) >= at - findTime) return false;
    const history = Math.max(tally.lastUntil, tally.forgivenUntil);
    return history === -Infinity || at > history + banTime.forget;
  };

  return {
    get size() {
      return sizeOf();
    },
    get dirty() {
      return dirty;
    },
    recollect,
    findExactly,
    find,
    open(address, at) {
      const known = find(address);
      if (known) return known;
      return openExactly(isAddress(address) ? offenderOf(address, ipv6Prefix, isProtected) : address, at);
    },
    openExactly,
    all: present,
    pictures: () => Array.from(present(), (tally) => pictureOf(rules.name, tally, windows)),
    inside(network) {
      return present().filter(({ address }) => isInside(address, network));
    },
    touch(tally) {
      tally.isIdle = false;
      mark(tally);
      ranks.place(tally);
      if (tally.weight === tally.weighed) return;
      weigh(tally);
      thin(tally);
    },
    evict,
    get weight() {
      return weight;
    },
    crowds,
    takeDirty() {
      const pictures: Offender[] = [];
      for (const tally of changed) {
        if (!tally.isDirty) continue;
        tally.isDirty = false;
        pictures.push(pictureOf(rules.name, tally, windows));
      }
      changed = [];
      dirty = 0;
      return pictures;
    },
    takeForgotten() {
      const networks = [...forgotten.values()];
      forgotten.clear();
      return networks;
    },
    restore(offenders) {
      for (const { address } of offenders) {
        const tally = findExactly(address);
        if (tally) mark(tally);
      }
    },
    prune(now) {
      const gone: Network[] = [];
      crowds.prune(now);
      // Each call goes on where the last one stopped; whoever is looked at later is only forgotten later.
      for (
        let looks = Math.min(PRUNE_LOOKS, members.length);
        looks > 0 && gone.length < PRUNE_LIMIT;
        looks--
      ) {
        const tally = members[(toPrune = (toPrune + 1) % members.length)];
        if (!tally) continue;
        // Idle is told by arrival, not by stamps: those of a live log may lag behind the clock by hours.
        if (!tally.isIdle) rest(tally, now);
        else if (now - idleSince[tally.index]! > findTime && isPast(tally, now)) {
          drop(tally);
          gone.push(tally.address);
        }
      }
      return gone;
    },
  };
}

function isSingleIPv4({ family, bits }: Network): boolean {
  return family === 4 && bits === 32;
}

function isInside(address: Network, network: Network): boolean {
  return (
    address.family === network.family &&
    address.bits >= network.bits &&
    mask(address, network.bits).text === network.text
  );
}
