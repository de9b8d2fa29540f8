// Results as text: aligned columns on a terminal, tab-separated ones for other programs. All cells are made printable.
import { styleText } from 'node:util';
import { printable } from '../text.ts';
import type { Context } from './verb.ts';

export type Cell = string | number | null | undefined;
type Style = Parameters<typeof styleText>[0];
/** What the layout of a text depends on. */
export type Surface = Pick<Context, 'terminal' | 'color'>;

/** Colours a text where colours are wanted. The text must be printable already. */
export function paint(surface: Surface, style: Style, text: string): string {
  return surface.color ? styleText(style, text, { validateStream: false }) : text;
}

/**
 * Rows under a head. Off a terminal there is no head, and one tab between cells, which hold none themselves.
 * @returns whole lines; the empty text for no rows.
 */
export function formatTable(
  surface: Surface,
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) => row.map((cell) => printable(String(cell ?? ''), 1_000)));
  if (!surface.terminal) return cells.map((row) => `${row.join('\t')}\n`).join('');
  const titles = head.map((title) => title.toUpperCase());
  const widths = titles.map((title, column) =>
    cells.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), title.length),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  const body = cells.map((row) => `${line(row)}\n`).join('');
  return `${paint(surface, 'bold', line(titles))}\n${body}`;
}

/** An instant for the eye: `2026-01-05 10:11:12Z`; other programs get it as JSON has it. */
export function formatWhen(surface: Surface, iso: string | null, none = 'no end'): string {
  if (iso === null) return surface.terminal ? none : '';
  return surface.terminal ? `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z` : iso;
}

/** A count of bytes for the eye: `734 B`, `12.3 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  let size = bytes;
  let unit = 0;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  while (size >= 999.95 && unit < units.length - 1) {
    size /= 1_000;
    unit++;
  }
  return `${size.toFixed(1)} ${units[unit]}`;
}

/** A number of things: `1 ban`, `2 bans`. */
export function quantity(count: number, one: string, plural = 's'): string {
  return `${count} ${one}${count === 1 ? '' : plural}`;
}

/** How long ago an instant was: `3s ago`, `2h ago`; null: never. */
export function formatAge(now: number, iso: string | null | undefined): string {
  if (iso === undefined) return '';
  if (iso === null) return 'none yet';
  const seconds = Math.max(0, Math.floor((now - Date.parse(iso)) / 1_000));
  if (seconds < 60) return `${seconds}s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h ago`;
  return `${Math.floor(seconds / 86_400)}d ago`;
}

/** A path that is too long loses its middle: both the folder it begins with and the name at its end tell it. */
export function shortenPath(path: string, width: number): string {
  for (let room = width; ; room--) {
    const short = path.length <= room ? path : cut(path, Math.max(1, room));
    // What could act on a terminal is written longer than it is.
    if (room <= 1 || printable(short).length <= width) return short;
  }
}

function cut(path: string, width: number): string {
  const head = Math.floor((width - 1) / 3);
  return `${path.slice(0, head)}…${path.slice(path.length - (width - 1 - head))}`;
}
