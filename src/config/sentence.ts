// How long bans last: what a jail says of banTime, over what `defaults` says, over what is built in.
import type { Fault } from '../errors.ts';
import type { Duration, Sentence } from '../model.ts';
import { formatDuration, parseDuration } from '../time.ts';
import { faultAt } from './place.ts';
import type { BanTimeInput } from './schema.ts';
import { BUILT_IN } from './schema.ts';
import type { Path, Tree } from './tree.ts';
import { keyAt, valueAt } from './tree.ts';

/** What has been said so far; what nobody said is not there. */
export type Said = Partial<Sentence>;

/** What is said at one level over what was said before it. A duration alone says that every sentence lasts so long. */
export function layBanTime(before: Said, own: BanTimeInput | undefined): Said {
  if (own === undefined) return before;
  if (typeof own === 'number') {
    const { steps: _steps, max: _max, ...kept } = before;
    return { ...kept, first: own, factor: 1 };
  }
  const { steps, ...others } = own;
  if (steps) return { ...before, ...others, steps, first: steps[0]! };
  if (own.first === undefined && own.factor === undefined) return { ...before, ...others };
  const { steps: _steps, ...kept } = before;
  return { ...kept, ...others };
}

/** Fills up with what is built in. A longest sentence that nobody wrote gives way to a longer first one. */
export function sentenceOf(said: Said): Sentence {
  const { banTime } = BUILT_IN;
  const first = said.first ?? parseDuration(banTime.first)!;
  return {
    first,
    factor: said.factor ?? banTime.factor,
    max: said.max ?? Math.max(parseDuration(banTime.max)!, first, ...(said.steps ?? [])),
    forget: said.forget ?? parseDuration(banTime.forget)!,
    scope: said.scope ?? banTime.scope,
    ...(said.steps && { steps: said.steps }),
  };
}

/**
 * What one level's banTime contradicts: itself, or what it was laid over.
 * @param path where this level's banTime stands.
 */
export function banTimeConflicts(
  own: BanTimeInput | undefined,
  whole: Said,
  tree: Tree,
  path: Path,
): Fault[] {
  if (own === undefined || typeof own === 'number') return [];
  const faults: Fault[] = [];
  const conflict = (at: Path, message: string, hint: string): void => {
    const place = typeof at.at(-1) === 'string' ? keyAt(tree, at) : valueAt(tree, at).at;
    faults.push(faultAt(place, 'E_CONFIG_CONFLICT', message, hint));
  };
  if (own.steps && own.factor !== undefined)
    conflict(
      [...path, 'steps'],
      '"steps" stands instead of "factor", not beside it',
      'take one of them away',
    );
  if (own.steps && own.first !== undefined && own.first !== own.steps[0])
    conflict([...path, 'first'], '"first" is not the first of "steps"', 'take "first" away');
  const { max } = whole;
  if (max === undefined) return faults;
  const tooLong = (at: Path, length: Duration): void => {
    const message = `a sentence of ${formatDuration(length)} is longer than "max", which is ${formatDuration(max)}`;
    conflict(at, message, 'raise "max"');
  };
  if (own.steps) {
    for (const [i, step] of own.steps.entries()) if (step > max) tooLong([...path, 'steps', i], step);
  } else if (own.first !== undefined && own.first > max) {
    tooLong([...path, 'first'], own.first);
  } else if (own.max !== undefined) {
    const longest = Math.max(whole.first ?? 0, ...(whole.steps ?? []));
    const built = sentenceOf({ ...whole, max: Infinity }).first;
    if (Math.max(longest, built) > max) tooLong([...path, 'max'], Math.max(longest, built));
  }
  return faults;
}
