// The bytes of a text, for whoever looks at each of them: of a string every character takes ten instructions, of bytes one.

/** Behind the text stand so many zeros, so that who looks ahead finds an end. */
const ZEROS = 8;
const SHORTEST = 1 << 12;

/** Keeps the bytes of the text that it was asked for last: mostly a chunk, of which many lines are looked at, or a line. */
export class TextBytes {
  #text = '';
  #written = Buffer.allocUnsafeSlow(SHORTEST);
  #bytes = new Uint8Array(this.#written.buffer);

  /** @param text latin1. @returns its bytes, and zeros behind them; good until the next text is asked for. */
  of(text: string): Uint8Array {
    if (text !== this.#text) this.#take(text);
    return this.#bytes;
  }

  #take(text: string): void {
    if (text.length + ZEROS > this.#bytes.length) {
      this.#written = Buffer.allocUnsafeSlow(text.length * 2 + ZEROS);
      this.#bytes = new Uint8Array(this.#written.buffer);
    }
    this.#written.write(text, 'latin1');
    this.#bytes.fill(0, text.length, text.length + ZEROS);
    this.#text = text;
  }
}
