// Nouns to rows and back. What is read is checked: a row that makes no sense is undefined, not an exception.
import { fromStored, parseNetwork, toStored } from '../address.ts';
import { RATE_UNITS } from '../answer.ts';
import type {
  Ban,
  BanEvent,
  Evidence,
  FilePosition,
  Gentle,
  Instant,
  JournalPosition,
  Network,
  Offender,
  Rate,
  Scope,
  Waiting,
  Welcome,
} from '../model.ts';
import type { KeptBrake, KeptRegular, KeptReport, KeptSession, LastLine } from './contract.ts';

/** The version of an offender's state that this Bailiff writes. */
const OFFENDER_VERSION = 1;
/** The version of a brake's state that this Bailiff writes. */
const BRAKE_VERSION = 1;

export type Row = Record<string, unknown>;

export function positionRow(position: FilePosition): Row {
  return { ...position, skipping: Number(position.skipping), finished: Number(position.finished) };
}

export function readPosition(row: Row): FilePosition | undefined {
  const { id, path, inode, headLength, headHash, offset, tailHash, lines } = row;
  const isSound =
    areTexts(id, path, inode, headHash, tailHash) &&
    [headLength, offset, lines].every(isCount) &&
    /^\d+$/.test(inode as string);
  if (!isSound) return undefined;
  const flags = { skipping: row['skipping'] === 1, finished: row['finished'] === 1 };
  return { kind: 'file', ...row, ...flags } as unknown as FilePosition;
}

export function journalRow({ cursor, broken, ...rest }: JournalPosition): Row {
  return { ...rest, cursor: cursor ?? null, broken: JSON.stringify(broken) };
}

export function readJournal(row: Row): JournalPosition | undefined {
  const { id, since, lines } = row;
  const cursor = row['cursor'] ?? undefined;
  const broken = parse(row['broken']);
  const isSound =
    areTexts(id) &&
    (cursor === undefined || areTexts(cursor)) &&
    isInstant(since) &&
    isCount(lines) &&
    Array.isArray(broken) &&
    areTexts(...broken);
  return isSound ? ({ kind: 'journal', id, cursor, since, lines, broken } as JournalPosition) : undefined;
}

export function addressRow(network: Network): { address: Uint8Array; bits: number } {
  const { bytes, bits } = toStored(network);
  return { address: bytes, bits };
}

/** Sixteen bytes, or their hexadecimal digits. */
function readAddress({ address, bits }: Row): Network | undefined {
  if (!isCount(bits) || bits > 128) return undefined;
  const stored = typeof address === 'string' ? Buffer.from(address, 'hex') : address;
  return stored instanceof Uint8Array && stored.length === 16 ? fromStored(stored, bits) : undefined;
}

/** How an IPv4 address begins that is stored, in hexadecimal digits. */
const MAPPED = '00000000000000000000FFFF';

/**
 * An address by the hexadecimal digits of its sixteen bytes. There may be hundreds of thousands, nearly all of them single IPv4
 * addresses: those are numbers.
 */
export function readDigits(digits: unknown, bits: unknown): Network | number | undefined {
  const isIPv4 = typeof digits === 'string' && digits.length === 32 && digits.startsWith(MAPPED);
  if (!isIPv4 || bits !== 128) return readAddress({ address: digits, bits });
  return Number.parseInt(digits.slice(MAPPED.length), 16);
}

/** jail, address, bits, version, state. */
export function offenderValues(offender: Offender): [string, Uint8Array, number, number, string] {
  const { jail, address, stamps, evidence, sessions, nth, overall, lastSince, lastUntil, throttled } =
    offender;
  const { bytes, bits } = toStored(address);
  const { forgivenUntil } = offender;
  // By name: whatever is spread takes several times as long. What is undefined isn't written.
  const state = { stamps, evidence, sessions, nth, overall, lastSince, lastUntil, throttled, forgivenUntil };
  return [jail, bytes, bits, OFFENDER_VERSION, JSON.stringify(state)];
}

/** @returns undefined for a state that is damaged, or of a version that is not known here. */
export function readOffender(row: Row): Offender | undefined {
  return offenderOf(row['jail'], readAddress(row), row['version'], row['state']);
}

/** The same of an address that was read already. By name: whatever is spread takes several times as long. */
export function offenderOf(
  jail: unknown,
  address: Network | undefined,
  version: unknown,
  text: unknown,
): Offender | undefined {
  if (!address || typeof jail !== 'string' || version !== OFFENDER_VERSION) return undefined;
  const state = parse(text);
  if (!isObject(state)) return undefined;
  const { stamps, nth, overall, lastSince, lastUntil, throttled, forgivenUntil, sessions } = state;
  const evidence = readEvidence(state['evidence']);
  const isSound =
    areStamps(stamps) &&
    evidence &&
    isCount(nth) &&
    (overall === undefined || isCount(overall)) &&
    isInstantOrNone(lastSince) &&
    isInstantOrNone(lastUntil) &&
    isInstantOrNone(forgivenUntil) &&
    (throttled === undefined || throttled === true);
  if (!isSound) return undefined;
  const offender: Offender = { jail, address, stamps, evidence, nth, lastSince, lastUntil, forgivenUntil };
  // Without its sessions an offender is as good: at worst one attempt counts twice.
  const areSessions = Array.isArray(sessions) && sessions.length > 0 && areTexts(...sessions);
  // Hardly any has these.
  if (!areSessions && overall === undefined && throttled === undefined) return offender;
  return {
    ...offender,
    ...(areSessions && { sessions }),
    ...(overall !== undefined && { overall }),
    ...(throttled && { throttled }),
  };
}

/** [filter, session, address, bits, until, waiting]; an address in its own spelling has no bits beside it. */
export function sessionEntry({ filter, session, address, waiting, until }: KeptSession): readonly unknown[] {
  return [filter, session, address?.text ?? null, null, until, waiting ?? null];
}

export function readSessionEntry(source: string, entry: readonly unknown[]): KeptSession | undefined {
  const [filter, session, written, bits, until, waits] = entry;
  const address = bits === null ? readWritten(written) : readAddress({ address: written, bits });
  const waiting = waits ?? undefined;
  const isSound =
    (address || written === null) &&
    (waiting === undefined || isWaiting(waiting)) &&
    areTexts(filter, session) &&
    isInstant(until);
  return isSound ? ({ source, filter, session, address, waiting, until } as KeptSession) : undefined;
}

function readWritten(text: unknown): Network | undefined {
  return typeof text === 'string' ? parseNetwork(text)?.network : undefined;
}

/** A line may hold any byte. */
export function lastLineRow({ source, line, at }: LastLine): Row {
  return { source, line: Buffer.from(line, 'latin1'), at };
}

export function readLastLine({ source, line, at }: Row): LastLine | undefined {
  const isSound = areTexts(source) && line instanceof Uint8Array && isInstant(at);
  return isSound ? ({ source, line: Buffer.from(line).toString('latin1'), at } as LastLine) : undefined;
}

export function welcomeRow({ jail, address, since, last, until, by }: Welcome): Row {
  return { jail, ...addressRow(address), since, last, until, by: by ?? null };
}

export function readWelcome(row: Row): Welcome | undefined {
  const address = readAddress(row);
  const { jail, since, last, until, by } = row;
  const isSound = address && areTexts(jail) && [since, last, until].every(isInstant);
  if (!isSound) return undefined;
  const isKnown = by === 'session' || by === 'command';
  return { jail, address, since, last, until, ...(isKnown && { by }) } as Welcome;
}

export function brakeRow({ jail, memory }: KeptBrake): Row {
  return { jail, version: BRAKE_VERSION, state: JSON.stringify(memory) };
}

export function readBrake({ jail, version, state }: Row): KeptBrake | undefined {
  const memory = version === BRAKE_VERSION ? parse(state) : undefined;
  if (!areTexts(jail) || !isObject(memory)) return undefined;
  const { latest, tripped } = memory;
  const isSound =
    Array.isArray(latest) && latest.every(isBraked) && (tripped === undefined || isTripped(tripped));
  return isSound ? ({ jail, memory: { latest, tripped } } as KeptBrake) : undefined;
}

export function readRegular({ address, clean, spoiled, period }: Row): KeptRegular | undefined {
  const isSound = areTexts(address) && [clean, spoiled, period].every(isCount);
  return isSound ? ({ address, clean, spoiled, period } as KeptRegular) : undefined;
}

export function reportRow(report: KeptReport): Row {
  return { ...report, why: report.why ?? null };
}

export function readReport(row: Row): KeptReport | undefined {
  const { jail, id, at, address, outcome } = row;
  const why = row['why'] ?? undefined;
  const isSound =
    areTexts(jail, id, address, outcome) && isInstant(at) && (why === undefined || areTexts(why));
  return isSound ? ({ jail, id, at, address, outcome, why } as KeptReport) : undefined;
}

/** In the order in which the statement names them. */
export function banValues(ban: Ban): unknown[] {
  const { id, jail, address, since, until, nth, reason, by, evidence, scope, via, endedAt, endedBy } = ban;
  const { bytes, bits } = toStored(address);
  const lines = evidence.length === 0 ? '[]' : JSON.stringify(evidence);
  const traffic = scope === undefined ? null : JSON.stringify(scope);
  const values = [id, jail, bytes, bits, since, until ?? null, nth, reason, by, lines, traffic, via ?? null];
  values.push(endedAt ?? null, endedBy ?? null);
  return values;
}

export function readBan(row: Row): Ban | undefined {
  const endedAt = row['endedAt'] ?? undefined;
  const endedBy = row['endedBy'] ?? undefined;
  const open = openBanOf(row, readAddress(row));
  if (!open || !isInstantOrNone(endedAt) || !(endedBy === undefined || typeof endedBy === 'string'))
    return undefined;
  // Whoever is banned stays so, whatever has become of the lines that led to it.
  const evidence = readEvidence(parse(row['evidence'])) ?? [];
  return { ...open, evidence, endedAt, endedBy };
}

const NO_EVIDENCE: readonly Evidence[] = [];

/** A ban that is open, of columns as they stand in the ledger, but without its evidence. */
export function openBanOf<A extends Network | number>(
  row: Row,
  address: A | undefined,
): (Omit<Ban, 'address'> & { readonly address: A }) | undefined {
  const { id, jail, since, nth, reason, by } = row;
  const until = row['until'] ?? undefined;
  const via = row['via'] ?? undefined;
  const scope = row['scope'] === null ? undefined : sharedScope(row['scope']);
  const isSound =
    address !== undefined &&
    (row['scope'] === null || scope) &&
    isCount(id) &&
    typeof jail === 'string' &&
    typeof reason === 'string' &&
    typeof by === 'string' &&
    isInstant(since) &&
    isCount(nth) &&
    isInstantOrNone(until) &&
    (via === undefined || typeof via === 'string');
  if (!isSound) return undefined;
  // In one go: an object that is spread takes several times as long.
  const evidence = NO_EVIDENCE;
  const endedAt = undefined;
  const endedBy = undefined;
  return { id, address, jail, since, until, nth, reason, by, evidence, scope, via, endedAt, endedBy };
}

export function readEvent(row: Row): BanEvent | undefined {
  const { ban, at, what, by, why } = row;
  const isKnown = what === 'banned' || what === 'extended' || what === 'ended';
  return isKnown && isCount(ban) && isInstant(at) && areTexts(by, why)
    ? ({ ban, at, what, by, why } as BanEvent)
    : undefined;
}

function readEvidence(value: unknown): Evidence[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const isSound = value.every(
    (each: unknown) =>
      isObject(each) &&
      areTexts(each['file'], each['text']) &&
      isCount(each['line']) &&
      isInstant(each['at']),
  );
  return isSound ? value : undefined;
}

function parse(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

/** A handful of scopes stand in all bans: their objects are shared, and never changed. */
const scopes = new Map<unknown, Scope>();
const MOST_SCOPES = 100;

function sharedScope(text: unknown): Scope | undefined {
  const known = scopes.get(text);
  if (known) return known;
  const scope = parse(text);
  if (!isScope(scope)) return undefined;
  if (scopes.size < MOST_SCOPES) scopes.set(text, scope);
  return scope;
}

function isObject(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScope(value: unknown): value is Scope {
  if (!isObject(value)) return false;
  const { protocol, ports } = value;
  return (
    (protocol === 'any' || protocol === 'tcp' || protocol === 'udp') &&
    Array.isArray(ports) &&
    ports.every((port) => isCount(port) && port > 0 && port < 65_536) &&
    (value['answer'] === undefined || isGentle(value['answer']))
  );
}

/** Bans of before `respond` have none: they drop. */
function isGentle(value: unknown): value is Gentle {
  if (!isObject(value)) return false;
  const { rate } = value;
  if (value['do'] !== 'throttle') return value['do'] === 'reject';
  return isObject(rate) && isCount(rate['packets']) && RATE_UNITS[rate['per'] as Rate['per']] !== undefined;
}

function isWaiting(value: unknown): value is Waiting {
  return isObject(value) && isCount(value['pattern']) && isCount(value['counts']);
}

function isBraked(value: unknown): boolean {
  return (
    isObject(value) &&
    isCount(value['ban']) &&
    areTexts(value['address']) &&
    isInstant(value['at']) &&
    typeof value['behaved'] === 'boolean'
  );
}

function isTripped(value: unknown): boolean {
  return isObject(value) && isInstant(value['at']) && isCount(value['from']) && areTexts(value['why']);
}

/** In order, each instant once. */
function areStamps(value: unknown): value is [Instant, number][] {
  if (!Array.isArray(value)) return false;
  let before = -Infinity;
  for (const stamp of value) {
    if (!isStamp(stamp) || stamp[0] <= before) return false;
    before = stamp[0];
  }
  return true;
}

function isStamp(value: unknown): value is [Instant, number] {
  return (
    Array.isArray(value) && value.length === 2 && isInstant(value[0]) && isCount(value[1]) && value[1] > 0
  );
}

function areTexts(...values: unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}

/** Beyond 2^53 a number from SQLite is no longer exact: such a row is not ours. */
function isInstant(value: unknown): value is Instant {
  return Number.isSafeInteger(value);
}

function isInstantOrNone(value: unknown): value is Instant | undefined {
  return value === undefined || isInstant(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
