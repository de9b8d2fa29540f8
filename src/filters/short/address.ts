// Addresses as WebAssembly: what `readWords` (src/address-words.ts) reads in JavaScript. Pure.
import * as wasm from '../../wasm.ts';
import type { Code } from '../../wasm.ts';

const DOT = 46;
const COLON = 58;
const ZERO = 48;
const LETTER_A = 97;
const LOWER = 32;
const SHORTEST_IPV4 = 7;
const LONGEST_IPV4 = 15;
const SHORTEST_IPV6 = 2;
const LONGEST_IPV6 = 45;
const GROUPS = 8;
const MAPPED = 0xffff;

const fail = wasm.giveBack(wasm.constant(0));

// Parameters of both: the address is [at, to); its four words are written to `out`. They give its family, 0 where it is none.
const AT = 0;
const TO = 1;
const OUT = 2;

const word = (index: number): number => index * 4;
const lengthBeyond = (least: number, most: number): Code =>
  wasm.isMoreUnsigned(
    wasm.subtract(wasm.subtract(wasm.get(TO), wasm.get(AT)), wasm.constant(least)),
    wasm.constant(most - least),
  );
const step = wasm.set(AT, wasm.add(wasm.get(AT), wasm.constant(1)));
const isOver = wasm.isAtLeast(wasm.get(AT), wasm.get(TO));
const isNot = (local: number, value: number): Code => wasm.notEqual(wasm.get(local), wasm.constant(value));
const count = (local: number): Code => wasm.set(local, wasm.add(wasm.get(local), wasm.constant(1)));

/** Four decimal numbers below 256 without leading zeros. */
export function emitIPv4(): wasm.WasmFunction {
  const ADDRESS = 3;
  const PART = 4;
  const DIGITS = 5; // of the part
  const PARTS = 6;
  const DIGIT = 7;
  const digit = [
    ...wasm.when(wasm.get(DIGITS), wasm.when(wasm.isZero(wasm.get(PART)), fail)),
    ...wasm.set(PART, wasm.add(wasm.multiply(wasm.get(PART), wasm.constant(10)), wasm.get(DIGIT))),
    ...wasm.when(wasm.isMore(wasm.get(PART), wasm.constant(255)), fail),
    ...count(DIGITS),
    ...step,
  ];
  const endOfPart = [
    ...wasm.when(wasm.isZero(wasm.get(DIGITS)), fail),
    ...wasm.set(ADDRESS, wasm.or(wasm.shiftLeft(wasm.get(ADDRESS), wasm.constant(8)), wasm.get(PART))),
    ...count(PARTS),
    ...wasm.set(PART, wasm.constant(0)),
    ...wasm.set(DIGITS, wasm.constant(0)),
  ];
  const body = [
    ...wasm.when(lengthBeyond(SHORTEST_IPV4, LONGEST_IPV4), fail),
    ...wasm.loop(
      wasm.block(
        wasm.branchIf(0, isOver),
        wasm.set(DIGIT, wasm.subtract(wasm.loadByte(wasm.get(AT)), wasm.constant(ZERO))),
        wasm.when(wasm.isMoreUnsigned(wasm.get(DIGIT), wasm.constant(9)), [
          ...wasm.when(isNot(DIGIT, DOT - ZERO), fail),
          ...wasm.branch(1),
        ]),
        digit,
        wasm.branch(1),
      ),
      // A dot, or the end, which is as good as one.
      endOfPart,
      wasm.when(wasm.isLess(wasm.get(AT), wasm.get(TO)), step, wasm.branch(1)),
    ),
    ...wasm.when(isNot(PARTS, 4), fail),
    ...wasm.storeVector(wasm.get(OUT), wasm.splat(0)),
    ...wasm.storeFour(wasm.get(OUT), wasm.get(ADDRESS)),
    ...wasm.constant(4),
  ];
  return { name: undefined, parameters: 3, integers: 5, vectors: 0, body };
}

/**
 * RFC 4291's spellings; `::ffff:192.0.2.7` is IPv4.
 * @param ipv4 the number of {@link emitIPv4}'s function.
 * @param scratch where eight groups of two bytes find room.
 */
export function emitIPv6(ipv4: number, scratch: number): wasm.WasmFunction {
  const COUNT = 3; // groups so far
  const GAP = 4; // before which group the zeros stand that `::` leaves out; -1: before none
  const GROUP = 5;
  const DIGITS = 6; // of the group
  const DIGIT = 7;
  const MISSING = 8;
  const INDEX = 9;
  const byte = (offset = 0): Code => wasm.loadByte(wasm.get(AT), offset);
  const isColon = (offset = 0): Code => wasm.isEqual(byte(offset), wasm.constant(COLON));
  const isDot = wasm.and(wasm.isLess(wasm.get(AT), wasm.get(TO)), wasm.isEqual(byte(), wasm.constant(DOT)));
  const two = (local: number): Code => wasm.shiftLeft(wasm.get(local), wasm.constant(1));
  /** Leaves the block that it stands in at the first character that is no digit. */
  const digits = wasm.loop(
    wasm.branchIf(1, isOver),
    wasm.set(DIGIT, wasm.subtract(byte(), wasm.constant(ZERO))),
    wasm.when(
      wasm.isMoreUnsigned(wasm.get(DIGIT), wasm.constant(9)),
      wasm.set(DIGIT, wasm.subtract(wasm.or(byte(), wasm.constant(LOWER)), wasm.constant(LETTER_A))),
      wasm.branchIf(2, wasm.isMoreUnsigned(wasm.get(DIGIT), wasm.constant(5))),
      wasm.set(DIGIT, wasm.add(wasm.get(DIGIT), wasm.constant(10))),
    ),
    wasm.set(GROUP, wasm.or(wasm.shiftLeft(wasm.get(GROUP), wasm.constant(4)), wasm.get(DIGIT))),
    count(DIGITS),
    step,
    wasm.branch(0),
  );
  const note = (value: Code): Code => [...wasm.storeTwo(two(COUNT), value, scratch), ...count(COUNT)];
  const tail = wasm.loadFour(wasm.get(OUT));
  /** What looked like a group is the first part of an IPv4 address, with which this one ends. */
  const ipv4Tail = [
    ...wasm.when(wasm.isMore(wasm.get(COUNT), wasm.constant(GROUPS - 2)), fail),
    ...wasm.when(
      wasm.isZero(
        wasm.call(ipv4, wasm.subtract(wasm.get(AT), wasm.get(DIGITS)), wasm.get(TO), wasm.get(OUT)),
      ),
      fail,
    ),
    ...note(wasm.shiftRight(tail, wasm.constant(16))),
    ...note(tail),
  ];
  const group = [
    ...wasm.when(
      wasm.isMoreUnsigned(wasm.subtract(wasm.get(DIGITS), wasm.constant(1)), wasm.constant(3)),
      fail,
    ),
    ...wasm.when(wasm.isEqual(wasm.get(COUNT), wasm.constant(GROUPS)), fail),
    ...note(wasm.get(GROUP)),
  ];
  /** The place of a group among the words: each is written with its last byte first, and of its two groups the second one is. */
  const place = wasm.add(
    wasm.get(OUT),
    wasm.shiftLeft(
      wasm.xor(
        wasm.add(
          wasm.get(INDEX),
          wasm.multiply(wasm.get(MISSING), wasm.isAtLeast(wasm.get(INDEX), wasm.get(GAP))),
        ),
        wasm.constant(1),
      ),
      wasm.constant(1),
    ),
  );
  const wordIsNot = (index: number, value: number): Code =>
    wasm.notEqual(wasm.loadFour(wasm.get(OUT), word(index)), wasm.constant(value));
  const asIPv4 = wasm.block(
    wasm.branchIf(0, wordIsNot(0, 0)),
    wasm.branchIf(0, wordIsNot(1, 0)),
    wasm.branchIf(0, wordIsNot(2, MAPPED)),
    wasm.storeFour(wasm.get(OUT), wasm.loadFour(wasm.get(OUT), word(3))),
    wasm.storeFour(wasm.get(OUT), wasm.constant(0), word(2)),
    wasm.storeFour(wasm.get(OUT), wasm.constant(0), word(3)),
    wasm.giveBack(wasm.constant(4)),
  );
  const body = [
    ...wasm.when(lengthBeyond(SHORTEST_IPV6, LONGEST_IPV6), fail),
    ...wasm.set(GAP, wasm.constant(-1)),
    ...wasm.when(
      isColon(),
      wasm.when(wasm.isZero(isColon(1)), fail),
      wasm.set(GAP, wasm.constant(0)),
      step,
      step,
    ),
    ...wasm.block(
      wasm.loop(
        wasm.branchIf(1, isOver),
        wasm.set(GROUP, wasm.constant(0)),
        wasm.set(DIGITS, wasm.constant(0)),
        wasm.block(digits),
        wasm.when(isDot, ipv4Tail, wasm.branch(2)),
        group,
        wasm.branchIf(1, isOver),
        wasm.when(wasm.isZero(isColon()), fail),
        step,
        wasm.when(isOver, fail),
        wasm.when(isColon(), wasm.when(isNot(GAP, -1), fail), wasm.set(GAP, wasm.get(COUNT)), step),
        wasm.branch(0),
      ),
    ),
    ...wasm.set(MISSING, wasm.subtract(wasm.constant(GROUPS), wasm.get(COUNT))),
    // `::` stands for one group at least, and without it there must be eight.
    ...wasm.when(wasm.isEqual(wasm.isZero(wasm.get(MISSING)), isNot(GAP, -1)), fail),
    ...wasm.storeVector(wasm.get(OUT), wasm.splat(0)),
    ...wasm.set(INDEX, wasm.constant(0)),
    ...wasm.walk(INDEX, COUNT, 1, wasm.storeTwo(place, wasm.loadTwo(two(INDEX), scratch))),
    ...asIPv4,
    ...wasm.constant(6),
  ];
  return { name: undefined, parameters: 3, integers: 7, vectors: 0, body };
}
