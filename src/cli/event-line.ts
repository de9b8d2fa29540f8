// One event as one line. Pure.
import type { LiveEvent } from '../api/contract.ts';
import { printable } from '../text.ts';
import { formatTable, formatWhen, paint } from './table.ts';
import type { Cell, Surface } from './table.ts';

const LOST = {
  restarted: 'the daemon was started anew: events before this one are lost',
  overrun: 'more has happened than the daemon remembers: events before this one are lost',
  unwatched: 'nobody was listening: matches before this one may be missing',
} as const;

const COLORS = {
  ban: 'red',
  release: 'green',
  brake: 'red',
  fault: 'yellow',
  mode: 'yellow',
  reload: 'cyan',
  gap: 'yellow',
  kernel: 'dim',
  match: undefined,
} as const;

/** For other programs: instant, kind, jail, address, what, and the rest in words. */
export function eventCells(event: LiveEvent): Cell[] {
  const jail = 'jail' in event ? event.jail : '';
  const address = 'address' in event ? event.address : '';
  return [event.at, event.kind, jail, address, ...inWords(event)];
}

/** A whole line. On a terminal the cells stand in columns as wide as most need; elsewhere one tab is between them. */
export function formatEvent(surface: Surface, event: LiveEvent): string {
  const cells = eventCells(event);
  if (!surface.terminal) return formatTable(surface, [], [cells]);
  const [at, kind, jail, address, what, rest] = cells.map((cell) => printable(String(cell ?? '')));
  const color = COLORS[event.kind];
  const when = formatWhen(surface, at!).slice(11, 19);
  const told = color === undefined ? kind!.padEnd(7) : paint(surface, color, kind!.padEnd(7));
  return (
    `${when} ${told} ${jail!.padEnd(10)} ${address!.padEnd(15)} ${what!.padEnd(8)} ${rest!}`.trimEnd() + '\n'
  );
}

/** What happened, in a word, and the rest. */
function inWords(event: LiveEvent): [string, string] {
  switch (event.kind) {
    case 'match': {
      const count = event.of === undefined ? '' : `${event.count} of ${event.of} `;
      const why = event.why === undefined ? '' : `${event.why} `;
      return [event.outcome, `${count}${why}by ${event.filter}, ${event.file}:${event.line}`];
    }
    case 'ban': {
      const end = event.until === null ? 'for good' : `until ${event.until}`;
      const reason = event.reason === '' ? '' : `: ${event.reason}`;
      return [event.what, `${end}, sentence ${event.nth}, by ${event.by}${reason}`];
    }
    case 'release':
      return [event.by, event.why];
    case 'brake':
      return [event.what, event.why];
    case 'kernel': {
      const ports = event.ports.length === 0 ? 'all ports' : `port ${event.ports.join(',')}`;
      const traffic = event.protocol === 'any' ? ports : `${event.protocol} ${ports}`;
      const how = event.answer === undefined ? '' : `, ${event.answer}`;
      return [event.what, event.why ?? `${traffic}${how}`];
    }
    case 'fault': {
      const where = event.source === undefined ? '' : ` ${event.source}`;
      return [event.what, `${event.code}${where}${event.message === '' ? '' : `: ${event.message}`}`];
    }
    case 'mode':
      return [event.mode, `was ${event.was}`];
    case 'reload': {
      const jails = [...event.added.map((name) => `+${name}`), ...event.removed.map((name) => `-${name}`)];
      const changed = event.changed.map((name) => `~${name}`);
      return [event.outcome, [event.message, ...jails, ...changed].join(' ')];
    }
    case 'gap':
      return [event.why, LOST[event.why]];
  }
}
