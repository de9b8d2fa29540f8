// Lines of an access log that only count, read many at a time by a program in the memory of the search. What it isn't sure of is
// read by access.ts, line by line.
import { DAY } from '../access.ts';
import type { Reading } from '../engine.ts';
import { TEXT } from '../search/emit.ts';
import type { SearchRoom } from '../search/room.ts';
import type { Instant } from '../../model.ts';
import { beginOf } from '../../short-run.ts';
import type { ShortRun } from '../../short-run.ts';
import {
  LONGEST_STAMP,
  ROWS,
  SECONDS_AT,
  STAMP,
  STAMP_LENGTH,
  STAMP_MASK,
  STOPPED_AT,
  emitReading,
} from './emit.ts';

/** Told of a run, whose `first` it moves on. */
export type OnRun = (run: ShortRun) => void;

export interface ShortReader {
  /** The room has taken lines in. */
  begin(arrivedAt: Instant): void;
  /**
   * Reads on at the line that begins at `from`, where that isn't read yet, as far as lines end before `limit`.
   * @returns where the first line begins that `onRun` was not done with, or that wasn't read.
   */
  pass(from: number, limit: number, onRun: OnRun): number;
  /** Was the line told in short already, and that wasn't enough? */
  readonly isRefused: boolean;
}

/** @returns undefined where this Node can't run programs. */
export function createShortReader({ plan, minute }: Reading, room: SearchRoom): ShortReader | undefined {
  const program = room.instantiate(emitReading(plan));
  if (!program) return undefined;
  const read = program['read']!;
  const run = { numbers: rowsIn(room), first: 0, end: 0, shift: TEXT, minute: 0 };
  /** Where the line begins that wasn't read. */
  let next = 0;
  let day = 0;
  let edition = -1;
  let isRefused = false;

  /** The stamp that is known, for the program to compare with; none where it is of another day, or too long. */
  function handStamp(): void {
    ({ edition } = minute);
    run.minute = minute.beginsOn(day);
    const { bytes, numbers } = room;
    const [before, after] = minute.around;
    const isKnown = !Number.isNaN(run.minute) && minute.length <= LONGEST_STAMP;
    numbers[STAMP_LENGTH / 4] = isKnown ? minute.length : -1;
    numbers[SECONDS_AT / 4] = before.length;
    bytes.fill(0, STAMP_MASK, STAMP_MASK + LONGEST_STAMP);
    if (!isKnown) return;
    bytes.set(before, STAMP);
    bytes.set(after, STAMP + before.length + 2);
    bytes.fill(255, STAMP_MASK, STAMP_MASK + before.length);
    bytes.fill(255, STAMP_MASK + before.length + 2, STAMP_MASK + minute.length);
  }

  return {
    begin(arrivedAt) {
      day = Math.floor(arrivedAt / DAY);
      run.numbers = rowsIn(room);
      run.first = run.end = 0;
      next = 0;
      handStamp();
    },
    pass(from, limit, onRun) {
      isRefused = false;
      for (;;) {
        if (run.first < run.end) {
          onRun(run);
          if (run.first < run.end) {
            isRefused = true;
            return beginOf(run, run.first++);
          }
        }
        // After a refused line the rows behind it were gone through: those lines are read.
        if (next > from) from = next;
        if (minute.edition !== edition) handStamp();
        run.first = 0;
        run.end = read(TEXT + from, TEXT + limit);
        next = room.numbers[STOPPED_AT / 4]! - TEXT;
        if (run.end === 0) return next;
      }
    },
    get isRefused() {
      return isRefused;
    },
  };
}

function rowsIn({ numbers }: SearchRoom): Int32Array {
  return numbers.subarray(ROWS / 4);
}
