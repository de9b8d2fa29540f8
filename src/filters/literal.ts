// A text that is searched for.
export interface Literal {
  /** latin1: one byte, one character; lower case where `fold`. */
  readonly bytes: string;
  /** Letters stand for both cases. */
  readonly fold: boolean;
}
