// One jail: a match in, a verdict out. The order of the questions below is the order of the law.
import { isAddress } from '../address.ts';
import { stepAt } from '../answer.ts';
import type { Duration, JailRules, Instant, Network, Step, Verdict, Welcome, Widening } from '../model.ts';
import type { Bounds, Count, CreateJail, Jail, JailStats } from './contract.ts';
import { ABREAST, createWindows } from './counting.ts';
import { createEra } from './era.ts';
import { createRows, HEEDED, ONLY_COUNTED } from './rows.ts';
import { createNeighbours } from './neighbours.ts';
import { createOffenders } from './offenders.ts';
import { endOf, lengthOf, nextNumber, type Earlier } from './sentence.ts';
import {
  EVIDENCE_LINES,
  evidenceOf,
  forgetSessions,
  isBannedAt,
  keepEvidence,
  markSession,
  noteSentence,
  pictureOf,
  startAnew,
  type Tally,
} from './tally.ts';
import { createWelcomes, whyWelcome } from './welcomes.ts';

const UNBOUNDED: Bounds = { offenders: 1_000_000, evidence: Infinity };

/**
 * An address from which someone logged in has so many times maxRetry. An office whose programs try an old password stays
 * well below it; somebody who guesses the passwords of others behind a log-in of his own gets there soon.
 */
const PATIENCE = 10;

/** So many verdicts that say how often somebody was counted are kept. */
const COUNTED_KEPT = 64;

type Reason = Extract<Verdict, { outcome: 'recorded' }>['why'];

/** What each method promises stands in contract.ts. */
export const createJail: CreateJail = (rules, ignoring, remembered, now, options = {}) => {
  const { name, maxRetry, findTime, banTime } = rules;
  const stats: JailStats = {
    matches: 0,
    ignored: 0,
    late: 0,
    bans: 0,
    evicted: 0,
    thinned: 0,
    ...options.stats,
  };
  const rows = createRows();
  const windows = createWindows(findTime, rows);
  const offenders = createOffenders(rules, remembered, now, {
    ...{ windows, rows },
    isProtected: ignoring.isProtected,
    bounds: options.bounds ?? (() => UNBOUNDED),
    makeRoom: options.makeRoom ?? (() => {}),
    onGone: (tally) => neighbours.forget(tally),
    stats,
    salt: options.salt ?? 0,
  });
  const neighbours = createNeighbours(rules, ignoring, offenders.findExactly);
  for (const tally of offenders.all()) if (tally.nth > 0) neighbours.note(tally);
  const welcomes = createWelcomes(
    name,
    { protect: rules.protectAfterSuccess, ipv6Prefix: rules.ipv6Prefix },
    options.welcomes ?? [],
  );

  const era = createEra(ignoring, welcomes);
  /** Up to so many matches leave no line behind, and concern nobody else. */
  const silent = rules.respond?.some(({ wider }) => wider) ? 0 : maxRetry - EVIDENCE_LINES;

  const indices = new Int32Array(ABREAST);
  const counted: (Verdict | undefined)[] = Array.from({ length: COUNTED_KEPT });

  const decide = (match: Count): Verdict => {
    const { address, at, counts, session } = match;
    if (match.outcome === 'failure') stats.matches++;
    const known = offenders.find(address);
    const why = whyIgnored(address, known);
    if (why !== undefined) {
      if (match.outcome === 'failure') stats.ignored++;
      return { outcome: 'ignored', why };
    }
    if (match.outcome === 'success') return acquit(address);

    if (known && at <= known.forgivenUntil) return { outcome: 'recorded', why: 'forgiven' };
    if (counts <= 0) return record(known ?? offenders.open(address, at), match, 'counts-nothing');
    // Who is throttled goes on, and is counted on.
    if (known && isBannedAt(known, at) && !known.throttled) return record(known, match, 'banned');
    const around = neighbours.bannedAround(address, at);
    if (around) return record(around, match, 'banned');
    const newest = known ? Math.max(windows.newestOf(known.index), known.lastSince) : -Infinity;
    if (at < newest - findTime) {
      stats.late++;
      return { outcome: 'late', why: 'older than findTime before the newest match of the same offender' };
    }
    const tally = known ?? offenders.open(address, at);
    if (!known) heed(tally, address);
    if (at > newest + findTime) forgetSessions(tally);
    if (session !== undefined) {
      if (match.oncePerSession && tally.sessions.includes(session))
        return record(tally, match, 'counted-already');
      markSession(tally, session);
    }
    const count = windows.insert(tally.index, at, counts);
    if (isTelling(count, counts)) keepEvidence(tally, match.evidence(), findTime);
    offenders.touch(tally);
    const welcome = welcomeOf(address, tally, at);
    const limit = limitUnder(welcome);
    if (count >= limit) return sentence(tally, match, count);
    if (!welcome) return countedOf(count);
    stats.ignored++;
    return {
      outcome: 'ignored',
      why: `protected: ${whyWelcome(welcome)}; number ${limit} would ban all the same`,
    };
  };

  /** Without a welcome the limit is the jail's own. The same object for the same small number: nearly every match has one. */
  const countedOf = (count: number): Verdict => {
    const kept = counted[count];
    if (kept) return kept;
    const verdict = { outcome: 'counted', count, of: maxRetry } as const;
    if (count < COUNTED_KEPT) counted[count] = verdict;
    return verdict;
  };

  /** Who is known as an offender is looked for in the lists once until these change. */
  const whyIgnored = (address: Network, known: Tally | undefined): string | undefined => {
    if (known && rows.get(known.index, HEEDED) === era.now()) return undefined;
    const why = ignoring.whyIgnored(address);
    if (why === undefined && known) heed(known, address);
    return why;
  };

  /** No list holds the address: until one changes, or somebody logs in from there, nothing speaks for the tally. */
  const heed = (tally: Tally, address: Network): void => {
    const own = tally.addressFrom(address);
    const isAlone = own.bits === address.bits || !ignoring.isProtected(own);
    if (isAlone && !welcomes.knows(own)) rows.set(tally.index, HEEDED, era.now());
  };

  /** Is there nothing to be done about whoever has that index but to count? */
  const isOnlyCounted = (index: number, present: number): boolean =>
    index >= 0 && rows.is(index, ONLY_COUNTED) && rows.get(index, HEEDED) === present;

  /** Most of a log that is counted as a whole: it leaves nothing but a number behind. */
  const countOnly: Jail['countOnly'] = (address, at) => {
    const index = silent > 0 ? offenders.indexOf(address) : -1;
    if (!isOnlyCounted(index, era.now())) return false;
    // Before the newest one it may complete a window that is not the latest.
    if (at < windows.newestOf(index) || windows.totalOf(index) >= silent) return false;
    stats.matches++;
    windows.insert(index, at, 1);
    offenders.touchCounted(index);
    return true;
  };

  const countRun: Jail['countRun'] = (run) => {
    if (silent <= 0) return;
    // Nothing that is only counted begins another one.
    const present = era.now();
    while (run.first < run.end) {
      const many = Math.min(run.end - run.first, ABREAST);
      // All of them first: what each has to be fetched for is then fetched at once.
      offenders.indicesOf(run, many, indices);
      windows.fetch(indices, many);
      for (let one = 0; one < many; one++) {
        const index = indices[one]!;
        if (!isOnlyCounted(index, present) || !windows.addNext(index, run, silent)) return;
        stats.matches++;
        offenders.touchCounted(index);
        run.first++;
      }
    }
  };

  /** None that a sentence has followed: whoever was banned all the same must log in anew after it. */
  const welcomeOf = (address: Network, tally: Tally | undefined, at: Instant): Welcome | undefined => {
    const welcome = welcomes.find(address, at);
    return welcome && welcome.last >= (tally?.lastUntil ?? -Infinity) ? welcome : undefined;
  };

  /**
   * Only the last lines before a sentence are ever shown: while more than those are still missing, none is kept, so that a
   * limit of a hundred requests costs a count for each of them and no text.
   */
  const isTelling = (count: number, counts: number): boolean => count > maxRetry - EVIDENCE_LINES * counts;

  const limitUnder = (welcome: Welcome | undefined): number => (welcome ? maxRetry * PATIENCE : maxRetry);

  const acquit = (address: Network): Verdict => {
    const tally = rules.resetOnSuccess ? offenders.find(address) : undefined;
    if (tally && tally.evidence.length + windows.totalOf(tally.index) > 0) {
      startAnew(tally, windows);
      offenders.touch(tally);
    }
    return { outcome: 'success' };
  };

  const record = (tally: Tally, match: Count, why: Reason): Verdict => {
    keepEvidence(tally, match.evidence(), findTime);
    offenders.touch(tally);
    return { outcome: 'recorded', why };
  };

  const sentence = (tally: Tally, { address, at: since }: Count, count: number): Verdict => {
    const evidence = evidenceOf(tally);
    // A prefix that has come to hold a protected address since it was first counted: only the address itself is banned.
    const own = tally.addressFrom(address);
    const isSpared = own.bits < address.bits && ignoring.isProtected(own);
    if (isSpared) {
      startAnew(tally, windows);
      offenders.touch(tally);
    }
    const culprit = isSpared ? offenders.openExactly(address, since) : tally;
    const named = isSpared ? address : own;
    const { nth, until, step } = pass(culprit, named, isSpared ? [tally] : [], since, undefined);
    stats.bans++;
    const widening = widen(culprit, named, step, since, nth);
    const offender = widening && widening.spared === undefined ? widening.network : named;
    return { outcome: 'ban', offender, since, until, nth, count, evidence, ...(widening && { widening }) };
  };

  /** Where enough of the network around a culprit are banned, and nobody of it must be spared, it shares his sentence. */
  const widen = (
    culprit: Tally,
    address: Network,
    step: Step | undefined,
    since: Instant,
    nth: number,
  ): Widening | undefined => {
    const around = neighbours.around(address, step, since, true);
    if (!around || around.offenders < around.when) return undefined;
    const { network, offenders: banned, spared } = around;
    if (spared === undefined) {
      const whole = offenders.openExactly(network, since);
      whole.number(nth, nth);
      whole.throttled = culprit.throttled;
      noteSentence(whole, since, culprit.lastUntil);
      offenders.touch(whole);
    }
    return { culprit: address, network, offenders: banned, spared };
  };

  /** The two numbers of a sentence passed at `at`: in this jail, and over all jails. */
  const numbersAt = (
    tallies: readonly Tally[],
    address: Network,
    at: Instant,
  ): { nth: number; overall: number } => {
    const own = tallies.map(({ nth, lastUntil }): Earlier => ({ number: nth, until: lastUntil }));
    const overall = tallies.map(sentenceIn);
    const elsewhere = options.prior?.(address) ?? [];
    return {
      nth: nextNumber(own, banTime.forget, at),
      overall: nextNumber([...overall, ...elsewhere], banTime.forget, at),
    };
  };

  /** Writes a sentence into the tally of `address`. @param related other tallies whose sentences were the same offender's. */
  const pass = (
    tally: Tally,
    address: Network,
    related: readonly Tally[],
    since: Instant,
    byHand: { readonly duration: Duration | undefined } | undefined,
  ): { nth: number; until: Instant | undefined; step: Step | undefined } => {
    const numbers = numbersAt([tally, ...related], address, since);
    const nth = numberIn(rules, numbers);
    const step = stepAt(rules.respond, nth);
    const until = endOf(since, byHand?.duration ?? lengthAt(nth));
    startAnew(tally, windows);
    tally.number(numbers.nth, numbers.overall);
    noteSentence(tally, since, until);
    tally.throttled = byHand === undefined && step?.answer?.do === 'throttle';
    offenders.touch(tally);
    neighbours.note(tally);
    return { nth, until: until === Infinity ? undefined : until, step };
  };

  const lengthAt = (nth: number): Duration => stepAt(rules.respond, nth)?.duration ?? lengthOf(banTime, nth);

  const forgiveOne = (tally: Tally, until: Instant): void => {
    startAnew(tally, windows);
    tally.forgivenUntil = Math.max(tally.forgivenUntil, until);
    tally.lastUntil = Math.min(tally.lastUntil, until);
    offenders.touch(tally);
  };

  return {
    rules,
    stats,
    get size() {
      return offenders.size;
    },
    get dirty() {
      return offenders.dirty + welcomes.dirty;
    },
    decide,
    countsOnly: silent > 0,
    countOnly,
    countRun,
    welcome(address, at, how) {
      if (ignoring.whyIgnored(address) === undefined) welcomes.note(address, at, how);
    },
    welcomed(network, at) {
      if (isAddress(network)) return welcomeOf(network, offenders.find(network), at);
      for (const { address } of welcomes.inside(network, at)) {
        const welcome = welcomeOf(address, offenders.find(address), at);
        if (welcome) return welcome;
      }
      return undefined;
    },
    limitOf: (address, at) => limitUnder(welcomeOf(address, offenders.find(address), at)),
    welcomes,
    offender(address) {
      const tally = offenders.find(address);
      if (!tally) return undefined;
      const picture = pictureOf(name, tally, windows);
      return { ...picture, stamps: picture.stamps.slice(windows.pastOf(tally.index)) };
    },
    sentenceOf(address) {
      const tally = offenders.find(address);
      return tally && tally.overall > 0 ? sentenceIn(tally) : undefined;
    },
    recollect(offender, at) {
      const tally = offenders.recollect(offender, at);
      if (tally.nth > 0) neighbours.note(tally);
    },
    offenders: offenders.pictures,
    next(address, at) {
      const tally = offenders.find(address);
      const nth = numberIn(rules, numbersAt(tally ? [tally] : [], tally?.address ?? address, at));
      const culprit = tally?.address ?? address;
      const wider = neighbours.around(culprit, stepAt(rules.respond, nth), at, true);
      return { nth, duration: lengthAt(nth), ...(wider && { wider }) };
    },
    convict(network, at, duration) {
      const holder = offenders.find(network);
      const culprit = offenders.openExactly(network, at);
      const { nth, until } = pass(culprit, network, holder ? [holder] : [], at, { duration });
      return { nth, until };
    },
    prolong(network, until) {
      const tally = offenders.find(network);
      if (!tally || tally.nth === 0) return;
      tally.lastUntil = Math.max(tally.lastUntil, until ?? Infinity);
      offenders.touch(tally);
    },
    forgive(address, until) {
      forgiveOne(offenders.open(address, until), until);
      if (isWiderThanCounted(address, rules.ipv6Prefix))
        for (const tally of offenders.inside(address)) forgiveOne(tally, until);
    },
    takeDirty: offenders.takeDirty,
    takeForgotten: offenders.takeForgotten,
    restore: offenders.restore,
    prune: offenders.prune,
    evict: offenders.evict,
    get weight() {
      return offenders.weight;
    },
    crowds: offenders.crowds,
  };
};

const sentenceIn = ({ overall, lastUntil }: Tally): Earlier => ({ number: overall, until: lastUntil });

function numberIn({ banTime }: JailRules, numbers: { nth: number; overall: number }): number {
  return banTime.scope === 'all' ? numbers.overall : numbers.nth;
}

function isWiderThanCounted(network: Network, ipv6Prefix: number): boolean {
  return network.bits < (network.family === 4 ? 32 : Math.min(ipv6Prefix, 128));
}
