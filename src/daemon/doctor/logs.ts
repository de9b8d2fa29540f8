// The logs of the jails, as they lie there: is there one, may it be read, is it of the form that the filters expect, are its
// stamps right, and does it name clients or a proxy?
import { accessSync, closeSync, constants, fstatSync, globSync, openSync, readSync } from 'node:fs';
import { isLoopback, parseAddress } from '../../address.ts';
import { RECIDIVE } from '../../config/contract.ts';
import { reasonOf } from '../../errors.ts';
import { createSessionMemory } from '../../filters/index.ts';
import type { Instant, Network } from '../../model.ts';
import type { Clock } from '../../ports.ts';
import { createPlans } from '../../setup/index.ts';
import type { ReadyJail, Setup } from '../../setup/index.ts';
import { INPUT } from '../../sources/index.ts';
import { formatDuration } from '../../time.ts';
import { scanSafely } from '../intake/safe-scan.ts';
import { chooseSources, createStampFinder } from '../intake/watches.ts';
import { FUTURE_TOLERANCE } from '../pipeline.ts';
import { fault, fine, note, some } from './findings.ts';
import type { Finding } from './findings.ts';

/** So much of the end of each log is read … */
const TAIL = 512 * 1_024;
/** … of so many logs. */
const MOST_LOGS = 200;
/** Fewer addresses or lines than this say nothing. */
const ENOUGH = 10;
const QUARTER = 15 * 60_000;
const SPREAD = 90_000;

interface Tail {
  /** Whole lines, latin1. */
  readonly text: string;
  readonly writtenAt: Instant;
}

export function checkLogs(setup: Setup, clock: Clock): Finding[] {
  const { jails, config } = setup;
  const now = clock.now();
  const feeding = chooseSources(jails, now, { asksForInput: false, directory: config.journalDirectory });
  const plans = createPlans(jails, (jail) => jail, feeding.patternsOf);
  const stampOf = createStampFinder(jails, () => now);
  const found = checkExistence(jails, feeding.patternsOf);
  const patterns = feeding.watches.map(({ pattern }) => pattern);
  const files = patterns.flatMap((pattern) => filesOf(pattern).map((path) => ({ path, pattern })));
  const paths = Map.groupBy(files, ({ path }) => path);
  const unmatched: string[] = [];
  let sound = 0;
  for (const [path, naming] of [...paths].slice(0, MOST_LOGS)) {
    const tail = readTail(path);
    if (typeof tail === 'string') {
      found.push(amiss(path, tail));
      continue;
    }
    const names = naming.map(({ pattern }) => pattern).toSorted();
    const { scanner } = plans.of(names);
    const addresses: Network[] = [];
    const scanned = scanSafely(
      scanner,
      { text: tail.text, arrivedAt: now, source: path },
      createSessionMemory(),
      (_filter, { address }) => void addresses.push(address),
    );
    const faults = [
      ...checkForm(path, scanned),
      ...checkStamps(path, tail, now, (line) => stampOf(names, line)),
      ...checkProxy(path, tail, addresses, config.trustedProxies.length > 0),
    ];
    found.push(...faults);
    if (faults.length === 0) sound++;
    if (faults.length === 0 && tail.text !== '' && addresses.length === 0) unmatched.push(path);
  }
  if (unmatched.length > 0)
    found.push(
      note(
        'logs',
        `no filter recognises a line at the end of ${some(unmatched)}`,
        'Nothing on a host that nobody attacks; else "bailiff explain LINE" tells what each filter misses.',
      ),
    );
  if (sound > 0)
    found.push(fine('logs', `${sound} of ${paths.size} logs can be read, with the right form and stamps`));
  return found;
}

function checkExistence(
  jails: readonly ReadyJail[],
  patternsOf: (jail: ReadyJail) => readonly string[],
): Finding[] {
  return jails.flatMap((jail): Finding[] => {
    const { config, rules } = jail;
    const patterns = patternsOf(jail).filter((pattern) => pattern !== INPUT);
    const isElsewhere = config.reports || config.filters.includes(RECIDIVE) || config.logs.includes(INPUT);
    if (
      isElsewhere ||
      patterns.some((pattern) => pattern.startsWith('journal:') || filesOf(pattern).length > 0)
    )
      return [];
    return [
      fault(
        'logs',
        'E_LOG_MISSING',
        `the jail ${rules.name} has nothing to read: ${patterns.length === 0 ? 'it names no log' : `there is no ${some(patterns)}`}`,
        'Correct "logs" of the jail, start the service that writes it, or disable the jail.',
      ),
    ];
  });
}

/** What a pattern of `logs` names now; packed ones are read by nobody who follows a log. */
export function filesOf(pattern: string): string[] {
  return globSync(pattern)
    .filter((path) => !/\.(?:gz|bz2|xz|zst)$/.test(path))
    .toSorted();
}

const NOT_A_FILE = 'not a file';

/** @param why as {@link readTail} says it. */
function amiss(path: string, why: string): Finding {
  if (why === NOT_A_FILE)
    return fault(
      'logs',
      'E_SOURCE_NOT_A_FILE',
      `${path} is a folder, a FIFO, a socket or a device; only regular files are followed`,
      'Name the file itself in "logs".',
    );
  // A glob names what is there: the link is, its end is not.
  if (why === 'ENOENT')
    return fault(
      'logs',
      'E_LOG_MISSING',
      `${path} is a link that leads nowhere`,
      'Mend the link, or correct "logs" of the jail.',
    );
  const mend =
    'Give the service read access: the group adm, or an ACL; and the right to enter each folder above it.';
  return fault('logs', 'E_SOURCE_PERMISSION', `${path} can't be read (${why})`, mend);
}

/** @returns why it can't be read. */
function readTail(path: string): Tail | string {
  let file: number | undefined;
  try {
    accessSync(path, constants.R_OK);
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(file);
    if (!stat.isFile()) return NOT_A_FILE;
    const { size, mtimeMs } = stat;
    const start = Math.max(0, size - TAIL);
    const bytes = Buffer.alloc(Math.min(size, TAIL));
    const text = bytes.subarray(0, readSync(file, bytes, 0, bytes.length, start)).toString('latin1');
    const from = start === 0 ? 0 : text.indexOf('\n') + 1;
    return { text: text.slice(from, text.lastIndexOf('\n') + 1), writtenAt: Math.floor(mtimeMs) };
  } catch (error) {
    return reasonOf(error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function checkForm(
  path: string,
  { candidates, unframed }: { candidates: number; unframed: number },
): Finding[] {
  if (candidates < ENOUGH || unframed <= candidates / 2) return [];
  return [
    fault(
      'logs',
      'E_SOURCE_UNFRAMED',
      `${unframed} of ${candidates} lines at the end of ${path} are not of the form that its filters expect, so that they match nothing`,
      'Set "logFormat" as the log is written, or name a filter that reads it; "bailiff explain LINE" helps.',
    ),
  ];
}

/** The file's own time says when its last line was written. */
function checkStamps(
  path: string,
  { text, writtenAt }: Tail,
  now: Instant,
  stampOf: (line: string) => Instant | undefined,
): Finding[] {
  const last = text.slice(text.lastIndexOf('\n', text.length - 2) + 1, -1);
  const stamp = last === '' ? undefined : stampOf(last.slice(0, 512));
  if (stamp === undefined) return [];
  const mend =
    'Set "zone" in the jails of this log to the zone that its writer uses, or mend the clock of one of the two.';
  if (stamp > now + FUTURE_TOLERANCE)
    return [
      fault(
        'zones',
        'W_STAMP_FUTURE',
        `the last line of ${path} is stamped ${formatDuration(roundly(stamp - now))} ahead of the clock`,
        mend,
      ),
    ];
  const off = Math.abs(writtenAt - stamp);
  const offZone = off % QUARTER;
  const isZone =
    off > QUARTER - SPREAD && off < 26 * 3_600_000 && Math.min(offZone, QUARTER - offZone) < SPREAD;
  if (!isZone) return [];
  const way = stamp < writtenAt ? 'behind' : 'ahead of';
  return [
    fault(
      'zones',
      'W_CLOCK_SKEW',
      `the last line of ${path} is stamped ${formatDuration(roundly(off))} ${way} the time at which it was written`,
      mend,
    ),
  ];
}

function roundly(duration: number): number {
  return Math.round(duration / 60_000) * 60_000;
}

/** Does every line name the same neighbour, or this host itself? */
function checkProxy(
  path: string,
  { text }: Tail,
  matched: readonly Network[],
  hasTrusted: boolean,
): Finding[] {
  const named = matched.length >= 3 || hasTrusted ? matched : firstWords(text);
  const distinct = new Map(named.map((address) => [address.text, address]));
  const [only] = distinct.values();
  if (named.length < (matched.length >= 3 ? 3 : ENOUGH) || distinct.size !== 1 || !only) return [];
  if (!isLoopback(only) && !isPrivate(only)) return [];
  const seen = `every line at the end of ${path} names ${only.text}`;
  const mend = `Have the web server log the forwarding header, name it in "logFormat", and put ${only.text} into "trustedProxies".`;
  // One neighbour may be all that a small network has.
  if (!isLoopback(only))
    return [note('proxies', `${seen}: if that is a proxy, nobody behind it can be told apart`, mend)];
  return [
    fault(
      'proxies',
      'W_PROXY_UNKNOWN',
      `${seen}: a proxy on this host stands before it, and nobody behind it can be told apart`,
      mend,
    ),
  ];
}

/** The addresses that lines begin with, as access logs do. */
function firstWords(text: string): Network[] {
  return text
    .split('\n')
    .slice(-200)
    .flatMap((line) => parseAddress(line.slice(0, Math.max(0, line.indexOf(' ')))) ?? []);
}

function isPrivate({ family, bytes }: Network): boolean {
  const [a, b] = [bytes.charCodeAt(0), bytes.charCodeAt(1)];
  if (family === 6) return (a & 0xfe) === 0xfc || (a === 0xfe && (b & 0xc0) === 0x80);
  return (
    a === 10 ||
    (a === 172 && (b & 0xf0) === 16) ||
    (a === 192 && b === 168) ||
    (a === 100 && (b & 0xc0) === 64)
  );
}
