// Long lines made to keep a filter busy: the places that a client may fill, filled with what makes a regex try again and
// again. Deterministic.
import type { Filter, PatternDefinition } from '../../src/filters/contract.ts';
import type { Piece, Skeleton } from '../../src/filters/skeletons.ts';
import { trials } from '../../src/filters/trials.ts';

export interface HostileLine {
  /** For the eye: the pattern, and what is repeated in its line. */
  readonly what: string;
  readonly line: string;
}

/** Beyond what a pattern sees of a line: it is cut, no `$` fits, and every way to fit has to be tried. */
export const LONG = 9_000;
/** What a reader hands on at most. */
export const LONGEST = 256 * 1024;

/** Over these, nested and neighbouring repeats quarrel: `(\w+ ?)*`, `\S+.*`, `[^"]*"?`. */
const BAITS = ['a', ' ', 'a ', '1', '"', ', ', '/.'];

/** Of the ways to write a pattern, so many are tried. */
const MOST_WAYS = 4;

/** The lines for each pattern of a filter that its mode takes in. */
export function* hostileLines(filter: Filter): Generator<HostileLine> {
  const { definition, options } = filter;
  const conditions = textsIn(definition.where);
  const seen = new Set<PatternDefinition | undefined>();
  for (const { pattern, skeletons, frame } of trials(filter)) {
    const isOfNormal = pattern?.mode !== 'aggressive';
    if (seen.has(pattern) || (options.mode === 'normal' && !isOfNormal)) continue;
    seen.add(pattern);
    const name = `${definition.name} ${pattern?.regex ?? definition.layout}`;
    // In full in the mode that the pattern is of. In the other one it only stands among more patterns.
    const isInFull = isOfNormal === (options.mode === 'normal');
    for (const [index, skeleton] of skeletons.slice(0, isInFull ? MOST_WAYS : 1).entries()) {
      const [whole = '', ...words] = wordsOf(skeleton);
      const others = isInFull && index === 0 ? [...words, ...conditions, ...BAITS] : BAITS.slice(0, 1);
      const lines = [
        ...linesOf(skeleton, whole, LONG, isInFull),
        ...others.flatMap((bait) => linesOf(skeleton, bait, LONG, false)),
      ];
      for (const { bait, line } of lines)
        yield { what: `${name} × ${JSON.stringify(bait)}`, line: frame(line, '812') };
    }
    if (!isInFull) continue;
    const [plainest] = skeletons;
    if (!plainest) continue;
    for (const { line } of linesOf(plainest, wordsOf(plainest)[0]!, LONGEST, false))
      yield { what: `${name}, longest`, line: frame(line, '812').slice(0, LONGEST) };
  }
}

/** The texts that conditions speak of: paths, above all. */
function textsIn(conditions: unknown): string[] {
  if (typeof conditions === 'string') return [conditions];
  return typeof conditions === 'object' && conditions !== null
    ? Object.values(conditions).flatMap(textsIn)
    : [];
}

/** All words of a pattern together, and those before and behind each place that a client may fill. */
function wordsOf(skeleton: Skeleton): string[] {
  const around = skeleton.flatMap((piece, index) =>
    piece.kind === 'free' ? [skeleton[index - 1], skeleton[index + 1]] : [],
  );
  const texts = around.flatMap((piece) => (piece?.kind === 'text' ? [piece.text] : []));
  return [...new Set([skeleton.map(plainly).join(''), ...texts])];
}

function plainly(piece: Piece): string {
  if (piece.kind === 'address') return '192.0.2.7';
  return piece.kind === 'text' ? piece.text : piece.kind === 'session' ? '812' : piece.benign;
}

/** The bait in all places at once, as far as it can be written there, and in each place by itself. */
function linesOf(
  skeleton: Skeleton,
  bait: string,
  length: number,
  isEach: boolean,
): { bait: string; line: string }[] {
  const places = skeleton.flatMap((piece, index) => (canHold(piece, bait) ? [index] : []));
  // Where a client may fill no place, his text can stand behind the line at most.
  if (places.length === 0)
    return [{ bait, line: skeleton.map(plainly).join('') + bait.repeat(Math.ceil(length / bait.length)) }];
  const choices = isEach && places.length > 1 ? [places, ...places.map((place) => [place])] : [places];
  return choices.map((chosen) => {
    const text = bait.repeat(Math.ceil(length / chosen.length / bait.length));
    const written = skeleton.map((piece, index) =>
      piece.kind === 'free' && chosen.includes(index) ? (piece.write(text) ?? piece.benign) : plainly(piece),
    );
    return { bait, line: written.join('') };
  });
}

function canHold(piece: Piece, bait: string): boolean {
  return piece.kind === 'free' && piece.write(bait.repeat(4)) !== undefined;
}
