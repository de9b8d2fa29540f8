// Lines of an access log, taken apart by their log_format over the bytes of a chunk: nothing is sliced before it is asked for.
import type { Instant, Network } from '../model.ts';
import type { Stamps } from '../time.ts';
import type { FilterDefinition, FilterOptions } from './contract.ts';
import type { Escaping } from './dialects.ts';
import { ADDRESS_VARIABLE, TIME_VARIABLES } from './logformat.ts';
import type { LogFormat, Section, Step } from './logformat.ts';
import { pathOf, plainMethod, plainPath, queryOf, splitRequest } from './path.ts';
import type { Request } from './path.ts';
import { createRecentMinute } from '../recent-minute.ts';

/** Longer lines are no access log's: what a source skips is never seen here. */
const LONGEST_LINE = 256 * 1024;

const DAY = 86_400_000;

/** Which case of a filter a line is, and how often it counts. */
export interface AccessCase {
  readonly index: number;
  readonly counts: number;
}

/** One line, read as far as it was asked for. The layout's own: it is filled anew for the next line. */
export interface AccessLine {
  text: string;
  start: number;
  end: number;
  arrivedAt: Instant;
  /** How many sections are read; -1: the line doesn't fit. */
  sections: number;
  at: number;
  /** The latest guard that was found behind a line, and from where on it is the next one. */
  farGuard: number;
  farFrom: number;
  farAt: number;
  /** By slot: start and end in the text. */
  readonly bounds: Int32Array;
  request: Request | undefined;
  /** null: not asked for yet. */
  path: string | undefined | null;
  /** Who is at the other end of the connection; null: not asked for yet. */
  address: Network | undefined | null;
  /** Which filter was asked last what the line is to it, whatever jails add to it, and what it said. */
  askedOf: FilterDefinition | undefined;
  askedIn: FilterOptions['mode'];
  fits: AccessCase | undefined;
}

export interface AccessLayout {
  readonly format: LogFormat;
  /** Begins a line. Nothing is read yet. */
  open(text: string, start: number, end: number, arrivedAt: Instant): AccessLine;
  /** Reads as far as section `depth`. @returns false where the line doesn't fit up to there. */
  reach(line: AccessLine, depth: number): boolean;
  /** A variable's value as it was logged, escapes and all; the section must have been reached. */
  raw(line: AccessLine, slot: number): string;
  /** undefined where the format has no stamp, or the line an unreadable one. */
  stampOf(line: AccessLine): Instant | undefined;
}

/** A reader of lines in `format`. */
export function createAccessLayout(format: LogFormat, stamps: Stamps): AccessLayout {
  const own: AccessLine = {
    text: '',
    start: 0,
    end: 0,
    arrivedAt: 0,
    sections: 0,
    at: 0,
    farGuard: -1,
    farFrom: 0,
    farAt: 0,
    bounds: new Int32Array(format.variables.length * 2),
    request: undefined,
    path: null,
    address: null,
    askedOf: undefined,
    askedIn: 'normal',
    fits: undefined,
  };
  const timeSlot = TIME_VARIABLES.map((name) => format.variables.indexOf(name)).find((slot) => slot >= 0);
  const known = createRecentMinute();
  const last = format.sections.length - 1;
  const mayGoOn = format.sections[last]!.guard >= 0;
  return {
    format,
    open(text, start, end, arrivedAt) {
      const line = own;
      if (line.text !== text) line.farGuard = -1;
      line.text = text;
      line.start = start;
      line.end = end;
      line.arrivedAt = arrivedAt;
      line.sections = end - start > LONGEST_LINE ? -1 : 0;
      line.at = start;
      line.request = undefined;
      line.path = null;
      line.address = null;
      line.askedOf = undefined;
      return line;
    },
    reach(line, depth) {
      while (line.sections >= 0 && line.sections <= depth) {
        const isRead = readSection(line, format.sections[line.sections]!, format.hasEscapes);
        // Behind a closing quote a longer format may go on (nginx's "main" is combined and a header more).
        const fits =
          isRead &&
          (line.sections < last || line.at === line.end || (mayGoOn && isSpace(line.text, line.at)));
        line.sections = fits ? line.sections + 1 : -1;
      }
      return line.sections > depth;
    },
    raw: (line, slot) => line.text.slice(line.bounds[slot * 2], line.bounds[slot * 2 + 1]),
    stampOf(line) {
      if (timeSlot === undefined) return undefined;
      const from = line.bounds[timeSlot * 2]!;
      const to = line.bounds[timeSlot * 2 + 1]!;
      const day = Math.floor(line.arrivedAt / DAY); // what a stamp leaves out depends on it
      const instant = known.instantAt(line.text, from, day);
      if (instant !== undefined && to - from === known.length) return instant;
      const stamp = stamps.at(line.text, from, line.arrivedAt);
      if (stamp?.end !== to) return undefined;
      known.keep(line.text, from, to, stamp.instant, day);
      return stamp.instant;
    },
  };
}

function isSpace(text: string, at: number): boolean {
  return text.charCodeAt(at) === 32;
}

/** Reads one section from `line.at` on, and leaves `line.at` behind its guard. */
function readSection(line: AccessLine, section: Section, hasEscapes: boolean): boolean {
  let from = line.at;
  for (const step of section.left) {
    from = readForwards(line, step, from);
    if (from < 0) return false;
  }
  if (section.free === undefined) {
    if (section.guard >= 0 && (from >= line.end || line.text.charCodeAt(from) !== section.guard))
      return false;
    line.at = section.guard >= 0 ? from + 1 : from;
    return true;
  }
  const first = section.mayBePair && line.text.startsWith('"" ', from) ? from + 2 : from;
  const end = section.guard < 0 ? line.end : findGuard(line, first, section, hasEscapes);
  if (end < 0) return false;
  let to = end;
  for (const step of section.right) {
    to = readBackwards(line, step, from, to);
    if (to < 0) return false;
  }
  for (const slot of section.free) setBounds(line, slot, from, to);
  line.at = section.guard < 0 ? end : end + 1;
  return true;
}

/** @returns where the step ends, or -1. */
function readForwards(line: AccessLine, step: Step, from: number): number {
  const { text } = line;
  if (step.kind === 'text') {
    const end = from + step.text.length;
    return end <= line.end && text.startsWith(step.text, from) ? end : -1;
  }
  let end = from;
  if (step.kind === 'fixed') end = from + step.length;
  else {
    const { characters } = step;
    while (end < line.end && characters[text.charCodeAt(end)] === 1) end++;
    if (step.until !== '')
      do end--;
      while (end > from && !text.startsWith(step.until, end));
  }
  if (end < from || end > line.end) return -1;
  setBounds(line, step.slot, from, end);
  return end;
}

/** @returns where the step that ends at `to` begins, or -1; never before `from`. */
function readBackwards(line: AccessLine, step: Step, from: number, to: number): number {
  const { text } = line;
  let start: number;
  if (step.kind === 'text') {
    start = to - step.text.length;
    return start >= from && text.startsWith(step.text, start) ? start : -1;
  }
  if (step.kind === 'fixed') start = to - step.length;
  else {
    start = to;
    while (start > from && step.characters[text.charCodeAt(start - 1)] === 1) start--;
  }
  if (start < from) return -1;
  setBounds(line, step.slot, start, to);
  return start;
}

function findGuard(line: AccessLine, from: number, section: Section, hasEscapes: boolean): number {
  let at = nextGuard(line, from, section);
  while (at < line.end && hasEscapes && isEscaped(line.text, from, at)) at = nextGuard(line, at + 1, section);
  return at < line.end ? at : -1;
}

/** The next guard, in this line or in a later one. */
function nextGuard(line: AccessLine, from: number, { guard, mark }: Section): number {
  // A search that went past its line is kept, or lines without the guard would each search the whole chunk.
  if (line.farGuard === guard && line.farFrom <= from && from <= line.farAt) return line.farAt;
  const found = line.text.indexOf(mark, from);
  const at = found < 0 ? Infinity : found;
  if (at >= line.end) {
    line.farGuard = guard;
    line.farFrom = from;
    line.farAt = at;
  }
  return at;
}

/** An odd number of backslashes before it: Apache's way with a quote. nginx writes `\x22`, so that it never has one there. */
function isEscaped(text: string, from: number, at: number): boolean {
  let first = at;
  while (first > from && text.charCodeAt(first - 1) === 92) first--;
  return ((at - first) & 1) === 1;
}

function setBounds(line: AccessLine, slot: number, from: number, to: number): void {
  line.bounds[slot * 2] = from;
  line.bounds[slot * 2 + 1] = to;
}

// ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Reads a field of an open line as bytes; undefined where it is empty or `-`. */
export type ReadField = (line: AccessLine) => string | undefined;

export interface AccessField {
  /** The variable that it is read from. */
  readonly slot: number;
  readonly read: ReadField;
  /** Does the value stand in the line as it is (escapes aside), so that a literal in it can be searched for? */
  readonly verbatim: boolean;
}

/** Shorter names for what everyone asks for. */
const ALIASES: readonly (readonly [alias: string, variable: string])[] = [
  ['ip', ADDRESS_VARIABLE],
  ['user', 'remote_user'],
  ['referer', 'http_referer'],
  ['user_agent', 'http_user_agent'],
  ['bytes', 'body_bytes_sent'],
  ['bytes', 'bytes_sent'],
  ['bytes', 'bytes_read'],
];

/** The fields that lines of this layout have, by name: its variables, their short names, and the parts of the request. */
export function accessFields(layout: AccessLayout): ReadonlyMap<string, AccessField> {
  const { variables, escaping } = layout.format;
  const fields = new Map<string, AccessField>();
  const add = (
    name: string,
    variable: string,
    verbatim: boolean,
    read: (line: AccessLine, slot: number) => string | undefined,
  ): void => {
    const slot = variables.indexOf(variable);
    if (slot >= 0 && !fields.has(name))
      fields.set(name, { slot, verbatim, read: (line) => orNothing(read(line, slot)) });
  };
  const value = (line: AccessLine, slot: number): string => unescaped(layout.raw(line, slot), escaping);
  const requestOf = (line: AccessLine, slot: number): Request =>
    (line.request ??= splitRequest(value(line, slot)));
  // One path a line, whoever asks: filters of one source share the line.
  const once =
    (find: (line: AccessLine, slot: number) => string | undefined) => (line: AccessLine, slot: number) =>
      line.path === null ? (line.path = find(line, slot)) : line.path;
  const pathOfRequest = (line: AccessLine, slot: number): string | undefined =>
    plainPath(line.text, line.bounds[slot * 2]!, line.bounds[slot * 2 + 1]!) ??
    pathOf(requestOf(line, slot).target);

  for (const name of variables) add(name, name, true, value);
  for (const [name, variable] of ALIASES) add(name, variable, true, value);
  add('method', 'request_method', true, value);
  add(
    'method',
    'request',
    false,
    (line, slot) =>
      plainMethod(line.text, line.bounds[slot * 2]!, line.bounds[slot * 2 + 1]!) ??
      requestOf(line, slot).method,
  );
  add('protocol', 'server_protocol', true, value);
  add('protocol', 'request', false, (line, slot) => requestOf(line, slot).protocol);
  add('path', 'request', false, once(pathOfRequest));
  add(
    'path',
    'request_uri',
    false,
    once((line, slot) => pathOf(value(line, slot))),
  );
  // $uri is decoded and resolved by nginx itself.
  add('path', 'uri', false, value);
  add('query', 'args', true, value);
  add('query', 'query_string', true, value);
  // Apache's %q, with its mark.
  add('query', 'query_part', false, (line, slot) => value(line, slot).replace(/^\?/, ''));
  add('query', 'request', false, (line, slot) => queryOf(requestOf(line, slot).target));
  add('query', 'request_uri', false, (line, slot) => queryOf(value(line, slot)));
  return fields;
}

function orNothing(value: string | undefined): string | undefined {
  return value === '' || value === '-' ? undefined : value;
}

/** A value as the client sent it. Only what servers escape is an escape: a plain character is never written so. */
function unescaped(logged: string, escaping: Escaping): string {
  if (escaping === 'hash' && logged.includes('#'))
    return logged.replace(/#([01][\dA-F]|2[23]|7[B-DF]|[89A-F][\dA-F])/g, (_, hex: string) => byteOf(hex));
  if (escaping !== 'backslash' || !logged.includes('\\')) return logged;
  return logged.replace(
    /\\(?:x([01][\dA-Fa-f]|22|5[Cc]|7[Ff]|[89A-Fa-f][\dA-Fa-f])|(["\\])|([bnrtv]))/g,
    (_, hex?: string, mark?: string, letter?: string) =>
      hex === undefined ? (mark ?? LETTERS[letter!]!) : byteOf(hex),
  );
}

/** Apache's. */
const LETTERS: Readonly<Record<string, string>> = { b: '\b', n: '\n', r: '\r', t: '\t', v: '\v' };

function byteOf(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}
