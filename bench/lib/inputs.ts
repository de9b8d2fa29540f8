// Inputs are made from a seed once and kept in a temporary folder, each with what must be said of it.
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { INPUTS } from './places.ts';

/** Bytes that are gathered before they are written. */
const PIECE = 1 << 20;
/** Goes up when a generator changes, so that nobody measures an input of old. */
const EDITION = 1;

export interface Input<Truth> {
  readonly path: string;
  readonly lines: number;
  readonly bytes: number;
  /** What its maker knows of it. */
  readonly truth: Truth;
}

/** Makes `lines` lines by writing each; what it returns is kept beside them. */
export type Maker<Truth> = (lines: number, write: (line: string) => void) => Truth;

/** The input of that name and size: the one that is kept, else made now. */
export function inputOf<Truth>(name: string, lines: number, make: Maker<Truth>): Input<Truth> {
  mkdirSync(INPUTS, { recursive: true });
  const path = join(INPUTS, `${name}-${lines}-${EDITION}.log`);
  const about = `${path}.json`;
  if (!existsSync(about)) {
    process.stderr.write(`making ${path} …\n`);
    const made = writeLines(`${path}.${process.pid}`, lines, make);
    renameSync(`${path}.${process.pid}`, path);
    // Last: it says that all the rest is there.
    writeFileSync(`${about}.${process.pid}`, JSON.stringify(made));
    renameSync(`${about}.${process.pid}`, about);
  }
  readThrough(path);
  const kept = JSON.parse(readFileSync(about, 'utf8')) as { bytes: number; truth: Truth };
  return { path, lines, ...kept };
}

/** So that nobody who is measured is the one who waits for the disk. */
function readThrough(path: string): void {
  const [file, buffer] = [openSync(path, 'r'), Buffer.alloc(PIECE)];
  while (readSync(file, buffer) > 0);
  closeSync(file);
}

/** Writes a file anew. @returns what is known of it. */
export function writeLines<Truth>(
  path: string,
  lines: number,
  make: Maker<Truth>,
): { bytes: number; truth: Truth } {
  const file = openSync(path, 'w');
  let [text, bytes, written] = ['', 0, 0];
  const flush = (): void => {
    bytes += writeSync(file, text, null, 'latin1');
    text = '';
  };
  const truth = make(lines, (line) => {
    text += `${line}\n`;
    written++;
    if (text.length >= PIECE) flush();
  });
  flush();
  closeSync(file);
  if (written !== lines) throw new Error(`${path}: ${written} lines instead of ${lines}`);
  return { bytes, truth };
}
