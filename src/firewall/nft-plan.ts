// From changes to one transaction. Pure: used by nftables, which runs it, and by dry-run, which shows it.
import type { Block, Instant, Network } from '../model.ts';
import type { Change } from './contract.ts';
import { createElementWriter, type ElementWriter } from './nft-element-bytes.ts';
import { complete, type Layout, type Plan } from './nft-layout.ts';
import * as script from './nft-script.ts';
import { allowSet, banSet, type SetSpec } from './sets.ts';

/** Elements a statement: one with 4 000 takes nft and the kernel 72 ms, four with 1 000 take 20. */
const MOST_ELEMENTS = 1_000;
/** Changes a transaction. One with 100 000 fails where the send buffer can't grow. */
const TRANSACTION = 10_000;

/** The changes in their order, one transaction's at a time. */
export function* chunksOf<T>(changes: readonly T[], size = TRANSACTION): Generator<readonly T[]> {
  for (let at = 0; at < changes.length; at += size) yield changes.slice(at, at + size);
}

/** The table, its chain and exactly these allowed addresses; bans stay. */
export function planFoundation(layout: Layout, allow: readonly Network[]): Plan {
  const sets = new Map<string, { set: SetSpec; networks: Map<string, Network> }>();
  for (const network of allow) {
    const set = allowSet(network);
    const entry = sets.get(set.name) ?? { set, networks: new Map() };
    sets.set(set.name, entry);
    entry.networks.set(network.text, network);
  }
  const { statements, after } = complete(
    layout,
    [...sets.values()].map(({ set }) => set),
  );
  const fill: script.Statement[] = [];
  for (const set of layout.sets.values()) if (set.purpose === 'allow') fill.push(script.flushSet(set.name));
  for (const [name, { networks }] of sets) {
    const pages = createPages();
    for (const network of networks.values()) pages.add(network);
    fill.push(...adding(name, pages));
  }
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
    const { network } = change;
    const isWanted = isBlock(change, now);
    const isNew = isWanted && change.isNew === true && !entry.elements.has(network.text);
    entry.elements.set(network.text, {
      network,
      isWanted,
      timeout: isWanted ? script.timeoutOf(change.until, now) : undefined,
      isNew,
    });
  }
  // Where there is no such set there is nothing to release.
  const touched = [...bySet.values()].filter(
    ({ set, elements }) =>
      layout.sets.has(set.name) || [...elements.values()].some(({ isWanted }) => isWanted),
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
  /** The sets and rules that it needs; the foundation too where it is gone. No statements where nothing is missing. */
  planSets(layout: Layout, allow: readonly Network[]): Plan;
  /** The same with its elements: one transaction's worth. */
  plan(layout: Layout, allow: readonly Network[]): Plan;
}

/**
 * Blocks of which none is there yet, each told once: they become bytes as they come, so that of many nothing else is kept.
 * Those that are over already are left out.
 */
export function createCrowd(now: Instant): Crowd {
  const bySet = new Map<SetSpec, Pages>();

  function planSets(layout: Layout, allow: readonly Network[]): Plan {
    if (bySet.size === 0) return { statements: [], after: layout };
    const foundation = layout.hasTable ? { statements: [], after: layout } : planFoundation(layout, allow);
    const structure = complete(foundation.after, [...bySet.keys()]);
    return { statements: [...foundation.statements, ...structure.statements], after: structure.after };
  }

  return {
    add({ scope, network, until }) {
      if (until !== undefined && until <= now) return;
      const set = banSet(scope, network);
      let pages = bySet.get(set);
      if (!pages) bySet.set(set, (pages = createPages()));
      pages.add(network, script.timeoutOf(until, now));
    },
    planSets,
    plan(layout, allow) {
      const { statements, after } = planSets(layout, allow);
      const elements = [...bySet].flatMap(([{ name }, pages]) => adding(name, pages));
      return { statements: [...statements, ...elements], after };
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

/** By the network's text: as it is to be, or not at all where it is to be released. */
type Elements = Map<
  string,
  {
    readonly network: Network;
    readonly isWanted: boolean;
    readonly timeout: number | undefined;
    readonly isNew: boolean;
  }
>;

/**
 * Before Linux 6.12 `add element` on one that is there keeps the old end, silently, and a `delete` of one that isn't
 * there fails the whole batch. Add, delete, add works on every kernel: the first add makes sure of the delete. It takes
 * four times as long as one add, which is enough for what isn't there.
 */
function setElements(set: string, elements: Elements): script.Statement[] {
  const [bare, timed] = [createPages(), createPages()];
  for (const { network, isWanted, timeout, isNew } of elements.values()) {
    if (isWanted) timed.add(network, timeout);
    if (!isNew) bare.add(network);
  }
  const anew = adding(set, bare).flatMap((add) => [add, { ...add, what: 'delete' } as const]);
  return [...anew, ...adding(set, timed)];
}

function adding(set: string, pages: Pages): script.ElementStatement[] {
  return pages.all().map((elements) => ({ what: 'add', set, elements }));
}

/** Elements of one set, in as many pieces as it takes statements. */
interface Pages {
  add: ElementWriter['add'];
  all(): Buffer[];
}

function createPages(): Pages {
  const full: Buffer[] = [];
  let writer: ElementWriter | undefined;
  return {
    add(network, timeout) {
      if (writer?.count === MOST_ELEMENTS) {
        full.push(writer.bytes);
        writer = undefined;
      }
      // One is full: it goes on like that.
      (writer ??= createElementWriter(full.at(-1)?.length)).add(network, timeout);
    },
    all: () => (writer ? [...full, writer.bytes] : full),
  };
}
