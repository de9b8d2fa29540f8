// Folders that may be missing. Node's own `recursive` never comes back where a folder exists and yet nothing can be made in it,
// as below /proc: each time it takes that for a missing parent.
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf } from './errors.ts';

/**
 * Makes a folder, and those above it that are missing.
 * @param mode of each that is made.
 * @returns whether this one was made just now.
 * @throws what mkdir says; EEXIST where something else stands there.
 */
export function makeFolder(path: string, mode: number): boolean {
  try {
    return makeOne(path, mode);
  } catch (error) {
    if (reasonOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
  }
  makeFolder(dirname(path), mode);
  return makeOne(path, mode);
}

function makeOne(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    const isThere = reasonOf(error) === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory();
    if (isThere) return false;
    throw error;
  }
}
