// Lines as container engines keep them, one for each line that a program wrote: Docker's json-file and the format of the
// CRI (containerd, CRI-O; Podman's k8s-file). The engine writes the frame and escapes or delimits what is inside, so that
// nothing in there can begin, end or fake one. A long line comes in parts, and the next part of it begins wherever the
// client who filled it wants: parts are put together, or a client could write whole lines.
import { endOfLine, lengthOf, sliceOf, startOfLine, withoutReturn } from '../lines.ts';
import type { Lines } from '../lines.ts';
import type { Instant } from '../model.ts';
import { createStamps } from '../time.ts';
import { unescaped } from './json.ts';

/** One line out of its frame. */
export interface ContainerLine {
  readonly text: string;
  readonly stream: string;
  /** Does the line go on in the next one of its stream? */
  readonly isPart: boolean;
  /** When the engine received it, as it wrote that. */
  readonly stamp: string;
}

/** A chunk out of its frames: as many lines, so that each has its place in the chunk. */
export interface Unwrapped {
  /** Lines that are parts of a longer one are empty; the last part is the whole of it. */
  readonly text: string;
  /** The line of the chunk that the line at `start` of `text` stands for. Ask in ascending order. */
  lineAt(start: number): { readonly start: number; readonly end: number };
  /** When the engine received that line of the chunk. */
  receivedAt(line: { readonly start: number; readonly end: number }): Instant | undefined;
  /** The chunk is done with: what is left of a longer line is kept for the next chunk of its source. */
  settle(): void;
}

export interface Unwrapper {
  /** @returns undefined where the lines are in no such frame: the usual case, which costs a look at five lines. */
  unwrap(lines: Lines, source: string): Unwrapped | undefined;
}

/** The reader of lines cuts here too. */
const LONGEST_LINE = 256 * 1024;
/** Docker keeps longer lines in parts of this length; what is shorter and has no line feed is whole. */
const DOCKER_PART = 16 * 1024;
const BRACE = 123;
const DOCKER = '{"log":"';
const DOCKER_END = /^","stream":"(stdout|stderr)"(?:,"attrs":\{.*\})?,"time":"(\d{4}-\d\d-\d\dT[\d:.]+Z)"\}$/;
/** Where in a stamp the point stands, in front of the nanoseconds. */
const CRI_POINT = 19;
const POINT = 46;
/** Engines write nanoseconds without their last zeros. A stamp of whole seconds is a program's own. */
const CRI =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP])(?::\S*)?(?: |$)/;

/** Takes the line [start, end) out of its frame; undefined where it is in none. */
export function unwrapLine(text: string, start: number, end: number): ContainerLine | undefined {
  if (text.charCodeAt(start) === BRACE) return unwrapDocker(text, start, end);
  return text.charCodeAt(start + CRI_POINT) === POINT ? unwrapCri(text, start, end) : undefined;
}

function unwrapDocker(text: string, start: number, end: number): ContainerLine | undefined {
  if (!text.startsWith(DOCKER, start)) return undefined;
  const line = text.slice(start, end);
  // Inside the text each quote is escaped: this is its end.
  const logEnd = line.indexOf('","stream":"', DOCKER.length);
  const [, stream, stamp] = DOCKER_END.exec(logEnd < 0 ? '' : line.slice(logEnd)) ?? [];
  if (stream === undefined || stamp === undefined) return undefined;
  const logged = line.slice(DOCKER.length, logEnd);
  const whole = logged.includes('\\') ? unescaped(logged) : logged;
  const isEnded = whole.endsWith('\n');
  const inner = isEnded ? whole.slice(0, withoutReturn({ text: whole }, 0, whole.length - 1)) : whole;
  // One line in, one line out.
  if (inner.includes('\n')) return undefined;
  return { text: inner, stream, isPart: !isEnded && inner.length >= DOCKER_PART, stamp };
}

function unwrapCri(text: string, start: number, end: number): ContainerLine | undefined {
  const line = text.slice(start, end);
  const [head, stamp, stream, tag] = CRI.exec(line) ?? [];
  if (head === undefined || stamp === undefined || stream === undefined) return undefined;
  return { text: line.slice(head.length), stream, isPart: tag === 'P', stamp };
}

/** When the engine received a line; undefined where its stamp is none. */
export function receivedAt({ stamp }: ContainerLine): Instant | undefined {
  return createStamps('UTC').field(stamp, 0);
}

/** Keeps what is left of longer lines, by source. */
export function createUnwrapper(): Unwrapper {
  const left = new Map<string, ReadonlyMap<string, string>>();
  return {
    unwrap(outer, source) {
      const known = left.get(source);
      if (!known && !beginsFramed(outer)) return undefined;
      const { text } = outer;
      const parts = new Map(known);
      const lines: string[] = [];
      const starts: [inner: number, outer: number][] = [];
      let length = 0;
      for (let start = 0; start < text.length;) {
        const end = endOfLine({ text }, start);
        const opened = unwrapLine(text, start, withoutReturn({ text }, start, end));
        const line = opened ? joined(parts, opened) : text.slice(start, end);
        starts.push([length, start]);
        lines.push(line);
        length += line.length + 1;
        start = end + 1;
      }
      let next = 0;
      return {
        text: `${lines.join('\n')}\n`,
        lineAt(inner) {
          while (next + 1 < starts.length && starts[next + 1]![0] <= inner) next++;
          const start = starts[next]![1];
          return { start, end: withoutReturn({ text }, start, endOfLine({ text }, start)) };
        },
        receivedAt({ start, end }) {
          const opened = unwrapLine(text, start, end);
          return opened && receivedAt(opened);
        },
        settle() {
          if (parts.size > 0) left.set(source, parts);
          else left.delete(source);
        },
      };
    },
  };
}

/** The text that a line completes; empty where it is a part of a longer one. */
function joined(parts: Map<string, string>, { text, stream, isPart }: ContainerLine): string {
  const whole = (parts.get(stream) ?? '') + text;
  if (!isPart) {
    parts.delete(stream);
    return whole;
  }
  // A copy: a slice would keep the whole chunk alive.
  parts.set(stream, Buffer.from(whole.slice(0, LONGEST_LINE), 'latin1').toString('latin1'));
  return '';
}

/** Engines frame each line of their files: the first lines tell, or the last one where the first ones are damaged. */
function beginsFramed(lines: Lines): boolean {
  const length = lengthOf(lines);
  let start = 0;
  for (let count = 0; count < 4 && start < length; count++) {
    const end = endOfLine(lines, start);
    if (isFramed(lines, start, end)) return true;
    start = end + 1;
  }
  const last = startOfLine(lines, length - 1);
  return last > start && isFramed(lines, last, endOfLine(lines, last));
}

function isFramed(lines: Lines, start: number, end: number): boolean {
  // Most lines are told off where they stand, before any of them is text.
  const first = codeAt(lines, start);
  if (first === BRACE ? !standsAt(lines, DOCKER, start) : codeAt(lines, start + CRI_POINT) !== POINT)
    return false;
  const line = sliceOf(lines, start, withoutReturn(lines, start, end));
  return unwrapLine(line, 0, line.length) !== undefined;
}

function standsAt(lines: Lines, text: string, at: number): boolean {
  for (let index = 0; index < text.length; index++)
    if (codeAt(lines, at + index) !== text.charCodeAt(index)) return false;
  return true;
}

function codeAt(lines: Lines, at: number): number | undefined {
  return lines.bytes ? lines.bytes[at] : lines.text.charCodeAt(at);
}
