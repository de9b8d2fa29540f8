// An entry of the journal as one line of syslog: `2026-01-05T10:11:12.123456+00:00 web sshd[812]: message`.
// Whatever the message holds, it is one line; and a message that the journal has put together from a part of a line is
// none, for a client could choose where it begins or ends.
import type { Entry } from './export-format.ts';

/** The fields that are asked for; the cursor and the stamp come with every entry. */
export const FIELDS = [
  'MESSAGE',
  'SYSLOG_IDENTIFIER',
  'SYSLOG_PID',
  'SYSLOG_RAW',
  '_COMM',
  '_PID',
  '_HOSTNAME',
  '_LINE_BREAK',
  '_STREAM_ID',
  'CONTAINER_ID_FULL',
  'CONTAINER_PARTIAL_MESSAGE',
  'CONTAINER_PARTIAL_ID',
  'PRIORITY',
] as const;

export interface Line {
  /** Latin1, with its \n. */
  readonly text: string;
  /** A part of a line: only what stands around the message is left. */
  readonly isBroken: boolean;
}

export interface LineMaker {
  lineOf(entry: Entry): Line;
  /** The streams whose latest line was broken off. */
  readonly broken: readonly string[];
}

const LONGEST_NAME = 64;
/** So many streams are remembered; the one that was broken longest ago goes first. */
const MOST_BROKEN = 256;
/** journald's reasons to end a line where the program did not: at a NUL, at LineMax, when another process writes on. */
const BREAKS = new Set(['nul', 'line-max', 'pid-change']);

export function createLineMaker(known: readonly string[]): LineMaker {
  const broken = new Set(known);

  /** Is it a part of a line: broken off itself, or what followed one that was? */
  function isPart(fields: Entry['fields']): boolean {
    if (wasCut(fields.get('SYSLOG_RAW') ?? '')) return true;
    const stream = streamOf(fields);
    if (stream === undefined) return false;
    const isRest = broken.delete(stream);
    const goesOn =
      BREAKS.has(fields.get('_LINE_BREAK') ?? '') || fields.get('CONTAINER_PARTIAL_MESSAGE') === 'true';
    if (goesOn) broken.add(stream);
    for (const oldest of broken) if (broken.size > MOST_BROKEN) broken.delete(oldest);
    return isRest || goesOn || fields.has('CONTAINER_PARTIAL_ID');
  }

  return {
    lineOf({ fields }) {
      const isBroken = isPart(fields);
      const message = isBroken ? '' : escaped(fields.get('MESSAGE') ?? '');
      const host = nameOf(fields.get('_HOSTNAME')) || 'localhost';
      const tag = nameOf(fields.get('SYSLOG_IDENTIFIER')) || nameOf(fields.get('_COMM')) || 'unknown';
      const pid = fields.get('_PID') ?? fields.get('SYSLOG_PID') ?? '';
      const head = `${stampOf(fields.get('__REALTIME_TIMESTAMP') ?? '')} ${host} ${tag}`;
      return { text: `${head}${/^\d{1,10}$/.test(pid) ? `[${pid}]` : ''}: ${message}\n`, isBroken };
    },
    get broken() {
      return [...broken];
    },
  };
}

/** journald ends what came by syslog(3) at a NUL. @param raw how it came; kept only where it was changed. */
function wasCut(raw: string): boolean {
  let end = raw.length;
  while (end > 0 && raw.charCodeAt(end - 1) <= 32) end--;
  const nul = raw.indexOf('\0');
  return nul >= 0 && nul < end;
}

/** What writes lines one after the other: a process on its standard output, a container on one of its two. */
function streamOf(fields: Entry['fields']): string | undefined {
  const stream = fields.get('_STREAM_ID');
  if (stream !== undefined)
    return `${stream.slice(0, LONGEST_NAME)} ${(fields.get('_PID') ?? '').slice(0, 10)}`;
  const container = fields.get('CONTAINER_ID_FULL');
  return container && `${container.slice(0, LONGEST_NAME)} ${(fields.get('PRIORITY') ?? '').slice(0, 2)}`;
}

/** Microseconds since the epoch, as digits, in the form of ISO 8601 in UTC. */
function stampOf(microseconds: string): string {
  const digits = /^\d{7,18}$/.test(microseconds) ? microseconds : '0000000';
  const instant = Number(digits.slice(0, -6)) * 1_000;
  // Beyond the calendar nothing can be written; the filter's stamp is the arrival then.
  if (!(instant <= 8.64e15)) return stampOf('');
  return `${new Date(instant).toISOString().slice(0, -5)}.${digits.slice(-6)}+00:00`;
}

/** A host or a tag: nothing in it may end it early. */
function nameOf(written = ''): string {
  return written.slice(0, LONGEST_NAME).replace(/[^\w./@+-]/g, '_');
}

/** Control characters as rsyslog writes them: a line feed is `#012`. Feeds at the end are dropped, as there. */
function escaped(message: string): string {
  let end = message.length;
  while (end > 0 && message.charCodeAt(end - 1) === 10) end--;
  const text = end === message.length ? message : message.slice(0, end);
  return CONTROL.test(text) ? text.replaceAll(CONTROLS, octal) : text;
}

const CONTROL = /[\0-\x1f\x7f]/;
const CONTROLS = /[\0-\x1f\x7f]/g;

function octal(character: string): string {
  return `#${character.charCodeAt(0).toString(8).padStart(3, '0')}`;
}
