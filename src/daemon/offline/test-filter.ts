// Which lines of a log a filter matches: the scanner that the daemon uses, without jails.
import type { Filter } from '../../filters/contract.ts';
import { createNear, createScanner, createSessionMemory } from '../../filters/index.ts';
import type { Match } from '../../model.ts';
import type { Clock } from '../../ports.ts';
import { readWhole } from '../../sources/index.ts';
import { utf8 } from '../../text.ts';

export interface TestedMatch {
  /** From 1. */
  readonly line: number;
  readonly match: Match;
}

export interface MissedLine {
  readonly line: number;
  readonly text: string;
  /** How it came near; only where near ones are asked for. */
  readonly why?: string;
}

export interface Tested {
  readonly lines: number;
  /** Lines that speak against somebody; successes don't. */
  readonly matched: number;
  readonly missed: number;
  readonly matches: readonly TestedMatch[];
  /** Only where asked for. Hostile text. */
  readonly missedLines: readonly MissedLine[];
}

/**
 * @param input the path of a log, or its bytes.
 * @param options.wants which lines that don't match are listed: all, or those that nearly do.
 * @param onProgress told now and then how many lines were read.
 */
export async function testFilter(
  filter: Filter,
  input: string | Buffer,
  options: { readonly wants: 'matches' | 'missed' | 'near'; readonly onProgress?: (lines: number) => void },
  clock: Clock,
): Promise<Tested> {
  const scanner = createScanner([filter]);
  const sessions = createSessionMemory();
  const matches: TestedMatch[] = [];
  const missedLines: MissedLine[] = [];
  const findNear = options.wants === 'near' ? createNear(filter) : undefined;
  let lines = 0;

  function take(text: string): void {
    const found = new Map<number, Match>();
    const keep = (_filter: number, match: Match): void => {
      if (match.outcome === 'failure') found.set(match.start, match);
    };
    scanner.scan(text, clock.now(), keep, '', sessions);
    for (let start = 0; start < text.length;) {
      const end = text.indexOf('\n', start);
      const match = found.get(start);
      lines++;
      if (match) matches.push({ line: lines, match });
      else if (options.wants !== 'matches') miss(text.slice(start, end));
      start = end + 1;
    }
    options.onProgress?.(lines);
  }

  function miss(line: string): void {
    const why = findNear?.(line, clock.now());
    if (!findNear) missedLines.push({ line: lines, text: utf8(line) });
    else if (why !== undefined) missedLines.push({ line: lines, text: utf8(line), why });
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
