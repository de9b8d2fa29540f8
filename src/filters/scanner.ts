// All filters of one source over a chunk: one search for literals, and a closer look at the lines that it finds.
import type { Instant, Match } from '../model.ts';
import { createBacklook } from './again.ts';
import { createUnwrapper } from './containers.ts';
import type { Filter, ScanReport, Scanner } from './contract.ts';
import { engineOf } from './engine.ts';
import type { Surroundings } from './engine.ts';
import { createExaminer } from './examiner.ts';
import { reframed, whoseFramed } from './frames.ts';
import { distinctOf } from './literals.ts';
import { createSearchRoom } from './search/room.ts';
import type { SearchRoom } from './search/room.ts';
import { createLiteralSearch } from './search/search.ts';
import { NO_SESSIONS } from './sessions.ts';

type Visit = (filter: number, match: Match) => void;
/** What is known besides a line, before its text is. */
type Given = Omit<Surroundings, 'before'>;

/**
 * Makes a scanner. A filter without literals makes it look at every line, for that filter only.
 * @param room may be shared by scanners that take turns.
 */
export function createScanner(filters: readonly Filter[], room: SearchRoom = createSearchRoom()): Scanner {
  const all = filters.map(engineOf);
  const always = all.flatMap(({ engine }, index) => (engine.literals ? [] : [index]));
  const isSelective = always.length === 0;
  const { literals, owners } = distinctOf(all.map(({ engine }) => engine.literals ?? []));
  const search = literals.length > 0 ? createLiteralSearch(literals, room) : undefined;
  const heeding = all.map(({ engine }) => engine.heedsRepeats === true);
  const examiner = createExaminer(all);
  const containers = createUnwrapper();
  const teller = all.find(({ engine }) => engine.whose);
  /** Which literal it is says something only where it doesn't concern all filters anyway. */
  const concernsAll = owners.every((each) => each.length + always.length === all.length);

  return {
    whose: teller && whoseFramed(teller.engine, teller.relay),
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
    const look = createBacklook(text, given.sessions);
    const around: Surroundings = { ...given, before: look.before };
    const visit: Visit = (filter, match) => {
      if (heeding[filter]) look.took(match.start);
      onMatch(filter, match);
    };
    search?.take(text);
    let found = search ? search.next(0) : Infinity;
    let start = 0;
    while (start < text.length && all.length > 0) {
      // Without filters that look at every line, everything up to the next literal is passed over, but for the last line:
      // where no line of a log fits, a literal may never turn up, and nobody would notice.
      if (isSelective) start = found === Infinity ? lastLine(text, start) : lineBefore(text, found);
      const feed = text.indexOf('\n', start);
      const after = feed < 0 ? text.length : feed;
      const end = after > start && text.charCodeAt(after - 1) === 13 ? after - 1 : after;
      const isFound = found < after;
      // What is empty says nothing: a part of a longer line, say.
      if (end > start) {
        candidates++;
        if (isFound) call(start, after);
        else if (isSelective) examiner.callAll();
        else examiner.call(always);
        if (!examiner.examine(text, start, end, around, visit)) unframed++;
      }
      if (isFound) found = search!.next(after);
      start = after + 1;
    }
    look.settle(around.arrivedAt);
    return { candidates, unframed };
  }

  /** Calls for the filters whose literals stand in a line in which one does. */
  function call(start: number, after: number): void {
    if (concernsAll) return examiner.callAll();
    examiner.call(always);
    if (!search!.each(start, after, callOwners)) examiner.callAll();
  }

  function callOwners(literal: number): void {
    examiner.call(owners[literal]!);
  }
}

function lineBefore(text: string, at: number): number {
  return text.lastIndexOf('\n', at) + 1;
}

/** Where the last line begins, from the line at `from` on. */
function lastLine(text: string, from: number): number {
  return Math.max(from, text.lastIndexOf('\n', text.length - 2) + 1);
}
