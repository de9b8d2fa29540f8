// One hostile line never stops a source: where a filter breaks on a line, that line is passed over and counted.
import type { ScanReport, Scanner, SessionMemory, Shortly } from '../../filters/contract.ts';
import { endOfLine, lengthOf, sliceOf } from '../../lines.ts';
import type { Chunk, Match } from '../../model.ts';
import { beginOf } from '../../short-run.ts';
import type { ShortRun } from '../../short-run.ts';

/** @param base what to add to the match's `start` and `end` to find its line in the chunk. */
export type Visit = (filter: number, match: Match, base: number) => void;

type Arrived = Pick<Chunk, 'text' | 'bytes' | 'arrivedAt' | 'source'>;

export interface SafeReport extends Pick<ScanReport, 'candidates' | 'unframed'> {
  /** How many lines broke a filter. It is a defect in Bailiff each time, and shown as a fault. */
  readonly broken: number;
}

/**
 * Scans whole lines; only where that throws, line by line from the last match on.
 * @param shortly the scanner's.
 */
export function scanSafely(
  scanner: Scanner,
  chunk: Arrived,
  sessions: SessionMemory,
  visit: Visit,
  shortly?: Shortly,
): SafeReport {
  const { arrivedAt, source } = chunk;
  let visited = 0;
  let isVisiting = false;
  let running: ShortRun | undefined;
  try {
    const { candidates, unframed } = scanner.scan(
      chunk,
      arrivedAt,
      (filter, match, base) => {
        visited = base + match.end;
        isVisiting = true;
        visit(filter, match, base);
        isVisiting = false;
      },
      source,
      sessions,
      shortly && {
        wanted: shortly.wanted,
        visit(filter, start, match) {
          // Within its line, also where that is the first of all.
          visited = start + 1;
          isVisiting = true;
          const isEnough = shortly.visit(filter, start, match);
          isVisiting = false;
          return isEnough;
        },
        visitRun(filter, run) {
          isVisiting = true;
          running = run;
          shortly.visitRun(filter, run);
          visited = lastOf(run) + 1;
          running = undefined;
          isVisiting = false;
        },
      },
    );
    return { broken: 0, candidates, unframed };
  } catch {
    if (running) visited = lastOf(running) + 1;
    // Nothing matched yet: begin with the first line, else behind the last line that did. Where it was the visitor that
    // broke, that line is the broken one.
    const from = visited === 0 ? 0 : endOfLine(chunk, visited) + 1;
    if (from > 0) sessions.keepLast(undefined, arrivedAt);
    const broken = Number(isVisiting) + scanLines(scanner, chunk, sessions, from, visit);
    return { broken, candidates: 0, unframed: 0 };
  }
}

/** Where the line begins up to which a run was gone through: the last one, or the first that was not enough. */
function lastOf(run: ShortRun): number {
  return beginOf(run, Math.min(run.first, run.end - 1));
}

function scanLines(
  scanner: Scanner,
  chunk: Arrived,
  sessions: SessionMemory,
  from: number,
  visit: Visit,
): number {
  const { arrivedAt, source } = chunk;
  let broken = 0;
  for (let start = from; start < lengthOf(chunk);) {
    const base = start;
    const told = (filter: number, match: Match): void => visit(filter, match, base);
    const end = endOfLine(chunk, start) + 1;
    try {
      scanner.scan(sliceOf(chunk, start, end), arrivedAt, told, source, sessions);
    } catch {
      broken++;
      sessions.keepLast(undefined, arrivedAt);
    }
    start = end;
  }
  return broken;
}
