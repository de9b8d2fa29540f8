// A jail over access logs that names no log format: its log tells. Only the end of one file is read, and only what is
// clearly one of the known formats is believed; else the default stays, and status says so when lines don't fit.
import { closeSync, constants, fstatSync, globSync, openSync, readSync } from 'node:fs';
import type { Config, JailConfig } from '../config/contract.ts';
import type { Fault } from '../errors.ts';
import { compileFilter, detectFormat, type Detected } from '../filters/index.ts';
import { isGlob } from '../globs.ts';
import type { Shelf } from './shelf.ts';

const READ = 64 * 1024;
const MOST_LINES = 200;
/** So many of the lines must be of one format. */
const CLEAR = 0.9;
/** What is taken where nothing is said: no news. */
const DEFAULT = 'combined';

/** The config with the log formats of jails that name none; W_FORMAT_DETECTED tells of each. */
export function withFormats(config: Config, shelf: Shelf, warnings: Fault[]): Config {
  const looks = new Map<string, Look>();
  /** Many jails look at the same logs. */
  const lookAt = (logs: readonly string[]): Look => {
    const key = logs.join('\n');
    if (!looks.has(key)) looks.set(key, lookAtFirst(logs));
    return looks.get(key);
  };
  return { ...config, jails: config.jails.map((jail) => withFormat(jail, shelf, lookAt, warnings)) };
}

/** The known log format that the latest lines of a log are clearly in; undefined: in none, or in `combined`. */
export function formatOfLog(path: string): string | undefined {
  const detected = detectFormat(latestLines(path));
  const isClear = detected !== undefined && detected.share >= CLEAR && detected.logFormat !== DEFAULT;
  return isClear ? detected.logFormat : undefined;
}

/** The first of a jail's logs that holds any line, and what its latest ones are written in; undefined: none does, or nothing known. */
type Look = { readonly path: string; readonly detected: Detected } | undefined;

function lookAtFirst(logs: readonly string[]): Look {
  const log = firstLog(logs);
  const detected = log && detectFormat(log.lines);
  return detected && { path: log.path, detected };
}

function withFormat(
  jail: JailConfig,
  shelf: Shelf,
  lookAt: (logs: readonly string[]) => Look,
  warnings: Fault[],
): JailConfig {
  if (!jail.enabled || jail.logFormat !== undefined) return jail;
  const filters = jail.filters
    .filter((name) => shelf.files.has(name))
    .flatMap((name) => shelf.read(name).definition ?? [])
    .filter(({ layout }) => layout === 'access');
  if (filters.length === 0) return jail;
  const look = lookAt(jail.logs);
  if (!look || look.detected.share < CLEAR || look.detected.logFormat === DEFAULT) return jail;
  const { logFormat, frame } = look.detected;
  const options = { ...jail, logFormat, where: undefined, except: undefined };
  if (!filters.every((definition) => compileFilter(definition, options).ok)) return jail;
  const { file, line, column } = jail.at;
  warnings.push({
    code: 'W_FORMAT_DETECTED',
    ...{ file, line, column },
    message: `the jail ${jail.name} names no "logFormat"; ${look.path} is written as ${logFormat}${frame === undefined ? '' : ` (inside ${frame})`}, and is read so`,
    hint: `write "logFormat": "${logFormat}" into the jail, so that it stays so`,
  });
  return { ...jail, logFormat };
}

/** The latest lines (latin1) of the first log that holds any. */
function firstLog(
  patterns: readonly string[],
): { readonly path: string; readonly lines: readonly string[] } | undefined {
  for (const pattern of patterns.filter((log) => log !== '-'))
    for (const path of [pattern, ...(isGlob(pattern) ? globSync(pattern).toSorted() : [])]) {
      const lines = path.endsWith('.gz') ? [] : latestLines(path);
      if (lines.length > 0) return { path, lines };
    }
  return undefined;
}

function latestLines(path: string): string[] {
  let fd: number;
  try {
    // Without O_NONBLOCK a FIFO would hold us up for ever.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return [];
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) return [];
    const from = Math.max(0, status.size - READ);
    const bytes = Buffer.alloc(READ);
    const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, READ, from));
    const whole = text.slice(from === 0 ? 0 : text.indexOf('\n') + 1, text.lastIndexOf('\n') + 1);
    return whole
      .split(/\r?\n/)
      .filter((line) => line !== '')
      .slice(-MOST_LINES);
  } catch {
    return [];
  } finally {
    closeSync(fd);
  }
}
