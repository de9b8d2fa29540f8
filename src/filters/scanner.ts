// All filters of one source over a chunk: one search for literals, and a closer look at the lines that it finds.
import type { Instant, Match } from '../model.ts';
import { createFeeds, findFeeds } from '../line-feeds.ts';
import { endOfLine, lengthOf, LinesAtHand, sliceOf, startOfLine, withoutReturn } from '../lines.ts';
import type { Lines } from '../lines.ts';
import type { ShortRun } from '../short-run.ts';
import { createBacklook } from './again.ts';
import { createUnwrapper } from './containers.ts';
import type { Filter, ScanReport, Scanner, Shortly } from './contract.ts';
import { engineOf } from './engine.ts';
import type { Surroundings } from './engine.ts';
import { createExaminer } from './examiner.ts';
import { reframed, whoseFramed } from './frames.ts';
import { distinctOf } from './literals.ts';
import { createSearchRoom } from './search/room.ts';
import type { SearchRoom } from './search/room.ts';
import { createLiteralSearch } from './search/search.ts';
import { createShortReader } from './short/reader.ts';
import { NO_SESSIONS } from './sessions.ts';

type Visit = (filter: number, match: Match, base: number) => void;
/** So many lines of a chunk become text one by one; where there are more, the whole of it does. */
const MOST_APART = 64;

/** What is known besides a line, before its text is. */
type Given = Omit<Surroundings, 'before' | 'among'>;

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
  const canBeShort = all.some(({ engine }) => engine.short);
  const feeds = createFeeds();
  /** The filter that alone looks at lines without a literal: these may be read many at a time. */
  const only = always.length === 1 ? always[0]! : -1;
  const reading = all[only]?.engine.short?.reading;
  const reader = reading && search?.isInRoom !== false ? createShortReader(reading, room) : undefined;
  /** Which literal it is says something only where it doesn't concern all filters anyway. */
  const concernsAll = owners.every((each) => each.length + always.length === all.length);

  return {
    whose: teller && whoseFramed(teller.engine, teller.relay),
    scan(given, arrivedAt, visit, source = '', sessions = NO_SESSIONS, shortly) {
      const lines = typeof given === 'string' ? { text: given } : new LinesAtHand(given);
      const around = { sessions, host: undefined, receivedAt: () => arrivedAt, arrivedAt };
      const unwrapped = containers.unwrap(lines, source);
      if (!unwrapped) return scanLines(lines, around, visit, shortly);
      const receivedAt = (start: number): Instant =>
        unwrapped.receivedAt(unwrapped.lineAt(start)) ?? arrivedAt;
      const inner = { text: unwrapped.text };
      const report = scanLines(inner, { ...around, receivedAt }, (filter, match) => {
        const line = unwrapped.lineAt(match.start);
        visit(filter, reframed(match, line.start, line.end, match.at ?? unwrapped.receivedAt(line)), 0);
      });
      unwrapped.settle();
      return report;
    },
  };

  function scanLines(lines: Lines, given: Given, onMatch: Visit, shortly?: Shortly): ScanReport {
    let candidates = 0;
    let unframed = 0;
    /** Where they stand whose matches can be said in short; no text is made of those that are. */
    const bytes = canBeShort && shortly?.wanted.includes(true) === true ? lines.bytes : undefined;
    // Where all of it becomes text anyway, lines are found in that: by its own search, which takes many bytes at once.
    const whole: Lines = isSelective || bytes ? lines : { text: lines.text };
    const many = bytes && shortly?.wanted[only] === true ? reader : undefined;
    const ends = bytes && !isSelective && !many ? feeds : undefined;
    if (ends) findFeeds(bytes!, ends);
    let line = 0;
    let texts = 0;
    const length = lengthOf(whole);
    const look = createBacklook(lines, given.sessions);
    /** What engines see begins there: all lines, or one. */
    let base = 0;
    let isApart = (isSelective || bytes !== undefined) && lines.bytes !== undefined;
    const before: Surroundings['before'] = (from, to) => look.before(base + from, base + to);
    const among = lines.bytes && { bytes: lines.bytes, shift: 0 };
    const around: Surroundings = { ...given, before, among };
    const visit = (filter: number, match: Match): void => {
      if (heeding[filter]) look.took(base + match.start);
      onMatch(filter, match, base);
    };
    const onRun = (run: ShortRun): void => {
      const { first } = run;
      shortly!.visitRun(only, run);
      candidates += run.first - first;
    };
    if (search) search.take(lines);
    else if (many) room.take(lines);
    many?.begin(around.arrivedAt);
    let found = search ? search.next(0) : Infinity;
    let start = 0;
    while (start < length && all.length > 0) {
      // Without filters that look at every line, everything up to the next literal is passed over, but for the last line:
      // where no line of a log fits, a literal may never turn up, and nobody would notice.
      if (isSelective) start = found === Infinity ? lastLine(lines, start) : startOfLine(lines, found);
      if (many) {
        start = many.pass(start, Math.min(found, length), onRun);
        if (start >= length) break;
      }
      const after = !ends ? endOfLine(whole, start) : line < ends.count ? ends.at[line++]! : length;
      const end = withoutReturn(whole, start, after);
      const isFound = found < after;
      // What is empty says nothing: a part of a longer line, say.
      if (end > start) {
        candidates++;
        if (isFound) call(start, after);
        // A last line without a literal matches nothing: one filter is asked for its form, or some until one knows it.
        else examiner.call(always);
        const isInFull = !bytes || many?.isRefused === true;
        if (isInFull || !examiner.examineShort(bytes, start, end, around.arrivedAt, shortly!)) {
          if (++texts > MOST_APART) isApart = false;
          base = isApart ? start : 0;
          if (among) among.shift = base;
          const text = isApart ? sliceOf(lines, start, end) : lines.text;
          if (!examiner.examine(text, start - base, end - base, around, visit)) unframed++;
        }
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

/** Where the last line begins, from the line at `from` on. */
function lastLine(lines: Lines, from: number): number {
  return Math.max(from, startOfLine(lines, lengthOf(lines) - 1));
}
