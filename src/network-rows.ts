// Many networks, each in a row of numbers, found by the network. An object for each, with its text and a place in a map, takes ten
// times as much, and a collector of garbage goes through all of them again and again. Several rows may have the same network.
//
// It grows in small steps. Whoever chooses the addresses can't have many meet in one place: where they stand hangs on random
// numbers (multiply-shift hashing of vectors, Dietzfelbinger 1996: two networks meet no oftener than by chance).
import { randomFillSync } from 'node:crypto';
import { bytesOfIPv4 } from './address-text.ts';
import { ipv4, networkOf, widthOf } from './address.ts';
import type { Network } from './model.ts';

/** A row's place in the columns that go with it: `pages[row >> PAGE_BITS]`, and there `row & IN_PAGE`. */
export const PAGE_BITS = 10;
export const ROWS_A_PAGE = 1 << PAGE_BITS;
export const IN_PAGE = ROWS_A_PAGE - 1;

/** Is the last page of so many rows one that nobody needs soon? One is kept, so that it isn't made anew with every other ban. */
export function isSpare(pages: readonly unknown[], rows: number): boolean {
  return pages.length > 1 && (pages.length - 2) << PAGE_BITS >= rows;
}

/** In a chain: there is none behind it. */
const NONE = -1;
/** So many rows share a chain, on average. */
const CHAIN = 2;
/** 16 bytes as in the ledger, IPv4 as `::ffff:a.b.c.d`, in four numbers. */
const WORDS = 4;
const MAPPED = 0xffff;
const MAPPED_BITS = 96;
/** Two halves of each word, and the length. */
const KEYS = 2 * WORDS + 1;

export interface NetworkRows {
  /** How many rows there are: they are numbered from 0, without gaps. */
  readonly size: number;
  /** How many networks there are. */
  readonly distinct: number;
  /** @returns the row, which is the last one. */
  add(network: Network): number;
  /** The last row takes the place of the one that is removed. @returns what was its number. */
  remove(row: number): number;
  /** The first row of a network, -1 where there is none; and the one after a row of the same network. */
  first(network: Network): number;
  next(row: number): number;
  isFirst(row: number): boolean;
  networkAt(row: number): Network;
  familyAt(row: number): 4 | 6;
  /** Of the network's length, among 32 or 128. */
  bitsAt(row: number): number;
  /**
   * The last one first. What is added meanwhile is not met; where one is removed, the last one, which takes its place, may be met
   * twice.
   */
  rows(): Generator<number>;
  /** The same of those whose network lies in this one, or is it. */
  within(network: Network): Generator<number>;
}

interface Page {
  /** The row behind it in its chain. */
  readonly behind: Int32Array;
  readonly words: Int32Array;
  readonly bits: Uint8Array;
}

export function createNetworkRows(): NetworkRows {
  const keys = randomFillSync(new Int32Array(KEYS));
  const pages: Page[] = [];
  /** The first row of each chain of networks that meet. One chain at a time is split in two (linear hashing, Litwin 1980). */
  const heads: Int32Array[] = [new Int32Array(ROWS_A_PAGE).fill(NONE)];
  let chains = 1;
  /** One less than the least power of two that isn't below `chains`. */
  let mask = 0;
  let size = 0;
  let distinct = 0;
  /** The network that is asked for. */
  const asked = new Int32Array(WORDS);
  let askedBits = 0;

  function ask({ family, bytes, bits, first }: Network): void {
    asked[0] = family === 4 ? 0 : first;
    asked[1] = family === 4 ? 0 : wordOf(bytes, 4);
    asked[2] = family === 4 ? MAPPED : wordOf(bytes, 8);
    asked[3] = family === 4 ? first : wordOf(bytes, 12);
    askedBits = family === 4 ? bits + MAPPED_BITS : bits;
  }

  function askFor(row: number): void {
    const { words, bits } = pages[row >> PAGE_BITS]!;
    const at = (row & IN_PAGE) * WORDS;
    for (let word = 0; word < WORDS; word++) asked[word] = words[at + word]!;
    askedBits = bits[row & IN_PAGE]!;
  }

  function isAsked(row: number): boolean {
    const { words, bits } = pages[row >> PAGE_BITS]!;
    const at = (row & IN_PAGE) * WORDS;
    return (
      words[at + 3] === asked[3] &&
      words[at + 2] === asked[2] &&
      words[at + 1] === asked[1] &&
      words[at] === asked[0] &&
      bits[row & IN_PAGE] === askedBits
    );
  }

  /** The chain of the network that is asked for. */
  function chainAsked(): number {
    let sum = Math.imul(askedBits, keys[KEYS - 1]!);
    for (let word = 0; word < WORDS; word++)
      sum =
        (sum +
          Math.imul(asked[word]! >>> 16, keys[2 * word]!) +
          Math.imul(asked[word]! & 0xffff, keys[2 * word + 1]!)) |
        0;
    // The upper bits of the sum are the good ones.
    const chain = ((sum >>> 15) | (sum << 17)) & mask;
    return chain < chains ? chain : chain & (mask >>> 1);
  }

  const headOf = (chain: number): number => heads[chain >> PAGE_BITS]![chain & IN_PAGE]!;
  const behind = (row: number): number => pages[row >> PAGE_BITS]!.behind[row & IN_PAGE]!;
  const setHead = (chain: number, row: number): void => {
    heads[chain >> PAGE_BITS]![chain & IN_PAGE] = row;
  };
  const setBehind = (row: number, next: number): void => {
    pages[row >> PAGE_BITS]!.behind[row & IN_PAGE] = next;
  };

  /** The first row of the network that is asked for, from this one of its chain on. */
  function found(row: number): number {
    let at = row;
    while (at !== NONE && !isAsked(at)) at = behind(at);
    return at;
  }

  const firstAsked = (): number => found(headOf(chainAsked()));

  /** Behind the others of its chain: rows of one network stand in the order in which they came. */
  function append(chain: number, row: number): void {
    setBehind(row, NONE);
    replace(chain, NONE, row);
  }

  /** In the place of a row of the chain another one, or of what its last row has behind it. */
  function replace(chain: number, row: number, by: number): void {
    let at = headOf(chain);
    if (at === row) return setHead(chain, by);
    for (let next = behind(at); next !== row; next = behind(at)) at = next;
    setBehind(at, by);
  }

  /** One more chain takes its share of another one. */
  function split(): void {
    const chain = chains++;
    if (chain > mask) mask = mask * 2 + 1;
    if (heads.length << PAGE_BITS < chains) heads.push(new Int32Array(ROWS_A_PAGE).fill(NONE));
    const from = chain & (mask >>> 1);
    let row = headOf(from);
    setHead(from, NONE);
    while (row !== NONE) {
      const next = behind(row);
      askFor(row);
      append(chainAsked(), row);
      row = next;
    }
  }

  /** The last chain goes back to where it was split from. */
  function join(): void {
    const chain = --chains;
    const row = headOf(chain);
    setHead(chain, NONE);
    const from = chain & (mask >>> 1);
    if (chains <= (mask >>> 1) + 1) mask >>>= 1;
    if (row !== NONE) replace(from, NONE, row);
    if ((heads.length - 1) << PAGE_BITS >= chains && heads.length > 1) heads.pop();
  }

  return {
    get size() {
      return size;
    },
    get distinct() {
      return distinct;
    },
    add(network) {
      ask(network);
      const chain = chainAsked();
      if (found(headOf(chain)) === NONE) distinct++;
      const row = size++;
      if (row === pages.length << PAGE_BITS)
        pages.push({
          behind: new Int32Array(ROWS_A_PAGE),
          words: new Int32Array(ROWS_A_PAGE * WORDS),
          bits: new Uint8Array(ROWS_A_PAGE),
        });
      const { words, bits } = pages[row >> PAGE_BITS]!;
      words.set(asked, (row & IN_PAGE) * WORDS);
      bits[row & IN_PAGE] = askedBits;
      append(chain, row);
      if (size > chains * CHAIN) split();
      return row;
    },
    remove(row) {
      askFor(row);
      const chain = chainAsked();
      replace(chain, row, behind(row));
      if (found(headOf(chain)) === NONE) distinct--;
      const last = --size;
      if (last !== row) {
        askFor(last);
        replace(chainAsked(), last, row);
        setBehind(row, behind(last));
        const { words, bits } = pages[row >> PAGE_BITS]!;
        words.set(asked, (row & IN_PAGE) * WORDS);
        bits[row & IN_PAGE] = askedBits;
      }
      if (isSpare(pages, size)) pages.pop();
      if (size * 4 < chains * CHAIN && chains > 1) join();
      return last;
    },
    first(network) {
      ask(network);
      return firstAsked();
    },
    next(row) {
      askFor(row);
      return found(behind(row));
    },
    isFirst(row) {
      askFor(row);
      return firstAsked() === row;
    },
    networkAt(row) {
      const { words } = pages[row >> PAGE_BITS]!;
      const at = (row & IN_PAGE) * WORDS;
      const bits = bitsAt(row);
      if (familyAt(row) === 6) return networkOf(6, bytesOf(words.subarray(at, at + WORDS)), bits);
      const first = words[at + 3]!;
      return bits === widthOf(4) ? ipv4(first) : networkOf(4, bytesOfIPv4(first), bits);
    },
    familyAt,
    bitsAt,
    *rows() {
      for (let row = size - 1; row >= 0; row = Math.min(row, size) - 1) yield row;
    },
    *within(network) {
      ask(network);
      const [outer, least] = [asked.slice(), askedBits];
      const masks = outer.map((_, word) => maskOf(least - word * 32));
      const isIn = (row: number): boolean => {
        const { words, bits } = pages[row >> PAGE_BITS]!;
        const at = (row & IN_PAGE) * WORDS;
        if (bits[row & IN_PAGE]! < least) return false;
        for (let word = 0; word < WORDS; word++)
          if (((words[at + word]! ^ outer[word]!) & masks[word]!) !== 0) return false;
        return familyAt(row) === network.family;
      };
      for (let row = size - 1; row >= 0; row = Math.min(row, size) - 1) if (isIn(row)) yield row;
    },
  };

  function familyAt(row: number): 4 | 6 {
    const { words, bits } = pages[row >> PAGE_BITS]!;
    const at = (row & IN_PAGE) * WORDS;
    const isMapped = words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED;
    return isMapped && bits[row & IN_PAGE]! >= MAPPED_BITS ? 4 : 6;
  }

  function bitsAt(row: number): number {
    const bits = pages[row >> PAGE_BITS]!.bits[row & IN_PAGE]!;
    return familyAt(row) === 4 ? bits - MAPPED_BITS : bits;
  }
}

function wordOf(bytes: string, at: number): number {
  return (
    (bytes.charCodeAt(at) << 24) |
    (bytes.charCodeAt(at + 1) << 16) |
    (bytes.charCodeAt(at + 2) << 8) |
    bytes.charCodeAt(at + 3)
  );
}

/** A word's first bits. */
function maskOf(bits: number): number {
  return bits >= 32 ? -1 : bits <= 0 ? 0 : -1 << (32 - bits);
}

/** One character a byte. */
function bytesOf(words: Int32Array): string {
  return Array.from(words, bytesOfIPv4).join('');
}
