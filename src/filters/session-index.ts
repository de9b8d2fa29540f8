// Finds what is kept of a session by its id. Most ids are a host and a pid, `web[812]`: those go by the number, for which no
// text has to be hashed, nor any fetched from memory to be compared.
import { ownCopy } from '../text.ts';

const BRACKET = 93; // ]
const ZERO = 48;
/** Longer numbers are looked up as text. */
const MOST_DIGITS = 9;

export class SessionIndex<T> {
  readonly #byText = new Map<string, T>();
  /** The last writer, which is all that stands before the number (`web[`): lines that stand together are of few hosts. */
  #writer = '';
  #numbers = new Map<number, T>();
  readonly #byWriter = new Map([[this.#writer, this.#numbers]]);

  get(session: string): T | undefined {
    const number = this.#numberIn(session);
    return number < 0 ? this.#byText.get(session) : this.#numbers.get(number);
  }

  /** @param own the id as {@link own} gives it. */
  set(own: string, value: T): void {
    const number = this.#numberIn(own);
    if (number < 0) this.#byText.set(own, value);
    else this.#numbers.set(number, value);
  }

  delete(session: string): void {
    const number = this.#numberIn(session);
    if (number < 0) this.#byText.delete(session);
    else this.#numbers.delete(number);
  }

  /** The same id in a string that holds on to no other. */
  own(session: string): string {
    const number = this.#numberIn(session);
    return number < 0 ? ownCopy(session) : `${this.#writer}${number}]`;
  }

  /** The number in an id that ends with one in brackets, whose writer is the last one then; -1: it is no such id. */
  #numberIn(session: string): number {
    const end = session.length - 1;
    if (session.charCodeAt(end) !== BRACKET) return -1;
    let number = 0;
    let from = end;
    for (let scale = 1; from > 0; scale *= 10, from--) {
      const digit = session.charCodeAt(from - 1) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      number += digit * scale;
    }
    // A number that begins with a zero is another text than the number itself.
    const isPlain = from < end && end - from <= MOST_DIGITS && session.charCodeAt(from) !== ZERO;
    if (!isPlain) return -1;
    if (from !== this.#writer.length || !session.startsWith(this.#writer))
      this.#turnTo(session.slice(0, from));
    return number;
  }

  #turnTo(writer: string): void {
    if (this.#numbers.size === 0) this.#byWriter.delete(this.#writer);
    this.#writer = ownCopy(writer);
    let numbers = this.#byWriter.get(writer);
    if (!numbers) this.#byWriter.set(this.#writer, (numbers = new Map()));
    this.#numbers = numbers;
  }
}
