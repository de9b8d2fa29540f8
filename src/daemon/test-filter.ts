// Which lines of a log a filter matches: the scanner that the daemon uses, without jails.
import type { Filter } from '../filters/contract.ts';
import { createScanner } from '../filters/index.ts';
import type { Match } from '../model.ts';
import type { Clock } from '../ports.ts';
import { readWhole } from '../sources/index.ts';
import { utf8 } from '../text.ts';

export interface TestedMatch {
  /** From 1. */
  readonly line: number;
  readonly match: Match;
}

export interface Tested {
  readonly lines: number;
  /** Lines that speak against somebody; successes don't. */
  readonly matched: number;
  readonly missed: number;
  readonly matches: readonly TestedMatch[];
  /** Only where asked for. Hostile text. */
  readonly missedLines: readonly { readonly line: number; readonly text: string }[];
}

/** @param input the path of a log, or its bytes. */
export async function testFilter(
  filter: Filter,
  input: string | Buffer,
  options: { readonly wantsMissed: boolean },
  clock: Clock,
): Promise<Tested> {
  const scanner = createScanner([filter]);
  const matches: TestedMatch[] = [];
  const missedLines: { line: number; text: string }[] = [];
  let lines = 0;

  function take(text: string): void {
    const found = new Map<number, Match>();
    scanner.scan(text, clock.now(), (_filter, match) => {
      if (match.outcome === 'failure') found.set(match.start, match);
    });
    for (let start = 0; start < text.length;) {
      const end = text.indexOf('\n', start);
      const match = found.get(start);
      lines++;
      if (match) matches.push({ line: lines, match });
      else if (options.wantsMissed) missedLines.push({ line: lines, text: utf8(text.slice(start, end)) });
      start = end + 1;
    }
  }

  if (typeof input === 'string') for await (const chunk of readWhole(input, clock)) take(chunk.text);
  else take(wholeLines(input.toString('latin1')));
  const matched = matches.length;
  return { lines, matched, missed: lines - matched, matches, missedLines };
}

/** The last line counts although nothing ends it. */
function wholeLines(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
