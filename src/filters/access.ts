// Lines of an access log, taken apart by their log_format over the bytes of a chunk: nothing is sliced before it is asked for.
import type { Instant, Network } from '../model.ts';
import type { Stamps } from '../time.ts';
import type { FilterDefinition, FilterOptions } from './contract.ts';
import type { Escaping } from './dialects.ts';
import { ADDRESS_VARIABLE, TIME_VARIABLES } from './logformat.ts';
import type { Among } from './engine.ts';
import { TextBytes } from './text-bytes.ts';
import type { LogFormat, Section, Step } from './logformat.ts';
import { pathOf, plainMethod, plainPath, queryOf, splitRequest } from './path.ts';
import type { Request } from './path.ts';
import { createRecentMinute } from '../recent-minute.ts';
import type { RecentMinute } from '../recent-minute.ts';

/** Longer lines are no access log's: what a source skips is never seen here. */
export const LONGEST_LINE = 256 * 1024;

/** What a stamp leaves out depends on it. */
export const DAY = 86_400_000;
const NOTHING = new Uint8Array(0);
const SPACE = 32;
const BACKSLASH = 92;

/** Which case of a filter a line is, and how often it counts. */
export interface AccessCase {
  readonly index: number;
  readonly counts: number;
}

/** One line, read as far as it was asked for. The layout's own: it is filled anew for the next line. */
export class AccessLine {
  /** Where it stands in what is looked through. */
  start = 0;
  end = 0;
  length = 0;
  /** Where its bytes are, and the place of the first of them. */
  bytes: Uint8Array = NOTHING;
  base = 0;
  arrivedAt: Instant = 0;
  /** How many sections are read; -1: the line doesn't fit. */
  sections = 0;
  at = 0;
  /** By slot: start and end in the line. */
  readonly bounds: Int32Array;
  request: Request | undefined;
  /** null: not asked for yet. */
  path: string | undefined | null = null;
  /** Who is at the other end of the connection; null: not asked for yet. */
  address: Network | undefined | null = null;
  /** Which filter was asked last what the line is to it, whatever jails add to it, and what it said. */
  askedOf: FilterDefinition | undefined;
  askedIn: FilterOptions['mode'] = 'normal';
  fits: AccessCase | undefined;
  /** What it stands in: of bytes no text is made before somebody asks for it. */
  #around: string | Buffer = '';
  #text: string | undefined;

  constructor(slots: number) {
    this.bounds = new Int32Array(slots * 2);
  }

  open(around: string | Buffer, start: number, end: number, arrivedAt: Instant): void {
    this.start = start;
    this.end = end;
    this.length = end - start;
    this.arrivedAt = arrivedAt;
    this.sections = this.length > LONGEST_LINE ? -1 : 0;
    this.at = 0;
    this.request = undefined;
    this.path = null;
    this.address = null;
    this.askedOf = undefined;
    this.#around = around;
    this.#text = undefined;
  }

  /** The line itself, latin1. */
  get text(): string {
    if (this.#text === undefined) {
      const around = this.#around;
      this.#text =
        typeof around === 'string'
          ? around.slice(this.start, this.end)
          : around.toString('latin1', this.start, this.end);
    }
    return this.#text;
  }
}

export interface AccessLayout {
  readonly format: LogFormat;
  /** Of the stamp that was read last, for who reads lines of the same log by other means. */
  readonly minute: RecentMinute;
  /** Begins a line. Nothing is read yet. @param among where it stands among bytes; left out: it is spelled out. */
  open(text: string, start: number, end: number, arrivedAt: Instant, among?: Among): AccessLine;
  /** Begins one of which no text was made. */
  openBytes(bytes: Buffer, start: number, end: number, arrivedAt: Instant): AccessLine;
  /** Reads as far as section `depth`. @returns false where the line doesn't fit up to there. */
  reach(line: AccessLine, depth: number): boolean;
  /** A variable's value as it was logged, escapes and all; the section must have been reached. */
  raw(line: AccessLine, slot: number): string;
  /** undefined where the format has no stamp, or the line an unreadable one. */
  stampOf(line: AccessLine): Instant | undefined;
}

/** A reader of lines in `format`. */
export function createAccessLayout(format: LogFormat, stamps: Stamps): AccessLayout {
  const own = new AccessLine(format.variables.length);
  const timeSlot = TIME_VARIABLES.map((name) => format.variables.indexOf(name)).find((slot) => slot >= 0);
  const known = createRecentMinute();
  const spelled = new TextBytes();
  const last = format.sections.length - 1;
  const mayGoOn = format.sections[last]!.guard >= 0;
  return {
    format,
    minute: known,
    open(text, start, end, arrivedAt, among) {
      own.open(text, start, end, arrivedAt);
      own.bytes = among?.bytes ?? spelled.of(text, start, end);
      own.base = start + (among?.shift ?? -spelled.base);
      return own;
    },
    openBytes(bytes, start, end, arrivedAt) {
      own.open(bytes, start, end, arrivedAt);
      own.bytes = bytes;
      own.base = start;
      return own;
    },
    reach(line, depth) {
      while (line.sections >= 0 && line.sections <= depth) {
        const isRead = readSection(line, format.sections[line.sections]!, format.hasEscapes);
        // Behind a closing quote a longer format may go on (nginx's "main" is combined and a header more).
        const fits =
          isRead &&
          (line.sections < last ||
            line.at === line.length ||
            (mayGoOn && line.bytes[line.base + line.at] === SPACE));
        line.sections = fits ? line.sections + 1 : -1;
      }
      return line.sections > depth;
    },
    raw: (line, slot) => line.text.slice(line.bounds[slot * 2], line.bounds[slot * 2 + 1]),
    stampOf(line) {
      if (timeSlot === undefined) return undefined;
      const from = line.bounds[timeSlot * 2]!;
      const to = line.bounds[timeSlot * 2 + 1]!;
      const day = Math.floor(line.arrivedAt / DAY);
      if (to - from === known.length) {
        const instant = known.instantAmong(line.bytes, line.base + from, day);
        if (!Number.isNaN(instant)) return instant;
      }
      const stamp = stamps.at(line.text, from, line.arrivedAt);
      if (stamp?.end !== to) return undefined;
      known.keep(line.text, from, to, stamp.instant, day);
      return stamp.instant;
    },
  };
}

/** Reads one section from `line.at` on, and leaves `line.at` behind its guard. */
function readSection(line: AccessLine, section: Section, hasEscapes: boolean): boolean {
  let from = line.at;
  for (const step of section.left) {
    from = readForwards(line, step, from);
    if (from < 0) return false;
  }
  if (section.free === undefined) {
    if (section.guard >= 0 && (from >= line.length || line.bytes[line.base + from] !== section.guard))
      return false;
    line.at = section.guard >= 0 ? from + 1 : from;
    return true;
  }
  const first = section.mayBePair && stands(line, EMPTY_PAIR, from) ? from + 2 : from;
  const end = section.guard < 0 ? line.length : findGuard(line, first, section, hasEscapes);
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

/** Apache's `""`, and what follows it. */
const EMPTY_PAIR = Uint8Array.of(34, 34, 32);

function stands({ bytes, base }: AccessLine, text: Uint8Array, at: number): boolean {
  for (let index = 0; index < text.length; index++)
    if (bytes[base + at + index] !== text[index]) return false;
  return true;
}

/** @returns where the step ends, or -1. */
function readForwards(line: AccessLine, step: Step, from: number): number {
  if (step.kind === 'text') {
    const end = from + step.text.length;
    return end <= line.length && stands(line, step.text, from) ? end : -1;
  }
  let end = from;
  if (step.kind === 'fixed') end = from + step.length;
  else {
    const { characters, until } = step;
    const { bytes, base, length } = line;
    while (end < length && characters[bytes[base + end]!] === 1) end++;
    if (until.length > 0)
      do end--;
      while (end > from && !stands(line, until, end));
  }
  if (end < from || end > line.length) return -1;
  setBounds(line, step.slot, from, end);
  return end;
}

/** @returns where the step that ends at `to` begins, or -1; never before `from`. */
function readBackwards(line: AccessLine, step: Step, from: number, to: number): number {
  let start: number;
  if (step.kind === 'text') {
    start = to - step.text.length;
    return start >= from && stands(line, step.text, start) ? start : -1;
  }
  if (step.kind === 'fixed') start = to - step.length;
  else {
    const { bytes, base } = line;
    start = to;
    while (start > from && step.characters[bytes[base + start - 1]!] === 1) start--;
  }
  if (start < from) return -1;
  setBounds(line, step.slot, start, to);
  return start;
}

function findGuard(line: AccessLine, from: number, { guard }: Section, hasEscapes: boolean): number {
  const { bytes, base, length } = line;
  for (let at = from; at < length; at++)
    if (bytes[base + at] === guard && !(hasEscapes && isEscaped(line, from, at))) return at;
  return -1;
}

/** An odd number of backslashes before it: Apache's way with a quote. nginx writes `\x22`, so that it never has one there. */
function isEscaped({ bytes, base }: AccessLine, from: number, at: number): boolean {
  let first = at;
  while (first > from && bytes[base + first - 1] === BACKSLASH) first--;
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
