// A line of the daemon's own log as text: for the eye on a terminal, tab-separated cells for other programs.
import type { LogLine } from '../api/contract.ts';
import { printable } from '../text.ts';
import { formatWhen, paint } from './table.ts';
import type { Surface } from './table.ts';

const LONGEST_VALUE = 1_000;
const STYLES = { debug: 'dim', info: 'cyan', warn: 'yellow', error: 'red' } as const;

/** @returns one line, its end included; facts may be hostile and are made printable. */
export function formatLogLine(surface: Surface, line: LogLine): string {
  const facts = Object.entries(line.facts).map(
    ([name, value]) => `${printable(name, 100)}=${formatFact(value)}`,
  );
  const message = printable(line.message, LONGEST_VALUE);
  const when = formatWhen(surface, line.at);
  if (!surface.terminal) return `${[when, line.level, message, ...facts].join('\t')}\n`;
  const level = paint(surface, STYLES[line.level], line.level.padEnd(5));
  return `${[when, level, message, ...facts].join(' ')}\n`;
}

function formatFact(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const shown = printable(text, LONGEST_VALUE);
  return typeof value === 'string' && /[\s="]/.test(shown) ? `"${shown.replaceAll('"', '\\"')}"` : shown;
}
