// One hostile line never stops a source: where a filter breaks on a line, that line is passed over and counted.
import type { Scanner } from '../filters/contract.ts';
import type { Instant, Match } from '../model.ts';

/** @param base what to add to the match's `start` and `end` to find its line in the chunk. */
export type Visit = (filter: number, match: Match, base: number) => void;

/**
 * Scans whole lines; only where that throws, line by line from the last match on.
 * @returns how many lines broke a filter. It is a defect in Bailiff each time, and shown as a fault.
 */
export function scanSafely(scanner: Scanner, text: string, arrivedAt: Instant, visit: Visit): number {
  let visited = 0;
  let isVisiting = false;
  try {
    scanner.scan(text, arrivedAt, (filter, match) => {
      visited = match.end;
      isVisiting = true;
      visit(filter, match, 0);
      isVisiting = false;
    });
    return 0;
  } catch {
    // Nothing matched yet: begin with the first line, else behind the last line that did. Where it was the visitor that
    // broke, that line is the broken one.
    const from = visited === 0 ? 0 : lineAfter(text, visited);
    return Number(isVisiting) + scanLines(scanner, text, from, arrivedAt, visit);
  }
}

function scanLines(scanner: Scanner, text: string, from: number, arrivedAt: Instant, visit: Visit): number {
  let broken = 0;
  for (let start = from; start < text.length;) {
    const base = start;
    const end = lineAfter(text, start);
    try {
      scanner.scan(text.slice(start, end), arrivedAt, (filter, match) => visit(filter, match, base));
    } catch {
      broken++;
    }
    start = end;
  }
  return broken;
}

/** Where the line after the one that holds `offset` begins. */
function lineAfter(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline < 0 ? text.length : newline + 1;
}
