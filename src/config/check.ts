// The tree against the schema: every fault with its place, and the typed value of what is sound.
import * as v from 'valibot';
import type { Fault } from '../errors.ts';
import { nearest } from '../text.ts';
import { readAllowEntry } from './allow.ts';
import type { ConfigCode } from './codes.ts';
import { findUnknownKeys, labelOf } from './keys.ts';
import type { Finding } from './keys.ts';
import { faultAt, shown, suggest } from './place.ts';
import type { ConfigInput } from './schema.ts';
import { configSchema } from './schema.ts';
import type { Path, Tree } from './tree.ts';
import { keyAt, plain, removeAll, valueAt } from './tree.ts';

export interface Checked {
  /** undefined where the root itself is no object. */
  readonly input: ConfigInput | undefined;
  readonly faults: readonly Fault[];
  /** Was something taken out at this path or below it, or under a misspelling of its key? Then what lacks is told already. */
  isTold(path: Path): boolean;
}

/**
 * Checks keys, kinds and ranges. What is faulty is told and taken out of `tree`, so that the rest can be checked
 * further: the input fits what is left of the tree, index by index.
 */
export function checkShape(tree: Tree): Checked {
  const faults: Fault[] = [];
  const told = new Map<string, Set<string>>();
  const isTold = (path: Path): boolean => {
    const gone = told.get(JSON.stringify(path.slice(0, -1)));
    const key = String(path.at(-1));
    return gone !== undefined && (gone.has(key) || nearest(key, gone) !== undefined);
  };
  if (tree.kind !== 'object') {
    const message = `expected an object, got ${describe(plain(tree))}`;
    return { input: undefined, faults: [faultAt(tree.at, 'E_CONFIG_TYPE', message)], isTold };
  }
  const takeOut = (findings: readonly Finding[]): boolean => {
    for (const { path, fault } of findings) {
      // What is empty only because its faulty parts were taken out is no further fault.
      if (fault.code === 'E_CONFIG_NAME' || !told.has(JSON.stringify(path))) faults.push(fault);
      // A key and all that it stands in: a list whose members were all faulty is not missing.
      for (let depth = 1; depth <= path.length; depth++) {
        const parent = JSON.stringify(path.slice(0, depth - 1));
        const gone = told.get(parent) ?? new Set();
        told.set(parent, gone.add(String(path[depth - 1])));
      }
    }
    return removeAll(
      tree,
      findings.map(({ path }) => path),
    );
  };
  takeOut(findUnknownKeys(tree, configSchema));
  for (;;) {
    const result = v.safeParse(configSchema, plain(tree));
    if (result.success) return { input: result.output, faults, isTold };
    if (!takeOut(findingsOf(result.issues, tree))) return { input: undefined, faults, isTold };
  }
}

/** One finding a place, the first of them. */
function findingsOf(issues: readonly v.BaseIssue<unknown>[], tree: Tree): Finding[] {
  const byPlace = new Map<string, Finding>();
  for (const { issue, path } of issues.flatMap((each) => telling(each, []))) {
    const where = JSON.stringify(path);
    if (!byPlace.has(where)) byPlace.set(where, findingOf(issue, path, tree));
  }
  return [...byPlace.values()];
}

/**
 * Of a value that fits none of several kinds, the issues that say most: those inside it, else those about a value of
 * the right kind. Where there are none, the kind itself is wrong.
 */
function telling(issue: v.BaseIssue<unknown>, above: Path): { issue: v.BaseIssue<unknown>; path: Path }[] {
  const path = [...above, ...(issue.path ?? []).map((item) => item.key as string | number)];
  // Unknown keys are found already; one that comes up here is the index of a list, taken for an object by valibot.
  const inside = issue.issues?.filter((inner) => inner.path && inner.type !== 'strict_object') ?? [];
  const better = inside.length > 0 ? inside : (issue.issues?.filter(saysMore) ?? []);
  return better.length > 0 ? better.flatMap((inner) => telling(inner, path)) : [{ issue, path }];
}

/** Is it about a value of the right kind, that isn't among those allowed? */
function saysMore({ kind, type, input }: v.BaseIssue<unknown>): boolean {
  return kind === 'validation' || (type === 'picklist' && typeof input === 'string');
}

/** Every message in the schema is a fault's code, a space, and what was expected. */
function findingOf(issue: v.BaseIssue<unknown>, path: Path, tree: Tree): Finding {
  const isAboutKey = issue.path?.at(-1)?.origin === 'key';
  const at = isAboutKey ? keyAt(tree, path) : valueAt(tree, path).at;
  const got = isAboutKey ? path.at(-1) : plain(valueAt(tree, path));
  const space = issue.message.indexOf(' ');
  const code = issue.message.slice(0, space) as ConfigCode;
  const message = `${labelOf(path)}: expected ${issue.message.slice(space + 1)}, got ${describe(got)}`;
  return { path, fault: faultAt(at, code, message, hintFor(code, issue, path, got)) };
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return shown(value);
}

function hintFor(
  code: ConfigCode,
  issue: v.BaseIssue<unknown>,
  path: Path,
  got: unknown,
): string | undefined {
  if (got === null) return 'leave the key out; null deletes a key only in jails.d/';
  if (typeof got !== 'string') return undefined;
  if (code === 'E_CONFIG_ADDRESS') {
    const read = readAllowEntry(got);
    return read.kind === 'bad' ? read.hint : undefined;
  }
  if (path.at(-1) === 'zone') return suggest(got, Intl.supportedValuesOf('timeZone'), 'zones');
  if (issue.type !== 'picklist') return undefined;
  return suggest(got, issue.expected?.match(/(?<=")\w+(?=")/g) ?? [], 'known values');
}
