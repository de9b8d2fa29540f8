import type { OptionTerm } from '../surface.ts';

/** The names that options are completed to: the long one where there is one. */
export function wordsOf(options: readonly OptionTerm[]): string[] {
  return options.map(({ names }) => names.at(-1)!);
}
