// Counts lines that no log should hold. They are handed on all the same: a filter may find a match among rubbish.
import { isUtf8 } from 'node:buffer';
import type { Faults } from './faults.ts';

const NEWLINE = 10;

/** @param bytes whole lines. Clean ones cost two passes at the speed of memory. */
export function countFaultyLines(bytes: Buffer, faults: Faults): void {
  if (bytes.includes(0))
    faults.add(
      'E_SOURCE_BINARY',
      countLinesWith(bytes, (line) => line.includes(0)),
    );
  if (!isUtf8(bytes))
    faults.add(
      'E_SOURCE_ENCODING',
      countLinesWith(bytes, (line) => !isUtf8(line)),
    );
}

function countLinesWith(bytes: Buffer, isFaulty: (line: Buffer) => boolean): number {
  let count = 0;
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(NEWLINE, start);
    const line = bytes.subarray(start, end < 0 ? bytes.length : end);
    if (isFaulty(line)) count++;
    start += line.length + 1;
  }
  // A character over the edge between two parts of an over-long line.
  return Math.max(1, count);
}
