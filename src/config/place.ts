// Where something stands in a file, and the faults that say so.
import type { Fault } from '../errors.ts';
import { nearest, printable } from '../text.ts';
import type { ConfigCode } from './codes.ts';

/** Line and column count from 1, columns in UTF-16 units, as editors count them; 0 where the whole file is meant. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Turns offsets in `text` into places. Lines end with \n, \r\n or \r. */
export function placeIn(file: string, text: string): (offset: number) => Place {
  const starts = [0];
  for (const end of text.matchAll(/\r\n|\n|\r/g)) starts.push(end.index + end[0].length);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { file, line: low + 1, column: offset - starts[low]! + 1 };
  };
}

export function faultAt(place: Place, code: ConfigCode, message: string, hint?: string): Fault {
  const { file, line, column } = place;
  return { code, file, line, column, message, ...(hint === undefined ? {} : { hint }) };
}

/** `did you mean "maxRetry"?`, or all that would do where nothing is near and there are few. */
export function suggest(word: string, known: Iterable<string>, what: string): string | undefined {
  const words = [...known];
  const near = nearest(word, words);
  if (near !== undefined) return `did you mean "${near}"?`;
  return words.length > 0 && words.length <= 30 ? `${what}: ${words.toSorted().join(', ')}` : undefined;
}

/** A value as it is shown in a message: short, and harmless on a terminal. */
export function shown(value: unknown): string {
  return typeof value === 'string'
    ? `"${printable(value, 60)}"`
    : printable(String(JSON.stringify(value)), 60);
}
