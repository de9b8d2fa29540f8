// What we believe to be in the kernel, as rows of numbers: there is one for each ban in force, beside the ban's own.
import type { Block, Instant, Network, Scope } from '../../model.ts';
import { NetworkRows, IN_PAGE, isSpare, PAGE_BITS, ROWS_A_PAGE } from '../../network-rows.ts';
import { isSame, isSameScope } from './desired.ts';

export interface Held {
  /** Of how many networks something is held. */
  readonly size: number;
  /** In no order; what is held or let go meanwhile is met or not, or twice. */
  all(): Generator<Block>;
  on(network: Network): readonly Block[];
  /** Anything of the network. */
  holds(network: Network): boolean;
  has(network: Network, scope: Scope): boolean;
  /** In the place of what was held of the network in this scope. */
  hold(block: Block): void;
  letGo(network: Network, scope: Scope): void;
  /**
   * The kernel is about to be told of it: until it is {@link settled} it isn't held, and must not change. Nothing else may be held
   * or let go meanwhile.
   */
  expect(block: Block): void;
  /** So many of what is expected, in the order in which it came. */
  expected(blocks: number): Generator<Block>;
  /** So many of these are held, on so many networks of which nothing was. */
  settled(blocks: number, networks: number): void;
  /** So many of these never came to be: Infinity for all. */
  withdrawn(blocks: number): void;
  /** From here on it is told what the kernel says to hold, each block by {@link listed}, until {@link unlisted}. */
  beginListing(): void;
  /** Takes it over. @returns whether it was held so before, but for the accuracy of a listing. */
  listed(block: Block): boolean;
  /** Lets go of what was not listed, one after the other. */
  unlisted(): Generator<Block>;
}

const NOTHING: readonly never[] = [];

interface Page {
  /** Infinity: no end. */
  readonly until: Float64Array;
  readonly scopes: Int32Array;
  /** The number of the listing that had it last. */
  readonly listings: Uint8Array;
}

/** @param expected so many will come at once. */
export function createHeld(expected = 0): Held {
  const networks = new NetworkRows(expected);
  const pages: Page[] = [];
  /** All that there have been: a handful. */
  const scopes: Scope[] = [];
  let listing = 0;
  /** How many rows are held: those behind them are expected. */
  let sure = 0;
  let sureNetworks = 0;

  const pageOf = (row: number): Page => pages[row >> PAGE_BITS]!;

  function numberOf(scope: Scope): number {
    const known = scopes.findIndex((each) => isSameScope(each, scope));
    return known < 0 ? scopes.push(scope) - 1 : known;
  }

  function blockAt(row: number, network: Network): Block {
    const { until, scopes: numbers } = pageOf(row);
    const end = until[row & IN_PAGE]!;
    return {
      scope: scopes[numbers[row & IN_PAGE]!]!,
      network,
      until: end === Infinity ? undefined : end,
    };
  }

  /** @returns its row; -1 where it isn't held. */
  function find(network: Network, scope: number): number {
    let row = networks.first(network);
    while (row >= 0 && pageOf(row).scopes[row & IN_PAGE] !== scope) row = networks.next(row);
    return row;
  }

  function put(row: number, scope: number, until: Instant | undefined): void {
    if (row === pages.length << PAGE_BITS)
      pages.push({
        until: new Float64Array(ROWS_A_PAGE),
        scopes: new Int32Array(ROWS_A_PAGE),
        listings: new Uint8Array(ROWS_A_PAGE),
      });
    const page = pageOf(row);
    const at = row & IN_PAGE;
    page.until[at] = until ?? Infinity;
    page.scopes[at] = scope;
    page.listings[at] = listing;
  }

  /** While nothing is expected. */
  function count(): void {
    sure = networks.size;
    sureNetworks = networks.distinct;
  }

  function remove(row: number): void {
    const last = networks.remove(row);
    if (last !== row) {
      const [source, target] = [pageOf(last), pageOf(row)];
      for (const column of ['until', 'scopes', 'listings'] as const)
        target[column][row & IN_PAGE] = source[column][last & IN_PAGE]!;
    }
    if (isSpare(pages, last)) pages.pop();
  }

  function hold({ network, scope, until }: Block): void {
    const number = numberOf(scope);
    const row = find(network, number);
    put(row < 0 ? networks.add(network) : row, number, until);
    count();
  }

  function removeHeld(row: number): void {
    remove(row);
    count();
  }

  return {
    get size() {
      return sureNetworks;
    },
    *all() {
      for (const row of networks.rows()) yield blockAt(row, networks.networkAt(row));
    },
    holds: (network) => networks.first(network) >= 0,
    on(network) {
      const first = networks.first(network);
      if (first < 0) return NOTHING;
      const blocks = [blockAt(first, network)];
      for (let row = networks.next(first); row >= 0; row = networks.next(row))
        blocks.push(blockAt(row, network));
      return blocks;
    },
    has(network, scope) {
      const row = find(network, numberOf(scope));
      return row >= 0 && row < sure;
    },
    hold,
    letGo(network, scope) {
      const row = find(network, numberOf(scope));
      if (row >= 0) removeHeld(row);
    },
    expect: ({ network, scope, until }) => put(networks.add(network), numberOf(scope), until),
    *expected(blocks) {
      for (let row = sure; row < sure + blocks; row++) yield blockAt(row, networks.networkAt(row));
    },
    settled(blocks, ofNetworks) {
      sure += blocks;
      sureNetworks += ofNetworks;
    },
    withdrawn(blocks) {
      // What was expected after these takes their place.
      for (let row = Math.min(sure + blocks, networks.size) - 1; row >= sure; row--) remove(row);
    },
    beginListing() {
      listing = (listing + 1) & 0xff;
    },
    listed(block) {
      const { network, scope } = block;
      const row = find(network, numberOf(scope));
      if (row >= 0 && isSame(blockAt(row, network), block)) {
        pageOf(row).listings[row & IN_PAGE] = listing;
        return true;
      }
      hold(block);
      return false;
    },
    *unlisted() {
      for (const row of networks.rows()) {
        if (pageOf(row).listings[row & IN_PAGE] === listing) continue;
        const block = blockAt(row, networks.networkAt(row));
        removeHeld(row);
        yield block;
      }
    },
  };
}
