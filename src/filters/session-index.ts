// Finds what is kept of a session by its id. Most ids are a host and a pid, `web[812]`: those go by the number, for which no
// text has to be hashed, fetched from memory to be compared, or kept.
import { ownCopy } from '../text.ts';

const BRACKET = 93; // ]
const ZERO = 48;
/** Longer numbers are looked up as text. */
const MOST_DIGITS = 9;

/** What is kept of a session, with its id in parts. */
export interface Indexed {
  /** All that stands before the number: `web[`; the whole id where it has none. It holds on to no other string. */
  writer: string;
  /** -1: none. */
  number: number;
}

/** The id, put together again. */
export function idOf({ writer, number }: Indexed): string {
  return number < 0 ? writer : `${writer}${number}]`;
}

export class SessionIndex<T extends Indexed> {
  readonly #byText = new Map<string, T>();
  /** The last writer: lines that stand together are of few hosts. */
  #writer = '';
  #numbers = new Map<number, T>();
  readonly #byWriter = new Map([[this.#writer, this.#numbers]]);

  get(session: string): T | undefined {
    const number = this.#numberIn(session);
    return number < 0 ? this.#byText.get(session) : this.#numbers.get(number);
  }

  /** Keeps it under that id, which is written into it. */
  add(session: string, one: T): void {
    one.number = this.#numberIn(session);
    one.writer = one.number < 0 ? ownCopy(session) : this.#writer;
    if (one.number < 0) this.#byText.set(one.writer, one);
    else this.#numbers.set(one.number, one);
  }

  remove({ writer, number }: T): void {
    if (number < 0) this.#byText.delete(writer);
    else {
      if (writer !== this.#writer) this.#turnTo(writer);
      this.#numbers.delete(number);
    }
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
      this.#turnTo(ownCopy(session.slice(0, from)));
    return number;
  }

  #turnTo(writer: string): void {
    if (this.#numbers.size === 0) this.#byWriter.delete(this.#writer);
    this.#writer = writer;
    let numbers = this.#byWriter.get(writer);
    if (!numbers) this.#byWriter.set(writer, (numbers = new Map()));
    this.#numbers = numbers;
  }
}
