// "last message repeated 3 times": sysklogd's word for a message that came again. Which line it speaks of, within a chunk
// and across its edges. Only the untagged form counts: what a client has a program log stands behind that program's tag.
import { endOfLine, lengthOf, sliceOf, startOfLine, withoutReturn } from '../lines.ts';
import type { Lines } from '../lines.ts';
import type { Instant } from '../model.ts';
import { ownCopy } from '../text.ts';
import type { SessionMemory } from './contract.ts';
import type { Literal } from './literal.ts';

const WORDS = 'last message repeated ';
const L = 108;
const WHOLE = /^last message repeated (\d{1,6}) times?$/;
/** What is longer isn't kept for the next chunk: patterns don't see further. */
const LONGEST_LINE = 8_192;

/** Every such line holds it. */
export const AGAIN: Literal = { bytes: WORDS, fold: false };

/** How often the message before came again, where the text [from, end) says that and nothing else. */
export function timesAgain(text: string, from: number, end: number): number | undefined {
  if (text.charCodeAt(from) !== L || !text.startsWith(WORDS, from)) return undefined;
  const times = WHOLE.exec(text.slice(from, end))?.[1];
  return times === undefined ? undefined : Number(times);
}

/** A line: [start, end) of a text, without its end. */
export interface LineAt {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What came before the lines of a chunk; they are asked for in ascending order. */
export interface Backlook {
  /**
   * The message that the line [start, end) says came again: the line before it, or what that one spoke of, where it says
   * so too. undefined where the log begins here, or the last line of the chunk before was taken by no filter.
   */
  before(start: number, end: number): LineAt | undefined;
  /** A filter took the line at `start`. */
  took(start: number): void;
  /** The chunk is done with: if its last line was taken, it is remembered. */
  settle(arrivedAt: Instant): void;
}

/** @param lines whole ones, or one without its end; they become text only where one is asked for. */
export function createBacklook(lines: Lines, sessions: SessionMemory): Backlook {
  /** The line that asked last, where the next one begins, and what it was told. */
  let asking = -1;
  let next = -1;
  let told: LineAt | undefined;
  let taken = -1;

  function before(start: number, end: number): LineAt | undefined {
    if (start === asking) return told;
    if (start !== next) told = start === 0 ? remembered() : lineAt(lines, startOfLine(lines, start - 1));
    asking = start;
    next = endOfLine(lines, end) + 1;
    return told;
  }

  function remembered(): LineAt | undefined {
    const { lastLine } = sessions;
    return lastLine === undefined ? undefined : { text: lastLine, start: 0, end: lastLine.length };
  }

  return {
    before,
    took(start) {
      taken = start;
    },
    settle(arrivedAt) {
      const length = lengthOf(lines);
      if (length === 0) return;
      const isEnded = sliceOf(lines, length - 1, length) === '\n';
      const start = startOfLine(lines, isEnded ? length - 1 : length);
      const line = start !== taken ? undefined : start === asking ? told : lineAt(lines, start);
      const isKept = line && line.end - line.start <= LONGEST_LINE;
      sessions.keepLast(isKept ? ownCopy(line.text.slice(line.start, line.end)) : undefined, arrivedAt);
    },
  };
}

function lineAt(lines: Lines, start: number): LineAt {
  return { text: lines.text, start, end: withoutReturn(lines, start, endOfLine(lines, start)) };
}
