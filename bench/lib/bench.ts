// What a benchmark is, and what it is given.
import type { Built } from './built.ts';
import type { Figure } from './figures.ts';

export interface Bench {
  /** As in `npm run bench -- NAME`. */
  readonly name: string;
  /** What it measures, in a sentence. */
  readonly what: string;
  /** @throws WrongVerdict where what it measured did the wrong thing. */
  run(stage: Stage): Promise<readonly Figure[]>;
}

export interface Stage {
  readonly built: Built;
  /** A smoke run: everything small, no figure worth anything. */
  readonly small: boolean;
  /** How often whole logs are read and bursts are written: the median counts. */
  readonly rounds: number;
  /** Tells what is going on, on standard error. */
  say(words: string): void;
  /** Keeps a picture, as SVG, beside the figures. */
  draw(name: string, svg: string): void;
  /** Tells what could not be measured, and why. */
  leaveOut(what: string, why: string): void;
}
