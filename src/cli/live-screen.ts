// What `watch` shows on a terminal: jails, top offenders, rates, latest bans. It remembers a bounded part of what it was
// told, and makes a screen of it for any size. Pure.
import type { BanNews, JailView, LiveEvent, StatusView } from '../api/contract.ts';
import { printable } from '../text.ts';
import { formatDuration } from '../time.ts';
import { sparkline } from './sparkline.ts';
import { paint, shortenPath } from './table.ts';
import type { Surface } from './table.ts';

/** Addresses that are counted; of more, those that were seen least are forgotten. */
const MOST_OFFENDERS = 2_000;
const MOST_BANS = 200;
/** Looks at the daemon's counts of which the rates are made. */
const LOOKS = 6;
const ADDRESS = 24;
const JAIL = 14;
const HOUR = 20;

export interface LiveScreen {
  event(event: LiveEvent): void;
  /** @param now milliseconds, by any clock that doesn't jump. */
  look(status: StatusView, now: number): void;
  /** `rows` lines at most. @param trouble what must be said above all; `now` is wall time. */
  lines(size: { columns: number; rows: number }, trouble: string | undefined, now: number): string[];
}

interface Offender {
  readonly address: string;
  matches: number;
  jails: string;
  last: string;
}

interface Look {
  readonly at: number;
  readonly matches: number;
  readonly bans: number;
}

/** @param wants which jails are shown; all of them where it is left out. */
export function createLiveScreen(surface: Surface, wants?: readonly string[]): LiveScreen {
  const offenders = new Map<string, Offender>();
  let bans: BanNews[] = [];
  let looks: Look[] = [];
  let status: StatusView | undefined;
  let lost = 0;

  const jailsOf = ({ jails }: StatusView): JailView[] =>
    wants ? jails.filter((jail) => wants.includes(jail.name)) : jails;

  function count(address: string, jail: string, at: string): void {
    const known = offenders.get(address) ?? { address, matches: 0, jails: jail, last: at };
    known.matches++;
    known.last = at;
    if (!known.jails.split(', ').includes(jail) && known.jails.length < 60) known.jails += `, ${jail}`;
    offenders.set(address, known);
    if (offenders.size <= MOST_OFFENDERS) return;
    const least = [...offenders.values()].toSorted(
      (a, b) => a.matches - b.matches || (a.last < b.last ? -1 : 1),
    );
    for (const one of least.slice(0, MOST_OFFENDERS / 2)) offenders.delete(one.address);
  }

  /** A second, over the last looks. */
  function rateOf(key: 'matches' | 'bans'): string {
    const [first, last] = [looks[0], looks.at(-1)];
    if (!first || !last || last.at <= first.at) return '0';
    const rate = Math.max(0, ((last[key] - first[key]) * 1_000) / (last.at - first.at));
    return rate >= 100 ? rate.toFixed(0) : String(Number(rate.toPrecision(2)));
  }

  function head(columns: number, trouble: string | undefined, now: number): string[] {
    const time = `${new Date(now).toISOString().slice(11, 19)}Z`;
    if (!status) return [trouble ?? 'asking the daemon …', ''];
    const { mode, firewall, health, caughtUp } = status;
    const isWell = trouble === undefined && health?.ok !== false && mode === 'enforcing';
    const dropped = firewall.dropped ? `, ${firewall.dropped.packets} packets dropped` : '';
    const left = `bailiff ${printable(status.version)}  ${mode} with ${printable(firewall.kind)}${caughtUp ? '' : ', catching up'}${dropped}`;
    const rates = `${rateOf('matches')} matches/s, ${rateOf('bans')} bans/s`;
    const problem = trouble ?? health?.problems[0];
    const gap = lost === 0 ? '' : `  (${lost} gaps in what was told)`;
    return [
      paint(
        surface,
        isWell ? 'green' : 'red',
        fit(left, columns - time.length - 1).padEnd(columns - time.length),
      ) + time,
      fit(rates + gap, columns),
      ...(problem === undefined ? [] : [paint(surface, 'red', fit(`! ${printable(problem)}`, columns))]),
    ];
  }

  function title(text: string, columns: number): string {
    return paint(surface, 'bold', fit(text, columns));
  }

  function jailLines(columns: number, room: number): string[] {
    const jails = (status ? jailsOf(status) : []).toSorted((a, b) => b.matches - a.matches);
    const rows = jails
      .slice(0, room)
      .map((jail) =>
        fit(
          `${cell(jail.name, JAIL)} ${jail.state.padEnd(8)} ${String(jail.banned).padStart(7)} ${String(jail.matches).padStart(9)}  ${sparkline(jail.hour?.matches ?? [], HOUR)}`,
          columns,
        ),
      );
    return [
      title(
        `${'JAIL'.padEnd(JAIL)} ${'STATE'.padEnd(8)} ${'BANNED'.padStart(7)} ${'MATCHES'.padStart(9)}  LAST HOUR`,
        columns,
      ),
      ...rows,
    ];
  }

  function offenderLines(columns: number, room: number): string[] {
    const top = [...offenders.values()]
      .toSorted((a, b) => b.matches - a.matches || (a.last < b.last ? 1 : -1))
      .slice(0, room);
    const rows = top.map(({ address, matches, jails, last }) =>
      fit(
        `${cell(address, ADDRESS)} ${String(matches).padStart(9)}  ${last.slice(11, 19)}  ${printable(jails)}`,
        columns,
      ),
    );
    return [
      title(`${'OFFENDER'.padEnd(ADDRESS)} ${'MATCHES'.padStart(9)}  LAST      JAILS`, columns),
      ...rows,
    ];
  }

  function banLines(columns: number, room: number): string[] {
    const rows = bans.slice(0, room).map(({ address, jail, since, until, nth, reason }) => {
      const length = until === null ? 'ever' : formatDuration(Date.parse(until) - Date.parse(since));
      return fit(
        `${since.slice(11, 19)}  ${cell(address, ADDRESS)} ${cell(jail, JAIL)} ${length.padEnd(8)} ${String(nth).padStart(3)}  ${printable(reason)}`,
        columns,
      );
    });
    const head = `${'BANNED'.padEnd(8)}  ${'ADDRESS'.padEnd(ADDRESS)} ${'JAIL'.padEnd(JAIL)} ${'FOR'.padEnd(8)} NTH  WHY`;
    return [title(head, columns), ...rows];
  }

  return {
    event(event) {
      if (event.kind === 'match') count(event.address, event.jail, event.at);
      else if (event.kind === 'ban') bans = [event, ...bans].slice(0, MOST_BANS);
      else if (event.kind === 'gap') lost++;
    },
    look(now, at) {
      status = now;
      const sum = (key: 'matches' | 'bansTotal'): number =>
        jailsOf(now).reduce((total, jail) => total + jail[key], 0);
      const look = { at, matches: sum('matches'), bans: sum('bansTotal') };
      // Counts that went back are another daemon's.
      const isNew = looks.some(({ matches }) => matches > look.matches);
      looks = [...(isNew ? [] : looks), look].slice(-LOOKS);
    },
    lines({ columns, rows }, trouble, now) {
      const top = head(columns, trouble, now);
      // Three tables, each with its title and a blank line before it, and the last line.
      const room = Math.max(3, rows - top.length - 7);
      const jails = jailLines(
        columns,
        Math.max(1, Math.min(Math.floor(room / 3), status?.jails.length ?? 1)),
      );
      const left = room - (jails.length - 1);
      const offended = offenderLines(columns, Math.max(1, Math.floor(left / 2)));
      const banned = banLines(columns, Math.max(1, left - (offended.length - 1)));
      const body = [...top, '', ...jails, '', ...offended, '', ...banned].slice(0, Math.max(0, rows - 1));
      while (body.length < rows - 1) body.push('');
      return [...body, paint(surface, 'dim', fit('q or Ctrl-C ends it', columns))].slice(
        0,
        Math.max(1, rows),
      );
    },
  };
}

/** Printable text in a cell of exactly this width. */
function cell(text: string, width: number): string {
  return shortenPath(printable(text), width).padEnd(width);
}

function fit(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
