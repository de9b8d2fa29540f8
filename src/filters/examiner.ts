// One line before those of a scanner's filters that it may concern.
import type { Match } from '../model.ts';
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
      opened[group] = groups[group]!.open(text, start, end, around.arrivedAt);
      openFor[group] = now;
    }
    const { engine, relay } = filters[index]!;
    const verdict = examineFramed(engine, relay, opened[group], text, start, end, false, around);
    if (verdict.outcome === 'match' || verdict.outcome === 'success') visit(index, verdict.match);
    return verdict.outcome !== 'no-layout';
  }

  return {
    call(called) {
      for (const index of called) calledFor[index] = line;
    },
    callAll() {
      isForAll = true;
    },
    examine(text, start, end, around, visit) {
      const now = line;
      const all = isForAll;
      // First: whoever breaks on this line must not be called for the next one.
      line++;
      isForAll = false;
      let fits = false;
      for (let index = 0; index < filters.length; index++)
        if (all || calledFor[index] === now)
          if (isFramed(index, now, text, start, end, around, visit)) fits = true;
      for (let index = 0; !fits && !all && index < filters.length; index++)
        if (calledFor[index] !== now) fits = isFramed(index, now, text, start, end, around, visit);
      return fits;
    },
  };
}
