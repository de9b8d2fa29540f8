// Finds what is kept of a session by its id. Most ids are a host and a pid, `web[812]`: those go by the number, for which no
// text has to be put together, hashed, fetched from memory to be compared, or kept.
import { ownCopy } from '../text.ts';
import { NumberTable } from './number-table.ts';

const BRACKET = 93; // ]
const ZERO = 48;
/** Longer numbers are looked up as text. */
const MOST_DIGITS = 9;

/** The id of a session, in parts. */
export interface SessionId {
  /** All that stands before the number: `web[`; the whole id where it has none. */
  readonly writer: string;
  /** -1: none. */
  readonly number: number;
}

/** What is kept of a session; its id holds on to no other string. */
export interface Indexed {
  writer: string;
  number: number;
}

/** The id, put together again. */
export function idOf({ writer, number }: SessionId): string {
  return number < 0 ? writer : `${writer}${number}]`;
}

/** An id that was put together, in parts again. */
export function sessionId(text: string): SessionId {
  const end = text.length - 1;
  let from = end;
  while (from > 0 && isDigit(text.charCodeAt(from - 1))) from--;
  const number = text.charCodeAt(end) === BRACKET ? numberIn(text, from, end) : -1;
  return number < 0 ? { writer: text, number } : { writer: text.slice(0, from), number };
}

/** The number that [from, to) writes; -1 where it is none, a long one, or would be written otherwise: with a zero less. */
export function numberIn(text: string, from: number, to: number): number {
  if (to <= from || to - from > MOST_DIGITS || text.charCodeAt(from) === ZERO) return -1;
  let number = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (!isDigit(code)) return -1;
    number = number * 10 + code - ZERO;
  }
  return number;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}

export class SessionIndex<T extends Indexed> {
  readonly #byText = new Map<string, T>();
  /** The last writer: lines that stand together are of few hosts. */
  #writer = '';
  #numbers = new NumberTable<T>();
  readonly #byWriter = new Map([[this.#writer, this.#numbers]]);

  get({ writer, number }: SessionId): T | undefined {
    if (number < 0) return this.#byText.get(writer);
    if (writer !== this.#writer) this.#turnTo(writer);
    return this.#numbers.get(number);
  }

  /** Keeps it under that id, which is written into it. */
  add({ writer, number }: SessionId, one: T): void {
    one.number = number;
    if (number < 0) {
      one.writer = ownCopy(writer);
      this.#byText.set(one.writer, one);
      return;
    }
    if (writer !== this.#writer) this.#turnTo(writer);
    one.writer = this.#writer;
    this.#numbers.set(number, one);
  }

  remove({ writer, number }: T): void {
    if (number < 0) this.#byText.delete(writer);
    else {
      if (writer !== this.#writer) this.#turnTo(writer);
      this.#numbers.delete(number);
    }
  }

  #turnTo(writer: string): void {
    if (this.#numbers.size === 0) this.#byWriter.delete(this.#writer);
    this.#writer = ownCopy(writer);
    let numbers = this.#byWriter.get(this.#writer);
    if (!numbers) this.#byWriter.set(this.#writer, (numbers = new NumberTable()));
    this.#numbers = numbers;
  }
}
