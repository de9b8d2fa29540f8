// Rows by a number that only grows, in its order: numbers side by side, in short pieces, so that it grows in small steps and one
// can begin anywhere. Pure.

export interface Numbered {
  readonly size: number;
  /** @returns -1 where there is none. */
  get(number: number): number;
  /** A new number must be higher than all that there were. */
  set(number: number, row: number): void;
  delete(number: number): void;
  /** Rows in order of number. What is added or deleted meanwhile is met or not. @param after only those with a higher number. */
  rows(after?: number): Generator<number>;
  image(): NumberedImage;
}

/** All that there is, for {@link createNumbered}: some of it its own. */
export interface NumberedImage {
  readonly size: number;
  readonly highest: number;
  readonly pieces: readonly Piece[];
}

/** Numbers of one piece. */
const TOGETHER = 1_024;
const GONE = -1;

interface Piece {
  readonly numbers: Float64Array;
  readonly rows: Int32Array;
  /** How many numbers it has had, and how many of them it has. */
  filled: number;
  left: number;
}

/** @param image as it was when that was taken; it is handed over. */
export function createNumbered(image?: NumberedImage): Numbered {
  /** None is empty but the last, which is filled anew then. */
  const pieces: Piece[] = [...(image?.pieces ?? [])];
  let size = image?.size ?? 0;
  let highest = image?.highest ?? -Infinity;

  function newPiece(): Piece {
    return { numbers: new Float64Array(TOGETHER), rows: new Int32Array(TOGETHER), filled: 0, left: 0 };
  }

  /** The last piece that begins at or before the number; -1 where none does. */
  function pieceOf(number: number): number {
    return last(pieces.length, (index) => pieces[index]!.numbers[0]! <= number);
  }

  const placeIn = ({ numbers, filled }: Piece, number: number): number =>
    last(filled, (index) => numbers[index]! <= number);

  /** Two neighbours that have few left become one. */
  function merge(index: number): void {
    const [a, b] = [pieces[index], pieces[index + 1]];
    if (!a || !b || b.left === 0 || a.left + b.left > TOGETHER / 2) return;
    const piece = newPiece();
    for (const { numbers, rows, filled } of [a, b])
      for (let at = 0; at < filled; at++) if (rows[at] !== GONE) append(piece, numbers[at]!, rows[at]!);
    pieces.splice(index, 2, piece);
  }

  return {
    get size() {
      return size;
    },
    get(number) {
      const piece = pieces[pieceOf(number)];
      if (!piece) return GONE;
      const at = placeIn(piece, number);
      return piece.numbers[at] === number ? piece.rows[at]! : GONE;
    },
    set(number, row) {
      if (number <= highest) {
        const known = pieces[pieceOf(number)]!;
        known.rows[placeIn(known, number)] = row;
        return;
      }
      highest = number;
      let piece = pieces.at(-1);
      if (!piece || piece.filled === TOGETHER) pieces.push((piece = newPiece()));
      append(piece, number, row);
      size++;
    },
    delete(number) {
      const index = pieceOf(number);
      const piece = pieces[index];
      if (!piece) return;
      const at = placeIn(piece, number);
      if (piece.numbers[at] !== number || piece.rows[at] === GONE) return;
      piece.rows[at] = GONE;
      size--;
      if (--piece.left === 0 && index === pieces.length - 1) piece.filled = 0;
      else if (piece.left === 0) pieces.splice(index, 1);
      merge(index);
      merge(index - 1);
    },
    *rows(after = -Infinity) {
      let before = after;
      for (;;) {
        // Looked for anew each time: the piece may be another one by now.
        let index = Math.max(0, pieceOf(before));
        let piece = pieces[index];
        if (!piece) return;
        let at = placeIn(piece, before) + 1;
        while (piece && (at === piece.filled || piece.rows[at] === GONE)) {
          if (at < piece.filled) at++;
          else [piece, at] = [pieces[++index], 0];
        }
        if (!piece) return;
        before = piece.numbers[at]!;
        yield piece.rows[at]!;
      }
    },
    image: () => ({ size, highest, pieces }),
  };
}

function append(piece: Piece, number: number, row: number): void {
  piece.numbers[piece.filled] = number;
  piece.rows[piece.filled++] = row;
  piece.left++;
}

/** Of so many in order the last one of which it is so; -1 where it is of none. */
function last(count: number, isSo: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSo(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
