// Paths with wildcards, as `logs` in a config names them. Node loads what matches and expands them when it is first asked,
// which takes longer than all that it is asked for: a path that is none doesn't ask.
import { matchesGlob } from 'node:path';

export function isGlob(pattern: string): boolean {
  return /[*?[{]/.test(pattern);
}

/** Does a pattern name this path, either of them absolute, or both names? */
export function isNamedBy(pattern: string, path: string): boolean {
  return pattern === path || (isGlob(pattern) && matchesGlob(path, pattern));
}
