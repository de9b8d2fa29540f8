// `status` as one screen: is it working, is it keeping up, what is it not seeing. Pure.
import type { BoundView, JailView, RuntimeFault, SourceView, StatusView } from '../api/contract.ts';
import { printable } from '../text.ts';
import { sparkline } from './sparkline.ts';
import { formatAge, formatBytes, formatTable, formatWhen, paint, shortenPath, quantity } from './table.ts';
import type { Cell, Surface } from './table.ts';

/** Where the screen stands, and when. */
export interface Screen extends Surface {
  readonly columns: number;
  readonly rows: number;
  /** Milliseconds since the epoch: ages are told, not instants. */
  readonly now: number;
}

/** Jails beyond so many are counted, not listed: the busiest stand first. Sources get the rows that are left. */
const MOST_JAILS = 8;
const LEAST_SOURCES = 4;
/** What is filled so far is told on the screen. */
const NEAR = 0.9;
const MOST_CROWDED = 2;
const HOUR_WIDTH = 12;
/** What a table needs to the right of its first column. */
const WIDE = 110;

/** The screen. @param isWhole lists every jail and source with all that is known of it, however many there are. */
export function formatStatus(screen: Screen, isWhole: boolean, status: StatusView): string {
  const above = [
    `${headline(screen, status)}\n${keepingUp(screen, status)}\n${kernelLine(status)}${isWhole ? '' : crowdedLine(screen, status)}`,
    faultLines(screen, status),
    formatJails(screen, isWhole, status.jails),
  ]
    .filter((part) => part !== '')
    .join('\n');
  // A blank line, the head, the line that counts the rest, and the shell's prompt.
  const left = screen.rows - (above.split('\n').length - 1) - 4;
  const room = isWhole ? Infinity : Math.max(LEAST_SOURCES, left);
  const below = [
    formatSources(screen, room, status.sources),
    isWhole ? formatBounds(screen, status.bounds ?? []) : '',
  ];
  return [above, ...below.filter((part) => part !== '')].join('\n');
}

/** One line a fact, its kind first: for other programs. New facts go to the end of a line, or into new lines. */
export function statusLines(status: StatusView): Cell[][] {
  const { firewall, latency, health } = status;
  const fault = (where: string, each: RuntimeFault): Cell[] => [
    ...['fault', where, each.code, each.count, each.since, each.message],
    ...[each.last, each.hint],
  ];
  return [
    ['bailiff', status.version, status.pid, status.startedAt],
    ['mode', status.mode, status.intent],
    ['firewall', firewall.kind, firewall.healthy ? 'healthy' : 'faulty', firewall.fault, firewall.blocked],
    ['dropped', firewall.dropped?.packets, firewall.dropped?.bytes],
    ['caught-up', status.caughtUp ? 'yes' : 'no'],
    ['latency', latency?.bans, latency?.median, latency?.p99],
    ['health', health?.ok === false ? 'problem' : 'ok', ...(health?.problems ?? [])],
    ...status.jails.map((jail) => [
      ...['jail', jail.name, jail.state, jail.filters.join(','), jail.matches, jail.ignored, jail.late],
      ...[jail.offenders, jail.banned, jail.bansTotal, jail.evicted],
      ...[sumOf(jail.hour?.matches), sumOf(jail.hour?.bans)],
    ]),
    ...status.sources.map((each) => [
      ...['source', each.id, each.state, each.lag, each.lines, each.skipped, each.lastLine],
    ]),
    ...(status.administrators ?? []).map((each) => [
      ...['administrator', each.address, each.by, each.last, each.until],
    ]),
    ...status.faults.map((each) => fault('', each)),
    ...status.sources.flatMap((source) => source.faults.map((each) => fault(source.id, each))),
    ...(status.bounds ?? []).map(({ what, held, most, dropped }) => [
      ...['bound', what, held, most ?? undefined, dropped],
    ]),
  ];
}

/**
 * For monitoring: one line.
 * @param isWhole of all jails, so that bans count too which stand under none of them: by hand, say.
 */
export function summaryLine(status: StatusView, isWhole: boolean): string {
  const { health, mode, firewall } = status;
  if (health?.ok === false) {
    const [first = '', ...others] = health.problems;
    const more = others.length === 0 ? '' : ` (and ${others.length} more: "bailiff status")`;
    return `PROBLEM: ${printable(first)}${more}\n`;
  }
  const inForce = isWhole ? status.bounds?.find(({ what }) => what === 'bans')?.held : undefined;
  const banned = inForce ?? status.jails.reduce((sum, jail) => sum + jail.banned, 0);
  const logs = status.sources.filter(({ kind }) => kind !== 'report').length;
  return `OK: ${mode} with ${printable(firewall.kind)}, ${quantity(status.jails.length, 'jail')}, ${quantity(logs, 'log')}, ${banned} banned\n`;
}

function headline(surface: Surface, status: StatusView): string {
  const { firewall } = status;
  const isWorking = status.mode === 'enforcing' && firewall.healthy;
  const mode = {
    enforcing: firewall.healthy ? 'enforcing' : 'SHOULD ENFORCE, AND CAN NOT',
    'detect-only': 'DETECTING ONLY: nobody is blocked',
    'stood-down': 'STOOD DOWN: nobody is blocked, "bailiff arm" puts the bans back in force',
  }[status.mode];
  const dropped = firewall.dropped
    ? `, ${firewall.dropped.packets} packets (${formatBytes(firewall.dropped.bytes)}) dropped`
    : '';
  const fault = firewall.fault === undefined ? '' : `: ${printable(firewall.fault)}`;
  const since = formatWhen(surface, status.startedAt);
  return [
    `bailiff ${printable(status.version)}, pid ${status.pid}, since ${printable(since)}`,
    `${paint(surface, isWorking ? 'green' : 'red', mode)} with ${printable(firewall.kind)}${dropped}${fault}`,
  ].join('\n');
}

function keepingUp(surface: Surface, status: StatusView): string {
  const count = status.sources.length;
  if (count === 0) return paint(surface, 'yellow', 'no log is followed');
  const lag = status.sources.reduce((sum, source) => sum + source.lag, 0);
  if (status.caughtUp)
    return paint(surface, 'green', 'keeping up: all that was written is read and committed');
  return paint(surface, 'yellow', `catching up: ${formatBytes(lag)} to read`);
}

/** What the kernel holds, and how fast it got it; nothing where nothing is enforced. */
function kernelLine({ mode, firewall, latency }: StatusView): string {
  if (mode !== 'enforcing') return '';
  const { bans = 0, median = null, p99 = null } = latency ?? {};
  const speed =
    median === null || p99 === null
      ? ''
      : `; from line to kernel ${formatSpan(median)} (99 of 100: ${formatSpan(p99)}) over ${quantity(bans, 'ban')}`;
  return firewall.blocked === undefined
    ? ''
    : `${quantity(firewall.blocked, 'address', 'es')} blocked${speed}\n`;
}

/** What has little room left, or has let something go; nothing where all have plenty. */
function crowdedLine(surface: Surface, { bounds = [] }: StatusView): string {
  const crowded = bounds.filter(
    ({ what, held, most, dropped }) =>
      // The latest events are all that is promised of them: there are always so many.
      what !== 'events' && (dropped > 0 || (most !== null && held >= most * NEAR)),
  );
  if (crowded.length === 0) return '';
  const each = crowded.map((bound) => {
    const [what, held, most, dropped] = boundCells(bound);
    return `${what} ${held}${most === '' ? '' : ` of ${most}`}${bound.dropped === 0 ? '' : ` (${dropped} let go)`}`;
  });
  const more = each.length > MOST_CROWDED ? `, and ${each.length - MOST_CROWDED} more` : '';
  return `${paint(surface, 'yellow', 'little room')}: ${each.slice(0, MOST_CROWDED).join(', ')}${more}\n`;
}

function formatBounds(screen: Screen, bounds: readonly BoundView[]): string {
  if (bounds.length === 0) return '';
  return formatTable(screen, ['bound', 'held', 'most', 'let go'], bounds.map(boundCells));
}

/** What is counted in bytes is told so; of the ledger it is bans that are let go, of evidence lines. */
function boundCells({ what, held, most, dropped }: BoundView): string[] {
  const told = what === 'evidence' || what === 'ledger' ? formatBytes : String;
  return [printable(what), told(held), most === null ? '' : told(most), String(dropped)];
}

function faultLines(screen: Screen, status: StatusView): string {
  const of = (where: string, fault: RuntimeFault): string => {
    const times = fault.count === 1 ? 'once' : `${fault.count} times`;
    const text = printable(
      `${where}${fault.message} (${fault.code}, ${times} since ${formatWhen(screen, fault.since)})`,
    );
    // Messages of older daemons, and some of ours, say themselves what to do.
    const hint =
      fault.hint === undefined || fault.message.includes(fault.hint) ? '' : `  → ${printable(fault.hint)}\n`;
    return `${paint(screen, 'red', '!')} ${text}\n${hint}`;
  };
  const all = [
    ...status.faults.map((fault) => of('', fault)),
    ...status.sources.flatMap((source) => source.faults.map((fault) => of(`${source.id}: `, fault))),
  ];
  return all.join('');
}

function formatJails(screen: Screen, isWhole: boolean, jails: readonly JailView[]): string {
  if (jails.length === 0) return 'no jails: only bans by hand\n';
  const isAll = isWhole || screen.columns >= WIDE;
  const head = ['jail', 'state', 'banned', 'bans', 'offenders', 'matches', 'last hour'];
  if (isAll) head.push('ignored', 'late', 'filters');
  const busiest = (jail: JailView): number =>
    jail.state === 'tripped' ? Infinity : jail.banned + jail.matches;
  const isCut = !isWhole && jails.length > MOST_JAILS;
  const shown = isCut ? jails.toSorted((a, b) => busiest(b) - busiest(a)).slice(0, MOST_JAILS) : jails;
  const rows = shown.map((jail) => [
    ...[jail.name, jail.state, jail.banned, jail.bansTotal],
    jail.evicted === 0 ? jail.offenders : `${jail.offenders} (${jail.evicted} forgotten)`,
    ...[jail.matches, sparkline(jail.hour?.matches ?? [], HOUR_WIDTH)],
    ...(isAll ? [jail.ignored, jail.late, jail.filters.join(', ')] : []),
  ]);
  return formatTable(screen, head, rows) + moreLine(jails.length - shown.length);
}

function formatSources(screen: Screen, room: number, sources: readonly SourceView[]): string {
  const trouble = ['failed', 'catching-up', 'waiting', 'following'] as const;
  const sorted = sources.toSorted((a, b) => trouble.indexOf(a.state) - trouble.indexOf(b.state));
  const shown = sorted.length <= room ? sorted : sorted.slice(0, room);
  const hasCut = shown.some((source) => source.skipped > 0);
  const head = ['source', 'state', 'behind', 'last line', 'lines', ...(hasCut ? ['over-long'] : [])];
  const width = room === Infinity ? Infinity : Math.max(20, screen.columns - (hasCut ? 58 : 47));
  const rows = shown.map((source) => [
    shortenPath(source.id, width),
    source.state,
    source.lag === 0 ? '' : formatBytes(source.lag),
    source.state === 'waiting' ? 'no file yet' : formatAge(screen.now, source.lastLine),
    source.lines,
    ...(hasCut ? [source.skipped === 0 ? '' : `${source.skipped} cut`] : []),
  ]);
  return formatTable(screen, head, rows) + moreLine(sorted.length - shown.length);
}

function moreLine(hidden: number): string {
  return hidden === 0 ? '' : `and ${hidden} more, of which --verbose tells\n`;
}

function sumOf(numbers: readonly number[] | undefined): number | undefined {
  return numbers?.reduce((sum, one) => sum + one, 0);
}

/** Seconds for the eye: `2.1 ms`, `1.4 s`. */
function formatSpan(seconds: number): string {
  return seconds < 1 ? `${Number((seconds * 1_000).toPrecision(2))} ms` : `${seconds.toFixed(1)} s`;
}
