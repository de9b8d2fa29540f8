// What a jail holds of one offender while it runs; an Offender is its immutable picture.
import { ipv4, isSingleIPv4 } from '../address.ts';
import type { Duration, Evidence, Instant, Network, Offender } from '../model.ts';
import { ownCopy } from '../text.ts';
import type { Windows } from './counting.ts';

/** How many lines are kept for each offender. */
export const EVIDENCE_LINES = 10;

/** How many sessions are kept for each offender: so many attempts may be under way side by side. */
const SESSIONS = 8;

/** Most offenders have none: they share them. Nothing is ever added to these. */
const NO_SESSIONS: readonly string[] = [];
const NO_EVIDENCE: Evidence[] = [];

/**
 * What few have: sentences and pardons. Instants that don't exist are `-Infinity`; a sentence for good ends at `Infinity`. What
 * most of them don't have either is left out.
 */
interface Record {
  nth: number;
  lastSince: Instant;
  lastUntil: Instant;
  /** Where it isn't `nth`. */
  overall?: number;
  /** The last sentence only throttles. */
  throttled?: boolean;
  pardonedUntil?: Instant;
}

/** What most don't have: lines, and sessions. */
interface Kept {
  /** A ring: once it is full, `oldest` is overwritten next. */
  evidence: Evidence[];
  oldest: number;
  /** What the evidence takes in memory, about, in bytes; and how much of it the jail knows of. */
  weight: number;
  weighed: number;
  /** The latest sessions of which a match has counted, oldest first. */
  sessions: readonly string[];
}

/** Of all who have none. Nothing is ever written into these two. */
const NO_KEPT: Readonly<Kept> = {
  evidence: NO_EVIDENCE,
  oldest: 0,
  weight: 0,
  weighed: 0,
  sessions: NO_SESSIONS,
};
const NO_RECORD: Readonly<Record> = { nth: 0, lastSince: -Infinity, lastUntil: -Infinity };

/**
 * A class, so that all of them have one shape, and what not everyone has takes no room: there may be a million. What each match
 * looks at stands in rows.ts.
 */
export class Tally implements Kept {
  /** A single IPv4 address, as nearly all are, is a number: texts and what holds them would take ten times as much. */
  readonly #address: Network | number;
  #record: Readonly<Record> = NO_RECORD;
  /** A single line, of which the jail knows, stands for what is kept where there is nothing else. */
  #kept: Readonly<Kept> | Evidence = NO_KEPT;
  /** Its place among all of its jail, and its row; -1: it is in none. */
  index = -1;

  constructor(address: Network) {
    this.#address = isSingleIPv4(address) ? address.first : address;
  }

  get address(): Network {
    return typeof this.#address === 'number' ? ipv4(this.#address) : this.#address;
  }

  /**
   * The same, where somebody answered for `address` and that is at hand.
   * @param address its own, or one inside it: then it is of another length.
   */
  addressFrom(address: Network): Network {
    const bits = typeof this.#address === 'number' ? 32 : this.#address.bits;
    return address.bits === bits ? address : this.address;
  }

  get evidence(): Evidence[] {
    const kept = this.#kept;
    return isSingle(kept) ? [kept] : kept.evidence;
  }
  set evidence(evidence: Evidence[]) {
    Tally.#ownKept(this).evidence = evidence;
  }
  get oldest(): number {
    return isSingle(this.#kept) ? 0 : this.#kept.oldest;
  }
  set oldest(oldest: number) {
    Tally.#ownKept(this).oldest = oldest;
  }
  get weight(): number {
    return isSingle(this.#kept) ? weightOf(this.#kept) : this.#kept.weight;
  }
  set weight(weight: number) {
    Tally.#ownKept(this).weight = weight;
  }
  get weighed(): number {
    return isSingle(this.#kept) ? weightOf(this.#kept) : this.#kept.weighed;
  }
  /** Once the jail knows of all that is kept, nothing takes no room, as with whoever was sentenced, and a single line only its own. */
  set weighed(weighed: number) {
    const kept = this.#kept;
    if (isSingle(kept)) return;
    const isAll = weighed === kept.weight && kept.evidence.length <= 1 && kept.sessions.length === 0;
    if (isAll) this.#kept = kept.evidence[0] ?? NO_KEPT;
    else Tally.#ownKept(this).weighed = weighed;
  }
  get sessions(): readonly string[] {
    return isSingle(this.#kept) ? NO_SESSIONS : this.#kept.sessions;
  }
  set sessions(sessions: readonly string[]) {
    Tally.#ownKept(this).sessions = sessions;
  }

  /** Has there been no sentence and no pardon, and no session is known? */
  get isOnlyCounted(): boolean {
    return this.#record === NO_RECORD && this.sessions.length === 0;
  }

  get nth(): number {
    return this.#record.nth;
  }
  get overall(): number {
    return this.#record.overall ?? this.#record.nth;
  }
  /** The number of the last sentence: in this jail, and over all jails. */
  number(nth: number, overall: number): void {
    const record = Tally.#own(this);
    record.nth = nth;
    if (overall !== this.overall) record.overall = overall;
  }
  get lastSince(): Instant {
    return this.#record.lastSince;
  }
  set lastSince(since: Instant) {
    Tally.#own(this).lastSince = since;
  }
  get lastUntil(): Instant {
    return this.#record.lastUntil;
  }
  set lastUntil(until: Instant) {
    Tally.#own(this).lastUntil = until;
  }
  get throttled(): boolean {
    return this.#record.throttled ?? false;
  }
  set throttled(throttled: boolean) {
    if (throttled !== this.throttled) Tally.#own(this).throttled = throttled;
  }
  /** `-Infinity`: there was no pardon. */
  get forgivenUntil(): Instant {
    return this.#record.pardonedUntil ?? -Infinity;
  }
  set forgivenUntil(until: Instant) {
    if (until !== this.forgivenUntil) Tally.#own(this).pardonedUntil = until;
  }

  // Private methods of an object would cost each of a million a field.
  static #ownKept(tally: Tally): Kept {
    const kept = tally.#kept;
    if (kept === NO_KEPT) return (tally.#kept = { ...NO_KEPT });
    if (!isSingle(kept)) return kept;
    const weight = weightOf(kept);
    return (tally.#kept = { evidence: [kept], oldest: 0, weight, weighed: weight, sessions: NO_SESSIONS });
  }

  static #own(tally: Tally): Record {
    if (tally.#record === NO_RECORD) tally.#record = { ...NO_RECORD };
    return tally.#record;
  }
}

function isSingle(kept: Readonly<Kept> | Evidence): kept is Evidence {
  return 'text' in kept;
}

/** The inverse of {@link pictureOf}, but for the stamps: {@link recallStamps}. */
export function recall(offender: Offender): Tally {
  const tally = new Tally(offender.address);
  if (offender.evidence.length > 0) tally.evidence = offender.evidence.slice(-EVIDENCE_LINES);
  for (const line of tally.evidence) tally.weight += weightOf(line);
  if (offender.sessions) tally.sessions = offender.sessions.slice(-SESSIONS);
  if (offender.nth > 0 || offender.lastSince !== undefined || offender.forgivenUntil !== undefined)
    recallRecord(tally, offender);
  return tally;
}

/** Once the tally has its row; findTime may have changed since. */
export function recallStamps(tally: Tally, { stamps }: Offender, windows: Windows): void {
  for (const [at, count] of stamps) windows.insert(tally.index, at, count);
}

function recallRecord(tally: Tally, offender: Offender): void {
  const isSentenced = offender.lastSince !== undefined;
  tally.number(offender.nth, offender.overall ?? offender.nth);
  tally.lastSince = offender.lastSince ?? -Infinity;
  tally.lastUntil = offender.lastUntil ?? (isSentenced ? Infinity : -Infinity);
  tally.throttled = offender.throttled ?? false;
  tally.forgivenUntil = offender.forgivenUntil ?? -Infinity;
}

export function pictureOf(jail: string, tally: Tally, windows: Windows): Offender {
  const { sessions, nth, overall } = tally;
  return {
    jail,
    address: tally.address,
    stamps: windows.stampsOf(tally.index),
    evidence: evidenceOf(tally),
    ...(sessions.length === 0 ? {} : { sessions }),
    nth,
    ...(overall === nth ? {} : { overall }),
    lastSince: finite(tally.lastSince),
    lastUntil: finite(tally.lastUntil),
    ...(tally.throttled && { throttled: true as const }),
    forgivenUntil: finite(tally.forgivenUntil),
  };
}

/** A line's text, one byte a character unless it has others than Latin ones, and what holds it. */
function weightOf({ text }: Evidence): number {
  return text.length + 128;
}

/**
 * What lies more than findTime back led to nothing, and doesn't speak beside what comes now: so it makes no difference
 * whether somebody was forgotten meanwhile. After a sentence or a pardon nobody is, and all is kept.
 */
export function keepEvidence(tally: Tally, evidence: Evidence, findTime: Duration): void {
  let { evidence: lines } = tally;
  const { oldest } = tally;
  const last = lines.at(oldest - 1);
  const isStale = last !== undefined && evidence.at > last.at + findTime;
  if (isStale && Math.max(tally.lastUntil, tally.forgivenUntil) === -Infinity) {
    dropEvidence(tally);
    lines = NO_EVIDENCE;
  }
  if (lines.length === EVIDENCE_LINES) {
    tally.weight += weightOf(evidence) - weightOf(lines[oldest]!);
    lines[oldest] = evidence;
    tally.oldest = (oldest + 1) % EVIDENCE_LINES;
    return;
  }
  tally.weight += weightOf(evidence);
  tally.evidence = [...lines, evidence];
}

/** Oldest first. */
export function evidenceOf(tally: Tally): readonly Evidence[] {
  const { evidence: lines, oldest } = tally;
  if (lines.length === 0) return NO_EVIDENCE;
  return oldest === 0 ? lines.slice() : [...lines.slice(oldest), ...lines.slice(0, oldest)];
}

/** Notes that a match of the session has counted. */
export function markSession(tally: Tally, session: string): void {
  if (tally.sessions.at(-1) === session) return;
  const others = tally.sessions.filter((other) => other !== session);
  tally.sessions = [...others, ownCopy(session)].slice(-SESSIONS);
}

/** Once nothing that has counted can count with what comes: by then another process may bear the same pid. */
export function forgetSessions(tally: Tally): void {
  if (tally.sessions.length === 0) return;
  tally.sessions = NO_SESSIONS;
}

/**
 * The count starts anew, and with it the evidence: a later ban shows what led to it, not what came before. Sessions
 * stay: an attempt that led to a short ban must not count again when its connection ends after it.
 */
export function startAnew(tally: Tally, windows: Windows): void {
  windows.clear(tally.index);
  dropEvidence(tally);
}

export function dropEvidence(tally: Tally): void {
  if (tally.evidence.length === 0) return;
  tally.evidence = NO_EVIDENCE;
  tally.oldest = 0;
  tally.weight = 0;
}

export function isBannedAt(tally: Tally, at: Instant): boolean {
  return tally.lastSince <= at && at < tally.lastUntil;
}

/** Notes a sentence. One that overlaps an earlier one (lines out of order) is one span with it: none is ever shortened. */
export function noteSentence(tally: Tally, since: Instant, until: Instant): void {
  if (since >= tally.lastUntil) tally.lastSince = since;
  else if (until >= tally.lastSince) tally.lastSince = Math.min(since, tally.lastSince);
  tally.lastUntil = Math.max(until, tally.lastUntil);
}

function finite(instant: Instant): Instant | undefined {
  return Number.isFinite(instant) ? instant : undefined;
}
