// A search for any of many literals over a chunk of a log: where one stands, and which ones stand in a line.
import type { Lines } from '../../lines.ts';
import type { Literal } from '../literal.ts';
import { makeSearch } from '../regex.ts';
import { MOST_FOUND, TEXT, emitSearch } from './emit.ts';
import { planSearch } from './plan.ts';
import type { Run } from '../../wasm.ts';
import type { SearchRoom } from './room.ts';

/** Lines are taken in, then asked about, before another search in the same room takes some in. */
export interface LiteralSearch {
  /** Are the lines that it took in the room's as well? */
  readonly isInRoom: boolean;
  take(lines: Lines): void;
  /** An index inside the line in which the first literal at or after `from` stands; Infinity: there is none. */
  next(from: number): number;
  /**
   * Calls `found` with the index of each literal that stands in [from, to), some more than once.
   * @returns false where that can't be told, so that it may be any of them.
   */
  each(from: number, to: number, found: (literal: number) => void): boolean;
}

/** @param literals not empty, without line feeds; at least one. */
export function createLiteralSearch(literals: readonly Literal[], room: SearchRoom): LiteralSearch {
  return compiledSearch(literals, room) ?? regexSearch(literals);
}

/** The search as a program of its own; undefined where this Node can't run one. */
export function compiledSearch(literals: readonly Literal[], room: SearchRoom): LiteralSearch | undefined {
  const passes: Pass[] = [];
  let table: Uint8Array | undefined;
  for (const plan of planSearch(literals)) {
    const program = room.instantiate(emitSearch(plan));
    if (!program) return undefined;
    passes.push({ find: program['find']!, collect: program['collect']!, ahead: -1 });
    if (plan.kind === 'hashes') table = plan.table;
  }
  let end = TEXT;
  return {
    isInRoom: true,
    take(lines) {
      end = room.take(lines, table);
      for (const pass of passes) pass.ahead = -1;
    },
    next(from) {
      let first = Infinity;
      for (const pass of passes) {
        if (pass.ahead < from) {
          const at = pass.find(TEXT + from, end);
          pass.ahead = at < 0 ? Infinity : at - TEXT;
        }
        if (pass.ahead < first) first = pass.ahead;
      }
      return first;
    },
    each(from, to, told) {
      for (const { collect } of passes) {
        const count = collect(TEXT + from, TEXT + to);
        if (count >= MOST_FOUND) return false;
        const { found } = room;
        for (let index = 0; index < count; index++) told(found[index]!);
      }
      return true;
    },
  };
}

/** One of the programs of `emitSearch` that look for a part of the literals each. */
interface Pass {
  readonly find: Run;
  readonly collect: Run;
  /** What it found last; -1: nothing yet. */
  ahead: number;
}

/** The same by one of V8's regexes, several times slower. */
export function regexSearch(literals: readonly Literal[]): LiteralSearch {
  const search = makeSearch(literals);
  let text = '';
  return {
    isInRoom: false,
    take(lines) {
      ({ text } = lines);
    },
    next(from) {
      search.lastIndex = from;
      // test() makes no array of what it found; the last character of the literal is in the line just as well as the first.
      return search.test(text) ? search.lastIndex - 1 : Infinity;
    },
    each: () => false,
  };
}
