// How a line of text is framed: stamp, program, message. One row a layout.
import type { Instant } from '../model.ts';
import type { Stamps } from '../time.ts';
import { ownCopy } from '../text.ts';
import { timesAgain } from './again.ts';
import { createSender, MadeFrame, placeMessage, placeRelayed } from './text-frame.ts';
import type { TextFrame } from './text-frame.ts';

/** Frames the line [start, end) of a chunk's text. @returns undefined where the line is not of this layout. */
export type FrameText = (text: string, start: number, end: number, now: Instant) => TextFrame | undefined;

interface TextLayout {
  readonly frame: (stamps: Stamps) => FrameText;
  /** Why a line is not of it. */
  readonly misfit: string;
}

export const TEXT_LAYOUTS: Readonly<Record<'syslog' | 'plain', TextLayout>> = {
  syslog: {
    frame: frameSyslog,
    misfit: 'the line does not begin as syslog lines do: stamp, host, program',
  },
  plain: { frame: framePlain, misfit: 'the line is empty' },
};

const SPACE = 32;
const COLON = 58;
const OPENING = 91; // [
const CLOSING = 93; // ]
const K = 107; // k
const L = 108; // l
const M = 109; // m
const PID_DIGITS = 10;

/**
 * RFC 3164 with its own stamp or an ISO one (`Jan  5 10:11:12 host tag[pid]: message`), and RFC 5424; `<PRI>` in front
 * or not. The host may be missing, as in what some daemons write without a relay. metalog: `Jan  5 10:11:12 [tag] message`.
 */
function frameSyslog(stamps: Stamps): FrameText {
  // Lines that stand together are of few hosts and programs: mostly those of the line before.
  const hostOf = createRecentWord();
  const programOf = createRecentWord();
  const sentBy = createSender();
  /** What stood between stamp and pid, ` web sshd[`, and the host and program in it. */
  let between = '\n'; // in no line
  let betweenHost = '';
  let betweenProgram = '';
  return (text, start, end, now) => {
    const from = afterPriority(text, start);
    const frame = new MadeFrame();
    if (from > start && text.startsWith('1 ', from)) {
      const header = readHeader5424(stamps, text, from + 2, end, now);
      if (!header) return undefined;
      frame.at = header.at;
      frame.program = header.program;
      sentBy(frame, header.host, header.session);
      return withMessage(frame, text, header.end, start, end);
    }
    const stamp = stamps.at(text, from, now);
    if (!stamp || stamp.end >= end || text.charCodeAt(stamp.end) !== SPACE) return undefined;
    frame.at = stamp.instant;
    if (text.startsWith(between, stamp.end)) {
      const tagEnd = stamp.end + between.length - 1;
      return tagged(frame, betweenHost, betweenProgram, text, tagEnd, start, end);
    }
    const first = afterSpaces(text, stamp.end, end);
    const hostEnd = endOfWord(text, first, end);
    const program = bracketed(text, first, hostEnd);
    if (program !== undefined) {
      frame.program = program;
      sentBy(frame, '', undefined);
      return withMessage(frame, text, Math.min(hostEnd + 1, end), start, end);
    }
    const hasHost = text.charCodeAt(hostEnd - 1) !== COLON;
    const tag = hasHost ? afterSpaces(text, hostEnd, end) : first;
    const isBare = text.charCodeAt(first) === L && text.startsWith('last message ', first);
    const again = timesAgain(text, isBare ? first : tag, end);
    if (again !== undefined) {
      // `Jan  5 10:11:12 host last message repeated 3 times`, as sysklogd writes it: without a tag.
      frame.again = again;
      sentBy(frame, isBare ? '' : text.slice(first, hostEnd), undefined);
      return frame;
    }
    let tagEnd = tag;
    while (tagEnd < end && !endsTag(text.charCodeAt(tagEnd))) tagEnd++;
    if (tagEnd === tag) return undefined;
    betweenHost = hasHost ? hostOf(text, first, hostEnd) : '';
    betweenProgram = programOf(text, tag, tagEnd);
    // Behind a blank it might be `last message repeated`.
    between = text.charCodeAt(tagEnd) === SPACE ? '\n' : ownCopy(text.slice(stamp.end, tagEnd + 1));
    return tagged(frame, betweenHost, betweenProgram, text, tagEnd, start, end);
  };

  /** A line whose tag ends at `tagEnd`: with a colon, or with the bracket in front of its pid. */
  function tagged(
    frame: MadeFrame,
    host: string,
    program: string,
    text: string,
    tagEnd: number,
    start: number,
    end: number,
  ): TextFrame | undefined {
    let colon = tagEnd;
    if (text.charCodeAt(colon) === OPENING) {
      while (colon < end && text.charCodeAt(colon) !== CLOSING) colon++;
      colon++;
    }
    if (colon >= end || text.charCodeAt(colon) !== COLON) return undefined;
    const behind = text.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1;
    const message = afterMark(text, behind);
    frame.program = program;
    sentBy(frame, host, pidIn(text, tagEnd + 1, colon - 1));
    return withMessage(frame, text, Math.min(message, end), start, end);
  }
}

/** What stands before the message of an RFC 5424 line, up to `end`. */
interface Header5424 extends Pick<TextFrame, 'at' | 'session'> {
  readonly host: string;
  readonly program: string;
  readonly end: number;
}

/** `stamp host program procid msgid [structured data] message`; `from` is behind the version. */
export function readHeader5424(
  stamps: Stamps,
  text: string,
  from: number,
  end: number,
  now: Instant,
): Header5424 | undefined {
  const words: [number, number][] = [];
  let at = from;
  for (let i = 0; i < 5; i++) {
    const wordEnd = endOfWord(text, at, end);
    if (wordEnd === at || wordEnd >= end) return undefined;
    words.push([at, wordEnd]);
    at = wordEnd + 1;
  }
  const [stamp, host, program, procId] = words;
  const read = stamps.at(text, stamp![0], now);
  if (text.slice(...stamp!) !== '-' && read?.end !== stamp![1]) return undefined;
  const dataEnd = afterStructuredData(text, at, end);
  if (dataEnd === undefined) return undefined;
  let message = Math.min(dataEnd + 1, end);
  if (text.startsWith('\xef\xbb\xbf', message)) message += 3;
  // rsyslog keeps the blank with which messages of RFC 3164 begin.
  if (text.charCodeAt(message) === SPACE) message++;
  return {
    at: read?.instant,
    host: text.slice(...host!),
    program: text.slice(...program!),
    session: pidIn(text, ...procId!),
    end: Math.min(message, end),
  };
}

/** An optional stamp, in brackets or not, then the message without the spaces before it. */
function framePlain(stamps: Stamps): FrameText {
  return (text, start, end, now) => {
    if (end === start) return undefined;
    const stamp = stamps.at(text, start, now);
    // Behind a closing bracket anything may follow.
    const isWhole =
      stamp && stamp.end <= end && (text[stamp.end - 1] === ']' || !/\w/.test(text.charAt(stamp.end)));
    const from = afterSpaces(text, isWhole ? stamp.end : start, end);
    const frame = new MadeFrame();
    if (isWhole) frame.at = stamp.instant;
    return placeMessage(frame, text, from, start, end);
  };
}

const REPEATED = /^message repeated (\d{1,6}) times?: \[ ?([^]*)\]$/;

/** A frame around a message, or around the one in rsyslog's `message repeated 3 times: [ … ]`, which came three times more. */
function withMessage(frame: MadeFrame, text: string, from: number, start: number, end: number): TextFrame {
  placeRelayed(frame, text, from, start, end);
  const found = text.charCodeAt(from) === M && !frame.isCut ? REPEATED.exec(text.slice(from, end)) : null;
  if (!found) return frame;
  frame.times = Number(found[1]);
  frame.to = end - 1;
  frame.from = frame.to - found[2]!.length;
  return frame;
}

/** Takes words out of texts; one that comes again is the same string, and costs no other. */
function createRecentWord(): (text: string, from: number, to: number) => string {
  let word = '';
  return (text, from, to) => {
    if (word.length !== to - from || !text.startsWith(word, from)) word = ownCopy(text.slice(from, to));
    return word;
  };
}

/**
 * What may stand before a message that is no part of it: Solaris writes `[ID 800047 auth.info] `; `kernel: [  970.699396] `
 * is there where a message took its way through the kernel's ring buffer. Who begins a message with such a mark himself could
 * as well have left it out.
 */
const MARKS = [/^\[ID \d+ [a-z\d]+\.[a-z]+\] /, /^kernel: ?\[ *\d+\.\d+\]:? /];
const LONGEST_MARK = 40;

function afterMark(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first !== OPENING && first !== K) return at;
  const head = text.slice(at, at + LONGEST_MARK);
  for (const mark of MARKS) {
    const found = mark.exec(head);
    if (found) return at + found[0].length;
  }
  return at;
}

/** Words with which programs tell how grave a line is; no host and no program is called so. */
export const LEVEL =
  /^(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERR|ERROR|CRIT|CRITICAL|ALERT|EMERG|FATAL|PANIC|SEVERE)$/i;

/** The tag as metalog writes it: `[sshd]`, with a colon or without, where others write the host. An address is a host. */
function bracketed(text: string, from: number, to: number): string | undefined {
  if (text.charCodeAt(from) !== OPENING) return undefined;
  const tag = /^\[([A-Za-z_][\w./-]*)\]:?$/.exec(text.slice(from, to))?.[1];
  return tag === undefined || LEVEL.test(tag) ? undefined : tag;
}

/** Index behind `<34>`, or `start` where there is none. */
export function afterPriority(text: string, start: number): number {
  if (text.charCodeAt(start) !== 60) return start;
  return start + (/^<\d{1,3}>/.exec(text.slice(start, start + 5))?.[0].length ?? 0);
}

/** `-`, or elements such as `[id key="value"]`, in whose values `"`, `\` and `]` are escaped. */
function afterStructuredData(text: string, from: number, end: number): number | undefined {
  if (text[from] === '-') return from + 1;
  let at = from;
  while (at < end && text[at] === '[') {
    let quoted = false;
    for (at++; at < end && (quoted || text[at] !== ']'); at++) {
      if (quoted && text[at] === '\\') at++;
      else if (text[at] === '"') quoted = !quoted;
    }
    if (at >= end) return undefined;
    at++;
  }
  return at > from ? at : undefined;
}

/** The text [from, to) where it is a pid: digits, and few, so that what is remembered of it is small. */
function pidIn(text: string, from: number, to: number): string | undefined {
  if (to <= from || to - from > PID_DIGITS) return undefined;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < 48 || code > 57) return undefined;
  }
  return text.slice(from, to);
}

function afterSpaces(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && text.charCodeAt(at) === SPACE) at++;
  return at;
}

function endOfWord(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && text.charCodeAt(at) !== SPACE) at++;
  return at;
}

function endsTag(code: number): boolean {
  return code === SPACE || code === COLON || code === OPENING;
}
