// One line before those of a scanner's filters that it may concern.
import { createWords } from '../address-words.ts';
import type { Instant, Match } from '../model.ts';
import type { ShortMatch, Shortly } from './contract.ts';
import type { EngineFilter, Framing, Surroundings } from './engine.ts';
import { examineFramed } from './frames.ts';

/** Filters are called for by their index, then the line is shown to them; with that they are dismissed. */
export interface Examiner {
  call(filters: readonly number[]): void;
  callAll(): void;
  /**
   * Runs the filters that were called for on the line [start, end), in their order. Lines are opened once for all that frame
   * alike.
   * @returns whether the line is of the form that any of the scanner's filters expects. Where it is not of the form of
   *   those that were called for, the others are asked, which can't match.
   */
  examine(
    text: string,
    start: number,
    end: number,
    around: Surroundings,
    visit: (filter: number, match: Match) => void,
  ): boolean;
  /**
   * The same in short, of the line [start, end) among bytes, as far as that goes: who has said all there is to say isn't asked
   * by the `examine` that must follow where it returns false.
   * @returns whether everybody who was called for has, and the line is of the form that they expect.
   */
  examineShort(bytes: Buffer, start: number, end: number, arrivedAt: Instant, shortly: Shortly): boolean;
}

export function createExaminer(filters: readonly EngineFilter[]): Examiner {
  const framings = new Map<string, Framing<unknown>>();
  for (const { engine } of filters)
    if (!framings.has(engine.framing.key)) framings.set(engine.framing.key, engine.framing);
  const keys = [...framings.keys()];
  const groups = [...framings.values()];
  const groupOf = filters.map(({ engine }) => keys.indexOf(engine.framing.key));
  const opened: unknown[] = groups.map(() => undefined);
  /** Numbers of lines: the one that each filter was called for, and for which each framing is open. */
  let line = 1;
  const calledFor = new Float64Array(filters.length);
  const openFor = new Float64Array(groups.length);
  let isForAll = false;
  /** The same in short: lines that are open without a text, and who has said all of which. */
  const openedShort: unknown[] = groups.map(() => undefined);
  const openShortFor = new Float64Array(groups.length);
  const settledFor = new Float64Array(filters.length);
  const found: ShortMatch = { address: createWords(), at: 0 };

  function isFramed(
    index: number,
    now: number,
    text: string,
    start: number,
    end: number,
    around: Surroundings,
    visit: (filter: number, match: Match) => void,
  ): boolean {
    const group = groupOf[index]!;
    if (openFor[group] !== now) {
      opened[group] = groups[group]!.open(text, start, end, around.arrivedAt, around.among);
      openFor[group] = now;
    }
    const { engine, relay } = filters[index]!;
    const verdict = examineFramed(engine, relay, opened[group], text, start, end, false, around);
    if (verdict.outcome === 'match' || verdict.outcome === 'success') visit(index, verdict.match);
    return verdict.outcome !== 'no-layout';
  }

  function isSettled(
    index: number,
    now: number,
    bytes: Buffer,
    start: number,
    end: number,
    arrivedAt: Instant,
    shortly: Shortly,
  ): boolean {
    const short = filters[index]!.engine.short;
    if (!short || shortly.wanted[index] !== true) return false;
    const group = groupOf[index]!;
    if (openShortFor[group] !== now) {
      openedShort[group] = short.open(bytes, start, end, arrivedAt);
      openShortFor[group] = now;
    }
    const verdict = short.tell(openedShort[group], found);
    return verdict === 'no-match' || (verdict === 'match' && shortly.visit(index, start, found));
  }

  return {
    call(called) {
      for (const index of called) calledFor[index] = line;
    },
    callAll() {
      isForAll = true;
    },
    examineShort(bytes, start, end, arrivedAt, shortly) {
      const now = line;
      const all = isForAll;
      // First: whoever breaks on this line must not be called for the next one.
      line++;
      isForAll = false;
      let [isAnyone, areDone] = [false, true];
      for (let index = 0; index < filters.length; index++)
        if (all || calledFor[index] === now) {
          isAnyone = true;
          if (isSettled(index, now, bytes, start, end, arrivedAt, shortly)) settledFor[index] = now;
          else areDone = false;
        }
      if (isAnyone && areDone) return true;
      line = now;
      isForAll = all;
      return false;
    },
    examine(text, start, end, around, visit) {
      const now = line;
      const all = isForAll;
      // First: whoever breaks on this line must not be called for the next one.
      line++;
      isForAll = false;
      let fits = false;
      for (let index = 0; index < filters.length; index++)
        if (settledFor[index] === now) fits = true;
        else if (all || calledFor[index] === now)
          if (isFramed(index, now, text, start, end, around, visit)) fits = true;
      for (let index = 0; !fits && !all && index < filters.length; index++)
        if (calledFor[index] !== now) fits = isFramed(index, now, text, start, end, around, visit);
      return fits;
    },
  };
}
