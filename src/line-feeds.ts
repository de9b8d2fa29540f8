// How many line feeds stand among bytes. Sixteen are compared at once, by a program of a few instructions: a loop over them
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
/** What is longer is counted piece by piece. */
const PIECE = PAGE * PAGES;

/** The same without a program, for a Node that can't make one. */
export function oneByOne(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

function compiled(): CountFeeds | undefined {
  const made = wasm.instantiate(emitCount(), PAGES);
  if (!made) return undefined;
  const room = new Uint8Array(made.memory.buffer);
  const count = made.exports['count']!;
  return (bytes) => {
    let sum = 0;
    for (let from = 0; from < bytes.length; from += PIECE) {
      const piece = bytes.subarray(from, from + PIECE);
      const end = Math.ceil(piece.length / STEP) * STEP;
      room.set(piece);
      room.fill(0, piece.length, end);
      sum += count(0, end);
    }
    return sum;
  };
}

const FROM = 0;
const TO = 1;
const COUNT = 2;
const FEEDS = 3;

/** `count(from, to)`, where `to - from` is a multiple of STEP. */
function emitCount(): Uint8Array<ArrayBuffer> {
  const pieces = Array.from({ length: UNROLLED }, (_, piece) => {
    const loaded = wasm.loadVector(wasm.get(FROM), piece * VECTOR);
    const feeds = wasm.population(wasm.bitmask(wasm.equalBytes(loaded, wasm.get(FEEDS))));
    return wasm.set(COUNT, wasm.add(wasm.get(COUNT), feeds));
  });
  const body = [
    ...wasm.set(FEEDS, wasm.splat(NEWLINE)),
    ...wasm.walk(FROM, TO, STEP, ...pieces),
    ...wasm.get(COUNT),
  ];
  return wasm.wasmModule([{ name: 'count', parameters: 2, integers: 1, vectors: 1, body }]);
}

export const countFeeds: CountFeeds = compiled() ?? oneByOne;
