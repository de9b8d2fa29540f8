// The memory in which searches run. One is enough for many searches, since they take turns: V8 sets aside ten gigabytes of
// addresses (not of memory) for each.
import { lengthOf } from '../../lines.ts';
import type { Lines } from '../../lines.ts';
import * as wasm from '../../wasm.ts';
import type { Run } from '../../wasm.ts';
import { BEHIND, FOUND, MOST_FOUND, TABLE, TEXT } from './emit.ts';

export interface SearchRoom {
  /**
   * Takes lines in, and the table of their search, in place of those before. @returns where they end; they begin at TEXT, and
   * behind them stands a line feed.
   */
  take(lines: Lines, table?: Uint8Array): number;
  /** What `collect` wrote; good until the next text is taken in. */
  readonly found: Int32Array;
  /** All of the memory, and the same as numbers; others take their place when it has to grow for a text. */
  readonly bytes: Uint8Array;
  readonly numbers: Int32Array;
  /** Makes a program ready. @returns undefined where this Node can't: it has no compiler, or no addresses are left. */
  instantiate(program: Uint8Array<ArrayBuffer>): Readonly<Record<string, Run>> | undefined;
}

const NEWLINE = 10;
/** Enough for a chunk, and for what stands before it. */
const FIRST_PAGES = 4;

/** Nothing is set aside before the first program is made ready. */
export function createSearchRoom(): SearchRoom {
  let memory: wasm.Memory | undefined;
  let bytes: Buffer = Buffer.alloc(0);
  let found = new Int32Array(0);
  let numbers = new Int32Array(0);

  function look({ buffer }: wasm.Memory): void {
    bytes = Buffer.from(buffer);
    found = new Int32Array(buffer, FOUND, MOST_FOUND);
    numbers = new Int32Array(buffer);
  }

  return {
    get found() {
      return found;
    },
    get bytes() {
      return bytes;
    },
    get numbers() {
      return numbers;
    },
    take(lines, table) {
      const length = lengthOf(lines);
      const missing = TEXT + length + BEHIND - bytes.length;
      if (missing > 0 && memory) {
        memory.grow(Math.ceil(missing / wasm.PAGE));
        look(memory);
      }
      if (table) bytes.set(table, TABLE);
      if (lines.bytes) bytes.set(lines.bytes, TEXT);
      else bytes.write(lines.text, TEXT, 'latin1');
      bytes[TEXT + length] = NEWLINE;
      return TEXT + length;
    },
    instantiate(program) {
      const made = wasm.instantiate(program, memory ?? FIRST_PAGES);
      if (!made) return undefined;
      if (!memory) look((memory = made.memory));
      return made.exports;
    },
  };
}
