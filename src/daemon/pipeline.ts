// One line's journey, top to bottom: chunk → scan → decide → ban. The daemon and `replay` run this same code.
import { endOfLine, sliceOf } from '../lines.ts';
import { utf8 } from '../text.ts';
import type { Ban, Chunk, Evidence, Instant, Match, Verdict } from '../model.ts';
import type { Plan } from '../setup/index.ts';
import type { Bans } from './bans.ts';
import { judge, reasonOfMatches } from './judge.ts';
import type { SittingJail } from './judge.ts';
import { scanSafely } from './intake/safe-scan.ts';
import type { Regulars } from './intake/regulars.ts';
import type { Sessions } from './intake/sessions.ts';

export type { SittingJail } from './judge.ts';

/** A stamp further ahead of the clock than this counts as the instant of arrival. */
export const FUTURE_TOLERANCE = 5 * 60_000;
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
  const counted = new Map<SittingJail, number>();
  const watching = regulars?.watch(chunk, plan.scanner);
  let matches = 0;
  let fromTheFuture = 0;

  const scanned = scanSafely(plan.scanner, chunk, sessions.of(chunk.source), (filter, match, base) => {
    const isFuture = match.at !== undefined && match.at > chunk.arrivedAt + FUTURE_TOLERANCE;
    const at = match.at === undefined || isFuture ? chunk.arrivedAt : match.at;
    if (isFuture) fromTheFuture++;
    matches++;
    const start = base + match.start;
    const evidence = (): Evidence => evidenceOf(chunk, start, base + match.end, at, lineNumber(start));
    if (match.outcome === 'failure') watching?.matched(start);
    else for (const { jail } of plan.welcomingTo[filter]!) jail.welcome(match.address, at);
    for (const sitting of plan.jailsOf[filter]!) {
      if (counted.get(sitting) === start) continue;
      if (match.outcome === 'failure' && match.counts > 0) counted.set(sitting, start);
      const { address, counts, oncePerSession, session, outcome } = match;
      const count = { address, at, counts, oncePerSession, session, outcome, evidence };
      const ground = { reason: reasonOfMatches(sitting, match.filter), by: 'jail', via: match.via };
      const tell =
        onVerdict && ((verdict: Verdict) => onVerdict(sitting.ready.rules.name, match, verdict, evidence));
      imposed.push(...judge(sitting, count, ground, plan.recidive, bans, now, tell).bans);
    }
  });
  watching?.finish();
  return { bans: imposed, matches, fromTheFuture, ...scanned };
}

function evidenceOf(chunk: Chunk, start: number, end: number, at: Instant, line: number): Evidence {
  const text = utf8(sliceOf(chunk, start, Math.min(end, start + EVIDENCE_LIMIT)));
  return { file: chunk.file, line, at, text };
}

/** Numbers of lines by their offset in the chunk. Offsets come in ascending order, so each newline is counted once. */
function createLineCounter(chunk: Chunk): (offset: number) => number {
  let line = chunk.firstLine;
  let from = 0;
  return (offset) => {
    for (let feed = endOfLine(chunk, from); feed < offset; feed = endOfLine(chunk, from)) {
      line++;
      from = feed + 1;
    }
    return line;
  };
}
