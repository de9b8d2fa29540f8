// What a jail knows of its offenders in numbers, one row for each: whatever a match looks at lies side by side. There may be a
// million of them, in no order, and a match that has to fetch one thing after the other waits for memory most of its time.

/** In numbers of 32 bits: as much as is fetched at once. */
export const ROW = 16;
const LEAST_ROWS = 256;

/** Where in a row what stands: in front what each match looks at. These are counting.ts's. */
export const BLOCK = 0;
export const ROOM = 1;
export const FIRST = 2;
export const LENGTH = 3;
export const FROM = 4;
export const TOTAL = 5;
/** His latest match; a double, as all instants. */
export const NEWEST = 6;
/** Bits: see below. */
const STATE = 8;
/** In which era of the jail it was found that neither a list nor a log-in speaks for him; -1: in none. */
export const HEEDED = 9;
/** In which queue he stands of those who may make room (-1: in none), and which note there is his. */
export const RANK = 10;
export const NOTE = 11;
/** Which of all who came to have this index he is; 0: it is nobody's. */
export const WHICH = 12;
/** Since when nothing was heard of him, where he is idle. */
const IDLE_SINCE = 14;

/** To be written with the next commit. */
export const DIRTY = 1;
/** Nothing has happened since a prune looked at him. */
export const IDLE = 2;
/** There is no sentence, pardon or session to be heeded: only the count. */
export const ONLY_COUNTED = 4;

export interface Rows {
  /** All rows, and the same as doubles: for who looks at many fields of one. Others take their place when there are more rows. */
  readonly numbers: Int32Array;
  readonly instants: Float64Array;
  /** A row for this index, whether there was one or not: of somebody of whom nothing is known. */
  begin(index: number): void;
  /** The index is nobody's any more. */
  end(index: number): void;
  get(index: number, field: number): number;
  set(index: number, field: number, value: number): void;
  is(index: number, state: number): boolean;
  note(index: number, state: number): void;
  unnote(index: number, state: number): void;
  /** `-Infinity`: there is none. */
  newestOf(index: number): number;
  setNewest(index: number, at: number): void;
  idleSince(index: number): number;
  setIdleSince(index: number, at: number): void;
}

export function createRows(): Rows {
  let numbers = new Int32Array(LEAST_ROWS * ROW);
  let instants = new Float64Array(numbers.buffer);
  let begun = 0;

  function grow(): void {
    const larger = new Int32Array(numbers.length * 2);
    larger.set(numbers);
    numbers = larger;
    instants = new Float64Array(numbers.buffer);
  }

  return {
    get numbers() {
      return numbers;
    },
    get instants() {
      return instants;
    },
    begin(index) {
      while ((index + 1) * ROW > numbers.length) grow();
      for (let at = index * ROW; at < (index + 1) * ROW; at++) numbers[at] = 0;
      numbers[index * ROW + ROOM] = -1;
      numbers[index * ROW + RANK] = -1;
      numbers[index * ROW + HEEDED] = -1;
      begun = (begun + 1) | 0 || 1;
      numbers[index * ROW + WHICH] = begun;
      instants[(index * ROW + NEWEST) / 2] = -Infinity;
    },
    end(index) {
      numbers[index * ROW + WHICH] = 0;
      numbers[index * ROW + STATE] = 0;
    },
    get: (index, field) => numbers[index * ROW + field]!,
    set(index, field, value) {
      numbers[index * ROW + field] = value;
    },
    is: (index, state) => (numbers[index * ROW + STATE]! & state) !== 0,
    note(index, state) {
      numbers[index * ROW + STATE]! |= state;
    },
    unnote(index, state) {
      numbers[index * ROW + STATE]! &= ~state;
    },
    newestOf: (index) => instants[(index * ROW + NEWEST) / 2]!,
    setNewest(index, at) {
      instants[(index * ROW + NEWEST) / 2] = at;
    },
    idleSince: (index) => instants[(index * ROW + IDLE_SINCE) / 2]!,
    setIdleSince(index, at) {
      instants[(index * ROW + IDLE_SINCE) / 2] = at;
    },
  };
}
