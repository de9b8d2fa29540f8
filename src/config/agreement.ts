// `start` and `zone` belong to the file: jails that name the same log must not say different things of it. `start` belongs to
// the same entries of the journal as well; their stamps name their zone.
import type { Fault } from '../errors.ts';
import type { JailConfig } from './contract.ts';
import { faultAt, shown } from './place.ts';
import type { Tree } from './tree.ts';
import { keyAt, valueAt } from './tree.ts';

/**
 * A jail that says nothing of `start` goes along with the others. A jail that says nothing of `zone` reads stamps in the
 * host's zone, which is a zone as well.
 */
export function findDisagreements(jails: readonly JailConfig[], tree: Tree): Fault[] {
  const faults: Fault[] = [];
  for (const key of ['start', 'zone'] as const) {
    const saidOf = new Map<string, JailConfig>();
    for (const jail of jails) {
      if (key === 'start' && jail.start === undefined) continue;
      const sources = key === 'start' ? [...jail.logs, ...journalOf(jail)] : jail.logs;
      const other = sources
        .map((log) => ({ log, first: saidOf.get(log) }))
        .find((o) => o.first && o.first[key] !== jail[key]);
      if (other?.first) faults.push(disagreement(key, jail, other.first, other.log, tree));
      for (const log of sources) if (!saidOf.has(log)) saidOf.set(log, jail);
    }
  }
  return faults;
}

function journalOf({ journal }: JailConfig): string[] {
  return journal.length === 0 ? [] : [`journal: ${journal.join(' ')}`];
}

function disagreement(
  key: 'start' | 'zone',
  jail: JailConfig,
  first: JailConfig,
  log: string,
  tree: Tree,
): Fault {
  const say = (which: JailConfig): string => (which[key] === undefined ? "the host's" : shown(which[key]));
  const message = `the jails ${first.name} and ${jail.name} disagree on the "${key}" of ${shown(log)}: ${say(first)} and ${say(jail)}`;
  return faultAt(
    placeOf(key, jail, tree),
    'E_CONFIG_CONFLICT',
    message,
    `it belongs to the file: write the same in both`,
  );
}

/** Where the jail says it; else where the jail stands. */
function placeOf(key: string, jail: JailConfig, tree: Tree) {
  const value = valueAt(tree, ['jails', jail.name]);
  return value.kind === 'object' && value.entries.has(key) ? keyAt(tree, ['jails', jail.name, key]) : jail.at;
}
