// One hostile line never stops a source: where a filter breaks on a line, that line is passed over and counted.
import type { ScanReport, Scanner, SessionMemory } from '../../filters/contract.ts';
import type { Chunk, Match } from '../../model.ts';

/** @param base what to add to the match's `start` and `end` to find its line in the chunk. */
export type Visit = (filter: number, match: Match, base: number) => void;

type Lines = Pick<Chunk, 'text' | 'arrivedAt' | 'source'>;

export interface SafeReport extends Pick<ScanReport, 'candidates' | 'unframed'> {
  /** How many lines broke a filter. It is a defect in Bailiff each time, and shown as a fault. */
  readonly broken: number;
}

/** Scans whole lines; only where that throws, line by line from the last match on. */
export function scanSafely(
  scanner: Scanner,
  chunk: Lines,
  sessions: SessionMemory,
  visit: Visit,
): SafeReport {
  const { text, arrivedAt, source } = chunk;
  let visited = 0;
  let isVisiting = false;
  try {
    const { candidates, unframed } = scanner.scan(
      text,
      arrivedAt,
      (filter, match) => {
        visited = match.end;
        isVisiting = true;
        visit(filter, match, 0);
        isVisiting = false;
      },
      source,
      sessions,
    );
    return { broken: 0, candidates, unframed };
  } catch {
    // Nothing matched yet: begin with the first line, else behind the last line that did. Where it was the visitor that
    // broke, that line is the broken one.
    const from = visited === 0 ? 0 : lineAfter(text, visited);
    if (from > 0) sessions.keepLast(undefined, arrivedAt);
    const broken = Number(isVisiting) + scanLines(scanner, chunk, sessions, from, visit);
    return { broken, candidates: 0, unframed: 0 };
  }
}

function scanLines(
  scanner: Scanner,
  { text, arrivedAt, source }: Lines,
  sessions: SessionMemory,
  from: number,
  visit: Visit,
): number {
  let broken = 0;
  for (let start = from; start < text.length;) {
    const base = start;
    const told = (filter: number, match: Match): void => visit(filter, match, base);
    const end = lineAfter(text, start);
    try {
      scanner.scan(text.slice(start, end), arrivedAt, told, source, sessions);
    } catch {
      broken++;
      sessions.keepLast(undefined, arrivedAt);
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
