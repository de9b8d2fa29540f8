// Which texts stand in every record that a filter takes, in the raw line: one search over a chunk finds them. Pure.
import type { Condition, Conditions } from '../model.ts';
import { demandedTexts } from './conditions.ts';
import type { LayoutName } from './contract.ts';
import type { Vocabulary } from './json-access.ts';
import { anyOf, better, requiredLiterals, usable } from './literals.ts';
import type { Literal } from './literal.ts';
import { parsePattern } from './syntax.ts';

/**
 * What every encoder writes as it is. Some write `/` as `\/` (PHP), `<`, `>` and `&` (Go, .NET), `'`, `+` and "`" (.NET) and
 * all that is not ASCII as `\u00e4`. That none writes a plain letter so is taken for granted: a service's own words are meant,
 * and a client has no say in how they are written.
 */
const AS_IT_IS = /[\w .:,;()=!?@#*[\]{}|~$%^-]+/g;

/**
 * Literals of which any line must hold one for all conditions to hold.
 * @returns undefined where every line must be looked at.
 */
export function literalsOfRecord(
  all: readonly (Conditions | undefined)[],
  vocabulary: Vocabulary,
  layout: LayoutName,
): readonly Literal[] | undefined {
  let best: readonly Literal[] | undefined;
  for (const conditions of all)
    for (const [name, condition] of Object.entries(conditions ?? {}))
      if (vocabulary.isVerbatim(name)) best = better(best, usable(literalsOfOne(condition, layout)));
  return best;
}

function literalsOfOne(condition: Condition, layout: LayoutName): readonly Literal[] | undefined {
  const demanded = demandedTexts(condition);
  const numbers = [condition].flat().filter((value) => typeof value === 'number');
  // 1000000 may stand there as 1e+06.
  if (numbers.some((number) => !/^\d{1,6}$/.test(String(number)))) return undefined;
  if (demanded)
    return demanded.texts.map((text) => {
      const run = longestRun(text);
      // In JSON a text begins with a quote. It may end with one, or, behind a frame that escapes it once more, with a backslash.
      const begins =
        layout !== 'logfmt' && demanded.as !== 'part' && demanded.as !== 'end' && text.startsWith(run);
      return { bytes: begins && isSurelyText(text) ? `"${run}` : run, fold: false };
    });
  if (typeof condition !== 'object' || !('regex' in condition) || condition.regex === undefined)
    return undefined;
  const ofRegexes = [condition.regex].flat().map((regex) => {
    const parsed = parsePattern(regex);
    return parsed.ok ? requiredLiterals(parsed.node) : undefined;
  });
  return anyOf(ofRegexes)?.map(({ bytes, fold }) => ({ bytes: longestRun(bytes), fold }));
}

function longestRun(text: string): string {
  const runs = text.match(AS_IT_IS) ?? [''];
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest), '');
}

/** Nothing that JSON could have without quotes. */
function isSurelyText(text: string): boolean {
  return !/^(?:-?\d|true$|false$)/.test(text);
}
