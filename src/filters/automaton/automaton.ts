// Runs a program over a text, once from its start to its end, however many patterns there are and however they are meant to
// keep a regex busy: where all of them stand after a few bytes is a state, and which state follows by which byte is found out
// when it is first met, and kept. As in RE2, but for the addresses, whose places are noted as the text goes by.
import { WORD } from '../bytes.ts';
import { TextBytes } from '../text-bytes.ts';
import { AT_BOUNDARY, AT_END, AT_START, FITS, FORK, LOOK, NOTE, TAKE } from './program.ts';
import type { Program } from './program.ts';

/** Which patterns fit a text, in the order of the list. */
export interface Fits {
  readonly patterns: readonly number[];
  /**
   * Where the address of the nth of them begins or ends, in the text that was run last; -1: it has none.
   * Asked before another text is run.
   */
  beginOf(nth: number): number;
  endOf(nth: number): number;
}

export interface Automaton<T> {
  /**
   * Runs over the part [from, to) of a latin1 text.
   * @param isCut a line feed is to be seen behind it.
   * @returns what was made of the patterns that fit; undefined where it leads where none has led before, for too long.
   */
  run(text: string, from: number, to: number, isCut: boolean): T | undefined;
}

/**
 * In the table of states: what follows is not known yet, nothing can fit any more, what was searched for is found, or what
 * follows is said by one of `jumps`: `FIRST_JUMP - index`.
 */
const UNKNOWN = -1;
const NOTHING = -2;
const FOUND = -3;
const FIRST_JUMP = -4;

/** In the place of a register: there is no place, or it is this one. */
const NOWHERE = -1;
const HERE = -2;

/** What stands before or behind: nothing, a letter or digit, or something else. */
const EDGE = 0;
const LETTER = 1;
const OTHER = 2;

/** A text that leads to more than so many new steps, or to so many ways to go on, is somebody's who wants us busy. */
const MOST_STEPS = 400;
const MOST_WAYS = 100_000;
/** Numbers in the table of states; with more it begins anew … */
const MOST_TABLE = 1 << 18;
/** … but not for ever. */
const MOST_TABLES = 8;
const FEED = 10;

/** A step from one state to another that moves what was noted. */
interface Jump {
  readonly to: number;
  /** Pairs: a register, and where its value comes from. */
  readonly moves: Int32Array;
}

/** Where the patterns stand: their steps, the ones that come first going first, and what stands before. */
interface State<T> {
  readonly threads: readonly number[];
  readonly before: number;
  answer: T | undefined;
}

/** @param answer what is to be made of the patterns that fit, once for each state in which a text may end. */
export function createAutomaton<T>(program: Program, answer: (fits: Fits) => T): Automaton<T> {
  const { kinds, next, sets, patterns, isNoted, classes, members } = program;
  const width = members.length;
  const feed = classes[FEED]!;
  const mostStates = Math.max(2, Math.floor(MOST_TABLE / width));
  const found = answer({ patterns: [0], beginOf: () => -1, endOf: () => -1 });
  const none = answer({ patterns: [], beginOf: () => -1, endOf: () => -1 });
  let states: State<T>[] = [];
  let known = new Map<string, number>();
  let table = new Int32Array(0);
  let jumps: Jump[] = [];
  let tables = 0;
  /** All steps that are made in a state are of different numbers, so that more registers are never needed. */
  const registers = new Int32Array(kinds.length * 2);
  let moved = new Int32Array(64);
  /** How many ways were gone to find out what follows, for the last text. */
  let ways = 0;
  /** Where the last text ended. */
  let ended = 0;
  const bytes = new TextBytes();
  const walk = createWalk(program);

  begin();

  return {
    run(text, from, to, isCut) {
      if (tables > MOST_TABLES) return undefined;
      const line = bytes.of(text, from, to);
      const end = to - bytes.base;
      let at = from - bytes.base;
      let state = 0;
      let left = MOST_STEPS;
      ways = 0;
      while (at < end) {
        // A loop of its own, in which nothing is called and nothing changes but these: it takes a byte in a nanosecond.
        const rows = table;
        let go = 0;
        for (; at < end; at++) {
          go = rows[state + classes[line[at]!]!]!;
          if (go < 0) break;
          state = go;
        }
        if (at === end) break;
        if (go === UNKNOWN) {
          if (left-- === 0 || ways > MOST_WAYS) return undefined;
          go = find(state, classes[line[at]!]!);
        }
        if (go === NOTHING) return none;
        if (go === FOUND) return found;
        state = go >= 0 ? go : jump(go, at);
        at++;
      }
      if (isCut) {
        const go = table[state + feed]! === UNKNOWN ? find(state, feed) : table[state + feed]!;
        if (go === NOTHING) return none;
        if (go === FOUND) return found;
        state = go >= 0 ? go : jump(go, end);
      }
      ended = isCut ? end + 1 : end;
      const own = states[state / width]!;
      return (own.answer ??= answerOf(own));
    },
  };

  function placeOf(place: number): number {
    const at = place >= 0 ? registers[place]! : place === HERE ? ended : -1;
    return at < 0 ? -1 : bytes.base + at;
  }

  /** The first state is the first in its table. */
  function begin(): void {
    states = [];
    known = new Map();
    jumps = [];
    table = new Int32Array(Math.min(mostStates, 64) * width).fill(UNKNOWN);
    tables++;
    stateOf([...program.starts], EDGE);
  }

  /** @returns where in the table its row begins. */
  function stateOf(threads: number[], before: number): number {
    if (program.isSearch) threads.sort((a, b) => a - b);
    const key = `${before} ${threads.join(' ')}`;
    const old = known.get(key);
    if (old !== undefined) return old;
    if (states.length === mostStates) begin();
    const row = states.push({ threads, before, answer: undefined }) * width - width;
    if (row + width > table.length) {
      const wider = new Int32Array(Math.min(mostStates * width, table.length * 2)).fill(UNKNOWN);
      wider.set(table);
      table = wider;
    }
    known.set(key, row);
    return row;
  }

  /** What follows a state by a byte of a class: found, and kept. */
  function find(row: number, byte: number): number {
    const { threads, before } = states[row / width]!;
    const member = members[byte]!;
    const isLetter = program.hasBoundaries && WORD[member] === 1;
    const behind: number[] = [];
    const moves: number[] = [];
    const reached = new Set<number>();
    ways += walk(threads, before, isLetter ? LETTER : OTHER, (step, thread, notes) => {
      if (sets[step]![member] !== 1) return;
      const to = next[step]!;
      if (reached.has(to)) return;
      reached.add(to);
      const own = behind.push(to) - 1;
      for (let end = 0; end < 2; end++) {
        if ((notes & (1 << end)) !== 0) moves.push(own * 2 + end, HERE);
        else if (isNoted[to] === 0) continue;
        else if (isNoted[threads[thread]!] === 0) moves.push(own * 2 + end, NOWHERE);
        else if (own !== thread) moves.push(own * 2 + end, thread * 2 + end);
      }
    });
    const among = tables;
    let go = NOTHING;
    // Whoever only searches doesn't ask which way came first.
    if (program.isSearch && behind.some((step) => kinds[step] === FITS)) go = FOUND;
    else if (behind.length > 0) go = stateOf(behind, isLetter ? LETTER : OTHER);
    if (moves.length > 0) go = FIRST_JUMP + 1 - jumps.push({ to: go, moves: Int32Array.from(moves) });
    // In a table that has just begun the row that it was asked for isn't there.
    if (among === tables) table[row + byte] = go;
    return go;
  }

  /** @param at the place that is noted where one is. */
  function jump(go: number, at: number): number {
    const { to, moves } = jumps[FIRST_JUMP - go]!;
    if (moves.length > moved.length * 2) moved = new Int32Array(moves.length);
    // All values are read before one is written.
    for (let move = 0; move < moves.length; move += 2) {
      const source = moves[move + 1]!;
      moved[move >> 1] = source >= 0 ? registers[source]! : source === HERE ? at : -1;
    }
    for (let move = 0; move < moves.length; move += 2) registers[moves[move]!] = moved[move >> 1]!;
    return to;
  }

  function answerOf({ threads, before }: State<T>): T {
    const fitting: number[] = [];
    const places: number[] = [];
    walk(threads, before, EDGE, (step, thread, notes) => {
      if (kinds[step] !== FITS) return;
      fitting.push(patterns[step]!);
      for (let end = 0; end < 2; end++)
        if ((notes & (1 << end)) !== 0) places.push(HERE);
        else places.push(isNoted[threads[thread]!] === 1 ? thread * 2 + end : NOWHERE);
    });
    if (fitting.length === 0) return none;
    return answer({
      patterns: fitting,
      beginOf: (nth) => placeOf(places[nth * 2]!),
      endOf: (nth) => placeOf(places[nth * 2 + 1]!),
    });
  }
}

/** Told of a step that takes a byte or fits, of the thread that leads there, and of what that notes here: 1 a begin, 2 an end. */
type Meet = (step: number, thread: number, notes: number) => void;

/** Follows threads as far as they go without a byte, the ones that come first going first; each step is met once. @returns how many. */
function createWalk(program: Program) {
  const { kinds, next, other, patterns } = program;
  const met = new Int32Array(kinds.length);
  let walks = 0;
  return (threads: readonly number[], before: number, after: number, meet: Meet): number => {
    walks++;
    let ways = 0;
    /** The pattern that fits: other ways for it to fit would come later. */
    let settled = -1;
    const open: number[] = [];
    for (let thread = 0; thread < threads.length; thread++) {
      open.push(threads[thread]!, 0);
      while (open.length > 0) {
        const notes = open.pop()!;
        const step = open.pop()!;
        if (met[step] === walks || patterns[step] === settled) continue;
        met[step] = walks;
        ways++;
        switch (kinds[step]!) {
          case TAKE:
            meet(step, thread, notes);
            break;
          case FITS:
            settled = patterns[step]!;
            meet(step, thread, notes);
            break;
          case FORK:
            open.push(other[step]!, notes, next[step]!, notes);
            break;
          case NOTE:
            open.push(next[step]!, notes | (1 << other[step]!));
            break;
          case LOOK:
            if (holds(other[step]!, before, after)) open.push(next[step]!, notes);
            break;
        }
      }
    }
    return ways;
  };
}

function holds(what: number, before: number, after: number): boolean {
  if (what === AT_START) return before === EDGE;
  if (what === AT_END) return after === EDGE;
  const isBoundary = (before === LETTER) !== (after === LETTER);
  return (what === AT_BOUNDARY) === isBoundary;
}
