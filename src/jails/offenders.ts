// All offenders of one jail, found by address; which of them are to be written, and who may be forgotten.
import { isAddress, isSingleIPv4, mask, offenderOf } from '../address.ts';
import { createWords, fillWords, type AddressWords } from '../address-words.ts';
import type { Instant, JailRules, Network, Offender } from '../model.ts';
import { fillWordsOf, type ShortRun } from '../short-run.ts';
import type { Bounds, JailStats } from './contract.ts';
import type { Windows } from './counting.ts';
import { createCrowds, type Crowds } from './crowds.ts';
import { createLately } from './lately.ts';
import { createPlaces } from './places.ts';
import { createRanks } from './ranks.ts';
import { DIRTY, IDLE, ONLY_COUNTED, type Rows } from './rows.ts';
import { dropEvidence, pictureOf, recall, recallStamps, Tally } from './tally.ts';

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
  /** The index of whoever answers for the address; -1: that can't be told from the numbers alone. */
  indexOf(address: AddressWords): number;
  /** The same of so many matches from `run.first` on. */
  indicesOf(run: ShortRun, many: number, indices: Int32Array): void;
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
  /** The same where nothing but the count has changed, of somebody who is {@link ONLY_COUNTED}. */
  touchCounted(index: number): void;
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
  readonly rows: Rows;
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
  { windows, rows, isProtected, bounds, makeRoom, onGone, stats, salt }: Options,
): Offenders {
  const { findTime, banTime, ipv6Prefix } = rules;
  /** All but single IPv4 addresses, by their texts; of those, who stands where by their numbers. */
  const others = new Map<string, Tally>();
  const places = createPlaces(salt);
  /** All by their `index`. */
  const members: (Tally | undefined)[] = [];
  const vacant: number[] = [];
  const lately = createLately(rows);
  const words = createWords();
  /** In the order in which they changed; some may be gone by now, and others in their places. */
  let changed: number[] = [];
  let dirty = 0;
  const forgotten = new Map<string, Network>();
  /** IPv6 prefix lengths in use below 128, longest first. Shorter than `ipv6Prefix` answers for nobody inside. */
  let lengths: readonly number[] = ipv6Prefix < 128 ? [ipv6Prefix] : [];
  const ranks = createRanks(rules, windows, rows, members);
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

  function mark(index: number): void {
    if (rows.is(index, DIRTY)) return;
    rows.note(index, DIRTY);
    changed.push(index);
    dirty++;
  }

  const add = (tally: Tally, address: Network): Tally => {
    tally.index = vacant.pop() ?? members.length;
    rows.begin(tally.index);
    if (tally.isOnlyCounted) rows.note(tally.index, ONLY_COUNTED);
    if (isSingleIPv4(address)) places.add(address.first, tally.index);
    else others.set(address.text, tally);
    members[tally.index] = tally;
    forgotten.delete(address.text);
    if (address.family === 6 && isAddress(address)) lately.forget(wordsOf(address));
    else if (address.family === 6 && address.bits > ipv6Prefix) {
      // It answers for whoever is inside, in the place of another.
      lately.forgetAll();
      if (!lengths.includes(address.bits)) lengths = [...lengths, address.bits].toSorted((a, b) => b - a);
    }
    return tally;
  };
  const rest = (index: number, at: Instant): void => {
    rows.note(index, IDLE);
    rows.setIdleSince(index, at);
  };
  const recollect = (offender: Offender, at: Instant): Tally => {
    const tally = add(recall(offender), offender.address);
    recallStamps(tally, offender, windows);
    ranks.place(tally);
    weigh(tally);
    rest(tally.index, at);
    return tally;
  };
  for (const offender of remembered) if (offender.jail === rules.name) recollect(offender, now);

  const sizeOf = (): number => places.size + others.size;
  const findExactly = (network: Network): Tally | undefined => {
    if (!isSingleIPv4(network)) return others.get(network.text);
    const index = places.find(network.first);
    return index < 0 ? undefined : members[index];
  };

  const indexOf = (address: AddressWords): number =>
    address.family === 4 ? places.find(address.first) : lately.find(address);

  function wordsOf(address: Network): AddressWords {
    fillWords(words, address);
    return words;
  }

  const find = (address: Network): Tally | undefined => {
    if (address.family === 4) return findExactly(address);
    // Of a network there is nobody who was asked for lately: its first address is another.
    if (!isAddress(address)) return others.get(address.text) ?? findAround(address);
    const index = lately.find(wordsOf(address));
    if (index >= 0) return members[index];
    const found = others.get(address.text) ?? findAround(address);
    if (found) lately.note(wordsOf(address), found.index);
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
    const { index } = tally;
    const { address } = tally;
    if (isSingleIPv4(address)) places.delete(address.first);
    else others.delete(address.text);
    ranks.remove(index);
    if (rows.is(index, DIRTY)) dirty--;
    windows.clear(index);
    rows.end(index);
    members[index] = undefined;
    vacant.push(index);
    tally.index = -1;
    weight -= tally.weighed;
    onGone(tally);
  };

  const evict = (at: Instant): boolean => {
    const least = ranks.least(at, bounds().offenders);
    if (!least) return false;
    if (least.nth === 0 && windows.totalOf(least.index) > 0) crowds.note(least);
    drop(least);
    const { address } = least;
    forgotten.set(address.text, address);
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
    const tally = add(new Tally(network), network);
    ranks.place(tally);
    return tally;
  };

  const present = (): Tally[] => members.filter((tally) => tally !== undefined);

  /** Nothing that happens from now on could depend on him any more. */
  const isPast = (tally: Tally, at: Instant): boolean => {
    if (windows.newestOf(tally.index) >= at - findTime) return false;
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
    indexOf,
    indicesOf(run, many, indices) {
      for (let one = 0; one < many; one++) {
        fillWordsOf(run, run.first + one, words);
        indices[one] = indexOf(words);
      }
    },
    touch(tally) {
      const { index } = tally;
      if (index < 0) return;
      rows.unnote(index, IDLE);
      if (tally.isOnlyCounted) rows.note(index, ONLY_COUNTED);
      else rows.unnote(index, ONLY_COUNTED);
      mark(index);
      ranks.place(tally);
      if (tally.weight === tally.weighed) return;
      weigh(tally);
      thin(tally);
    },
    touchCounted(index) {
      rows.unnote(index, IDLE);
      mark(index);
      ranks.placeCounted(index);
    },
    evict,
    get weight() {
      return weight;
    },
    crowds,
    takeDirty() {
      const pictures: Offender[] = [];
      for (const index of changed) {
        if (!rows.is(index, DIRTY)) continue;
        rows.unnote(index, DIRTY);
        pictures.push(pictureOf(rules.name, members[index]!, windows));
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
        if (tally) mark(tally.index);
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
        if (!rows.is(tally.index, IDLE)) rest(tally.index, now);
        else if (now - rows.idleSince(tally.index) > findTime && isPast(tally, now)) {
          drop(tally);
          gone.push(tally.address);
        }
      }
      return gone;
    },
  };
}

function isInside(address: Network, network: Network): boolean {
  return (
    address.family === network.family &&
    address.bits >= network.bits &&
    mask(address, network.bits).text === network.text
  );
}
