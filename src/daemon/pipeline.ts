// One line's journey, top to bottom: chunk → scan → decide → ban. The daemon and `replay` run this same code.
import { formatDuration } from '../time.ts';
import { utf8 } from '../text.ts';
import type { Jail } from '../jails/contract.ts';
import type { Ban, Chunk, Evidence, Instant, Match, Network, Verdict } from '../model.ts';
import type { Plan, ReadyJail } from '../setup/index.ts';
import type { Bans } from './bans.ts';
import { scanSafely } from './safe-scan.ts';
import type { Sessions } from './sessions.ts';

/** A stamp further ahead of the clock than this counts as the instant of arrival. */
const FUTURE_TOLERANCE = 5 * 60_000;
const EVIDENCE_LIMIT = 1_000;

/** A jail in session. */
export interface SittingJail {
  readonly ready: ReadyJail;
  readonly jail: Jail;
}

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
export type OnVerdict = (jail: string, match: Match, verdict: Verdict, evidence: () => Evidence) => void;

/**
 * Applies one chunk: every line once, in order. Synchronous, so that whatever is committed between two chunks belongs
 * together: positions, counts, sessions and bans.
 * @param onVerdict left out where nobody listens: then a match costs nothing more.
 */
export function applyChunk(
  chunk: Chunk,
  plan: Plan<SittingJail>,
  sessions: Sessions,
  bans: Bans,
  now: Instant,
  onVerdict?: OnVerdict,
): Journey {
  const imposed: Ban[] = [];
  const lineNumber = createLineCounter(chunk);
  // The last line that each jail counted: a line that two of its filters match is one attempt, not two.
  const counted = new Map<SittingJail, number>();
  let matches = 0;
  let fromTheFuture = 0;

  const scanned = scanSafely(plan.scanner, chunk, sessions.of(chunk.source), (filter, match, base) => {
    const isFuture = match.at !== undefined && match.at > chunk.arrivedAt + FUTURE_TOLERANCE;
    const at = match.at === undefined || isFuture ? chunk.arrivedAt : match.at;
    if (isFuture) fromTheFuture++;
    matches++;
    const start = base + match.start;
    const evidence = (): Evidence => evidenceOf(chunk, start, base + match.end, at, lineNumber(start));
    for (const sitting of plan.jailsOf[filter]!) {
      if (counted.get(sitting) === start) continue;
      if (match.outcome === 'failure' && match.counts > 0) counted.set(sitting, start);
      const { address, counts, oncePerSession, session, outcome } = match;
      const count = { address, at, counts, oncePerSession, session, outcome, evidence };
      const verdict = sitting.jail.decide(count);
      onVerdict?.(sitting.ready.rules.name, match, verdict, evidence);
      if (verdict.outcome !== 'ban') continue;
      const { findTime } = sitting.ready.rules;
      const reason = `${quantity(verdict.count, 'match', 'matches')} of ${match.filter} within ${formatDuration(findTime)}`;
      const ban = impose(sitting, reason, match.via, verdict, bans, now);
      imposed.push(ban, ...relapses(sitting, ban, match.via, plan.recidive, bans, now));
    }
  });
  return { bans: imposed, matches, fromTheFuture, ...scanned };
}

/** The ban is itself a match for the jails that count bans. What only a detecting jail said never comes to one. */
function relapses(
  sitting: SittingJail,
  { address, since, evidence }: Ban,
  via: Network | undefined,
  recidive: readonly SittingJail[],
  bans: Bans,
  now: Instant,
): Ban[] {
  if (sitting.ready.config.dryRun) return [];
  return recidive.flatMap((counting) => {
    const latest = evidence.at(-1);
    if (!latest) return [];
    const { jail, ready } = counting;
    const verdict = jail.decide({
      address,
      at: since,
      counts: 1,
      outcome: 'failure',
      evidence: () => latest,
    });
    if (verdict.outcome !== 'ban') return [];
    const reason = `${quantity(verdict.count, 'ban', 'bans')} within ${formatDuration(ready.rules.findTime)}`;
    return [impose(counting, reason, via, verdict, bans, now)];
  });
}

function quantity(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** @param reason made of our own words only: it is shown where no hostile text may be. */
function impose(
  sitting: SittingJail,
  reason: string,
  via: Network | undefined,
  verdict: Extract<Verdict, { outcome: 'ban' }>,
  bans: Bans,
  now: Instant,
): Ban {
  const { rules } = sitting.ready;
  return bans.impose(
    {
      address: verdict.offender,
      jail: rules.name,
      since: verdict.since,
      until: verdict.until,
      nth: verdict.nth,
      reason,
      by: 'jail',
      evidence: verdict.evidence,
      scope: sitting.ready.config.dryRun ? undefined : sitting.ready.scope,
      ...(via && { via: via.text }),
    },
    now,
  );
}

function evidenceOf(chunk: Chunk, start: number, end: number, at: Instant, line: number): Evidence {
  const text = utf8(chunk.text.slice(start, Math.min(end, start + EVIDENCE_LIMIT)));
  return { file: chunk.file, line, at, text };
}

/** Numbers of lines by their offset in the chunk. Offsets come in ascending order, so each newline is counted once. */
function createLineCounter(chunk: Chunk): (offset: number) => number {
  let line = chunk.firstLine;
  let from = 0;
  return (offset) => {
    for (
      let at = chunk.text.indexOf('\n', from);
      at >= 0 && at < offset;
      at = chunk.text.indexOf('\n', from)
    ) {
      line++;
      from = at + 1;
    }
    return line;
  };
}
