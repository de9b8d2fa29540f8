// Many networks, each in a row of numbers, found by the network. An object for each, with its text and a place in a map, takes ten
// times as much, and a collector of garbage goes through all of them again and again. Several rows may have the same network.
//
// It grows in small steps. Whoever chooses the addresses can't have many meet in one place: where they stand hangs on random
// numbers (multiply-shift hashing of vectors, Dietzfelbinger 1996: two networks meet no oftener than by chance).
import { randomFillSync } from 'node:crypto';
import { bytesOfIPv4, wordAt } from './address-text.ts';
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
/** From 0 to 128. */
const LENGTHS = 129;
/** Two halves of each word, and the length. */
const KEYS = 2 * WORDS + 1;

interface Page {
  /** The row behind it in its chain. */
  readonly behind: Int32Array;
  readonly words: Int32Array;
  readonly bits: Uint8Array;
}

/** All that there is of some rows, for {@link NetworkRows.of}: numbers, lists and typed arrays, some of them the rows' own. */
export interface NetworkImage {
  readonly size: number;
  readonly distinct: number;
  readonly chains: number;
  readonly mask: number;
  readonly keys: Int32Array;
  readonly counts: Int32Array;
  readonly pages: readonly Page[];
  readonly heads: readonly Int32Array[];
}

/** A class: there are two of them, and what V8 has learnt of one is so of the other. */
export class NetworkRows {
  /** How many rows there are: they are numbered from 0, without gaps. */
  size = 0;
  /** How many networks there are. */
  distinct = 0;
  #keys: Int32Array = randomFillSync(new Int32Array(KEYS));
  #pages: Page[] = [];
  /** The first row of each chain of networks that meet. One chain at a time is split in two (linear hashing, Litwin 1980). */
  #heads: Int32Array[] = [];
  #chains: number;
  /** One less than the least power of two that isn't below the number of chains. */
  #mask: number;
  /** How many rows have an IPv4 network of each length, and behind them an IPv6 one. */
  #counts: Int32Array = new Int32Array(2 * LENGTHS);
  #lengthsOf4: readonly number[] = [];
  #lengthsOf6: readonly number[] = [];
  /** The network that is asked for. */
  readonly #asked = new Int32Array(WORDS);
  #askedBits = 0;

  /** @param expected so many rows will come at once. */
  constructor(expected = 0) {
    this.#chains = Math.max(1, Math.ceil(expected / CHAIN));
    this.#mask = 2 ** Math.ceil(Math.log2(this.#chains)) - 1;
    for (let chain = 0; chain < this.#chains; chain += ROWS_A_PAGE) this.#heads.push(newHeads());
  }

  /** As they were when the picture was taken, which is handed over: to add a hundred thousand one by one takes ten times as long. */
  static of({ size, distinct, chains, mask, keys, counts, pages, heads }: NetworkImage): NetworkRows {
    const rows = new NetworkRows();
    Object.assign(rows, { size, distinct });
    rows.#keys = keys;
    rows.#counts = counts;
    rows.#pages = [...pages];
    rows.#heads = [...heads];
    rows.#chains = chains;
    rows.#mask = mask;
    const lengthsFrom = (first: number): number[] =>
      Array.from(counts.subarray(first, first + LENGTHS).keys()).filter((bits) => counts[first + bits]! > 0);
    rows.#lengthsOf4 = lengthsFrom(0);
    rows.#lengthsOf6 = lengthsFrom(LENGTHS);
    return rows;
  }

  image(): NetworkImage {
    return {
      ...{ size: this.size, distinct: this.distinct, chains: this.#chains, mask: this.#mask },
      ...{ keys: this.#keys, counts: this.#counts, pages: this.#pages, heads: this.#heads },
    };
  }

  /** @param network or a single IPv4 address as a number: 0xc0000207 for 192.0.2.7. @returns the row, which is the last one. */
  add(network: Network | number): number {
    this.#ask(network);
    const chain = this.#chainAsked();
    if (this.#found(this.#headOf(chain)) === NONE) this.distinct++;
    const row = this.size++;
    if (row === this.#pages.length << PAGE_BITS)
      this.#pages.push({
        behind: new Int32Array(ROWS_A_PAGE),
        words: new Int32Array(ROWS_A_PAGE * WORDS),
        bits: new Uint8Array(ROWS_A_PAGE),
      });
    this.#write(row);
    this.#append(chain, row);
    if (this.size > this.#chains * CHAIN) this.#split();
    this.#count(row, 1);
    return row;
  }

  /** The last row takes the place of the one that is removed. @returns what was its number. */
  remove(row: number): number {
    this.#count(row, -1);
    this.#askFor(row);
    const chain = this.#chainAsked();
    this.#replace(chain, row, this.#behind(row));
    if (this.#found(this.#headOf(chain)) === NONE) this.distinct--;
    const last = --this.size;
    if (last !== row) {
      this.#askFor(last);
      this.#replace(this.#chainAsked(), last, row);
      this.#setBehind(row, this.#behind(last));
      this.#write(row);
    }
    if (isSpare(this.#pages, this.size)) this.#pages.pop();
    if (this.size * 4 < this.#chains * CHAIN && this.#chains > 1) this.#join();
    return last;
  }

  /** The first row of a network; -1 where there is none. */
  first(network: Network): number {
    this.#ask(network);
    return this.#found(this.#headOf(this.#chainAsked()));
  }

  /** The one after a row of the same network. */
  next(row: number): number {
    this.#askFor(row);
    return this.#found(this.#behind(row));
  }

  isFirst(row: number): boolean {
    this.#askFor(row);
    return this.#found(this.#headOf(this.#chainAsked())) === row;
  }

  networkAt(row: number): Network {
    const { words } = this.#pageOf(row);
    const at = (row & IN_PAGE) * WORDS;
    const bits = this.bitsAt(row);
    if (this.familyAt(row) === 6) return networkOf(6, bytesOf(words.subarray(at, at + WORDS)), bits);
    const first = words[at + 3]!;
    return bits === widthOf(4) ? ipv4(first) : networkOf(4, bytesOfIPv4(first), bits);
  }

  familyAt(row: number): 4 | 6 {
    const { words, bits } = this.#pageOf(row);
    const at = (row & IN_PAGE) * WORDS;
    const isMapped = words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED;
    return isMapped && bits[row & IN_PAGE]! >= MAPPED_BITS ? 4 : 6;
  }

  /** Of the network's length, among 32 or 128. */
  bitsAt(row: number): number {
    const bits = this.#pageOf(row).bits[row & IN_PAGE]!;
    return this.familyAt(row) === 4 ? bits - MAPPED_BITS : bits;
  }

  /** The lengths of the networks that there are. Asked with each line of somebody who is banned. */
  lengths(family: 4 | 6): readonly number[] {
    return family === 4 ? this.#lengthsOf4 : this.#lengthsOf6;
  }

  #count(row: number, by: number): void {
    const isIPv4 = this.familyAt(row) === 4;
    const bits = this.bitsAt(row);
    const at = bits + (isIPv4 ? 0 : LENGTHS);
    const before = this.#counts[at]!;
    this.#counts[at] = before + by;
    if (before > 0 && before + by > 0) return;
    // Where few are banned, a length comes and goes with each of them: so only this one is looked at.
    const others = this.lengths(isIPv4 ? 4 : 6).filter((length) => length !== bits);
    const lengths = by > 0 ? [...others, bits].toSorted((a, b) => a - b) : others;
    if (isIPv4) this.#lengthsOf4 = lengths;
    else this.#lengthsOf6 = lengths;
  }

  /**
   * The last one first. What is added meanwhile is not met; where one is removed, the last one, which takes its place, may be met
   * twice.
   */
  *rows(): Generator<number> {
    for (let row = this.size - 1; row >= 0; row = Math.min(row, this.size) - 1) yield row;
  }

  /** The same of those whose network lies in this one, or is it. */
  *within(network: Network): Generator<number> {
    this.#ask(network);
    const [outer, least] = [this.#asked.slice(), this.#askedBits];
    const masks = outer.map((_, word) => maskOf(least - word * 32));
    for (const row of this.rows())
      if (this.#isWithin(row, outer, masks, least) && this.familyAt(row) === network.family) yield row;
  }

  #isWithin(row: number, outer: Int32Array, masks: Int32Array, least: number): boolean {
    const { words, bits } = this.#pageOf(row);
    const at = (row & IN_PAGE) * WORDS;
    for (let word = 0; word < WORDS; word++)
      if (((words[at + word]! ^ outer[word]!) & masks[word]!) !== 0) return false;
    return bits[row & IN_PAGE]! >= least;
  }

  #ask(network: Network | number): void {
    const asked = this.#asked;
    if (typeof network === 'number') {
      asked[0] = asked[1] = 0;
      asked[2] = MAPPED;
      asked[3] = network;
      this.#askedBits = widthOf(6);
      return;
    }
    const { family, bytes, bits, first } = network;
    asked[0] = family === 4 ? 0 : first;
    asked[1] = family === 4 ? 0 : wordAt(bytes, 4);
    asked[2] = family === 4 ? MAPPED : wordAt(bytes, 8);
    asked[3] = family === 4 ? first : wordAt(bytes, 12);
    this.#askedBits = family === 4 ? bits + MAPPED_BITS : bits;
  }

  #askFor(row: number): void {
    const { words, bits } = this.#pageOf(row);
    const at = (row & IN_PAGE) * WORDS;
    for (let word = 0; word < WORDS; word++) this.#asked[word] = words[at + word]!;
    this.#askedBits = bits[row & IN_PAGE]!;
  }

  #write(row: number): void {
    const { words, bits } = this.#pageOf(row);
    const at = (row & IN_PAGE) * WORDS;
    for (let word = 0; word < WORDS; word++) words[at + word] = this.#asked[word]!;
    bits[row & IN_PAGE] = this.#askedBits;
  }

  #isAsked(row: number): boolean {
    const { words, bits } = this.#pageOf(row);
    const at = (row & IN_PAGE) * WORDS;
    const asked = this.#asked;
    return (
      words[at + 3] === asked[3] &&
      words[at + 2] === asked[2] &&
      words[at + 1] === asked[1] &&
      words[at] === asked[0] &&
      bits[row & IN_PAGE] === this.#askedBits
    );
  }

  /** The chain of the network that is asked for. */
  #chainAsked(): number {
    const [asked, keys] = [this.#asked, this.#keys];
    let sum = Math.imul(this.#askedBits, keys[KEYS - 1]!);
    for (let word = 0; word < WORDS; word++) {
      const number = asked[word]!;
      sum = (sum + Math.imul(number >>> 16, keys[2 * word]!)) | 0;
      sum = (sum + Math.imul(number & 0xffff, keys[2 * word + 1]!)) | 0;
    }
    // The upper bits of the sum are the good ones.
    const chain = ((sum >>> 15) | (sum << 17)) & this.#mask;
    return chain < this.#chains ? chain : chain & (this.#mask >>> 1);
  }

  /** The first row of the network that is asked for, from this one of its chain on. */
  #found(row: number): number {
    let at = row;
    while (at !== NONE && !this.#isAsked(at)) at = this.#behind(at);
    return at;
  }

  /** Behind the others of its chain: rows of one network stand in the order in which they came. */
  #append(chain: number, row: number): void {
    this.#setBehind(row, NONE);
    this.#replace(chain, NONE, row);
  }

  /** In the place of a row of the chain another one, or of what its last row has behind it. */
  #replace(chain: number, row: number, by: number): void {
    let at = this.#headOf(chain);
    if (at === row) return this.#setHead(chain, by);
    for (let next = this.#behind(at); next !== row; next = this.#behind(at)) at = next;
    this.#setBehind(at, by);
  }

  /** One more chain takes its share of another one. */
  #split(): void {
    const chain = this.#chains++;
    if (chain > this.#mask) this.#mask = this.#mask * 2 + 1;
    if (this.#heads.length << PAGE_BITS < this.#chains) this.#heads.push(newHeads());
    const from = chain & (this.#mask >>> 1);
    let row = this.#headOf(from);
    this.#setHead(from, NONE);
    while (row !== NONE) {
      const next = this.#behind(row);
      this.#askFor(row);
      this.#append(this.#chainAsked(), row);
      row = next;
    }
  }

  /** The last chain goes back to where it was split from. */
  #join(): void {
    const chain = --this.#chains;
    const row = this.#headOf(chain);
    this.#setHead(chain, NONE);
    if (row !== NONE) this.#replace(chain & (this.#mask >>> 1), NONE, row);
    if (this.#chains <= (this.#mask >>> 1) + 1) this.#mask >>>= 1;
    if (isSpare(this.#heads, this.#chains)) this.#heads.pop();
  }

  #pageOf(row: number): Page {
    return this.#pages[row >> PAGE_BITS]!;
  }

  #behind(row: number): number {
    return this.#pages[row >> PAGE_BITS]!.behind[row & IN_PAGE]!;
  }

  #setBehind(row: number, next: number): void {
    this.#pages[row >> PAGE_BITS]!.behind[row & IN_PAGE] = next;
  }

  #headOf(chain: number): number {
    return this.#heads[chain >> PAGE_BITS]![chain & IN_PAGE]!;
  }

  #setHead(chain: number, row: number): void {
    this.#heads[chain >> PAGE_BITS]![chain & IN_PAGE] = row;
  }
}

function newHeads(): Int32Array {
  return new Int32Array(ROWS_A_PAGE).fill(NONE);
}

/** A word's first bits. */
function maskOf(bits: number): number {
  return bits >= 32 ? -1 : bits <= 0 ? 0 : -1 << (32 - bits);
}

/** One character a byte. */
function bytesOf(words: Int32Array): string {
  return Array.from(words, bytesOfIPv4).join('');
}
