// `status` as one screen: is it working, is it keeping up, what is it not seeing. Pure.
import type { RuntimeFault, SourceView, StatusView } from '../api/contract.ts';
import { printable } from '../text.ts';
import { formatBytes, formatTable, formatWhen, paint } from './table.ts';
import type { Cell, Surface } from './table.ts';

/** Sources beyond so many are counted, not listed: the troubled ones stand first. */
const MOST_SOURCES = 12;

/** The screen. @param isWhole lists every source, however many there are. */
export function formatStatus(surface: Surface, isWhole: boolean, status: StatusView): string {
  const parts = [
    `${headline(surface, status)}\n${keepingUp(surface, status)}\n`,
    faultLines(surface, status),
    formatJails(surface, status),
    formatSources(surface, isWhole, status.sources),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** One line a fact, its kind first: for other programs. */
export function statusLines(status: StatusView): Cell[][] {
  const { firewall } = status;
  const fault = (where: string, each: RuntimeFault): Cell[] => [
    'fault',
    where,
    each.code,
    each.count,
    each.since,
    each.message,
  ];
  return [
    ['bailiff', status.version, status.pid, status.startedAt],
    ['mode', status.mode],
    ['firewall', firewall.kind, firewall.healthy ? 'healthy' : 'faulty', firewall.fault],
    ['dropped', firewall.dropped?.packets, firewall.dropped?.bytes],
    ['caught-up', status.caughtUp ? 'yes' : 'no'],
    ...status.jails.map((jail) => [
      'jail',
      jail.name,
      jail.state,
      jail.filters.join(','),
      jail.matches,
      jail.ignored,
      jail.late,
      jail.offenders,
      jail.banned,
      jail.bansTotal,
      jail.evicted,
    ]),
    ...status.sources.map((each) => ['source', each.id, each.state, each.lag, each.lines, each.skipped]),
    ...status.faults.map((each) => fault('', each)),
    ...status.sources.flatMap((source) => source.faults.map((each) => fault(source.id, each))),
  ];
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

function faultLines(surface: Surface, status: StatusView): string {
  const of = (where: string, fault: RuntimeFault): string => {
    const times = fault.count === 1 ? 'once' : `${fault.count} times`;
    const text = printable(
      `${where}${fault.message} (${fault.code}, ${times} since ${formatWhen(surface, fault.since)})`,
    );
    return `${paint(surface, 'red', '!')} ${text}\n`;
  };
  const all = [
    ...status.faults.map((fault) => of('', fault)),
    ...status.sources.flatMap((source) => source.faults.map((fault) => of(`${source.id}: `, fault))),
  ];
  return all.join('');
}

function formatJails(surface: Surface, status: StatusView): string {
  if (status.jails.length === 0) return 'no jails: only bans by hand\n';
  const head = ['jail', 'state', 'banned', 'bans', 'offenders', 'matches', 'ignored', 'late', 'filters'];
  const rows = status.jails.map((jail) => [
    jail.name,
    jail.state,
    jail.banned,
    jail.bansTotal,
    jail.evicted === 0 ? jail.offenders : `${jail.offenders} (${jail.evicted} forgotten)`,
    jail.matches,
    jail.ignored,
    jail.late,
    jail.filters.join(', '),
  ]);
  return formatTable(surface, head, rows);
}

function formatSources(surface: Surface, isWhole: boolean, sources: readonly SourceView[]): string {
  const trouble = ['failed', 'catching-up', 'waiting', 'following'] as const;
  const sorted = sources.toSorted((a, b) => trouble.indexOf(a.state) - trouble.indexOf(b.state));
  const shown = isWhole ? sorted : sorted.slice(0, MOST_SOURCES);
  const rows = shown.map((source) => [
    source.id,
    source.state === 'waiting' ? 'waiting: not there yet' : source.state,
    source.lag === 0 ? '' : formatBytes(source.lag),
    source.lines,
    source.skipped === 0 ? '' : `${source.skipped} cut`,
  ]);
  const hidden = sorted.length - shown.length;
  const more = hidden === 0 ? '' : `and ${hidden} more, of which --verbose tells\n`;
  return formatTable(surface, ['source', 'state', 'behind', 'lines', 'over-long'], rows) + more;
}
