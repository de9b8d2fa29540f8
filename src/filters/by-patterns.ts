// Filters over lines of text: patterns over a message that a layout framed.
import type { Fault } from '../errors.ts';
import type { Conditions, Duration, Instant, Match, Network } from '../model.ts';
import type { Stamps } from '../time.ts';
import { createAddressReader } from './addresses.ts';
import { AGAIN } from './again.ts';
import { compileConditions } from './conditions.ts';
import type { Fields, Holds } from './conditions.ts';
import type { FilterDefinition, FilterOptions, LineVerdict, PatternDefinition } from './contract.ts';
import type { Engine, Report, Surroundings } from './engine.ts';
import { TEXT_LAYOUTS } from './layouts.ts';
import type { TextFrame } from './layouts.ts';
import { anyOf } from './literals.ts';
import { compilePattern } from './pattern.ts';
import type { Captured, Needs, Pattern } from './pattern.ts';

/** What conditions on a line of text may name besides what the patterns keep. */
export const TEXT_FIELDS = ['ip', 'program'] as const;

/** What is longer is no host's name. */
const LONGEST_HOST = 255;
const HOUR: Duration = 60 * 60_000;
const DAY: Duration = 24 * HOUR;

/** What conditions see of a match. */
interface Found {
  readonly frame: TextFrame;
  readonly address: Network;
  readonly fields: Readonly<Record<string, string>>;
}

const NO_MATCH: LineVerdict = { outcome: 'no-match', why: 'no pattern fits' };
const NARROWED: LineVerdict = {
  outcome: 'no-match',
  why: "a pattern fits, but the jail's conditions do not hold",
};
/** `test --near` tells of such lines. */
export const UNJOINED = {
  outcome: 'no-match',
  why: "a pattern fits, but the line that told the address of its session wasn't seen, or is too long ago",
} as const satisfies LineVerdict;

const NOTHING_AGAIN: LineVerdict = {
  outcome: 'no-match',
  why: 'it says that the line before came again, and that line is no match, or of another host',
};
const CLOSED = 'it counts nothing: it ends its session';

/** Builds the engine of a filter over lines of text; undefined where something was reported. */
export function compileByPatterns(
  definition: FilterDefinition,
  layoutName: 'syslog' | 'plain',
  options: FilterOptions,
  stamps: Stamps,
  report: Report,
  faults: Fault[],
): Engine<TextFrame> | undefined {
  const readAddress = createAddressReader();
  const before = faults.length;
  const compile = (patterns: readonly PatternDefinition[], needs: Needs): Pattern[] =>
    patterns.flatMap((pattern) => {
      const compiled = compilePattern(pattern, definition.file, readAddress, needs);
      if ('test' in compiled) return [compiled];
      faults.push(compiled);
      return [];
    });
  const hasSessions = definition.opens.length > 0;
  // In syslog lines the pid stands for a session that isn't named.
  const hasPids = layoutName === 'syslog';
  const whose = hasSessions ? (hasPids ? 'nothing' : 'address or session') : 'address';
  const failures = compile(definition.match, whose);
  const successes = compile(definition.success, whose);
  const exceptions = compile(definition.except, 'nothing');
  const openings = compile(definition.opens, hasPids ? 'address' : 'address and session');
  const closings = compile(definition.closes, hasPids ? 'nothing' : 'session');
  if (definition.match.length === 0)
    report('filter', 'E_FILTER_EMPTY', 'the filter has no pattern under "match"');
  const fields = fieldsOf([...failures, ...successes]);
  const compileAll = (whose: 'filter' | 'jail', all: readonly (Conditions | undefined)[]): Holds<Found>[] =>
    all.flatMap((conditions) =>
      conditions
        ? [
            compileConditions(conditions, fields, ({ code, message, hint }) =>
              report(whose, `E_FILTER_${code}`, message, hint),
            ),
          ]
        : [],
    );
  const where = compileAll('filter', [definition.where]);
  const jailWhere = compileAll('jail', [options.where]);
  const except = [...compileAll('filter', [definition.exceptWhere]), ...compileAll('jail', [options.except])];
  if (faults.length > before) return undefined;

  const inUse = ({ definition: { mode } }: Pattern): boolean =>
    mode === 'normal' || options.mode === 'aggressive';
  const patterns = [
    ...failures.map((pattern, index) => ({ pattern, index, outcome: 'failure' as const })),
    ...successes.map((pattern, index) => ({ pattern, index, outcome: 'success' as const })),
  ].filter(({ pattern }) => inUse(pattern));
  // In front of a plain line there may be no tag at all: frames.ts sees to it where there is one.
  const programs = new Set(layoutName === 'syslog' ? definition.program : []);
  const layout = TEXT_LAYOUTS[layoutName];
  const frameLine = layout.frame(stamps);
  // Jails in another mode have other matches, and what is one opens and closes nothing: each mode keeps its own sessions.
  const name = options.mode === 'normal' ? definition.name : `${definition.name}+${options.mode}`;
  // A session whose end is told may be quiet for long. Where it isn't, its id may come to be another's.
  const life = closings.length > 0 ? DAY : HOUR;
  return {
    framing: { key: JSON.stringify([layoutName, options.zone]), open: frameLine },
    literals: anyOf([
      ...[...patterns.map(({ pattern }) => pattern), ...openings, ...closings].map(
        ({ literals }) => literals,
      ),
      ...(hasPids ? [[AGAIN]] : []),
    ]),
    misfit: { outcome: 'no-layout', why: layout.misfit },
    heedsRepeats: hasPids,
    examine(frame, start, end, _explains, around) {
      if (frame.again === undefined) return examineMessage(frame, start, end, around);
      const before = around.before(start, end);
      const message = before && frameLine(before.text, before.start, before.end, around.arrivedAt);
      if (!message || message.again !== undefined || message.host !== frame.host) return NOTHING_AGAIN;
      // The line before may stand in another chunk; it was received when this one was, as far as anybody knows.
      const then = { ...around, receivedAt: () => around.receivedAt(start) };
      const verdict = examineMessage(message, start, end, then);
      return 'match' in verdict
        ? { ...verdict, match: cameAgain(verdict.match, frame.again, frame.at) }
        : NOTHING_AGAIN;
    },
  };

  function examineMessage(frame: TextFrame, start: number, end: number, around: Surroundings): LineVerdict {
    if (programs.size > 0 && !programs.has(frame.program ?? ''))
      return { outcome: 'no-match', why: `the program is none of ${definition.program.join(', ')}` };
    let verdict = NO_MATCH;
    for (const { pattern, index, outcome } of patterns) {
      const captured = pattern.match(frame.message);
      if (!captured) continue;
      const address = captured.address ?? addressOf(captured, frame, start, around);
      if (!address) {
        verdict = UNJOINED;
        continue;
      }
      const found = { frame, address, fields: captured.fields };
      if (!where.every((holds) => holds(found))) continue;
      if (!jailWhere.every((holds) => holds(found))) {
        verdict = NARROWED;
        continue;
      }
      const match = matchOf(address, captured, pattern, index, outcome, frame, start, end);
      // Exceptions speak of failures: who logged in is known whatever they say.
      if (outcome === 'success') return { outcome, match };
      if (exceptions.some((exception) => inUse(exception) && exception.test(frame.message)))
        return { outcome: 'excepted', why: 'a pattern under "except" fits', match };
      if (except.some((holds) => holds(found)))
        return { outcome: 'excepted', why: 'the conditions under "except" hold', match };
      return { outcome: 'match', match };
    }
    // What a jail narrows must not change what others hear of sessions.
    if (!hasSessions || verdict === NARROWED) return verdict;
    return told(frame, start, around) ?? verdict;
  }

  /** Whose session a line without an address is of; each such line keeps its session known for longer. */
  function addressOf(
    captured: Captured,
    frame: TextFrame,
    start: number,
    around: Surroundings,
  ): Network | undefined {
    const session = hasSessions ? sessionOf(captured, frame, around) : undefined;
    if (session === undefined) return undefined;
    const at = instantOf(frame, start, around);
    const address = around.sessions.find(name, session, at);
    if (address) around.sessions.open(name, session, address, at, at + life);
    return address;
  }

  /** What a line that is no match tells about sessions: noted, once it is known to be none. */
  function told(frame: TextFrame, start: number, around: Surroundings): LineVerdict | undefined {
    for (const pattern of openings) {
      const captured = pattern.match(frame.message);
      const session = captured && sessionOf(captured, frame, around);
      if (!captured?.address || session === undefined) continue;
      const at = instantOf(frame, start, around);
      around.sessions.open(name, session, captured.address, at, at + life);
      const { address } = captured;
      const why = `it counts nothing: it tells that its session is that of ${address.text}, for lines that bear no address`;
      return { outcome: 'opened', why, session, address };
    }
    for (const pattern of closings) {
      const captured = pattern.match(frame.message);
      const session = captured && sessionOf(captured, frame, around);
      if (session === undefined) continue;
      around.sessions.close(name, session);
      return { outcome: 'closed', why: CLOSED, session };
    }
    return undefined;
  }

  function matchOf(
    address: Network,
    captured: Captured,
    pattern: Pattern,
    index: number,
    outcome: 'failure' | 'success',
    frame: TextFrame,
    start: number,
    end: number,
  ): Match {
    const counts = outcome === 'success' ? 0 : pattern.definition.counts;
    return {
      start,
      end,
      filter: definition.name,
      pattern: index,
      outcome,
      address,
      at: frame.at,
      counts: counts === 'session' ? 1 : counts * frame.times,
      oncePerSession: counts === 'session',
      session: captured.session ?? frame.session,
      fields: captured.fields,
    };
  }
}

/** The match of a line that says that the message before came again; what counts once in a session still does. */
function cameAgain(match: Match, times: number, at: Instant | undefined): Match {
  return { ...match, at, counts: match.oncePerSession ? match.counts : match.counts * times };
}

/**
 * The id of a line's session, distinct in its log: many hosts may write to it, whose pids say nothing about each other,
 * and a service that begins to count anew has another pid.
 */
function sessionOf(captured: Captured, frame: TextFrame, around: Surroundings): string | undefined {
  const host = frame.host ?? around.host ?? '';
  const pid = frame.session === undefined ? '' : `[${frame.session}]`;
  if (host.length > LONGEST_HOST || (pid === '' && captured.session === undefined)) return undefined;
  return [`${host}${pid}`, captured.session ?? ''].filter((part) => part !== '').join(' ');
}

/** No line is from later than its arrival. */
function instantOf(frame: TextFrame, start: number, around: Surroundings): Instant {
  return Math.min(frame.at ?? around.receivedAt(start), around.arrivedAt);
}

/** Conditions see bytes; what patterns keep is decoded. */
function fieldsOf(patterns: readonly Pattern[]): Fields<Found> {
  const kept = new Set(patterns.flatMap((pattern) => pattern.fields));
  return {
    names: [...new Set([...TEXT_FIELDS, ...kept])],
    isNumeric: () => false,
    reader(name) {
      if (name === 'ip') return ({ address }) => address.text;
      if (kept.has(name))
        return ({ fields }) => asBytes(Object.hasOwn(fields, name) ? fields[name] : undefined);
      return name === 'program' ? ({ frame }) => frame.program : undefined;
    },
  };
}

function asBytes(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : Buffer.from(text, 'utf8').toString('latin1');
}
