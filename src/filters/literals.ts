// Which literal any match of a pattern must hold, so that one search over a whole chunk finds the lines worth a look. Pure.
import type { Node } from './tree.ts';

export interface Literal {
  /** latin1: one byte, one character; lower case where `fold`. */
  readonly bytes: string;
  /** Letters stand for both cases. */
  readonly fold: boolean;
}

/** Shorter ones stand in nearly every line. */
const SHORTEST = 3;
/** More alternatives cost more than they save. */
const MOST = 40;

/**
 * Literals of which every text that the pattern matches holds at least one.
 * @returns undefined where there are none that would help.
 */
export function requiredLiterals(node: Node): readonly Literal[] | undefined {
  return usable(analyse(node).required);
}

/** The same literals, or undefined where a search for them would find nearly every line, or cost too much. */
export function usable(literals: readonly Literal[] | undefined): readonly Literal[] | undefined {
  return literals && worth(literals) >= SHORTEST && literals.length <= MOST ? literals : undefined;
}

/** One set of literals for several patterns: what any of them requires. undefined as soon as one requires none. */
export function anyOf(sets: readonly (readonly Literal[] | undefined)[]): readonly Literal[] | undefined {
  const all: Literal[] = [];
  for (const set of sets) {
    if (!set) return undefined;
    all.push(...set);
  }
  return withoutCovered(all);
}

interface Analysis {
  /** Where the node matches exactly one text. */
  readonly exact: Literal | undefined;
  readonly required: readonly Literal[] | undefined;
}

const NOTHING: Analysis = { exact: undefined, required: undefined };
const EMPTY: Literal = { bytes: '', fold: false };

function analyse(node: Node): Analysis {
  switch (node.kind) {
    case 'byte': {
      const character = String.fromCharCode(node.byte);
      return exactly({ bytes: node.fold ? character.toLowerCase() : character, fold: node.fold });
    }
    case 'cat':
      return analyseSequence(node.parts);
    case 'alt':
      return { exact: undefined, required: anyOfBest(node.options.map(analyse)) };
    case 'capture':
      return analyse(node.body);
    case 'repeat': {
      if (node.min === 0) return NOTHING;
      const body = analyse(node.body);
      return node.min === 1 && node.max === 1 ? body : { exact: undefined, required: body.required };
    }
    // These take no room: what stands before and behind them is adjacent.
    case 'start':
    case 'end':
    case 'boundary':
    case 'inside':
    case 'look':
      return exactly(EMPTY);
    default:
      return NOTHING;
  }
}

function analyseSequence(parts: readonly Node[]): Analysis {
  let run = EMPTY;
  let whole = true;
  let best: readonly Literal[] | undefined;
  for (const part of parts) {
    const { exact, required } = analyse(part);
    if (exact) {
      run = joined(run, exact);
      continue;
    }
    whole = false;
    best = better(better(best, literalsOf(run)), required);
    run = EMPTY;
  }
  return { exact: whole ? run : undefined, required: better(best, literalsOf(run)) };
}

function exactly(literal: Literal): Analysis {
  return { exact: literal, required: literalsOf(literal) };
}

function literalsOf(literal: Literal): readonly Literal[] | undefined {
  return literal.bytes === '' ? undefined : [literal];
}

function joined(a: Literal, b: Literal): Literal {
  const fold = a.fold || b.fold;
  const bytes = a.bytes + b.bytes;
  return { bytes: fold ? bytes.toLowerCase() : bytes, fold };
}

function anyOfBest(options: readonly Analysis[]): readonly Literal[] | undefined {
  const sets = options.map((option) => option.required);
  return sets.every((set) => set !== undefined) ? sets.flat() : undefined;
}

/** Of two sets the one whose shortest literal is longer, or that has fewer. */
export function better(
  a: readonly Literal[] | undefined,
  b: readonly Literal[] | undefined,
): readonly Literal[] | undefined {
  if (!a || !b) return a ?? b;
  const difference = worth(b) - worth(a);
  return difference > 0 || (difference === 0 && b.length < a.length) ? b : a;
}

function worth(literals: readonly Literal[]): number {
  return Math.min(Infinity, ...literals.map((literal) => literal.bytes.length));
}

/** Leaves out literals that hold another one: wherever they are found, that one is. */
function withoutCovered(literals: readonly Literal[]): readonly Literal[] {
  const sorted = literals.toSorted((a, b) => a.bytes.length - b.bytes.length);
  const kept: Literal[] = [];
  for (const literal of sorted) if (!kept.some((shorter) => covers(shorter, literal))) kept.push(literal);
  return kept;
}

function covers(shorter: Literal, longer: Literal): boolean {
  if (shorter.fold) return longer.bytes.toLowerCase().includes(shorter.bytes);
  return !longer.fold && longer.bytes.includes(shorter.bytes);
}
