// `where` and `except`: conditions on the fields of a line, compiled. Values are bytes (latin1), as they stand in the log.
import type { Condition, Conditions, ConditionTests } from '../model.ts';
import { nearest } from '../text.ts';
import { contains, parseNetwork } from '../address.ts';
import { createAddressReader } from './addresses.ts';
import { createAutomaton } from './automaton/automaton.ts';
import type { Automaton } from './automaton/automaton.ts';
import { createProgram } from './automaton/program.ts';
import { compileSearch } from './pattern.ts';
import { remembering } from './remembered.ts';
import type { Node } from './tree.ts';

/** What is wrong with conditions; the caller knows whose they are. */
export interface ConditionFault {
  readonly code: 'FIELD' | 'CONDITION';
  /** The field whose condition it is. */
  readonly field: string;
  readonly message: string;
  readonly hint?: string;
}

/** What conditions are made over. */
export interface Fields<L> {
  readonly names: readonly string[];
  /** undefined: there is no such field, or it can't be read (`blurred`). */
  reader(name: string): ((line: L) => string | undefined) | undefined;
  isNumeric(name: string): boolean;
}

export type Holds<L> = (line: L) => boolean;
type Test = (value: string | undefined) => boolean;

/** Compiles conditions; faults are handed to `fault`, and what they stand for never holds. */
export function compileConditions<L>(
  conditions: Conditions,
  fields: Fields<L>,
  fault: (fault: ConditionFault) => void,
): Holds<L> {
  const all = Object.entries(conditions).map(([name, condition]): Holds<L> => {
    const read = fields.reader(name);
    const test = compileCondition(name, condition, fields.isNumeric(name), fault);
    if (read) return (line) => test(read(line));
    const near = nearest(name, fields.names);
    fault({
      code: 'FIELD',
      field: name,
      message: `the lines have no field "${name}"`,
      hint: near === undefined ? `they have ${fields.names.join(', ')}` : `did you mean "${near}"?`,
    });
    return () => false;
  });
  // Called for every line: no array is walked where there is but one condition.
  const [only] = all;
  return all.length === 1 && only ? only : (line) => all.every((holds) => holds(line));
}

/** The texts of which a condition demands one, as the whole value, its start, its end or a part; undefined: other demands. */
export function demandedTexts(
  condition: Condition,
): { readonly as: 'whole' | 'start' | 'end' | 'part'; readonly texts: readonly string[] } | undefined {
  if (typeof condition === 'boolean') return undefined;
  if (typeof condition !== 'object') return demandedTexts([condition]);
  if (isList(condition)) {
    const texts = condition.map(String);
    return texts.some((text) => RANGE.test(text) || INSIDE.test(text)) ? undefined : { as: 'whole', texts };
  }
  if (condition.prefix !== undefined) return { as: 'start', texts: [condition.prefix].flat() };
  if (condition.suffix !== undefined) return { as: 'end', texts: [condition.suffix].flat() };
  return condition.contains === undefined ? undefined : { as: 'part', texts: [condition.contains].flat() };
}

/** So many regexes are many. */
const MANY = 3;
/** Characters of a long value. */
const LONG = 512;
const RANGE = /^(\d+)-(\d+)$/;
/** `in 192.0.2.0/24`: short for `{ in: 192.0.2.0/24 }`. */
const INSIDE = /^in (\S+)$/;

function compileCondition(
  name: string,
  condition: Condition,
  isNumeric: boolean,
  fault: (fault: ConditionFault) => void,
): Test {
  if (typeof condition === 'object' && !isList(condition)) return compileTests(name, condition, fault);
  const values: readonly (string | number | boolean)[] = isList(condition) ? condition : [condition];
  const texts = new Set<string>();
  const ranges: [number, number][] = [];
  const insides: ((value: string) => boolean)[] = [];
  for (const value of values) {
    const network = typeof value === 'string' ? INSIDE.exec(value)?.[1] : undefined;
    if (network !== undefined && parseNetwork(network)) {
      insides.push(inside(name, network, fault));
      continue;
    }
    const range = isNumeric && typeof value === 'string' ? RANGE.exec(value) : null;
    if (range) ranges.push([Number(range[1]), Number(range[2])]);
    else if (isNumeric && typeof value === 'number') ranges.push([value, value]);
    else texts.add(toBytes(String(value)));
  }
  return (value) =>
    value !== undefined &&
    (texts.has(value) ||
      ranges.some(([from, to]) => isWithin(Number(value), from, to)) ||
      insides.some((holds) => holds(value)));
}

/** NaN is within nothing. */
function isWithin(value: number, from: number, to: number): boolean {
  return value >= from && value <= to;
}

function compileTests(name: string, tests: ConditionTests, fault: (fault: ConditionFault) => void): Test {
  const all: Test[] = [];
  if (tests.present !== undefined) all.push((value) => (value !== undefined) === tests.present);
  const add = (
    written: string | readonly string[] | undefined,
    make: (expected: string) => (value: string) => boolean,
  ): void => {
    if (written === undefined) return;
    const any = [written].flat().map(make);
    const [only] = any;
    if (any.length === 1 && only) all.push((value) => value !== undefined && only(value));
    else all.push((value) => value !== undefined && any.some((test) => test(value)));
  };
  add(tests.prefix, (expected) => startingWith(toBytes(expected)));
  add(tests.suffix, (expected) => endingWith(toBytes(expected)));
  add(tests.contains, (expected) => containing(toBytes(expected)));
  add(tests.glob, (glob) => search(globSource(glob)).test);
  addRegexes(tests.regex);
  add(tests.in, (network) => inside(name, network, fault));
  const [only] = all;
  return all.length === 1 && only ? only : (value) => all.every((test) => test(value));

  /** Several regexes take longer than to look the value up: scanners ask for the same paths everywhere. */
  function addRegexes(written: string | readonly string[] | undefined): void {
    if (written === undefined) return;
    const test = anyOf([written].flat().map(search));
    if ([written].flat().length < MANY) return void all.push((value) => value !== undefined && test(value));
    const known = remembering(test);
    all.push((value) => value !== undefined && known(value, 0, value.length));
  }

  function search(source: string): Search {
    const compiled = compileSearch(source);
    if ('test' in compiled) return compiled;
    fault({
      code: 'CONDITION',
      field: name,
      ...compiled,
      message: `the condition on "${name}", ${JSON.stringify(source)}: ${compiled.message}`,
    });
    return { node: { kind: 'set', set: new Uint8Array(256) }, test: () => false };
  }
}

interface Search {
  readonly node: Node;
  readonly test: (value: string) => boolean;
}

/**
 * Does any of them find something? Where they are many, or the value is long, by one run for all of them: a long value might
 * have been made to keep each of them busy.
 */
function anyOf(searches: readonly Search[]): (value: string) => boolean {
  const byRegexes = (value: string): boolean => searches.some(({ test }) => test(value));
  // Made when it is first needed: most values of most conditions are short.
  let automaton: Automaton<boolean> | undefined | null = null;
  return (value) => {
    if (searches.length < MANY && value.length < LONG) return byRegexes(value);
    if (automaton === null) {
      const node: Node = { kind: 'alt', options: searches.map((each) => each.node) };
      const program = createProgram([node], true);
      automaton = program && createAutomaton(program, ({ patterns }) => patterns.length > 0);
    }
    return automaton?.run(value, 0, value.length, false) ?? byRegexes(value);
  };
}

/** Is the value an address, written as logs write them, inside a network? */
function inside(
  name: string,
  written: string,
  fault: (fault: ConditionFault) => void,
): (value: string) => boolean {
  const parsed = parseNetwork(written);
  const readAddress = createAddressReader();
  if (!parsed)
    fault({
      code: 'CONDITION',
      field: name,
      message: `the condition on "${name}": ${JSON.stringify(written)} is neither an address nor a network`,
    });
  return (value) => {
    const address = parsed && readAddress(value);
    return address !== undefined && contains(parsed!.network, address);
  };
}

const startingWith = (expected: string) => (value: string) => value.startsWith(expected);
const endingWith = (expected: string) => (value: string) => value.endsWith(expected);
const containing = (expected: string) => (value: string) => value.includes(expected);

/** `*` is any run of bytes, slashes included; `?` is one; everything else is itself. The whole value must fit. */
function globSource(glob: string): string {
  const escaped = glob.replace(/[\\^$.|+()[\]{}<>*?]/g, (mark) =>
    mark === '*' ? '.*' : mark === '?' ? '.' : `\\${mark}`,
  );
  return `^${escaped}$`;
}

/** A text as the bytes that a log holds. */
export function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function isList(condition: Condition): condition is readonly (string | number)[] {
  return Array.isArray(condition);
}
