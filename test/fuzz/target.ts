// What is fuzzed: a parser, what it is fed with, and what must hold of what comes out.

export interface Target {
  readonly name: string;
  /** What must hold, in a sentence. */
  readonly holds: string;
  /** Texts to begin with, latin1: one byte one character. */
  readonly seeds: readonly string[];
  /** Words that the parser knows, for the mutations. */
  readonly words: readonly string[];
  /** No input is longer, in bytes; default {@link LONGEST}. */
  readonly longest?: number;
  /**
   * Most blocks of src/ that may run for each byte of an input, {@link BASE_BYTES} added to its length; default
   * {@link STEPS_PER_BYTE}. What grows faster than its input breaks it, for inputs are pumped up to `longest`.
   */
  readonly stepsPerByte?: number;
  /** The part of the inputs that `--runs` asks for: fewer for a slow one; default 1. */
  readonly share?: number;
  /** Feeds the parser. @throws where something doesn't hold. */
  run(input: string): void | Promise<void>;
  /** Lets go of what it holds. */
  close?(): void | Promise<void>;
}

export const LONGEST = 4_096;
export const STEPS_PER_BYTE = 60;
/** What an empty input takes is as if it were so long. */
export const BASE_BYTES = 100;

/** @throws an error that says what doesn't hold. */
export function holds(condition: boolean, what: string, ...facts: unknown[]): asserts condition {
  if (!condition) throw new Error(`${what}: ${facts.map((fact) => JSON.stringify(fact)).join(', ')}`);
}

/** Two values that must be the same as JSON has them. */
export function same(found: unknown, expected: unknown, what: string): void {
  holds(JSON.stringify(found) === JSON.stringify(expected), what, found, expected);
}
