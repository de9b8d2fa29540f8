// Filters over lines of text: patterns over a message that a layout framed.
import type { Fault } from '../errors.ts';
import type { Conditions, Match, Network } from '../model.ts';
import type { Stamps } from '../time.ts';
import { createAddressReader } from './addresses.ts';
import { compileConditions } from './conditions.ts';
import type { Fields, Holds } from './conditions.ts';
import type { FilterDefinition, FilterOptions, LineVerdict, PatternDefinition } from './contract.ts';
import type { Engine, Report } from './engine.ts';
import { TEXT_LAYOUTS } from './layouts.ts';
import type { TextFrame } from './layouts.ts';
import { anyOf } from './literals.ts';
import { compilePattern } from './pattern.ts';
import type { Captured, Pattern } from './pattern.ts';

/** What conditions on a line of text may name besides what the patterns keep. */
export const TEXT_FIELDS = ['ip', 'program'] as const;

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
  const compile = (patterns: readonly PatternDefinition[], needsAddress: boolean): Pattern[] =>
    patterns.flatMap((pattern) => {
      const compiled = compilePattern(pattern, definition.file, readAddress, needsAddress);
      if ('test' in compiled) return [compiled];
      faults.push(compiled);
      return [];
    });
  const failures = compile(definition.match, true);
  const successes = compile(definition.success, true);
  const exceptions = compile(definition.except, false);
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
  const programs = new Set(definition.program);
  const layout = TEXT_LAYOUTS[layoutName];
  return {
    framing: { key: JSON.stringify([layoutName, options.zone]), open: layout.frame(stamps) },
    literals: anyOf(patterns.map(({ pattern }) => pattern.literals)),
    misfit: { outcome: 'no-layout', why: layout.misfit },
    examine(frame, start, end) {
      if (programs.size > 0 && !programs.has(frame.program ?? ''))
        return { outcome: 'no-match', why: `the program is none of ${definition.program.join(', ')}` };
      let verdict = NO_MATCH;
      for (const { pattern, index, outcome } of patterns) {
        const captured = pattern.match(frame.message);
        if (!captured) continue;
        const found = { frame, ...captured };
        if (!where.every((holds) => holds(found))) continue;
        if (!jailWhere.every((holds) => holds(found))) {
          verdict = NARROWED;
          continue;
        }
        const match = matchOf(captured, pattern, index, outcome, frame, start, end);
        // Exceptions speak of failures: who logged in is known whatever they say.
        if (outcome === 'success') return { outcome, match };
        if (exceptions.some((exception) => inUse(exception) && exception.test(frame.message)))
          return { outcome: 'excepted', why: 'a pattern under "except" fits', match };
        if (except.some((holds) => holds(found)))
          return { outcome: 'excepted', why: 'the conditions under "except" hold', match };
        return { outcome: 'match', match };
      }
      return verdict;
    },
  };

  function matchOf(
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
      address: captured.address,
      at: frame.at,
      counts: counts === 'session' ? 1 : counts,
      oncePerSession: counts === 'session',
      session: frame.session,
      fields: captured.fields,
    };
  }
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
