// One line's journey, top to bottom: chunk → scan → decide → ban. The daemon and `replay` run this same code.
import { createWords } from '../address-words.ts';
import { decodedOf, feedsIn } from '../lines.ts';
import type { Shortly } from '../filters/contract.ts';
import type { Count } from '../jails/contract.ts';
import type { Ban, Chunk, Evidence, Instant, Match, Network, Verdict } from '../model.ts';
import type { Plan } from '../setup/index.ts';
import { beginOf, fillWordsOf, instantOf } from '../short-run.ts';
import type { ShortRun } from '../short-run.ts';
import type { Bans } from './bans.ts';
import { judge, reasonOfMatches } from './judge.ts';
import type { Ground, SittingJail } from './judge.ts';
import { scanSafely } from './intake/safe-scan.ts';
import type { Regulars } from './intake/regulars.ts';
import type { Sessions } from './intake/sessions.ts';

export type { SittingJail } from './judge.ts';

/** A stamp further ahead of the clock than this counts as the instant of arrival. */
export const FUTURE_TOLERANCE = 5 * 60_000;
const MINUTE = 60_000;
/** Characters of a line, or of a report, that are kept as evidence. */
export const EVIDENCE_LIMIT = 1_000;

/** What a chunk led to. */
export interface Journey {
  readonly bans: readonly Ban[];
  readonly matches: number;
  /** Matches whose stamp was too far ahead of the clock to be believed. */
  readonly fromTheFuture: number;
  /** Lines on which a filter broke: passed over. */
  readonly broken: number;
  /** Lines that were looked at, and those of them that are not of the form that any filter expects. */
  readonly candidates: number;
  readonly unframed: number;
}

/** Told of each verdict on a line. `evidence` is made only when it is called, and only within the call. */
export type OnVerdict = (
  jail: string,
  match: Pick<Match, 'filter' | 'address' | 'fields'>,
  verdict: Verdict,
  evidence: () => Evidence,
) => void;

/**
 * Applies one chunk: every line once, in order. Synchronous, so that whatever is committed between two chunks belongs
 * together: positions, counts, sessions and bans.
 * @param onVerdict left out where nobody listens: then a match costs nothing more.
 * @param regulars learns whose lines don't match.
 */
export function applyChunk(
  chunk: Chunk,
  plan: Plan<SittingJail>,
  sessions: Sessions,
  bans: Bans,
  now: Instant,
  onVerdict?: OnVerdict,
  regulars?: Regulars,
): Journey {
  const imposed: Ban[] = [];
  const lineNumber = createLineCounter(chunk);
  // The last line that each jail counted: a line that two of its filters match is one attempt, not two.
  const counted = plan.jailsOf.length > 1 ? new Map<SittingJail, number>() : undefined;
  const watching = regulars?.watch(chunk, plan.scanner);
  let matches = 0;
  let fromTheFuture = 0;
  // What follows is made once a chunk and says what is so of the match at hand: most matches leave but a count behind.
  let match: Match;
  let sitting: SittingJail;
  let start = 0;
  let end = 0;
  const count = new Counted(() => evidenceOf(chunk, start, end, count.at, lineNumber(start)));
  const ground = (): Ground => {
    const reason = reasonOfMatches(sitting, match.filter);
    return { reason, by: 'jail', via: match.via };
  };
  const tell =
    onVerdict &&
    ((verdict: Verdict): void => onVerdict(sitting.ready.rules.name, match, verdict, count.evidence));

  // A match that comes in full after it was told in short: of which filter and line, and how many of its jails have counted it.
  let servedBy = -1;
  let servedAt = -1;
  let served = 0;
  const words = createWords();
  const wanted = plan.jailsOf.map((jails) => jails.some(({ jail }) => jail.countsOnly));
  const visitShort: Shortly['visit'] = (filter, begin, { address, at }) => {
    servedBy = filter;
    servedAt = begin;
    served = 0;
    if (at > chunk.arrivedAt + FUTURE_TOLERANCE) return false;
    for (const each of plan.jailsOf[filter]!) {
      if (counted?.get(each) !== begin) {
        if (!each.jail.countOnly(address, at)) return false;
        counted?.set(each, begin);
      }
      served++;
    }
    matches++;
    watching?.matched(begin);
    return true;
  };
  const visitRun: Shortly['visitRun'] = (filter, run) => {
    const { first } = run;
    const jails = plan.jailsOf[filter]!;
    served = 0;
    try {
      // Where some of the minute may be too far ahead, each match says for itself.
      if (run.minute + MINUTE <= chunk.arrivedAt + FUTURE_TOLERANCE)
        if (jails.length === 1) jails[0]!.jail.countRun(run);
        else countForAll(run, jails);
    } finally {
      matches += run.first - first;
      if (run.first > first) watching?.matchedAll(beginOf(run, first), beginOf(run, run.first - 1));
    }
    if (run.first === run.end) return;
    servedBy = filter;
    servedAt = beginOf(run, run.first);
  };
  /** How many jails are done with the first match that isn't enough is told by `served`. */
  const countForAll = (run: ShortRun, jails: readonly SittingJail[]): void => {
    for (; run.first < run.end; run.first++) {
      fillWordsOf(run, run.first, words);
      const at = instantOf(run, run.first);
      for (served = 0; served < jails.length; served++) if (!jails[served]!.jail.countOnly(words, at)) return;
    }
  };
  const shortly = tell ? undefined : { wanted, visit: visitShort, visitRun };
  const scanned = scanSafely(plan.scanner, chunk, sessions.of(chunk.source), visit, shortly);
  watching?.finish();
  return { bans: imposed, matches, fromTheFuture, ...scanned };

  function visit(filter: number, found: Match, base: number): void {
    match = found;
    start = base + found.start;
    end = base + found.end;
    const isFuture = found.at !== undefined && found.at > chunk.arrivedAt + FUTURE_TOLERANCE;
    if (isFuture) fromTheFuture++;
    matches++;
    count.address = found.address;
    count.at = found.at === undefined || isFuture ? chunk.arrivedAt : found.at;
    count.counts = found.counts;
    count.oncePerSession = found.oncePerSession;
    count.session = found.session;
    count.outcome = found.outcome;
    const isFailure = found.outcome === 'failure';
    if (isFailure) watching?.matched(start, found.address, count.at);
    else for (const { jail } of plan.welcomingTo[filter]!) jail.welcome(found.address, count.at);
    const jails = plan.jailsOf[filter]!;
    const first = servedBy === filter && servedAt === start ? served : 0;
    for (let each = first; each < jails.length; each++) {
      sitting = jails[each]!;
      if (counted?.get(sitting) === start) continue;
      if (isFailure && found.counts > 0) counted?.set(sitting, start);
      const judged = judge(sitting, count, ground, plan.recidive, bans, now, tell);
      if (judged.bans.length > 0) imposed.push(...judged.bans);
    }
  }
}

/** The match at hand, as a jail sees it. */
class Counted implements Count {
  address!: Network;
  at: Instant = 0;
  counts = 0;
  oncePerSession = false;
  session: string | undefined;
  outcome: Match['outcome'] = 'failure';
  readonly evidence: () => Evidence;

  constructor(evidence: () => Evidence) {
    this.evidence = evidence;
  }
}

function evidenceOf(chunk: Chunk, start: number, end: number, at: Instant, line: number): Evidence {
  const text = decodedOf(chunk, start, Math.min(end, start + EVIDENCE_LIMIT));
  return { file: chunk.file, line, at, text };
}

/** Numbers of lines by their offset in the chunk. Offsets come in ascending order, so each newline is counted once. */
function createLineCounter(chunk: Chunk): (offset: number) => number {
  let line = chunk.firstLine;
  let from = 0;
  return (offset) => {
    line += feedsIn(chunk, from, offset);
    from = offset;
    return line;
  };
}
