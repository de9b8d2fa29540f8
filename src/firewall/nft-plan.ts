// From changes to one transaction. Pure: used by nftables, which runs it, and by dry-run, which shows it.
import type { Instant, Network } from '../model.ts';
import type { Change } from './contract.ts';
import { complete, type Layout, type Plan } from './nft-layout.ts';
import * as script from './nft-script.ts';
import { allowSet, banSet, elementOf, type SetSpec } from './sets.ts';

/**
 * Changes a transaction: 5 to 8 µs each. A command with 4 000 takes 72 ms in the kernel, and one with 100 000 fails
 * where the send buffer can't grow.
 */
export const CHUNK = 1_000;

/** The changes in their order, {@link CHUNK} at a time. */
export function* chunksOf<T>(changes: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < changes.length; at += CHUNK) yield changes.slice(at, at + CHUNK);
}

/** The table, its chain and exactly these allowed addresses; bans stay. */
export function planFoundation(layout: Layout, allow: readonly Network[]): Plan {
  const sets = new Map<string, { set: SetSpec; elements: Set<string> }>();
  for (const network of allow) {
    const set = allowSet(network);
    const entry = sets.get(set.name) ?? { set, elements: new Set() };
    sets.set(set.name, entry);
    entry.elements.add(elementOf(network));
  }
  const { statements, after } = complete(
    layout,
    [...sets.values()].map(({ set }) => set),
  );
  const fill: string[] = [];
  for (const set of layout.sets.values()) if (set.purpose === 'allow') fill.push(script.flushSet(set.name));
  for (const [name, { elements }] of sets)
    for (const some of chunksOf([...elements])) fill.push(script.addElements(name, some));
  return { statements: [...statements, ...fill], after };
}

/**
 * Blocks and releases, with the sets and rules that they need; the foundation too where it is gone.
 * Of several changes to one address and scope the last counts. A block that is over already is a release.
 * No statements where nothing is to be done.
 */
export function planChanges(
  layout: Layout,
  allow: readonly Network[],
  changes: readonly Change[],
  now: Instant,
): Plan {
  const bySet = new Map<string, { set: SetSpec; elements: Map<string, string | undefined> }>();
  for (const change of changes) {
    const set = banSet(change.scope, change.network);
    const entry = bySet.get(set.name) ?? { set, elements: new Map() };
    bySet.set(set.name, entry);
    const element = elementOf(change.network);
    entry.elements.set(
      element,
      isBlock(change, now) ? script.timedElement(element, change.until, now) : undefined,
    );
  }
  // Where there is no such set there is nothing to release.
  const touched = [...bySet.values()].filter(
    ({ set, elements }) =>
      layout.sets.has(set.name) || [...elements.values()].some((timed) => timed !== undefined),
  );
  if (touched.length === 0) return { statements: [], after: layout };

  const foundation = layout.hasTable ? { statements: [], after: layout } : planFoundation(layout, allow);
  const structure = complete(
    foundation.after,
    touched.map(({ set }) => set),
  );
  const elements = touched.flatMap(({ set, elements: all }) => setElements(set.name, all));
  return {
    statements: [...foundation.statements, ...structure.statements, ...elements],
    after: structure.after,
  };
}

/** Does the change block anything? One whose end isn't ahead doesn't. */
export function isBlock(change: Change, now: Instant): change is Extract<Change, { what: 'block' }> {
  return change.what === 'block' && (change.until === undefined || change.until > now);
}

/**
 * Before Linux 6.12 `add element` on one that is there keeps the old end, silently, and a `delete` of one that isn't
 * there fails the whole batch. Add, delete, add works on every kernel: the first add makes sure of the delete.
 */
function setElements(set: string, elements: ReadonlyMap<string, string | undefined>): string[] {
  const bare = [...elements.keys()];
  const timed = [...elements.values()].filter((element) => element !== undefined);
  const cleared = [script.addElements(set, bare), script.deleteElements(set, bare)];
  return timed.length === 0 ? cleared : [...cleared, script.addElements(set, timed)];
}
