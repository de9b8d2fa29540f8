// The bytes of a text, for whoever looks at each of them: of a string every character takes ten instructions, of bytes one.

/** So many are taken at once: lines of a chunk are asked for one after the other, and few readers need all of one. */
const WINDOW = 1 << 14;
/** Behind what was asked for stand so many more, or zeros: who looks ahead finds an end. */
const AHEAD = 8;

/** Keeps the bytes of the part of a text that it was asked for last. */
export class TextBytes {
  #text = '';
  #written = Buffer.alloc(0);
  #bytes = new Uint8Array(0);
  #base = 0;
  #end = 0;

  /** Where in the text the first of the bytes stands. */
  get base(): number {
    return this.#base;
  }

  /**
   * @param text latin1.
   * @returns bytes among which, `base` places further to the left, are those of [from, to); good until others are asked for.
   */
  of(text: string, from: number, to: number): Uint8Array {
    if (from < this.#base || to > this.#end || text !== this.#text) this.#take(text, from, to);
    return this.#bytes;
  }

  #take(text: string, from: number, to: number): void {
    const end = Math.min(text.length, Math.max(to, from + WINDOW));
    const length = end - from;
    if (length + AHEAD > this.#bytes.length) {
      this.#written = Buffer.allocUnsafeSlow(Math.max(length, WINDOW) + AHEAD);
      this.#bytes = new Uint8Array(this.#written.buffer);
    }
    this.#written.write(length === text.length ? text : text.slice(from, end), 'latin1');
    this.#bytes.fill(0, length, length + AHEAD);
    [this.#text, this.#base, this.#end] = [text, from, end];
  }
}
