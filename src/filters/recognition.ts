// Which of a filter's patterns a message fits: told for all of them at once, by one run over it, or where that can't be done by
// trying those that may begin so.
import { createAutomaton } from './automaton/automaton.ts';
import type { Automaton, Fits } from './automaton/automaton.ts';
import { createProgram } from './automaton/program.ts';
import type { Pattern } from './pattern.ts';
import type { TextFrame } from './text-frame.ts';
import type { Captured } from './text-match.ts';

/** A pattern of a filter, and what a message is that it fits. */
export interface Candidate {
  readonly pattern: Pattern;
  /** Its place in the filter's list. */
  readonly index: number;
  readonly outcome: 'failure' | 'success';
}

/** A filter's patterns by their parts, as far as the filter's mode takes them in. */
export interface Patterns {
  readonly matching: readonly Candidate[];
  readonly exceptions: readonly Pattern[];
  readonly openings: readonly Pattern[];
  readonly closings: readonly Pattern[];
}

/** A pattern that may fit the message at hand. */
export interface Tried {
  readonly pattern: Pattern;
  /** Which of those that are known to fit it is; -1: it isn't known. */
  readonly nth: number;
}

/** What there is to be tried of a message, each part in the order of the filter. Good until the next message is read. */
export interface Reading {
  readonly matching: readonly (Tried & Candidate)[];
  readonly openings: readonly Tried[];
  readonly closings: readonly Tried[];
  isExcepted(frame: TextFrame): boolean;
  /** @returns undefined where it doesn't fit after all, or what stands in the address's place is no address. */
  take(tried: Tried, frame: TextFrame): Captured | undefined;
}

/** Reads messages for one filter. */
export function createRecognition(patterns: Patterns): (frame: TextFrame) => Reading {
  // Made when it is first needed: most filters that are compiled are only listed.
  let automaton: Automaton<Reading> | undefined | null = null;
  const byCode = new Map<number, Reading>();
  return (frame) => {
    if (automaton === null) automaton = automatonOf(patterns);
    const read = automaton?.run(frame.text, frame.from, frame.to, frame.isCut);
    if (read) return read;
    const code = frame.from < frame.to ? frame.text.charCodeAt(frame.from) : NaN;
    let reading = byCode.get(code);
    if (!reading) byCode.set(code, (reading = readingOf(patterns, (pattern) => pattern.mayBegin(code))));
    return reading;
  };
}

/** Those that may begin so are tried: most are told off by that. */
function readingOf(patterns: Patterns, mayFit: (pattern: Pattern) => boolean): Reading {
  const untold = (all: readonly Pattern[]): Tried[] =>
    all.filter(mayFit).map((pattern) => ({ pattern, nth: -1 }));
  const exceptions = patterns.exceptions.filter(mayFit);
  return {
    matching: patterns.matching
      .filter(({ pattern }) => mayFit(pattern))
      .map((each) => ({ ...each, nth: -1 })),
    openings: untold(patterns.openings),
    closings: untold(patterns.closings),
    isExcepted(frame) {
      for (const exception of exceptions) if (exception.test(frame.message)) return true;
      return false;
    },
    take: ({ pattern }, frame) => pattern.match(frame),
  };
}

/** @returns undefined where one of the patterns can't be run so. */
function automatonOf({ matching, exceptions, openings, closings }: Patterns): Automaton<Reading> | undefined {
  const all = [...matching.map(({ pattern }) => pattern), ...exceptions, ...openings, ...closings];
  const program = createProgram(
    all.map(({ node }) => node),
    false,
  );
  if (!program) return undefined;
  const afterMatching = matching.length;
  const afterExceptions = afterMatching + exceptions.length;
  const afterOpenings = afterExceptions + openings.length;
  return createAutomaton(program, ({ patterns, beginOf, endOf }: Fits): Reading => {
    const told = patterns.map((number, nth) => ({ number, pattern: all[number]!, nth }));
    const isExcepted = told.some(({ number }) => number >= afterMatching && number < afterExceptions);
    return {
      matching: told
        .filter(({ number }) => number < afterMatching)
        .map(({ number, nth }) => ({ ...matching[number]!, nth })),
      openings: told.filter(({ number }) => number >= afterExceptions && number < afterOpenings),
      closings: told.filter(({ number }) => number >= afterOpenings),
      isExcepted: () => isExcepted,
      take: ({ pattern, nth }, frame) => pattern.take(frame, beginOf(nth), endOf(nth)),
    };
  });
}
