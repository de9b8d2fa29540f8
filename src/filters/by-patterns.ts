// Filters over lines of text: patterns over a message that a layout framed.
import type { Fault } from '../errors.ts';
import type { Conditions, Network, Waiting } from '../model.ts';
import type { Stamps } from '../time.ts';
import { createAddressReaderAt } from './addresses.ts';
import { AGAIN } from './again.ts';
import { createOriginReader } from './forwarded.ts';
import { compileConditions } from './conditions.ts';
import type { Fields, Holds } from './conditions.ts';
import type { FilterDefinition, FilterOptions, LineVerdict, PatternDefinition } from './contract.ts';
import { whoseCondition } from './engine.ts';
import type { Engine, Owner, Report, Surroundings } from './engine.ts';
import { TEXT_LAYOUTS } from './layouts.ts';
import { repeated } from './text-frame.ts';
import type { TextFrame } from './text-frame.ts';
import { WAITS, createJoining } from './joining.ts';
import type { Judged } from './joining.ts';
import { anyOf } from './literals.ts';
import { compilePattern } from './pattern.ts';
import type { Needs, Pattern } from './pattern.ts';
import { namesPrograms } from './programs.ts';
import { createRecognition } from './recognition.ts';
import type { Reading } from './recognition.ts';
import { TextMatch } from './text-match.ts';
import type { Captured } from './text-match.ts';

/** What conditions on a line of text may name besides what the patterns keep. */
export const TEXT_FIELDS = ['ip', 'program'] as const;

/** What conditions see of a match. */
interface Found {
  readonly frame: TextFrame;
  readonly address: Network;
  readonly captured: Captured;
}

const NO_MATCH: LineVerdict = { outcome: 'no-match', why: 'no pattern fits' };
const NOTHING: Judged = { verdict: NO_MATCH };
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

/** Builds the engine of a filter over lines of text; undefined where something was reported. */
export function compileByPatterns(
  definition: FilterDefinition,
  layoutName: 'syslog' | 'plain',
  options: FilterOptions,
  stamps: Stamps,
  report: Report,
  faults: Fault[],
): Engine<TextFrame> | undefined {
  const address = createAddressReaderAt();
  const readWhole = (written: string): Network | undefined => address(written, 0, written.length);
  const read = { address, origin: createOriginReader(options.trustedProxies ?? [], readWhole) };
  const before = faults.length;
  const compile = (patterns: readonly PatternDefinition[], needs: Needs): Pattern[] =>
    patterns.flatMap((pattern) => {
      const compiled = compilePattern(pattern, definition.file, read, needs);
      if ('test' in compiled) return [compiled];
      faults.push(compiled);
      return [];
    });
  // In syslog lines the pid stands for a session that isn't named.
  const hasPids = layoutName === 'syslog';
  const closings = compile(definition.closes, hasPids ? 'nothing' : 'session');
  const hasSessions = definition.opens.length > 0 || closings.some(({ namesAddress }) => namesAddress);
  const whose = hasSessions ? (hasPids ? 'nothing' : 'address or session') : 'address';
  const failures = compile(definition.match, whose);
  const successes = compile(definition.success, whose);
  const exceptions = compile(definition.except, 'nothing');
  const openings = compile(definition.opens, hasPids ? 'address' : 'address and session');
  if (definition.match.length === 0)
    report('filter', 'E_FILTER_EMPTY', 'the filter has no pattern under "match"');
  faults.push(...unknownLimits(definition, [...failures, ...successes, ...openings, ...closings]));
  const fields = fieldsOf([...failures, ...successes]);
  const compileAll = (owner: Owner, all: readonly (Conditions | undefined)[]): Holds<Found>[] =>
    all.flatMap((conditions) =>
      conditions
        ? [
            compileConditions(conditions, fields, ({ code, field, message, hint }) =>
              report(whoseCondition(owner, field), `E_FILTER_${code}`, message, hint),
            ),
          ]
        : [],
    );
  const where = compileAll('filter', [definition.where]);
  const jailWhere = compileAll('where', [options.where]);
  const except = [
    ...compileAll('filter', [definition.exceptWhere]),
    ...compileAll('except', [options.except]),
  ];
  if (faults.length > before) return undefined;

  const inUse = ({ definition: { mode } }: Pattern): boolean =>
    mode === 'normal' || options.mode === 'aggressive';
  const patterns = [
    ...failures.map((pattern, index) => ({ pattern, index, outcome: 'failure' as const })),
    ...successes.map((pattern, index) => ({ pattern, index, outcome: 'success' as const })),
  ].filter(({ pattern }) => inUse(pattern));
  const recognise = createRecognition({
    matching: patterns,
    exceptions: exceptions.filter(inUse),
    openings,
    closings,
  });
  // In front of a plain line there may be no tag at all: frames.ts sees to it where there is one.
  const programs = layoutName === 'syslog' ? definition.program : [];
  const isNamed = namesPrograms(programs);
  const layout = TEXT_LAYOUTS[layoutName];
  const frameLine = layout.frame(stamps);
  const joining = createJoining(definition, options, openings, closings, settled);
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
    examine(frame, start, end, explains, around) {
      if (frame.again === undefined) return examineMessage(frame, start, end, explains, around);
      const before = around.before(start, end);
      const message = before && frameLine(before.text, before.start, before.end, around.arrivedAt);
      if (!message || message.again !== undefined || message.host !== frame.host) return NOTHING_AGAIN;
      // The line before may stand in another chunk; it was received when this one was, as far as anybody knows.
      const then = { ...around, receivedAt: () => around.receivedAt(start) };
      const verdict = examineMessage(repeated(message, frame.again, frame.at), start, end, explains, then);
      return 'match' in verdict || verdict === WAITS ? verdict : NOTHING_AGAIN;
    },
  };

  function examineMessage(
    frame: TextFrame,
    start: number,
    end: number,
    explains: boolean,
    around: Surroundings,
  ): LineVerdict {
    if (programs.length > 0 && !isNamed(frame.program))
      return { outcome: 'no-match', why: `the program is none of ${programs.join(', ')}` };
    const reading = recognise(frame);
    const judged = judge(frame, reading, start, end, around);
    if (!joining) return judged.verdict;
    return joining.note(judged, frame, reading, start, end, explains, around);
  }

  /** What the patterns say of a line. */
  function judge(
    frame: TextFrame,
    reading: Reading,
    start: number,
    end: number,
    around: Surroundings,
  ): Judged {
    let judged = NOTHING;
    for (const tried of reading.matching) {
      const { pattern, index, outcome } = tried;
      const captured = reading.take(tried, frame);
      if (!captured) continue;
      const address = captured.address ?? joining?.addressOf(captured, frame, start, around);
      if (!address) {
        const waiting = outcome === 'failure' ? waitingOf(pattern, index, frame, reading) : undefined;
        judged = { verdict: UNJOINED, captured, ...(waiting && { waiting }) };
        continue;
      }
      const found = { frame, address, captured };
      if (!allHold(where, found)) continue;
      if (!allHold(jailWhere, found)) {
        judged = { verdict: NARROWED };
        continue;
      }
      const match = matchOf(address, captured, pattern, index, outcome, frame, start, end);
      // Exceptions speak of failures: who logged in is known whatever they say.
      if (outcome === 'success') return { verdict: { outcome, match }, captured };
      const why = whyExcepted(reading, found);
      const verdict =
        why === undefined
          ? { outcome: 'match' as const, match }
          : { outcome: 'excepted' as const, why, match };
      return { verdict, captured };
    }
    return judged;
  }

  function whyExcepted(reading: Reading, found: Found): string | undefined {
    if (reading.isExcepted(found.frame)) return 'a pattern under "except" fits';
    for (const holds of except) if (holds(found)) return 'the conditions under "except" hold';
    return undefined;
  }

  /** What a line without an address counts once its session has one; evidence of nobody is none. */
  function waitingOf(
    { definition: { counts } }: Pattern,
    index: number,
    frame: TextFrame,
    reading: Reading,
  ): Waiting | undefined {
    if (counts === 0 || reading.isExcepted(frame)) return undefined;
    return { pattern: index, counts: counts === 'session' ? 0 : counts * frame.times };
  }

  /** The verdict on a line that tells whose session it was, for lines of it that waited. Conditions see this line. */
  function settled(
    { pattern, counts }: Waiting,
    captured: Captured,
    address: Network,
    frame: TextFrame,
    start: number,
    end: number,
  ): LineVerdict {
    const found = { frame, address, captured };
    if (!allHold(where, found) || !allHold(jailWhere, found) || except.some((holds) => holds(found)))
      return NARROWED;
    const match = new TextMatch(
      {
        start,
        end,
        filter: definition.name,
        pattern,
        outcome: 'failure',
        address,
        via: captured.via,
        at: frame.at,
        counts: Math.max(1, counts),
        oncePerSession: counts === 0,
        session: captured.session ?? frame.session,
      },
      captured,
    );
    return { outcome: 'match', match };
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
  ): TextMatch {
    const counts = outcome === 'success' ? 0 : pattern.definition.counts;
    return new TextMatch(
      {
        start,
        end,
        filter: definition.name,
        pattern: index,
        outcome,
        address,
        via: captured.via,
        at: frame.at,
        counts: counts === 'session' ? 1 : counts * frame.times,
        oncePerSession: counts === 'session',
        session: captured.session ?? frame.session,
      },
      captured,
    );
  }
}

function allHold<T>(conditions: readonly Holds<T>[], of: T): boolean {
  for (const holds of conditions) if (!holds(of)) return false;
  return true;
}

/** What is stated of a field that no pattern keeps is stated of nothing. */
function unknownLimits({ limits, file }: FilterDefinition, patterns: readonly Pattern[]): Fault[] {
  const kept = [...new Set(patterns.flatMap((pattern) => pattern.fields))];
  return limits
    .filter(({ field }) => !kept.includes(field))
    .map(({ field, line, column }) => ({
      code: 'E_FILTER_FIELD',
      file,
      line,
      column,
      message: `"limits" speaks of ${JSON.stringify(field)}, a field that no pattern keeps`,
      hint: kept.length > 0 ? `the patterns keep ${kept.join(', ')}` : 'name it in a pattern: (?<name>\\S+)',
    }));
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
        return ({ captured }) => {
          const all = captured.fields;
          return asBytes(Object.hasOwn(all, name) ? all[name] : undefined);
        };
      return name === 'program' ? ({ frame }) => frame.program : undefined;
    },
  };
}

function asBytes(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : Buffer.from(text, 'utf8').toString('latin1');
}
