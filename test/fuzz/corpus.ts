// The inputs that are kept of each target, one JSON text a line: those that are committed, and what longer runs found here.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Committed: small, and each one runs code that no other does. */
export const corpusOf = (target: string): string => join(ROOT, 'test/fuzz/corpus', `${target}.json`);
/** Ignored by git: all that runs on this machine found worth keeping. */
export const foundOf = (target: string): string => join(ROOT, '.bailiff/fuzz', `${target}.json`);

/** @returns the inputs of a file, latin1; none where it isn't there. */
export function readInputs(file: string): string[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : [];
}

export function writeInputs(file: string, inputs: readonly string[]): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `[\n${inputs.map((input) => `  ${inAscii(input)}`).join(',\n')}\n]\n`);
}

/** As JSON, nothing in it that a terminal or an editor could stumble over. */
export function inAscii(input: string): string {
  return JSON.stringify(input).replace(
    /[\x7f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
