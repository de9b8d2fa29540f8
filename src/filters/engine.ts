// What a compiled filter is inside this room: `judge` runs it on one line, a scanner runs many over a chunk.
import type { Instant } from '../model.ts';
import type { Filter, LineVerdict } from './contract.ts';
import type { Literal } from './literals.ts';

/**
 * How lines are framed. A line that is open is shared by all engines of a scanner with the same `key`;
 * opening the next one ends it.
 */
export interface Framing<L> {
  readonly key: string;
  /** @returns undefined where the line is not of this layout. */
  open(text: string, start: number, end: number, arrivedAt: Instant): L | undefined;
}

/** Told of what is wrong while a filter is compiled, and whose it is: the filter file's, or the jail's options'. */
export type Report = (whose: 'filter' | 'jail', code: string, message: string, hint?: string) => void;

/** A filter as it runs. `L` is the open line of its framing. */
export interface Engine<L> {
  readonly framing: Framing<L>;
  /** Every line that is a match holds one of these; undefined: every line must be looked at. */
  readonly literals: readonly Literal[] | undefined;
  readonly misfit: LineVerdict;
  /** @param explains false where only matches matter: then an excepted line may be reported as no match, which is quicker. */
  examine(line: L, start: number, end: number, explains: boolean): LineVerdict;
}

/** Every Filter of this room is one; see {@link engineOf}. */
export interface EngineFilter extends Filter {
  readonly engine: Engine<unknown>;
}

/** @throws TypeError for a filter that compileFilter did not make. */
export function engineOf(filter: Filter): Engine<unknown> {
  if ('engine' in filter) return (filter as EngineFilter).engine;
  throw new TypeError(`the filter ${filter.definition.name} was not made by compileFilter`);
}
