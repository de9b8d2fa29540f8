// Which literal any match of a pattern must hold, so that one search over a whole chunk finds the lines worth a look. Pure.
import type { ByteSet } from './bytes.ts';
import type { Literal } from './literal.ts';
import { commonness } from './search/frequency.ts';
import type { Node } from './tree.ts';

/** Those that are this short, or shorter, must hold more than letters and digits, and stand in few lines. */
const SHORT = 2;
const MOST_COMMON_SHORT = 0.05;
/** More alternatives cost more than they save. */
const MOST = 1_000;
/** So many texts are told apart where a pattern takes several. */
const MOST_EXACT = 150;
/** Of classes and counted repeats no more than this are written out. */
const MOST_OF_SET = 4;
const MOST_OF_REPEAT = 4;

/**
 * Literals of which every text that the pattern matches holds at least one.
 * @returns undefined where there are none that would help.
 */
export function requiredLiterals(node: Node): readonly Literal[] | undefined {
  return usable(analyse(node).required);
}

/** The same literals, or undefined where a search for them would find nearly every line, or cost too much. */
export function usable(literals: readonly Literal[] | undefined): readonly Literal[] | undefined {
  return literals && literals.length <= MOST && literals.every(isTelling) ? literals : undefined;
}

function isTelling(literal: Literal): boolean {
  const { bytes } = literal;
  if (bytes.length > SHORT) return true;
  return bytes.length === SHORT && /\W/.test(bytes) && commonness([literal]) <= MOST_COMMON_SHORT;
}

/** One set of literals for several patterns: what any of them requires. undefined as soon as one requires none. */
export function anyOf(sets: readonly (readonly Literal[] | undefined)[]): readonly Literal[] | undefined {
  const all: Literal[] = [];
  for (const set of sets) {
    if (!set) return undefined;
    all.push(...set);
  }
  return distinctOf([all]).literals;
}

/** What is known of all texts that a node matches. */
interface Analysis {
  /** The texts themselves, where they are few. */
  readonly exact: readonly Literal[] | undefined;
  /** Each of them begins with one of these, and ends with one of those; the empty text where nothing is known. */
  readonly starts: readonly Literal[];
  readonly ends: readonly Literal[];
  /** Each of them holds one of these. */
  readonly required: readonly Literal[] | undefined;
  /** It may be left out; where it isn't, it ends with one of these. */
  readonly optional?: readonly Literal[];
}

/** What takes no room: what stands before and behind it is adjacent. */
const EMPTY: readonly Literal[] = [{ bytes: '', fold: false }];
const NOTHING: Analysis = { exact: undefined, starts: EMPTY, ends: EMPTY, required: undefined };

function analyse(node: Node): Analysis {
  switch (node.kind) {
    case 'byte': {
      const character = String.fromCharCode(node.byte);
      return exactly([{ bytes: node.fold ? character.toLowerCase() : character, fold: node.fold }]);
    }
    case 'set':
      return analyseSet(node.set);
    case 'cat':
      return analyseSequence(node.parts.map(analyse));
    case 'alt':
      return analyseAlternatives(node.options.map(analyse));
    case 'capture':
      return analyse(node.body);
    case 'repeat':
      return analyseRepeat(analyse(node.body), node.min, node.max);
    case 'start':
    case 'end':
    case 'boundary':
    case 'inside':
    case 'look':
      return exactly(EMPTY);
    default:
      return NOTHING;
  }
}

/** `[Aa]`, `[/.]`: classes of a few bytes are told apart. */
function analyseSet(set: ByteSet): Analysis {
  const members: Literal[] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (set[byte] !== 1) continue;
    if (members.length === MOST_OF_SET) return NOTHING;
    members.push({ bytes: String.fromCharCode(byte), fold: false });
  }
  return exactly(members);
}

function analyseRepeat(body: Analysis, min: number, max: number): Analysis {
  if (min === 0 && max === 1 && body.exact) return exactly([...EMPTY, ...body.exact]);
  if (min === 0) return { ...NOTHING, optional: body.ends };
  const least = analyseSequence(Array.from({ length: Math.min(min, MOST_OF_REPEAT) }, () => body));
  if (min === max && min <= MOST_OF_REPEAT) return least;
  return { exact: undefined, starts: least.starts, ends: least.ends, required: least.required };
}

function analyseAlternatives(options: readonly Analysis[]): Analysis {
  const exact = options.flatMap((option) => option.exact ?? []);
  if (options.every((option) => option.exact) && exact.length <= MOST_EXACT) return exactly(exact);
  const sets = options.map((option) => option.required);
  return {
    exact: undefined,
    starts: few(options.flatMap((option) => option.starts)),
    ends: few(options.flatMap((option) => option.ends)),
    required: sets.every((set) => set !== undefined) ? sets.flat() : undefined,
  };
}

/** What stands side by side is put together, as far as that gives few texts; the best of what comes of it is required. */
function analyseSequence(parts: readonly Analysis[]): Analysis {
  let run = EMPTY;
  let starts: readonly Literal[] | undefined;
  let best: readonly Literal[] | undefined;
  for (const { exact, starts: next, ends, required, optional } of parts) {
    const together = exact && joined(run, exact);
    if (together) {
      run = together;
      continue;
    }
    const begun = joined(run, next);
    starts ??= begun ?? run;
    best = better(better(best, requiredOf(run)), required);
    const around = begun ?? joined(lastOf(run), next);
    if (around) best = better(best, requiredOf(around));
    if (exact) run = around ?? exact;
    else run = optional ? few([...run, ...optional]) : ends;
  }
  best = better(best, requiredOf(run));
  return { exact: starts ? undefined : run, starts: starts ?? run, ends: run, required: best };
}

function exactly(literals: readonly Literal[]): Analysis {
  return { exact: literals, starts: literals, ends: literals, required: requiredOf(literals) };
}

function requiredOf(texts: readonly Literal[]): readonly Literal[] | undefined {
  return texts.some(({ bytes }) => bytes === '') ? undefined : texts;
}

/** The last bytes of each: enough to tell what follows them from what doesn't. */
function lastOf(texts: readonly Literal[]): readonly Literal[] {
  return distinctOf([texts.map(({ bytes, fold }) => ({ bytes: bytes.slice(-1), fold }))]).literals;
}

function few(texts: readonly Literal[]): readonly Literal[] {
  return texts.length <= MOST_EXACT ? texts : EMPTY;
}

/** Each before each; undefined where that would be too many. */
function joined(before: readonly Literal[], behind: readonly Literal[]): readonly Literal[] | undefined {
  if (before.length * behind.length > MOST_EXACT) return undefined;
  return before.flatMap((a) =>
    behind.map((b) => {
      const fold = a.fold || b.fold;
      const bytes = a.bytes + b.bytes;
      return { bytes: fold ? bytes.toLowerCase() : bytes, fold };
    }),
  );
}

/** What a literal more costs, in shares of lines that are looked at: the search is slower, and longer to compile. */
const COST = 0.000_02;

/** Of two sets the one that stands in fewer lines, about; one that can't be searched for only where both can't. */
export function better(
  a: readonly Literal[] | undefined,
  b: readonly Literal[] | undefined,
): readonly Literal[] | undefined {
  if (!a || !b) return a ?? b;
  const [isA, isB] = [usable(a) !== undefined, usable(b) !== undefined];
  if (isA !== isB) return isA ? a : b;
  const [costA, costB] = [a, b].map((set) => commonness(set) + set.length * COST);
  return costB! < costA! ? b : a;
}

/**
 * The literals of several filters as one list: each once, without those that hold another one, for wherever they are
 * found, that one is.
 * @returns the list, and whose each of them is, as indices of `sets`, in ascending order.
 */
export function distinctOf(sets: readonly (readonly Literal[])[]): {
  readonly literals: readonly Literal[];
  readonly owners: readonly (readonly number[])[];
} {
  const known = new Map<string, { readonly literal: Literal; readonly owners: Set<number> }>();
  sets.forEach((set, owner) => {
    for (const literal of set) {
      const key = `${literal.fold ? 1 : 0}${literal.bytes}`;
      const entry = known.get(key) ?? { literal, owners: new Set() };
      known.set(key, entry);
      entry.owners.add(owner);
    }
  });
  const kept: { readonly literal: Literal; readonly owners: Set<number> }[] = [];
  for (const entry of [...known.values()].toSorted(
    (a, b) => a.literal.bytes.length - b.literal.bytes.length,
  )) {
    const shorter = kept.find(({ literal }) => covers(literal, entry.literal));
    if (!shorter) kept.push(entry);
    else for (const owner of entry.owners) shorter.owners.add(owner);
  }
  return {
    literals: kept.map(({ literal }) => literal),
    owners: kept.map(({ owners }) => [...owners].toSorted((a, b) => a - b)),
  };
}

function covers(shorter: Literal, longer: Literal): boolean {
  if (shorter.fold) return longer.bytes.toLowerCase().includes(shorter.bytes);
  return !longer.fold && longer.bytes.includes(shorter.bytes);
}
