// Which texts stand in every line of an access log for which conditions hold: one search over a chunk finds them. Pure.
import type { Condition, Conditions } from '../model.ts';
import type { AccessField } from './access.ts';
import { demandedTexts } from './conditions.ts';
import { anyOf, better, distinctOf, requiredLiterals, usable } from './literals.ts';
import type { Literal } from './literal.ts';
import { isNumericVariable } from './logformat.ts';
import type { Escaping } from './dialects.ts';
import type { LogFormat } from './logformat.ts';
import { commonness } from './search/frequency.ts';
import { parsePattern } from './syntax.ts';

/** Where a quarter of all lines hold one, a look at every line costs as little. */
const MOST_COMMON = 0.25;

/**
 * Literals that any line must hold for all conditions to hold.
 * @returns undefined where every line must be looked at.
 */
export function literalsOfAccess(
  all: readonly (Conditions | undefined)[],
  fields: ReadonlyMap<string, AccessField>,
  format: LogFormat,
): readonly Literal[] | undefined {
  let best: readonly Literal[] | undefined;
  for (const conditions of all)
    for (const [name, condition] of Object.entries(conditions ?? {})) {
      const field = fields.get(name);
      if (!field) continue;
      for (const demand of demandsOf(name, condition))
        best = better(best, usable(literalsOfOne(name, demand, field, format)));
    }
  return best && commonness(best) < MOST_COMMON ? best : undefined;
}

/** The value of a field holds one of the texts: as a whole, as its start, its end or a part. */
interface Demand {
  readonly as: 'whole' | 'start' | 'end' | 'part';
  readonly texts: readonly Literal[];
}

/** What a condition demands; each is demanded. */
function demandsOf(name: string, condition: Condition): Demand[] {
  const demands: Demand[] = [];
  if (name === 'status') {
    const starts = startsOfStatus(condition);
    if (starts) demands.push({ as: 'start', texts: starts.map(plain) });
  }
  const demanded = demandedTexts(condition);
  if (demanded) demands.push({ as: demanded.as, texts: demanded.texts.map(plain) });
  if (typeof condition !== 'object' || !('regex' in condition) || condition.regex === undefined)
    return demands;
  const ofRegexes = [condition.regex].flat().map((regex) => {
    const parsed = parsePattern(regex);
    return parsed.ok ? requiredLiterals(parsed.node) : undefined;
  });
  const texts = anyOf(ofRegexes);
  return texts ? [...demands, { as: 'part', texts }] : demands;
}

function plain(text: string): Literal {
  return { bytes: text, fold: false };
}

/** `400-499` → 4; `421-423` → 42. A status always has its three digits. */
function startsOfStatus(condition: Condition): string[] | undefined {
  if (typeof condition === 'object' && !Array.isArray(condition)) return undefined;
  const values: readonly (string | number | boolean)[] = [condition].flat();
  if (!values.every((value) => /^\d{3}(?:-\d{3})?$/.test(String(value)))) return undefined;
  const starts = values.map((value) => {
    const [from = '', to = from] = String(value).split('-');
    let same = 0;
    while (same < 3 && from[same] === to[same]) same++;
    return from.slice(0, same);
  });
  return starts.every((start) => start !== '') ? starts : undefined;
}

function literalsOfOne(
  name: string,
  { as, texts }: Demand,
  field: AccessField,
  format: LogFormat,
): readonly Literal[] | undefined {
  // 0 is logged as 0.000 in some fields; a status always has its three digits.
  if (isNumericVariable(name) && name !== 'status') return undefined;
  if (name === 'path') return literalsOfPath(asWritten(texts, format.escaping));
  const isMethodOfRequest = name === 'method' && !field.verbatim;
  const isPart = as === 'part' || (name === 'query' && !field.verbatim);
  if (!field.verbatim && !isMethodOfRequest && !isPart) return undefined;
  if (isPart) return isMethodOfRequest ? undefined : asWritten(texts, format.escaping);
  if (!texts.every(({ bytes }) => isAsSent(bytes, format.escaping))) return undefined;
  if (isMethodOfRequest && as === 'end') return undefined;
  const [before, behind] = format.around[field.slot]!;
  const prefix = as === 'whole' || as === 'start' ? before : '';
  const suffix = as === 'whole' ? (isMethodOfRequest ? ' ' : behind) : as === 'end' ? behind : '';
  return texts.map(({ bytes, fold }) => ({ bytes: prefix + bytes + suffix, fold }));
}

/** Is none of a text's characters escaped in a log? What isn't ASCII, or is a control character, always is. */
function isAsSent(text: string, escaping: Escaping): boolean {
  return Array.from(text).every(
    (character) => /[ -~]/.test(character) && spellingsOf(character, escaping).length === 1,
  );
}

/** How a character may stand in a line, as it is or escaped. */
function spellingsOf(character: string, escaping: Escaping): readonly string[] {
  const hex = character.charCodeAt(0).toString(16);
  if (escaping === 'hash' && /["#{|}]/.test(character))
    return [character, `#${hex}`, `#${hex.toUpperCase()}`];
  if (escaping !== 'backslash' || !/["\\]/.test(character)) return [character];
  const escaped = [`\\x${hex}`, `\\x${hex.toUpperCase()}`];
  return character === '"' ? [character, ...escaped] : [character, `\\${character}`, ...escaped];
}

/** So many spellings of one text are told apart. */
const MOST_SPELLINGS = 16;

/** The rarest part of each text, in all ways in which it may be written; undefined where one has none. */
function asWritten(texts: readonly Literal[], escaping: Escaping): readonly Literal[] | undefined {
  const runs = rarestRuns(texts, /[ -~]+/g);
  return (
    runs &&
    distinctOf([
      runs.flatMap(({ bytes, fold }) => {
        let written = [''];
        for (const character of bytes) {
          const spellings = spellingsOf(character, escaping);
          if (written.length * spellings.length > MOST_SPELLINGS) break;
          written = written.flatMap((before) => spellings.map((spelling) => before + spelling));
        }
        return written.map((each) => ({ bytes: fold ? each.toLowerCase() : each, fold }));
      }),
    ]).literals
  );
}

/**
 * A path is decoded and resolved before conditions see it (path.ts). Of its parts each stands in the line as it is, between
 * slashes, unless a character of it is written as %XX: so that is searched for as well, for all characters in question.
 */
function literalsOfPath(texts: readonly Literal[] | undefined): readonly Literal[] | undefined {
  const parts = texts && rarestRuns(texts, PART);
  if (!parts) return undefined;
  const characters = new Set(
    parts.flatMap(({ bytes, fold }) => Array.from(fold ? bytes + bytes.toUpperCase() : bytes)),
  );
  const written = Array.from(characters, (character) => ({
    bytes: `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    fold: true,
  }));
  return [...parts, ...written];
}

/**
 * What stands between two slashes, with them: each of them may be several, or `/./`, or `/x/../`. A blank may follow a slash
 * that isn't written, where a target has a host and no path.
 */
const PART = /(?=(\/?[^/ ]+\/?))\/?[^/ ]+/g;

/** Of each text the part that stands in the fewest lines; undefined where one has none. */
function rarestRuns(texts: readonly Literal[], run: RegExp): readonly Literal[] | undefined {
  const runs = texts.map(({ bytes, fold }) => {
    let best: readonly Literal[] | undefined;
    // The slash behind a part is the one before the next.
    for (const [whole, part = whole] of bytes.matchAll(run)) best = better(best, [{ bytes: part, fold }]);
    return best?.[0];
  });
  return runs.every((each) => each !== undefined) ? distinctOf([runs]).literals : undefined;
}
