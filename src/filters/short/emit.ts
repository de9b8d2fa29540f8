// The plan of a reading → a WebAssembly module that reads one line after the other into rows of numbers. Pure.
import { LONGEST_LINE } from '../access.ts';
import { OTHERS } from '../search/emit.ts';
import type { Step } from '../logformat.ts';
import { BEGIN, FAMILY, ROW, SECOND, WORDS } from '../../short-run.ts';
import * as wasm from '../../wasm.ts';
import type { Code } from '../../wasm.ts';
import { emitIPv4, emitIPv6 } from './address.ts';
import type { Extent, PlainSection, ReadingPlan } from './plan.ts';

// Where what stands in the memory; all but the rows is handed in.
/** Groups of an IPv6 address. */
const SCRATCH = OTHERS;
/** Bytes of a stamp: how many there are, which of them are the seconds, and of the others those that must stand there. */
export const STAMP_LENGTH = OTHERS + 32;
export const SECONDS_AT = OTHERS + 36;
/** Where the line begins at which the program stopped. */
export const STOPPED_AT = OTHERS + 40;
export const STAMP = OTHERS + 64;
export const STAMP_MASK = OTHERS + 96;
/** Longer stamps are never read so. */
export const LONGEST_STAMP = 32;
export const ROWS = OTHERS + 128;
export const MOST_ROWS = 1024;

const VECTOR = 16;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const ZERO = 48;
const BACKSLASH = 92;

const IPV4 = 0;
const IPV6 = 1;
const LINE = 2;

/**
 * `read(from, limit)` reads the lines that begin at `from` and before `limit`, as far as it is sure of them and they end at
 * `limit` or before, at most MOST_ROWS; it leaves at STOPPED_AT where the next one begins, and gives the number of rows. Lines
 * that are empty leave none. At `limit`, or behind it, there must be a line feed.
 */
export function emitReading(plan: ReadingPlan): Uint8Array<ArrayBuffer> {
  return wasm.wasmModule([emitIPv4(), emitIPv6(IPV4, SCRATCH), emitLine(plan), emitRead()]);
}

const fail = wasm.giveBack(wasm.constant(0));
const byteIs = (at: Code, byte: number, offset = 0): Code =>
  wasm.isEqual(wasm.loadByte(at, offset), wasm.constant(byte));
const plus = (local: number, value: number): Code => wasm.add(wasm.get(local), wasm.constant(value));

// ── line after line ──

function emitRead(): wasm.WasmFunction {
  const FROM = 0;
  const LIMIT = 1;
  const FEED = 2; // where the line's line feed stands
  const END = 3; // where its text ends
  const OUT = 4;
  const MASK = 5;
  const stop = 1;
  const feeds = wasm.bitmask(wasm.equalBytes(wasm.loadVector(wasm.get(FEED)), wasm.splat(NEWLINE)));
  const body = [
    ...wasm.set(OUT, wasm.constant(ROWS)),
    ...wasm.block(
      wasm.loop(
        wasm.branchIf(stop, wasm.isAtLeast(wasm.get(FROM), wasm.get(LIMIT))),
        wasm.branchIf(stop, wasm.isEqual(wasm.get(OUT), wasm.constant(ROWS + MOST_ROWS * ROW * 4))),
        wasm.set(FEED, wasm.get(FROM)),
        wasm.block(
          wasm.loop(
            wasm.set(MASK, feeds),
            wasm.branchIf(1, wasm.get(MASK)),
            wasm.set(FEED, plus(FEED, VECTOR)),
            wasm.branch(0),
          ),
        ),
        wasm.set(FEED, wasm.add(wasm.get(FEED), wasm.trailingZeros(wasm.get(MASK)))),
        wasm.branchIf(stop, wasm.isMore(wasm.get(FEED), wasm.get(LIMIT))),
        wasm.set(END, wasm.get(FEED)),
        wasm.block(
          wasm.branchIf(0, wasm.isEqual(wasm.get(END), wasm.get(FROM))),
          wasm.set(
            END,
            wasm.subtract(wasm.get(END), byteIs(wasm.subtract(wasm.get(END), wasm.constant(1)), RETURN)),
          ),
          wasm.branchIf(0, wasm.isEqual(wasm.get(END), wasm.get(FROM))),
          wasm.branchIf(stop + 1, wasm.isZero(wasm.call(LINE, wasm.get(FROM), wasm.get(END), wasm.get(OUT)))),
          wasm.set(OUT, plus(OUT, ROW * 4)),
        ),
        wasm.set(FROM, plus(FEED, 1)),
        wasm.branch(0),
      ),
    ),
    ...wasm.storeFour(wasm.constant(0), wasm.get(FROM), STOPPED_AT),
    ...wasm.shiftRight(wasm.subtract(wasm.get(OUT), wasm.constant(ROWS)), wasm.constant(5)),
  ];
  return { name: 'read', parameters: 2, integers: 4, vectors: 0, body };
}

// ── one line ──

// Parameters and locals of the function that reads it: it gives 1 where it is sure, else 0, and what it wrote says nothing.
const START = 0;
const END = 1;
const OUT = 2;
const AT = 3; // how far it is read
const FIRST = 4; // where what is free begins in a section
const GUARD = 5; // where the section ends
const FOUND = 6; // a bit for each of sixteen bytes that is looked for; the family of the address
const ADDRESS_FROM = 7;
const ADDRESS_TO = 8;
const TIME_FROM = 9;
const TIME_TO = 10;
const DIGIT = 11;
const BYTES = 12;

function emitLine(plan: ReadingPlan): wasm.WasmFunction {
  const bounds = (slot: number, from: Code, to: Code): Code => [
    ...(slot === plan.addressSlot ? [...wasm.set(ADDRESS_FROM, from), ...wasm.set(ADDRESS_TO, to)] : []),
    ...(slot === plan.timeSlot ? [...wasm.set(TIME_FROM, from), ...wasm.set(TIME_TO, to)] : []),
  ];
  const lineLength = wasm.subtract(wasm.get(END), wasm.get(START));
  const { guard } = plan.sections.at(-1)!;
  const isOver = wasm.isEqual(wasm.get(AT), wasm.get(END));
  // Behind a closing quote a longer format may go on.
  const goesOn = wasm.or(isOver, byteIs(wasm.get(AT), SPACE));
  const body = [
    ...wasm.when(wasm.isMore(lineLength, wasm.constant(LONGEST_LINE)), fail),
    ...wasm.set(AT, wasm.get(START)),
    ...plan.sections.flatMap((section) => readSection(section, plan.hasEscapes, bounds)),
    ...(plan.isWhole ? wasm.when(wasm.isZero(guard < 0 ? isOver : goesOn), fail) : []),
    ...readAddress(),
    ...readStamp(),
    ...wasm.storeFour(wasm.get(OUT), wasm.get(START), BEGIN * 4),
    ...wasm.constant(1),
  ];
  return { name: undefined, parameters: 3, integers: 9, vectors: 1, body };
}

type Bounds = (slot: number, from: Code, to: Code) => Code;

/** `readSection` of access.ts; where that would look at an escape or an empty pair of quotes, it is not sure. */
function readSection(
  { left, free, right, guard, mayBePair }: PlainSection,
  hasEscapes: boolean,
  bounds: Bounds,
): Code {
  const forwards = left.flatMap((step) => readForwards(step, bounds));
  if (free === undefined) {
    if (guard < 0) return forwards;
    const missing = wasm.or(
      wasm.isAtLeast(wasm.get(AT), wasm.get(END)),
      wasm.isZero(byteIs(wasm.get(AT), guard)),
    );
    return [...forwards, ...wasm.when(missing, fail), ...wasm.set(AT, plus(AT, 1))];
  }
  // What is free is read backwards from the guard: AT goes there and back.
  const backwards = right.flatMap((step) => readBackwards(step, bounds));
  return [
    ...forwards,
    ...wasm.set(FIRST, wasm.get(AT)),
    ...(mayBePair ? wasm.when(byteIs(wasm.get(FIRST), QUOTE), fail) : []),
    ...(guard < 0 ? wasm.set(GUARD, wasm.get(END)) : findGuard(guard, hasEscapes)),
    ...wasm.set(AT, wasm.get(GUARD)),
    ...backwards,
    ...free.flatMap((slot) => bounds(slot, wasm.get(FIRST), wasm.get(AT))),
    ...wasm.set(AT, guard < 0 ? wasm.get(GUARD) : plus(GUARD, 1)),
  ];
}

/** The first guard at FIRST or behind it. */
function findGuard(guard: number, hasEscapes: boolean): Code {
  const guards = wasm.bitmask(wasm.equalBytes(wasm.loadVector(wasm.get(GUARD)), wasm.splat(guard)));
  const isEscaped = wasm.and(
    wasm.isMore(wasm.get(GUARD), wasm.get(FIRST)),
    byteIs(wasm.subtract(wasm.get(GUARD), wasm.constant(1)), BACKSLASH),
  );
  return [
    ...wasm.set(GUARD, wasm.get(FIRST)),
    ...wasm.block(
      wasm.loop(
        wasm.set(FOUND, guards),
        wasm.branchIf(1, wasm.get(FOUND)),
        wasm.set(GUARD, plus(GUARD, VECTOR)),
        wasm.branchIf(0, wasm.isLess(wasm.get(GUARD), wasm.get(END))),
        fail,
      ),
    ),
    ...wasm.set(GUARD, wasm.add(wasm.get(GUARD), wasm.trailingZeros(wasm.get(FOUND)))),
    ...wasm.when(wasm.isAtLeast(wasm.get(GUARD), wasm.get(END)), fail),
    ...(hasEscapes ? wasm.when(isEscaped, fail) : []),
  ];
}

/** From AT, to where AT is then. */
function readForwards(step: Step, bounds: Bounds): Code {
  if (step.kind === 'text') return [...stands(step.text), ...wasm.set(AT, plus(AT, step.text.length))];
  if (step.kind === 'fixed')
    return [
      ...wasm.when(wasm.isMore(plus(AT, step.length), wasm.get(END)), fail),
      ...bounds(step.slot, wasm.get(AT), plus(AT, step.length)),
      ...wasm.set(AT, plus(AT, step.length)),
    ];
  return [
    ...wasm.set(FIRST, wasm.get(AT)),
    ...passRun(step.characters),
    ...bounds(step.slot, wasm.get(FIRST), wasm.get(AT)),
  ];
}

/** From what ends at AT to where it begins, where AT is then; never before FIRST. */
function readBackwards(step: Extent, bounds: Bounds): Code {
  const length = step.kind === 'text' ? step.text.length : step.length;
  return [
    ...wasm.set(AT, plus(AT, -length)),
    ...wasm.when(wasm.isLess(wasm.get(AT), wasm.get(FIRST)), fail),
    ...(step.kind === 'text' ? stands(step.text) : bounds(step.slot, wasm.get(AT), plus(AT, length))),
  ];
}

/** Fails where the text does not begin at AT. As there is no line end in it, it ends within the line. */
function stands(text: Uint8Array): Code {
  const code: number[] = [];
  for (let at = 0; at < text.length;) {
    const size = text.length - at >= 4 ? 4 : text.length - at >= 2 ? 2 : 1;
    const load = size === 4 ? wasm.loadFour : size === 2 ? wasm.loadTwo : wasm.loadByte;
    const value = text.subarray(at, at + size).reduceRight((all, byte) => (all << 8) | byte, 0);
    code.push(...wasm.when(wasm.notEqual(load(wasm.get(AT), at), wasm.constant(value)), fail));
    at += size;
  }
  return code;
}

/**
 * AT goes behind all of these characters that stand there. Whether a byte is one of them is told for sixteen at a time: by its
 * lower half a table has a bit for each upper half with which it is one. A line end is none.
 */
function passRun(characters: Uint8Array): Code {
  const halves = Array.from({ length: 16 }, (_, half) => half);
  const uppers = halves.slice(0, 8);
  const low = halves.map((lower) =>
    uppers.reduce((bits, upper) => bits | ((characters[upper * 16 + lower] ?? 0) << upper), 0),
  );
  const high = halves.map((upper) => (upper < 8 ? 1 << upper : 0));
  const half = wasm.splat(15);
  const areMembers = wasm.andVectors(
    wasm.lookUp(wasm.bytes16(low), wasm.andVectors(wasm.get(BYTES), half)),
    wasm.lookUp(wasm.bytes16(high), wasm.andVectors(wasm.shiftRight16(wasm.get(BYTES), 4), half)),
  );
  return [
    ...wasm.block(
      wasm.loop(
        wasm.set(BYTES, wasm.loadVector(wasm.get(AT))),
        wasm.set(FOUND, wasm.bitmask(wasm.equalBytes(areMembers, wasm.splat(0)))),
        wasm.branchIf(1, wasm.get(FOUND)),
        wasm.set(AT, plus(AT, VECTOR)),
        wasm.branch(0),
      ),
    ),
    ...wasm.set(AT, wasm.add(wasm.get(AT), wasm.trailingZeros(wasm.get(FOUND)))),
  ];
}

function readAddress(): Code {
  const read = (reader: number): Code =>
    wasm.set(FOUND, wasm.call(reader, wasm.get(ADDRESS_FROM), wasm.get(ADDRESS_TO), plus(OUT, WORDS * 4)));
  return [
    ...read(IPV4),
    ...wasm.when(wasm.isZero(wasm.get(FOUND)), read(IPV6), wasm.when(wasm.isZero(wasm.get(FOUND)), fail)),
    ...wasm.storeFour(wasm.get(OUT), wasm.get(FOUND), FAMILY * 4),
  ];
}

/** The seconds of a stamp that is as the one that was handed in but for these; of another one it is not sure. */
function readStamp(): Code {
  const given = (at: number): Code => wasm.loadFour(wasm.constant(0), at);
  const differs = (offset: number): Code =>
    wasm.hasAny(
      wasm.andVectors(
        wasm.xorVectors(
          wasm.loadVector(wasm.get(TIME_FROM), offset),
          wasm.loadVector(wasm.constant(0), STAMP + offset),
        ),
        wasm.loadVector(wasm.constant(0), STAMP_MASK + offset),
      ),
    );
  const readDigit = (offset: number, most: number): Code => [
    ...wasm.set(DIGIT, wasm.subtract(wasm.loadByte(wasm.get(AT), offset), wasm.constant(ZERO))),
    ...wasm.when(wasm.isMoreUnsigned(wasm.get(DIGIT), wasm.constant(most)), fail),
  ];
  return [
    ...wasm.when(
      wasm.notEqual(wasm.subtract(wasm.get(TIME_TO), wasm.get(TIME_FROM)), given(STAMP_LENGTH)),
      fail,
    ),
    ...wasm.when(differs(0), fail),
    ...wasm.when(differs(VECTOR), fail),
    ...wasm.set(AT, wasm.add(wasm.get(TIME_FROM), given(SECONDS_AT))),
    ...readDigit(0, 5),
    ...wasm.set(FIRST, wasm.multiply(wasm.get(DIGIT), wasm.constant(10))),
    ...readDigit(1, 9),
    ...wasm.storeFour(wasm.get(OUT), wasm.add(wasm.get(FIRST), wasm.get(DIGIT)), SECOND * 4),
  ];
}
