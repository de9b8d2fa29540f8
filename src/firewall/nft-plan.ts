// From changes to one transaction. Pure: used by nftables, which runs it, and by dry-run, which shows it.
import type { Block, Instant, Network } from '../model.ts';
import type { Change } from './contract.ts';
import { complete, type Layout, type Plan } from './nft-layout.ts';
import * as script from './nft-script.ts';
import { allowSet, banSet, elementOf, type SetSpec } from './sets.ts';

/** Elements a command: one with 4 000 takes 72 ms in the kernel, four with 1 000 take 20. */
const COMMAND = 1_000;
/** Changes a transaction, each of which costs a start of nft. One with 100 000 fails where the send buffer can't grow. */
const TRANSACTION = 10_000;

/** The changes in their order, one transaction's at a time. */
export function* chunksOf<T>(changes: readonly T[], size = TRANSACTION): Generator<readonly T[]> {
  for (let at = 0; at < changes.length; at += size) yield changes.slice(at, at + size);
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
    for (const some of chunksOf([...elements], COMMAND)) fill.push(script.addElements(name, some));
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
  const bySet = new Map<string, Wanted>();
  let entry: Wanted | undefined;
  for (const change of changes) {
    const set = banSet(change.scope, change.network);
    if (entry?.set !== set) {
      entry = bySet.get(set.name) ?? { set, elements: new Map() };
      bySet.set(set.name, entry);
    }
    const element = elementOf(change.network);
    const timed = isBlock(change, now) ? script.timedElement(element, change.until, now) : undefined;
    const isNew = change.what === 'block' && change.isNew === true && !entry.elements.has(element);
    entry.elements.set(element, { timed, isNew });
  }
  // Where there is no such set there is nothing to release.
  const touched = [...bySet.values()].filter(
    ({ set, elements }) =>
      layout.sets.has(set.name) || [...elements.values()].some(({ timed }) => timed !== undefined),
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

export interface Crowd {
  add(block: Block): void;
  /** One transaction's worth, with the sets and rules that it needs; the foundation too where it is gone. */
  plan(layout: Layout, allow: readonly Network[]): Plan;
}

/**
 * Blocks of which none is there yet, each told once: they become text as they come, so that of many nothing else is kept.
 * Those that are over already are left out.
 */
export function createCrowd(now: Instant): Crowd {
  const bySet = new Map<SetSpec, { readonly commands: string[]; elements: string[] }>();
  return {
    add({ scope, network, until }) {
      if (until !== undefined && until <= now) return;
      const set = banSet(scope, network);
      let entry = bySet.get(set);
      if (!entry) bySet.set(set, (entry = { commands: [], elements: [] }));
      entry.elements.push(script.timedElement(elementOf(network), until, now));
      if (entry.elements.length < COMMAND) return;
      entry.commands.push(script.addElements(set.name, entry.elements));
      entry.elements = [];
    },
    plan(layout, allow) {
      if (bySet.size === 0) return { statements: [], after: layout };
      const foundation = layout.hasTable ? { statements: [], after: layout } : planFoundation(layout, allow);
      const structure = complete(foundation.after, [...bySet.keys()]);
      const rest = [...bySet].filter(([, { elements }]) => elements.length > 0);
      return {
        statements: [
          ...foundation.statements,
          ...structure.statements,
          ...[...bySet.values()].flatMap(({ commands }) => commands),
          ...rest.map(([{ name }, { elements }]) => script.addElements(name, elements)),
        ],
        after: structure.after,
      };
    },
  };
}

/** Does the change block anything? One whose end isn't ahead doesn't. */
export function isBlock(change: Change, now: Instant): change is Extract<Change, { what: 'block' }> {
  return change.what === 'block' && (change.until === undefined || change.until > now);
}

/** What is to become of one set. */
interface Wanted {
  readonly set: SetSpec;
  readonly elements: Elements;
}

/** By element: with its end, or without where it is to be released. */
type Elements = Map<string, { readonly timed: string | undefined; readonly isNew: boolean }>;

/**
 * Before Linux 6.12 `add element` on one that is there keeps the old end, silently, and a `delete` of one that isn't
 * there fails the whole batch. Add, delete, add works on every kernel: the first add makes sure of the delete. It takes
 * four times as long as one add, which is enough for what isn't there.
 */
function setElements(set: string, elements: Elements): string[] {
  const bare: string[] = [];
  const timed: string[] = [];
  for (const [element, wanted] of elements) {
    if (wanted.timed !== undefined) timed.push(wanted.timed);
    if (!wanted.isNew || wanted.timed === undefined) bare.push(element);
  }
  return [
    ...inCommands(bare, (some) => [script.addElements(set, some), script.deleteElements(set, some)]),
    ...inCommands(timed, (some) => [script.addElements(set, some)]),
  ];
}

function inCommands(elements: readonly string[], write: (some: readonly string[]) => string[]): string[] {
  return [...chunksOf(elements, COMMAND)].flatMap(write);
}
