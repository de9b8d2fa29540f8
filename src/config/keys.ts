// Every key that the schema doesn't know, all at once (valibot tells only the first of an object), with the nearest
// known one; and lists where objects are expected, which valibot takes for objects.
import type * as v from 'valibot';
import type { Fault } from '../errors.ts';
import { printable } from '../text.ts';
import { faultAt, shown, suggest } from './place.ts';
import type { ObjectTree, Path, Tree } from './tree.ts';

/** What is faulty, and where, so that the rest can be checked without it. */
export interface Finding {
  readonly path: Path;
  readonly fault: Fault;
}

/** The parts of valibot's schemas that say what may stand inside. */
interface Shape {
  readonly type: string;
  readonly wrapped?: Shape;
  readonly entries?: Readonly<Record<string, Shape>>;
  readonly value?: Shape;
  readonly item?: Shape;
  readonly options?: readonly Shape[];
}

/** Words that JavaScript's objects take for something else; valibot drops them in silence. */
const UNUSABLE = new Set(['__proto__', 'constructor', 'prototype']);

/** Compares the keys of a tree with those of a schema. */
export function findUnknownKeys(tree: Tree, schema: v.GenericSchema): Finding[] {
  const findings: Finding[] = [];
  visit(tree, schema, [], findings);
  return findings;
}

function visit(tree: Tree, schema: Shape, path: Path, findings: Finding[]): void {
  if (tree.kind === 'value') return;
  const shape = shapeFor(tree, schema);
  if (tree.kind === 'list') {
    if (shape?.item)
      for (const [i, item] of tree.items.entries()) visit(item, shape.item, [...path, i], findings);
    else if (shape) findings.push({ path, fault: listFault(tree, path) });
    return;
  }
  if (shape?.entries) visitKnown(tree, shape.entries, path, findings);
  if (shape?.value) visitNamed(tree, shape.value, path, findings);
}

function visitKnown(
  tree: ObjectTree,
  known: Readonly<Record<string, Shape>>,
  path: Path,
  findings: Finding[],
): void {
  for (const [key, { key: at, value }] of tree.entries) {
    const inner = [...path, key];
    if (Object.hasOwn(known, key)) {
      visit(value, known[key]!, inner, findings);
    } else {
      const message = `unknown key ${shown(key)} in ${labelOf(path)}`;
      const hint = suggest(key, Object.keys(known), 'known keys');
      findings.push({ path: inner, fault: faultAt(at, 'E_CONFIG_UNKNOWN_KEY', message, hint) });
    }
  }
}

function visitNamed(tree: ObjectTree, shape: Shape, path: Path, findings: Finding[]): void {
  for (const [key, { key: at, value }] of tree.entries) {
    const inner = [...path, key];
    if (UNUSABLE.has(key))
      findings.push({
        path: inner,
        fault: faultAt(at, 'E_CONFIG_NAME', `${shown(key)} can't be used as a name`),
      });
    else visit(value, shape, inner, findings);
  }
}

/** The schema inside optional keys and unions that says what a list or an object may hold. */
function shapeFor(tree: Tree, schema: Shape): Shape | undefined {
  if (schema.wrapped) return shapeFor(tree, schema.wrapped);
  if (schema.options && schema.type === 'union') {
    const inner = schema.options
      .map((option) => shapeFor(tree, option))
      .filter((shape) => shape !== undefined);
    return inner.find((shape) => (tree.kind === 'list' ? shape.item : !shape.item)) ?? inner[0];
  }
  return schema.item || schema.entries || schema.value ? schema : undefined;
}

function listFault(tree: Tree, path: Path): Fault {
  return faultAt(tree.at, 'E_CONFIG_TYPE', `${labelOf(path)}: expected an object, got a list`);
}

/** How a path is written in messages: `jails.sshd.ports[0]`. */
export function labelOf(path: Path): string {
  if (path.length === 0) return 'the config';
  const label = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return printable(label.slice(1), 200);
}
