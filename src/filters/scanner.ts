// All filters of one source over a chunk: one search for literals, and a closer look at the lines that it finds.
import type { Instant, Match } from '../model.ts';
import { createBacklook } from './again.ts';
import { createUnwrapper } from './containers.ts';
import type { Filter, ScanReport, Scanner } from './contract.ts';
import { engineOf } from './engine.ts';
import type { EngineFilter, Framing, Surroundings } from './engine.ts';
import { examineFramed, reframed } from './frames.ts';
import { anyOf } from './literals.ts';
import { makeSearch } from './regex.ts';
import { NO_SESSIONS } from './sessions.ts';

type Visit = (filter: number, match: Match) => void;
/** What is known besides a line, before its text is. */
type Given = Omit<Surroundings, 'before'>;

/** Makes a scanner. A filter without literals makes it look at every line, for that filter only. */
export function createScanner(filters: readonly Filter[]): Scanner {
  const all = filters.map((filter, index) => ({ index, filter: engineOf(filter) }));
  const always = all.filter(({ filter }) => !filter.engine.literals);
  const literals = anyOf(all.map(({ filter }) => filter.engine.literals ?? [])) ?? [];
  const search = literals.length > 0 ? makeSearch(literals) : undefined;
  const heeding = all.map(({ filter }) => filter.engine.heedsRepeats === true);
  const examineAll = createExaminer(all);
  const examineAlways = createExaminer(always);
  const containers = createUnwrapper();

  return {
    whose: all.find(({ filter }) => filter.engine.whose)?.filter.engine.whose,
    scan(text, arrivedAt, visit, source = '', sessions = NO_SESSIONS) {
      const around = { sessions, host: undefined, receivedAt: () => arrivedAt, arrivedAt };
      const unwrapped = containers.unwrap(text, source);
      if (!unwrapped) return scanText(text, around, visit);
      const receivedAt = (start: number): Instant =>
        unwrapped.receivedAt(unwrapped.lineAt(start)) ?? arrivedAt;
      const report = scanText(unwrapped.text, { ...around, receivedAt }, (filter, match) => {
        const line = unwrapped.lineAt(match.start);
        visit(filter, reframed(match, line.start, line.end, match.at ?? unwrapped.receivedAt(line)));
      });
      unwrapped.settle();
      return report;
    },
  };

  function scanText(text: string, given: Given, onMatch: Visit): ScanReport {
    let candidates = 0;
    let unframed = 0;
    const nextFound = createFinder(text, search);
    let found = nextFound(0);
    let start = 0;
    const look = createBacklook(text, given.sessions);
    const around: Surroundings = { ...given, before: look.before };
    const visit: Visit = (filter, match) => {
      if (heeding[filter]) look.took(start);
      onMatch(filter, match);
    };
    while (start < text.length) {
      // Without filters that look at every line, everything up to the next literal is passed over, but for the last line:
      // where no line of a log fits, a literal may never turn up, and nobody would notice.
      if (always.length === 0) start = found === Infinity ? lastLine(text, start) : lineBefore(text, found);
      const feed = text.indexOf('\n', start);
      const after = feed < 0 ? text.length : feed;
      const end = after > start && text.charCodeAt(after - 1) === 13 ? after - 1 : after;
      const isFound = found < after;
      const examine = isFound || always.length === 0 ? examineAll : examineAlways;
      // What is empty says nothing: a part of a longer line, say.
      if (end > start && all.length > 0) {
        candidates++;
        if (!examine(text, start, end, around, visit)) unframed++;
      }
      if (isFound) found = nextFound(after);
      start = after + 1;
    }
    look.settle(around.arrivedAt);
    return { lines: countLines(text), candidates, unframed };
  }
}

/** Where the next literal stands, from an index on; Infinity: nowhere. */
function createFinder(text: string, search: RegExp | undefined): (from: number) => number {
  if (!search) return () => Infinity;
  return (from) => {
    search.lastIndex = from;
    // test() makes no array of what it found; the last character of the literal is in the line just as well as the first.
    return search.test(text) ? search.lastIndex - 1 : Infinity;
  };
}

/** Runs engines on one line, in their order; lines are opened once for all engines that frame alike. */
function createExaminer(
  filters: readonly { readonly index: number; readonly filter: EngineFilter }[],
): (text: string, start: number, end: number, around: Surroundings, visit: Visit) => boolean {
  const framings = new Map<string, Framing<unknown>>();
  for (const { filter } of filters)
    if (!framings.has(filter.engine.framing.key))
      framings.set(filter.engine.framing.key, filter.engine.framing);
  const groups = [...framings.values()];
  const steps = filters.map(({ index, filter: { engine, relay } }) => ({
    index,
    engine,
    relay,
    group: [...framings.keys()].indexOf(engine.framing.key),
  }));
  const opened: unknown[] = groups.map(() => undefined);
  return (text, start, end, around, visit) => {
    for (let group = 0; group < groups.length; group++)
      opened[group] = groups[group]!.open(text, start, end, around.arrivedAt);
    let fits = false;
    for (const { index, engine, relay, group } of steps) {
      const verdict = examineFramed(engine, relay, opened[group], text, start, end, false, around);
      if (verdict.outcome !== 'no-layout') fits = true;
      if (verdict.outcome === 'match' || verdict.outcome === 'success') visit(index, verdict.match);
    }
    return fits;
  };
}

function lineBefore(text: string, at: number): number {
  return text.lastIndexOf('\n', at) + 1;
}

/** Where the last line begins, from the line at `from` on. */
function lastLine(text: string, from: number): number {
  return Math.max(from, text.lastIndexOf('\n', text.length - 2) + 1);
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return text === '' || text.endsWith('\n') ? lines : lines + 1;
}
