// Files of jails.d/ over jails.json: objects merge, everything else is replaced, null deletes.
import type { Fault } from '../errors.ts';
import { faultAt, shown, suggest } from './place.ts';
import type { Entry, ObjectTree, Tree } from './tree.ts';

/** `over` laid on `base`. Neither is changed; every value keeps the place in the file that it came from. */
export function merge(base: ObjectTree, over: ObjectTree, warnings: Fault[]): ObjectTree {
  const entries = new Map<string, Entry>(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    if (isNull(entry.value)) {
      if (!below) {
        const message = `null deletes ${shown(key)}, which is not there`;
        const hint = suggest(key, base.entries.keys(), 'there are');
        warnings.push(faultAt(entry.key, 'W_CONFIG_DELETES_NOTHING', message, hint));
      }
      entries.delete(key);
    } else if (entry.value.kind !== 'object') {
      entries.set(key, entry);
    } else if (below?.value.kind === 'object') {
      entries.set(key, { key: below.key, value: merge(below.value, entry.value, warnings) });
    } else {
      const nothing: ObjectTree = { kind: 'object', at: entry.value.at, entries: new Map() };
      entries.set(key, { key: entry.key, value: merge(nothing, entry.value, warnings) });
    }
  }
  return { kind: 'object', at: base.at, entries };
}

function isNull(tree: Tree): boolean {
  return tree.kind === 'value' && tree.value === null;
}
