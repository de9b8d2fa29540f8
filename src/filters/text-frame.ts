// A line of text as a layout opened it: what its header told, and where in it the message stands. Nothing is cut out of a line
// before somebody asks.
import { ownCopy } from '../text.ts';
import type { Instant } from '../model.ts';
import { numberIn } from './session-index.ts';
import type { SessionId } from './session-index.ts';

/** What a layout found in a line. As a {@link SessionId} it is the process that wrote the line, where its pid is known. */
export interface TextFrame extends SessionId {
  readonly at: Instant | undefined;
  /** The host in front of the tag; undefined where the layout has none. Empty where the line names none. */
  readonly host: string | undefined;
  /** The syslog tag; undefined where the layout has none. */
  readonly program: string | undefined;
  /** The pid behind the tag; undefined where there is none. */
  readonly session: string | undefined;
  /** The message stands in `text`, from `from` to `to`. latin1. */
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** It goes on behind `to`, or may have: nothing is its end. */
  readonly isCut: boolean;
  /** The message as patterns see it: behind one that is cut stands a line feed, which nothing matches, `$` included. */
  readonly message: string;
  /** How many such messages the line stands for: more than 1 where a syslog daemon wrote that one came again so often. */
  readonly times: number;
  /** So many times came the message of the line before once more; undefined: the line is a message of its own. */
  readonly again: number | undefined;
}

/** One that is being made. */
export class MadeFrame implements TextFrame {
  at: Instant | undefined;
  host: string | undefined;
  program: string | undefined;
  session: string | undefined;
  writer: string;
  number: number;
  text: string;
  from: number;
  to: number;
  isCut: boolean;
  times: number;
  again: number | undefined;
  cut: string | undefined;

  // In one go: what a class says of its fields is run for each by itself.
  constructor() {
    this.at = undefined;
    this.host = undefined;
    this.program = undefined;
    this.session = undefined;
    this.writer = '';
    this.number = -1;
    this.text = '';
    this.from = 0;
    this.to = 0;
    this.isCut = false;
    this.times = 1;
    this.again = undefined;
    this.cut = undefined;
  }

  get message(): string {
    if (this.cut === undefined) {
      const written = this.text.slice(this.from, this.to);
      this.cut = this.isCut ? `${written}\n` : written;
    }
    return this.cut;
  }
}

/** The same line, standing for so many messages more, of another instant. */
export function repeated(frame: TextFrame, times: number, at: Instant | undefined): TextFrame {
  const { host, program, session, writer, number, text, from, to, isCut } = frame;
  const parts = { at, host, program, session, writer, number, text, from, to, isCut, times };
  return Object.assign(new MadeFrame(), parts);
}

/** How much of a line a pattern sees: what syslog daemons write at most, unless told otherwise. */
export const MESSAGE_LIMIT = 8 * 1024;

/**
 * Lengths of lines that a syslog daemon may have cut off: at 1, 2, 4 or 8 KiB, the priority taken away, the host put in.
 */
const CUTS = [
  [1_000, 1_100],
  [2_020, 2_130],
  [4_070, 4_180],
  [8_000, Infinity],
] as const;

/** Tells a frame where in the line [start, end) its message begins: it ends with the line, or where it is too long. */
export function placeMessage(
  frame: MadeFrame,
  text: string,
  from: number,
  start: number,
  end: number,
): MadeFrame {
  const limit = start + MESSAGE_LIMIT;
  frame.text = text;
  frame.from = from;
  frame.isCut = end > limit;
  frame.to = frame.isCut ? Math.max(from, limit) : end;
  return frame;
}

/**
 * The same for a line that a syslog daemon may have cut off: such a message has no end, for a client who writes a long name
 * could have it end behind an address of his choice.
 */
export function placeRelayed(
  frame: MadeFrame,
  text: string,
  from: number,
  start: number,
  end: number,
): MadeFrame {
  placeMessage(frame, text, from, start, end);
  const length = end - start;
  if (length >= CUTS[0][0] && CUTS.some(([least, most]) => length >= least && length <= most))
    frame.isCut = true;
  return frame;
}

/** Tells a frame which process wrote its line; what comes again is the same text. */
export function createSender(): (frame: MadeFrame, host: string, session: string | undefined) => void {
  let known = '';
  let writer = '[';
  return (frame, host, session) => {
    if (host !== known) [known, writer] = [host, ownCopy(`${host}[`)];
    frame.host = host;
    frame.session = session;
    if (session === undefined) {
      frame.writer = host;
      return;
    }
    frame.number = numberIn(session, 0, session.length);
    frame.writer = frame.number < 0 ? `${writer}${session}]` : writer;
  };
}
