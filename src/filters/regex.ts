// The one door through which a regex is made from text that is not ours. What can't run in linear time is refused.
import { BailiffError } from '../errors.ts';
import type { Literal } from './literal.ts';
import { captureNames, childrenOf, foldedByte, writeRegex } from './tree.ts';
import type { Node } from './tree.ts';
import { writeByte } from './bytes.ts';

/** The flag that asks V8 for its linear engine, which throws for what it can't run. */
const LINEAR = 'l';
/** V8's linear engine counts repeats out, and only so far; nested repeats multiply. */
const MOST_REPEATS = 16;

export type Linear =
  | { readonly ok: true; readonly regex: RegExp; readonly groups: readonly string[] }
  | { readonly ok: false; readonly message: string; readonly hint: string };

/**
 * Makes the regex of a pattern. V8's linear engine is asked whether it could run it; what runs is the ordinary engine,
 * which falls back to the linear one when it backtracks too much.
 * @returns the regex and the name of each of its groups, or why it is refused and what might be written instead.
 * @throws BailiffError E_INTERNAL where node was started without `--enable-experimental-regexp-engine`.
 */
export function makeLinear(node: Node): Linear {
  const source = writeRegex(node);
  const obstacle = findObstacle(node, 1);
  const refusal = obstacle ? '' : refusalOf(source);
  if (refusal === undefined) {
    const regex = new RegExp(source);
    if (isRunnable(regex)) return { ok: true, regex, groups: captureNames(node) };
    return { ok: false, message: 'it is too large to be run', hint: 'split it into several patterns' };
  }
  return { ok: false, ...(obstacle ?? { message: refusal, hint: 'split it into simpler patterns' }) };
}

/** A search for any of the literals: `test` it from `lastIndex`, and it stands behind the one that was found. */
export function makeSearch(literals: readonly Literal[]): RegExp {
  const write = (literal: Literal): string =>
    [...Buffer.from(literal.bytes, 'latin1')].map(literal.fold ? foldedByte : writeByte).join('');
  return new RegExp(literals.map(write).join('|'), 'g');
}

/** What the linear engine says against a regex; undefined where it takes it. */
function refusalOf(source: string): string | undefined {
  try {
    new RegExp(source, LINEAR);
    return undefined;
  } catch (error) {
    if (knowsLinear()) return `it can't be run in time proportional to the line (${String(error)})`;
    throw new BailiffError(
      'E_INTERNAL',
      'node runs without its linear regex engine; start it through bin/bailiff',
      {},
      error,
    );
  }
}

/** V8 compiles a regex when it is first run, and again when it has proved to be in use: only then it says what is too large. */
function isRunnable(regex: RegExp): boolean {
  try {
    for (let run = 0; run < 2; run++) regex.test('');
    return true;
  } catch {
    return false;
  }
}

function knowsLinear(): boolean {
  try {
    return new RegExp('a', LINEAR).test('a');
  } catch {
    return false;
  }
}

/** The first thing in a pattern that the linear engine is known to refuse, in words. */
function findObstacle(node: Node, repeats: number): { message: string; hint: string } | undefined {
  if (node.kind === 'backreference')
    return {
      message: `the back-reference ${node.text} can't be run in time proportional to the line`,
      hint: 'write what it repeats once more',
    };
  if (node.kind === 'look' && node.ahead)
    return {
      message: "look-ahead can't be run in time proportional to the line",
      hint: node.negated
        ? 'say under "except" what must not follow'
        : 'write what follows as part of the pattern',
    };
  let below = repeats;
  if (node.kind === 'repeat') {
    below *= Math.max(node.min, node.max === Infinity ? 1 : node.max, 1);
    if (below > MOST_REPEATS)
      return {
        message: `a counted repeat of ${below} (nested ones multiply) can't be run in time proportional to the line; ${MOST_REPEATS} is the most`,
        hint: 'write * or + instead: what surrounds it limits it enough',
      };
  }
  for (const child of childrenOf(node)) {
    const found = findObstacle(child, below);
    if (found) return found;
  }
  return undefined;
}
