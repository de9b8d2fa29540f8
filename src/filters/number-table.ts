// What is kept by small numbers that come one after the other, as pids do: neighbours lie side by side, so that each look
// costs no wait for memory. V8's map scatters them.

/** Numbers stand at most so far from where they belong; what finds no room there is kept in a map. */
const NEAR = 8;
/** Of so many places one is filled on average, when it grows. */
const ROOM = 3;
const FIRST = 8;
/** Where neighbours part: a block of them is placed by a hash, so that other blocks don't meet theirs in step. */
const BLOCK_BITS = 6;
const BLOCK = (1 << BLOCK_BITS) - 1;

export class NumberTable<T> {
  /** Each number plus one; 0: the place is free. */
  #numbers = new Int32Array(FIRST + NEAR);
  #kept: (T | undefined)[] = Array.from({ length: FIRST + NEAR });
  #last = FIRST - 1;
  #size = 0;
  readonly #crowded = new Map<number, T>();

  get size(): number {
    return this.#size + this.#crowded.size;
  }

  /** @param number below 2^31 - 1, not negative. */
  get(number: number): T | undefined {
    const at = this.#placeOf(number);
    if (at >= 0) return this.#kept[at];
    return this.#crowded.size === 0 ? undefined : this.#crowded.get(number);
  }

  set(number: number, value: T): void {
    const at = this.#placeOf(number);
    if (at >= 0) this.#kept[at] = value;
    else if (this.#crowded.size > 0 && this.#crowded.has(number)) this.#crowded.set(number, value);
    else {
      if (this.#size * ROOM > this.#last) this.#grow();
      this.#put(number, value);
    }
  }

  delete(number: number): void {
    const at = this.#placeOf(number);
    if (at < 0) {
      this.#crowded.delete(number);
      return;
    }
    this.#numbers[at] = 0;
    this.#kept[at] = undefined;
    this.#size--;
  }

  #homeOf(number: number): number {
    const block = Math.imul(number >>> BLOCK_BITS, 0x9e3779b1) >>> 0;
    return (((block ^ (block >>> 15)) << BLOCK_BITS) | (number & BLOCK)) & this.#last;
  }

  /** Places are given up in no order: all that are near are looked at. */
  #placeOf(number: number): number {
    const numbers = this.#numbers;
    const wanted = number + 1;
    const home = this.#homeOf(number);
    for (let at = home; at < home + NEAR; at++) if (numbers[at] === wanted) return at;
    return -1;
  }

  #put(number: number, value: T): void {
    const home = this.#homeOf(number);
    for (let at = home; at < home + NEAR; at++) {
      if (this.#numbers[at] !== 0) continue;
      this.#numbers[at] = number + 1;
      this.#kept[at] = value;
      this.#size++;
      return;
    }
    this.#crowded.set(number, value);
  }

  #grow(): void {
    const [numbers, kept] = [this.#numbers, this.#kept];
    this.#last = this.#last * 2 + 1;
    this.#numbers = new Int32Array(this.#last + 1 + NEAR);
    this.#kept = Array.from({ length: this.#last + 1 + NEAR });
    this.#size = 0;
    for (let at = 0; at < numbers.length; at++) if (numbers[at] !== 0) this.#put(numbers[at]! - 1, kept[at]!);
  }
}
