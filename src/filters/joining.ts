// Lines joined by a session: whose it is by which line, and what waits for the line that ends it.
import { createHash } from 'node:crypto';
import type { Duration, Instant, Match, Network, Waiting } from '../model.ts';
import type { FilterDefinition, FilterOptions, LineVerdict } from './contract.ts';
import type { Surroundings } from './engine.ts';
import type { TextFrame } from './text-frame.ts';
import type { Pattern } from './pattern.ts';
import { SESSION } from './placeholders.ts';
import { idOf } from './session-index.ts';
import type { SessionId } from './session-index.ts';
import { waitingTogether } from './sessions.ts';
import type { Reading } from './recognition.ts';
import { TextMatch } from './text-match.ts';
import type { Captured } from './text-match.ts';

/** What the patterns of `match` and `success` say of a line. */
export interface Judged {
  readonly verdict: LineVerdict;
  /** What the pattern took that fits, whatever was said then. */
  readonly captured?: Captured;
  /** The line counts for its session, whose address isn't known. */
  readonly waiting?: Waiting;
}

export interface Joining {
  /** Whose session a line without an address is of; each such line keeps its session known for longer. */
  addressOf(captured: Captured, frame: TextFrame, start: number, around: Surroundings): Network | undefined;
  /**
   * Notes what a line says of its session.
   * @param reading which patterns may fit the line.
   * @param explains false where only matches matter: then it is no end where no session is known.
   * @returns the line's verdict: with what waited for it, where it ends its session.
   */
  note(
    judged: Judged,
    frame: TextFrame,
    reading: Reading,
    start: number,
    end: number,
    explains: boolean,
    around: Surroundings,
  ): LineVerdict;
}

/** The verdict on a line that tells the address for which others have waited; `captured` is what it says of it. */
export type Settle = (
  waiting: Waiting,
  captured: Captured,
  address: Network,
  frame: TextFrame,
  start: number,
  end: number,
) => LineVerdict;

/** What is longer is no host's name. */
const LONGEST_HOST = 255;
const HOUR: Duration = 60 * 60_000;
const DAY: Duration = 24 * HOUR;
/** Pids come again. */
const WHILE: Duration = 10 * 60_000;

/** The line is kept until one tells the address of its session. */
export const WAITS = {
  outcome: 'no-match',
  why: 'a pattern fits, but no line has told the address of its session: it counts if the line that ends the session does',
} as const satisfies LineVerdict;
const NONE: Reading['closings'] = [];
const CLOSED = 'it counts nothing: it ends its session';

/** @returns undefined for a filter that joins no lines. */
export function createJoining(
  definition: FilterDefinition,
  options: FilterOptions,
  openings: readonly Pattern[],
  closings: readonly Pattern[],
  settle: Settle,
): Joining | undefined {
  const isEndTold = closings.some(({ namesAddress }) => namesAddress);
  if (openings.length === 0 && !isEndTold) return undefined;
  const name = memoryOf(definition, options);
  // A session whose end is told may be quiet for long. Where it isn't, its id may come to be another's.
  const longest = closings.length > 0 ? DAY : HOUR;
  const isByPid = closings.every(({ fields }) => !fields.includes(SESSION));
  const lifeOf = (captured: Captured): Duration => (captured.session === undefined ? WHILE : longest);

  /** What a line that no pattern fits opens. */
  function opened(
    frame: TextFrame,
    reading: Reading,
    start: number,
    around: Surroundings,
  ): LineVerdict | undefined {
    for (const opening of reading.openings) {
      const captured = reading.take(opening, frame);
      const session = captured && sessionOf(captured.session, frame, around);
      if (!captured?.address || session === undefined) continue;
      const { address } = captured;
      const at = instantOf(frame, start, around);
      around.sessions.open(name, session, address, at, at + lifeOf(captured));
      const why = `it counts nothing: it tells that its session is that of ${address.text}, for lines that bear no address`;
      return { outcome: 'opened', why, session: idOf(session), address };
    }
    return undefined;
  }

  return {
    addressOf(captured, frame, start, around) {
      const session = sessionOf(captured.session, frame, around);
      if (session === undefined) return undefined;
      const at = instantOf(frame, start, around);
      const address = around.sessions.find(name, session, at);
      if (address) around.sessions.tell(name, session, address, at, at + lifeOf(captured));
      return address;
    },

    note({ verdict, waiting, captured }, frame, reading, start, end, explains, around) {
      const begun = verdict.outcome === 'no-match' ? opened(frame, reading, start, around) : undefined;
      if (begun) return begun;
      const { sessions } = around;
      const at = instantOf(frame, start, around);
      const byPid = isByPid ? sessionOf(undefined, frame, around) : undefined;
      // A pid alone can be looked up before patterns are tried.
      const mayEnd = !isByPid || (byPid !== undefined && sessions.has(name, byPid));
      for (const closing of explains || waiting || mayEnd ? reading.closings : NONE) {
        const ending = reading.take(closing, frame);
        const session = ending && sessionOf(ending.session, frame, around);
        if (!ending || session === undefined) continue;
        const { address } = ending;
        const all = waitingTogether(sessions.close(name, session, at), waiting);
        if (verdict.outcome === 'match' && captured && all)
          return { ...verdict, match: together(verdict.match, all, captured) };
        if (verdict.outcome !== 'no-match') return verdict;
        if (all && address) return settle(all, ending, address, frame, start, end);
        return { outcome: 'closed', why: CLOSED, session: idOf(session), address };
      }
      if (!captured) return verdict;
      const isPid = isByPid && captured.session === undefined;
      const session = isPid ? byPid : sessionOf(captured.session, frame, around);
      if (session === undefined) return verdict;
      const until = at + lifeOf(captured);
      if (verdict.outcome === 'match' && captured.address)
        sessions.tell(name, session, captured.address, at, until);
      if (!waiting || !isEndTold) return verdict;
      sessions.wait(name, session, waiting, at, until);
      return WAITS;
    },
  };
}

/** One line counts for itself and for those that waited for it; where each counts once for the session, so do both. */
function together(match: Match, { counts }: Waiting, captured: Captured): TextMatch {
  const all = (match.oncePerSession ? 0 : match.counts) + counts;
  const { via } = match;
  return new TextMatch({ ...match, via, counts: Math.max(1, all), oncePerSession: all === 0 }, captured);
}

/**
 * Under which name a filter's sessions are kept. What waits is counted as it is told, once: so engines that hear the same
 * lines each keep their own. That of the filter as it is written goes by its name alone.
 */
function memoryOf({ name }: FilterDefinition, { mode, where, except, logFormat }: FilterOptions): string {
  const narrowed =
    where === undefined && except === undefined && logFormat === undefined
      ? ''
      : `+${createHash('sha256')
          .update(JSON.stringify([where, except, logFormat]))
          .digest('hex')
          .slice(0, 8)}`;
  return `${name}${mode === 'normal' ? '' : `+${mode}`}${narrowed}`;
}

/**
 * The id of a line's session, distinct in its log: many hosts may write to it, whose pids say nothing about each other,
 * and a service that begins to count anew has another pid.
 */
function sessionOf(id: string | undefined, frame: TextFrame, around: Surroundings): SessionId | undefined {
  const host = frame.host ?? around.host ?? '';
  const pid = frame.session;
  if (host.length > LONGEST_HOST || (pid === undefined && id === undefined)) return undefined;
  // The frame says itself whose process it is.
  if (id === undefined) return frame;
  const writer = pid === undefined ? host : `${host}[${pid}]`;
  return { writer: writer === '' ? id : `${writer} ${id}`, number: -1 };
}

/** No line is from later than its arrival. */
function instantOf(frame: TextFrame, start: number, around: Surroundings): Instant {
  return Math.min(frame.at ?? around.receivedAt(start), around.arrivedAt);
}
