// The plan of a search → a WebAssembly module that runs it. Pure.
import type { Literal } from '../literal.ts';
import type { Fingerprints, Placed } from './fingerprints.ts';
import { tablesAt } from './fingerprints.ts';
import { isLetter } from './frequency.ts';
import { CASE, FACTOR, HASH_BITS, WINDOW } from './hashes.ts';
import type { Hashes } from './hashes.ts';
import * as wasm from '../../wasm.ts';
import type { Code } from '../../wasm.ts';

/** Room for the places of one step. */
const SCRATCH = 0;
/** Where the ids of what was found are written, four bytes each, and how many at most. */
export const FOUND = 64;
export const MOST_FOUND = 256;
/** Where the table of a search by hashes lies. */
export const TABLE = 2048;
/** From there on up to the longest literal before the text, room is left to others' programs. */
export const OTHERS = 24 * 1024;
/** Where the text begins. Before it there is room for the longest literal, so that no address is ever negative. */
export const TEXT = 64 * 1024;
/** What may be read behind the text, never believed. */
export const BEHIND = 64;

/**
 * `find(from, to)` gives the place of a literal in [from, to), or -1: the window of one of those that begin first, about.
 * `collect(from, to)` writes the ids of all literals there to FOUND, and gives their number; MOST_FOUND or more: it may be any.
 */
export function emitSearch(plan: Fingerprints | Hashes): Uint8Array<ArrayBuffer> {
  const isByHalves = plan.kind === 'fingerprints';
  const look = isByHalves ? ofBuckets(plan) : ofGroup(plan);
  const walk = (onLook: Code): Code => (isByHalves ? walkByHalves(plan, onLook) : walkByHashes(onLook));
  const count = wasm.set(COUNT, lookAt(wasm.get(COUNT)));
  const stopAtFirst = wasm.when(lookAt(wasm.constant(0)), wasm.giveBack(wasm.get(PLACE)));
  const tables = isByHalves ? plan.width * 2 : 0;
  const shape = { parameters: 2, integers: 5, vectors: 5 + tables };
  return wasm.wasmModule([
    { name: undefined, parameters: 4, integers: 1, vectors: 0, body: [...look, ...wasm.get(NUMBER)] },
    { name: 'find', ...shape, body: [...walk(stopAtFirst), ...wasm.constant(-1)] },
    { name: 'collect', ...shape, body: [...walk(count), ...wasm.get(COUNT)] },
  ]);
}

// ── the walk over the text ──

// Parameters and locals of `find` and `collect`.
const FROM = 0;
const TO = 1;
const AT = 2; // the first of several places
const LEFT = 3; // a bit for each of them that is still to be looked at
const PLACE = 4; // one of them
const WHICH = 5; // a bit for each bucket that might begin there, or the number of a group
const COUNT = 6; // how many were found
const MIGHT = 7; // the buckets of sixteen places
const BYTES = 8;
const LOW = 9; // their lower halves
const HIGH = 10;
const HALF = 11; // 15 in each byte
const TABLES = 12; // two for each place of the window: V8 keeps a local in a register, and makes a constant anew each time

function lookAt(count: Code): Code {
  return wasm.call(0, wasm.get(PLACE), wasm.get(TO), wasm.get(WHICH), count);
}

/** From `from` to `to`, `step` places at a time. */
function walk(step: number, ...body: readonly Code[]): Code {
  return [...wasm.set(AT, wasm.get(FROM)), ...wasm.walk(AT, TO, step, ...body)];
}

function walkByHalves(plan: Fingerprints, onLook: Code): Code {
  const closer = [
    wasm.storeVector(wasm.constant(SCRATCH), wasm.get(MIGHT)),
    wasm.set(LEFT, wasm.bitmask(wasm.notEqualBytes(wasm.get(MIGHT), wasm.splat(0)))),
    wasm.loop(
      wasm.set(PLACE, wasm.trailingZeros(wasm.get(LEFT))),
      wasm.set(WHICH, wasm.loadByte(wasm.get(PLACE), SCRATCH)),
      wasm.set(PLACE, wasm.add(wasm.get(AT), wasm.get(PLACE))),
      onLook,
      wasm.set(LEFT, wasm.and(wasm.get(LEFT), wasm.subtract(wasm.get(LEFT), wasm.constant(1)))),
      wasm.branchIf(0, wasm.get(LEFT)),
    ),
  ];
  return [
    ...wasm.set(HALF, wasm.splat(15)),
    ...layTables(plan),
    ...walk(16, wasm.set(MIGHT, mightBegin(plan)), wasm.when(wasm.hasAny(wasm.get(MIGHT)), ...closer)),
  ];
}

function layTables({ buckets, width }: Fingerprints): Code {
  return Array.from({ length: width }, (_, place) => {
    const { low, high } = tablesAt(buckets, place);
    return [
      ...wasm.set(TABLES + place * 2, wasm.bytes16(low)),
      ...wasm.set(TABLES + place * 2 + 1, wasm.bytes16(high)),
    ];
  }).flat();
}

/** A byte for each of sixteen places, a bit for each bucket. */
function mightBegin({ width }: Fingerprints): Code {
  const places = Array.from({ length: width }, (_, place): Code => {
    return [
      ...wasm.set(BYTES, wasm.loadVector(wasm.get(AT), place)),
      ...wasm.set(LOW, wasm.andVectors(wasm.get(BYTES), wasm.get(HALF))),
      ...wasm.set(HIGH, wasm.andVectors(wasm.shiftRight16(wasm.get(BYTES), 4), wasm.get(HALF))),
      ...wasm.andVectors(
        wasm.lookUp(wasm.get(TABLES + place * 2), wasm.get(LOW)),
        wasm.lookUp(wasm.get(TABLES + place * 2 + 1), wasm.get(HIGH)),
      ),
    ];
  });
  return places.reduce((all, next) => wasm.andVectors(all, next));
}

/** Places that are looked at in one round. */
const UNROLLED = 4;

function walkByHashes(onLook: Code): Code {
  const looks = Array.from({ length: UNROLLED }, (_, place): Code => {
    const key = wasm.or(wasm.loadFour(wasm.get(AT), place), wasm.constant(CASE));
    const hash = wasm.shiftRight(wasm.multiply(key, wasm.constant(FACTOR)), wasm.constant(32 - HASH_BITS));
    return [
      ...wasm.set(WHICH, wasm.loadByte(hash, TABLE)),
      ...wasm.when(wasm.get(WHICH), wasm.set(PLACE, wasm.add(wasm.get(AT), wasm.constant(place))), onLook),
    ];
  });
  return walk(UNROLLED, ...looks);
}

// ── the closer look at one place ──

// Parameters and local of the function that takes it; it gives back NUMBER and what it found.
const WINDOW_AT = 0;
const END = 1;
const ASKED = 2; // buckets or group
const NUMBER = 3;
const START = 4; // where a literal would begin

function ofBuckets({ buckets }: Fingerprints): Code {
  return buckets.flatMap((bucket, index) =>
    wasm.when(wasm.and(wasm.get(ASKED), wasm.constant(1 << index)), bucket.flatMap(compare)),
  );
}

function ofGroup({ groups }: Hashes): Code {
  return wasm.choose(
    wasm.subtract(wasm.get(ASKED), wasm.constant(1)),
    groups.map((group) => group.flatMap(compare)),
  );
}

/** Does the whole of a literal stand around the place, within the text? Then its id is noted. */
function compare({ literal, offset, id }: Placed): Code {
  const { bytes, masks } = folded(literal);
  // The window first: mostly that tells.
  const pieces = [
    ...piecesOf(offset, Math.min(bytes.length, offset + WINDOW)),
    ...piecesOf(0, offset),
    ...piecesOf(offset + WINDOW, bytes.length),
  ];
  const checks = pieces.map(([from, size, load]) => {
    const mask = littleEndian(masks.slice(from, from + size));
    const loaded = load(wasm.get(START), from);
    const value = mask === 0 ? loaded : wasm.or(loaded, wasm.constant(mask));
    return wasm.branchIf(
      0,
      wasm.notEqual(value, wasm.constant(littleEndian(bytes.slice(from, from + size)))),
    );
  });
  const slot = wasm.and(wasm.get(NUMBER), wasm.constant(MOST_FOUND - 1));
  return wasm.block(
    wasm.set(START, wasm.subtract(wasm.get(WINDOW_AT), wasm.constant(offset))),
    ...checks,
    wasm.branchIf(0, wasm.isLess(wasm.get(START), wasm.constant(TEXT))),
    wasm.branchIf(0, wasm.isMore(wasm.add(wasm.get(START), wasm.constant(bytes.length)), wasm.get(END))),
    wasm.storeFour(wasm.shiftLeft(slot, wasm.constant(2)), wasm.constant(id), FOUND),
    wasm.set(NUMBER, wasm.add(wasm.get(NUMBER), wasm.constant(1))),
  );
}

type Piece = readonly [from: number, size: number, load: (at: Code, offset?: number) => Code];

/** The bytes [from, to) of a literal as loads of four, two and one. */
function piecesOf(from: number, to: number): Piece[] {
  const pieces: Piece[] = [];
  let at = from;
  for (const [size, load] of LOADS) for (; at + size <= to; at += size) pieces.push([at, size, load]);
  return pieces;
}

const LOADS = [
  [4, wasm.loadFour],
  [2, wasm.loadTwo],
  [1, wasm.loadByte],
] as const;

/** Letters of either case are compared in lower case: a byte with bit 32 set is a letter's only if the byte was. */
function folded({ bytes, fold }: Literal): { bytes: number[]; masks: number[] } {
  const all = [...Buffer.from(bytes, 'latin1')];
  const masks = all.map((byte) => (fold && isLetter(byte) ? 32 : 0));
  return { bytes: all.map((byte, index) => byte | masks[index]!), masks };
}

function littleEndian(bytes: readonly number[]): number {
  return bytes.reduceRight((value, byte) => (value << 8) | byte, 0);
}
