// JSON with comments as a tree in which every key and every value knows its place.
import type { Node, ParseError } from 'jsonc-parser';
import { createScanner, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Fault } from '../errors.ts';
import type { Place } from './place.ts';
import { faultAt, placeIn, shown } from './place.ts';

export type Tree = Leaf | ListTree | ObjectTree;
export interface Leaf {
  readonly kind: 'value';
  readonly at: Place;
  readonly value: string | number | boolean | null;
}
export interface ListTree {
  readonly kind: 'list';
  readonly at: Place;
  readonly items: Tree[];
}
export interface ObjectTree {
  readonly kind: 'object';
  readonly at: Place;
  readonly entries: Map<string, Entry>;
}
/** A key's place and what it holds. */
export interface Entry {
  readonly key: Place;
  readonly value: Tree;
}
export type Path = readonly (string | number)[];

/** Deeper than any config; a parser that recurses would run out of stack at some thousands. */
const MAX_DEPTH = 32;

const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this is no JSON value; texts stand in double quotes',
  InvalidNumberFormat: 'this is no number',
  PropertyNameExpected: 'expected a key in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected a colon after the key',
  CommaExpected: 'expected a comma before this',
  CloseBraceExpected: 'expected a closing }',
  CloseBracketExpected: 'expected a closing ]',
  EndOfFileExpected: 'expected nothing more after the config',
  UnexpectedEndOfComment: 'a comment is not closed with */',
  UnexpectedEndOfString: 'a text is not closed with a double quote',
  UnexpectedEndOfNumber: 'a number ends too early',
  InvalidUnicode: 'expected four hexadecimal digits after \\u',
  InvalidEscapeCharacter: 'after a backslash only " \\ / b f n r t u may follow',
  InvalidCharacter: 'a control character may not stand in a text; write it as \\u00XX',
};

/**
 * Parses one file. Comments and trailing commas are allowed; a key that stands twice is a fault and its last value holds.
 * @returns a tree only where the syntax is sound; faults in either case.
 */
export function parseConfigText(file: string, text: string): { tree: Tree | undefined; faults: Fault[] } {
  const place = placeIn(file, text);
  const unparsable = whyUnparsable(text, place);
  if (unparsable) return { tree: undefined, faults: [unparsable] };
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || root === undefined)
    return { tree: undefined, faults: syntaxFaults(errors, text, place) };
  const faults: Fault[] = [];
  return { tree: located(root, place, faults), faults };
}

/** The value that stands at `path`, or the nearest one above it that exists. */
export function valueAt(tree: Tree, path: Path): Tree {
  let here = tree;
  for (const step of path) {
    const next = childOf(here, step);
    if (!next) return here;
    here = next;
  }
  return here;
}

/** The place of the key that `path` ends with; of the value where it is no key. */
export function keyAt(tree: Tree, path: Path): Place {
  const parent = valueAt(tree, path.slice(0, -1));
  const last = path.at(-1);
  const entry = parent.kind === 'object' && typeof last === 'string' ? parent.entries.get(last) : undefined;
  return entry?.key ?? valueAt(tree, path).at;
}

/**
 * Takes values out of the tree, all found before any is removed, so that the indices of lists hold.
 * @returns whether there was anything to take out.
 */
export function removeAll(tree: Tree, paths: readonly Path[]): boolean {
  const parents = new Set<Tree>();
  const doomed = new Set<Tree>();
  for (const path of paths) {
    parents.add(valueAt(tree, path.slice(0, -1)));
    doomed.add(valueAt(tree, path));
  }
  let removed = false;
  for (const parent of parents) {
    if (parent.kind === 'list') {
      const kept = parent.items.filter((item) => !doomed.has(item));
      removed ||= kept.length < parent.items.length;
      parent.items.length = 0;
      for (const item of kept) parent.items.push(item);
    } else if (parent.kind === 'object') {
      for (const [key, { value }] of parent.entries)
        if (doomed.has(value)) removed = parent.entries.delete(key);
    }
  }
  return removed;
}

/** The bare value, without places. Objects have no prototype, so that a key such as `__proto__` is only a key. */
export function plain(tree: Tree): unknown {
  if (tree.kind === 'value') return tree.value;
  if (tree.kind === 'list') return tree.items.map(plain);
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, entry] of tree.entries) object[key] = plain(entry.value);
  return object;
}

function childOf(tree: Tree, step: string | number): Tree | undefined {
  if (tree.kind === 'object') return tree.entries.get(String(step))?.value;
  return tree.kind === 'list' && typeof step === 'number' ? tree.items[step] : undefined;
}

/** What must be known before the parser may see the text: that there is something, and that it isn't nested too deep. */
function whyUnparsable(text: string, place: (offset: number) => Place): Fault | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  let tokens = 0;
  for (;;) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    if (offset >= text.length) break;
    tokens++;
    const first = text[offset];
    if (first === '{' || first === '[') depth++;
    if (first === '}' || first === ']') depth--;
    if (depth > MAX_DEPTH)
      return faultAt(place(offset), 'E_CONFIG_SYNTAX', `nested more than ${MAX_DEPTH} levels deep`);
  }
  if (tokens > 0) return undefined;
  const whole = { ...place(0), line: 0, column: 0 };
  return faultAt(whole, 'E_CONFIG_EMPTY', 'the file is empty', 'write {} for a config without jails');
}

/** Without the consequences: an error on the same line as one before it, or with nothing but blanks in between. */
function syntaxFaults(
  errors: readonly ParseError[],
  text: string,
  place: (offset: number) => Place,
): Fault[] {
  const faults: Fault[] = [];
  let last = { line: 0, end: 0 };
  for (const { error, offset, length } of errors) {
    const at = place(offset);
    const follows = at.line === last.line || text.slice(last.end, offset).trim() === '';
    if (!follows || faults.length === 0)
      faults.push(faultAt(at, 'E_CONFIG_SYNTAX', SYNTAX[printParseErrorCode(error)] ?? 'this is not JSON'));
    last = { line: at.line, end: offset + length };
  }
  return faults;
}

function located(node: Node, place: (offset: number) => Place, faults: Fault[]): Tree {
  const at = place(node.offset);
  if (node.type === 'array')
    return { kind: 'list', at, items: (node.children ?? []).map((child) => located(child, place, faults)) };
  if (node.type !== 'object') return { kind: 'value', at, value: node.value as Leaf['value'] };
  const entries = new Map<string, Entry>();
  for (const { children: [name, value] = [] } of node.children ?? []) {
    if (!name || !value) continue;
    const key = name.value as string;
    const entry = { key: place(name.offset), value: located(value, place, faults) };
    const earlier = entries.get(key);
    if (earlier) {
      const message = `the key ${shown(key)} stands twice`;
      faults.push(
        faultAt(entry.key, 'E_CONFIG_DUPLICATE_KEY', message, `the first is on line ${earlier.key.line}`),
      );
    }
    entries.set(key, entry);
  }
  return { kind: 'object', at, entries };
}
