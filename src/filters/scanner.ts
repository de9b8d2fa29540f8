// All filters of one source over a chunk: one search for literals, and a closer look at the lines that it finds.
import type { Instant, Match } from '../model.ts';
import type { Filter, Scanner } from './contract.ts';
import { engineOf } from './engine.ts';
import type { Engine, Framing } from './engine.ts';
import { anyOf } from './literals.ts';
import { makeSearch } from './regex.ts';

type Visit = (filter: number, match: Match) => void;

/** Makes a scanner. A filter without literals makes it look at every line, for that filter only. */
export function createScanner(filters: readonly Filter[]): Scanner {
  const all = filters.map((filter, index) => ({ index, engine: engineOf(filter) }));
  const always = all.filter(({ engine }) => !engine.literals);
  const literals = anyOf(all.map(({ engine }) => engine.literals ?? [])) ?? [];
  const search = literals.length > 0 ? makeSearch(literals) : undefined;
  const examineAll = createExaminer(all);
  const examineAlways = createExaminer(always);

  return {
    scan(text, arrivedAt, visit) {
      let candidates = 0;
      let unframed = 0;
      const nextFound = createFinder(text, search);
      let found = nextFound(0);
      let start = 0;
      while (start < text.length) {
        // Without filters that look at every line, everything up to the next literal is passed over.
        if (always.length === 0) {
          if (found === Infinity) break;
          start = text.lastIndexOf('\n', found) + 1;
        }
        const feed = text.indexOf('\n', start);
        const after = feed < 0 ? text.length : feed;
        const end = after > start && text.charCodeAt(after - 1) === 13 ? after - 1 : after;
        const isFound = found < after;
        const examine = isFound ? examineAll : examineAlways;
        candidates++;
        if (!examine(text, start, end, arrivedAt, visit)) unframed++;
        if (isFound) found = nextFound(after);
        start = after + 1;
      }
      return { lines: countLines(text), candidates, unframed };
    },
  };
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
  engines: readonly { readonly index: number; readonly engine: Engine<unknown> }[],
): (text: string, start: number, end: number, arrivedAt: Instant, visit: Visit) => boolean {
  const framings = new Map<string, Framing<unknown>>();
  for (const { engine } of engines)
    if (!framings.has(engine.framing.key)) framings.set(engine.framing.key, engine.framing);
  const groups = [...framings.values()];
  const steps = engines.map(({ index, engine }) => ({
    index,
    engine,
    group: [...framings.keys()].indexOf(engine.framing.key),
  }));
  const opened: unknown[] = groups.map(() => undefined);
  return (text, start, end, arrivedAt, visit) => {
    for (let group = 0; group < groups.length; group++)
      opened[group] = groups[group]!.open(text, start, end, arrivedAt);
    let fits = false;
    for (const { index, engine, group } of steps) {
      const line = opened[group];
      if (line === undefined) continue;
      const verdict = engine.examine(line, start, end, false);
      if (verdict.outcome !== 'no-layout') fits = true;
      if (verdict.outcome === 'match' || verdict.outcome === 'success') visit(index, verdict.match);
    }
    return fits;
  };
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return text === '' || text.endsWith('\n') ? lines : lines + 1;
}
