// How many line feeds stand among bytes, and where. Sixteen are compared at once, by a program of a few instructions: a loop over them
// took as long as the search for what is hostile.
import * as wasm from './wasm.ts';

/** Counts line feeds. */
export type CountFeeds = (bytes: Uint8Array) => number;

const NEWLINE = 10;
const VECTOR = 16;
/** Compared between two looks at the end. */
const UNROLLED = 4;
const STEP = VECTOR * UNROLLED;
const PAGE = 64 * 1024;
const PAGES = 2;
/** What is longer is looked through piece by piece. */
const PIECE = PAGE * PAGES;
/** A place of four bytes for each byte. */
const FOUND_PAGES = PAGES * 4;
const LEAST_FEEDS = 512;

/** The same without a program, for a Node that can't make one. */
export function oneByOne(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** Where line feeds stand; to be filled anew. */
export interface Feeds {
  /** As many as there are; behind them is what was there before. */
  at: Int32Array;
  count: number;
}

export function createFeeds(): Feeds {
  return { at: new Int32Array(LEAST_FEEDS), count: 0 };
}

/** Finds them all, in order. */
export type FindFeeds = (bytes: Uint8Array, feeds: Feeds) => void;

/** The same without a program. */
export const findOneByOne: FindFeeds = (bytes, feeds) => {
  feeds.count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
    makeRoom(feeds, 1);
    feeds.at[feeds.count++] = at;
  }
};

function makeRoom(feeds: Feeds, more: number): void {
  if (feeds.count + more <= feeds.at.length) return;
  const larger = new Int32Array((feeds.count + more) * 2);
  larger.set(feeds.at);
  feeds.at = larger;
}

function compiled(): { readonly count: CountFeeds; readonly find: FindFeeds } | undefined {
  const made = wasm.instantiate(emit(), PAGES + FOUND_PAGES);
  if (!made) return undefined;
  const room = new Uint8Array(made.memory.buffer);
  const found = new Int32Array(made.memory.buffer, PIECE);
  const [count, find] = [made.exports['count']!, made.exports['find']!];
  /** Puts a piece there. @returns where it ends, in whole steps. */
  const take = (piece: Uint8Array): number => {
    const end = Math.ceil(piece.length / STEP) * STEP;
    room.set(piece);
    room.fill(0, piece.length, end);
    return end;
  };
  return {
    count(bytes) {
      let sum = 0;
      for (let from = 0; from < bytes.length; from += PIECE)
        sum += count(0, take(bytes.subarray(from, from + PIECE)));
      return sum;
    },
    find(bytes, feeds) {
      feeds.count = 0;
      for (let from = 0; from < bytes.length; from += PIECE) {
        const more = find(0, take(bytes.subarray(from, from + PIECE)));
        makeRoom(feeds, more);
        for (let index = 0; index < more; index++) feeds.at[feeds.count++] = from + found[index]!;
      }
    },
  };
}

const FROM = 0;
const TO = 1;
const COUNT = 2;
const FEEDS = 3;

const FOUND = 2;
const MASK = 3;
const WANTED = 4;
const NUMBER = 4;

/** Both take `from` and `to`; `to - from` is a multiple of STEP. */
function emit(): Uint8Array<ArrayBuffer> {
  return wasm.wasmModule([
    { name: 'count', parameters: 2, integers: 1, vectors: 1, body: emitCount() },
    { name: 'find', parameters: 2, integers: 2, vectors: 1, body: emitFind() },
  ]);
}

function emitCount(): wasm.Code {
  const pieces = Array.from({ length: UNROLLED }, (_, piece) => {
    const loaded = wasm.loadVector(wasm.get(FROM), piece * VECTOR);
    const feeds = wasm.population(wasm.bitmask(wasm.equalBytes(loaded, wasm.get(FEEDS))));
    return wasm.set(COUNT, wasm.add(wasm.get(COUNT), feeds));
  });
  return [
    ...wasm.set(FEEDS, wasm.splat(NEWLINE)),
    ...wasm.walk(FROM, TO, STEP, ...pieces),
    ...wasm.get(COUNT),
  ];
}

/** Leaves the places behind the room for bytes. @returns how many. */
function emitFind(): wasm.Code {
  const mask = wasm.bitmask(wasm.equalBytes(wasm.loadVector(wasm.get(FROM)), wasm.get(WANTED)));
  const first = wasm.add(wasm.get(FROM), wasm.trailingZeros(wasm.get(MASK)));
  const others = wasm.and(wasm.get(MASK), wasm.subtract(wasm.get(MASK), wasm.constant(1)));
  const each = wasm.loop(
    wasm.when(
      wasm.get(MASK),
      wasm.storeFour(wasm.get(FOUND), first),
      wasm.set(FOUND, wasm.add(wasm.get(FOUND), wasm.constant(NUMBER))),
      wasm.set(MASK, others),
      wasm.branch(1),
    ),
  );
  return [
    ...wasm.set(WANTED, wasm.splat(NEWLINE)),
    ...wasm.set(FOUND, wasm.constant(PIECE)),
    ...wasm.walk(FROM, TO, VECTOR, wasm.set(MASK, mask), each),
    ...wasm.shiftRight(wasm.subtract(wasm.get(FOUND), wasm.constant(PIECE)), wasm.constant(2)),
  ];
}

const programs = compiled();
export const countFeeds: CountFeeds = programs?.count ?? oneByOne;
export const findFeeds: FindFeeds = programs?.find ?? findOneByOne;
