// Patterns → one program for all of them: steps that each take a byte, choose, look around, or note where an address stands.
// What it means is what V8's regexes mean: of several ways to fit, the first. Pure.
import { ANY, WORD, byteSet } from '../bytes.ts';
import type { ByteSet } from '../bytes.ts';
import { ADDRESS } from '../placeholders.ts';
import type { Node } from '../tree.ts';

/** What a step does. */
export const TAKE = 0; // takes a byte of `sets`, and goes on at `next`
export const FORK = 1; // goes on at `next`; where that doesn't fit, at `other`
export const LOOK = 2; // goes on at `next` where what `other` says is so here
export const NOTE = 3; // an address begins here (`other` 0), or ends (1)
export const FITS = 4; // the pattern fits, whatever follows

/** What a step may look at. */
export const AT_START = 0;
export const AT_END = 1;
export const AT_BOUNDARY = 2;
export const INSIDE = 3;

/** Steps by their numbers. */
export interface Program {
  readonly kinds: readonly number[];
  readonly next: readonly number[];
  readonly other: readonly number[];
  readonly sets: readonly (ByteSet | undefined)[];
  /** Whose a step is, by the pattern's place in the list. */
  readonly patterns: readonly number[];
  /** May an address have been noted before? */
  readonly isNoted: Uint8Array;
  /** Where each pattern begins, in their order. */
  readonly starts: readonly number[];
  /** Does it tell no more than whether one of them fits anywhere? */
  readonly isSearch: boolean;
  readonly hasBoundaries: boolean;
  /** Bytes that no step tells apart are of one class. */
  readonly classes: Uint8Array;
  /** One byte of each class. */
  readonly members: readonly number[];
}

/** More aren't worth their memory. */
const MOST_STEPS = 20_000;

const FOLDED = Array.from({ length: 256 }, (_, byte) => byteSet([[byte, byte]], true));
const SINGLE = Array.from({ length: 256 }, (_, byte) => byteSet([[byte, byte]]));
const ANYTHING = new Uint8Array(256).fill(1);

/**
 * @param isSearch is only to be told whether one of them fits, anywhere? Else which do, at the start.
 * @returns undefined where one of them can't be run so: it looks behind, or repeats what may be nothing.
 */
export function createProgram(patterns: readonly Node[], isSearch: boolean): Program | undefined {
  const kinds: number[] = [];
  const next: number[] = [];
  const other: number[] = [];
  const sets: (ByteSet | undefined)[] = [];
  const owners: number[] = [];
  let pattern = 0;
  let isSound = true;

  function step(kind: number, to: number, second = -1, set?: ByteSet): number {
    if (kinds.length >= MOST_STEPS) isSound = false;
    owners.push(pattern);
    next.push(to);
    other.push(second);
    sets.push(set);
    return kinds.push(kind) - 1;
  }

  /** The steps for a node, from the last to the first. @returns where they begin. */
  function emit(node: Node, then: number): number {
    if (!isSound) return then;
    switch (node.kind) {
      case 'byte':
        return step(TAKE, then, -1, (node.fold ? FOLDED : SINGLE)[node.byte]);
      case 'set':
        return step(TAKE, then, -1, node.set);
      case 'cat':
        return node.parts.reduceRight((to, part) => emit(part, to), then);
      case 'alt':
        return node.options
          .map((option) => emit(option, then))
          .reduceRight((rest, begin) => step(FORK, begin, rest));
      case 'repeat':
        return emitRepeat(node, then);
      case 'capture':
        if (node.name !== ADDRESS || isSearch) return emit(node.body, then);
        return step(NOTE, emit(node.body, step(NOTE, then, 1)), 0);
      case 'start':
        return step(LOOK, then, AT_START);
      case 'end':
        return step(LOOK, then, AT_END);
      case 'boundary':
        return step(LOOK, then, AT_BOUNDARY);
      case 'inside':
        return step(LOOK, then, INSIDE);
      default:
        isSound = false;
        return then;
    }
  }

  function emitRepeat({ body, min, max, lazy }: Node & { kind: 'repeat' }, then: number): number {
    const fork = (inside: number, behind: number): number =>
      lazy ? step(FORK, behind, inside) : step(FORK, inside, behind);
    let to = then;
    if (max === Infinity) {
      if (mayBeNothing(body)) isSound = false;
      to = fork(-1, then);
      const inside = emit(body, to);
      if (lazy) other[to] = inside;
      else next[to] = inside;
    } else for (let count = min; isSound && count < max; count++) to = fork(emit(body, to), then);
    for (let count = 0; isSound && count < min; count++) to = emit(body, to);
    return to;
  }

  const starts = patterns.map((node, index) => {
    pattern = index;
    const fits = step(FITS, -1, -1, ANYTHING);
    next[fits] = fits;
    const begin = emit(node, fits);
    if (!isSearch) return begin;
    const again = step(FORK, begin, -1);
    other[again] = step(TAKE, again, -1, ANYTHING);
    return again;
  });
  if (!isSound) return undefined;
  const hasBoundaries = kinds.some((kind, at) => kind === LOOK && other[at]! >= AT_BOUNDARY);
  const { classes, members } = classesOf(new Set([...sets, ...(hasBoundaries ? [WORD] : [])]));
  const isNoted = notedBehind(kinds, next, other);
  return {
    ...{
      kinds,
      next,
      other,
      sets,
      patterns: owners,
      isNoted,
      starts,
      isSearch,
      hasBoundaries,
      classes,
      members,
    },
  };
}

function mayBeNothing(node: Node): boolean {
  switch (node.kind) {
    case 'byte':
    case 'set':
      return false;
    case 'cat':
      return node.parts.every(mayBeNothing);
    case 'alt':
      return node.options.some(mayBeNothing);
    case 'repeat':
      return node.min === 0 || mayBeNothing(node.body);
    case 'capture':
      return mayBeNothing(node.body);
    default:
      return true;
  }
}

/** Bytes are parted by each set in turn. */
function classesOf(sets: ReadonlySet<ByteSet | undefined>): {
  readonly classes: Uint8Array;
  readonly members: readonly number[];
} {
  const classes = new Uint8Array(256);
  let members: number[] = [0];
  // A line feed is in no set but of a class of its own: behind a message that was cut stands one.
  for (const set of [ANY, ...sets]) {
    if (!set) continue;
    const parts = new Int16Array(members.length * 2).fill(-1);
    members = [];
    for (let byte = 0; byte < 256; byte++) {
      const part = classes[byte]! * 2 + set[byte]!;
      if (parts[part]! < 0) parts[part] = members.push(byte) - 1;
      classes[byte] = parts[part]!;
    }
  }
  return { classes, members };
}

/** Which steps come behind one that notes. */
function notedBehind(
  kinds: readonly number[],
  next: readonly number[],
  other: readonly number[],
): Uint8Array {
  const isNoted = new Uint8Array(kinds.length);
  const open = kinds.flatMap((kind, at) => (kind === NOTE ? [next[at]!] : []));
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (isNoted[at] === 1) continue;
    isNoted[at] = 1;
    open.push(next[at]!);
    if (kinds[at] === FORK) open.push(other[at]!);
  }
  return isNoted;
}
