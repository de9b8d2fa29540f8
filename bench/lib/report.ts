// What was found: as a table to read, and kept with the machine it was found on.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { findProgram } from '../../test/support/programs.ts';
import type { Built } from './built.ts';
import { measuredOf, metOf, shareOf, targetOf, type Figure } from './figures.ts';
import { INPUTS, RESULTS } from './places.ts';

/** A benchmark that has run. */
export interface Told {
  readonly name: string;
  readonly what: string;
  readonly figures: Figure[];
  readonly leftOut: string[];
  readonly faults: string[];
  /** Programs that wanted a core at the end, on average of a minute: with more than there are cores, times are worth less. */
  load: number;
  /** SVG by name. */
  readonly pictures: Record<string, string>;
}

const HEAD = ['what', 'measured', 'target', 'of target', 'met'];
const cells = (figure: Figure): string[] => [
  ...[figure.what, measuredOf(figure), targetOf(figure), shareOf(figure), metOf(figure)],
];

/** The table for a terminal. */
export function tableOf(told: readonly Told[]): string {
  const rows = [HEAD, ...told.flatMap(({ figures }) => figures.map(cells))];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const drawn = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  const details = told.flatMap(({ figures }) =>
    figures.filter(({ detail }) => detail !== undefined).map(({ what, detail }) => `  ${what}: ${detail}`),
  );
  const notes = told.flatMap(({ name, leftOut, faults }) => [
    ...leftOut.map((words) => `  ${name}, left out: ${words}`),
    ...faults.map((words) => `  ${name}, ${words}`),
  ]);
  return ['', ...drawn, '', ...details, ...notes, ''].join('\n');
}

/**
 * Writes JSON and Markdown. Those of a smoke run are worth nothing and go where the inputs are.
 * @param part what was asked for, where it was not all. @returns where they stand.
 */
export function keep(told: readonly Told[], built: Built, part: readonly string[], small: boolean): string {
  const folder = small ? INPUTS : RESULTS;
  mkdirSync(folder, { recursive: true });
  const about = {
    ...{ date: new Date().toISOString(), commit: built.commit, bailiff: built.version, small },
    ...{ node: said(built.node, '--version'), machine: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    ...{ memory: `${Math.round(totalmem() / 2 ** 30)} GiB`, kernel: release(), peers: peers() },
  };
  const base = join(folder, [about.date.slice(0, 10), built.commit, ...part].join('-'));
  const benches = told.map(({ pictures: _, ...rest }) => rest);
  writeFileSync(`${base}.json`, `${JSON.stringify({ ...about, benches }, null, 2)}\n`);
  const pictures = told.flatMap(({ pictures: drawn }) => Object.entries(drawn));
  for (const [name, svg] of pictures) writeFileSync(`${base}-${name}.svg`, svg);
  const row = (columns: readonly string[]): string => `| ${columns.join(' | ').replaceAll('\n', ' ')} |`;
  const text = [
    `# Benchmarks of ${built.commit}, ${about.date.slice(0, 10)}`,
    '',
    `${about.machine}, ${about.cores} cores, ${about.memory}, Linux ${about.kernel}, Node ${about.node}${small ? '; a smoke run: no figure is worth anything' : ''}.`,
    `Peers: ${Object.entries(about.peers)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    `Load at the end of each: ${told.map(({ name, load }) => `${name} ${load.toFixed(1)}`).join(', ')}.`,
    '',
    row([...HEAD, 'made of']),
    row([...HEAD, ''].map(() => '---')),
    ...told.flatMap(({ figures }) => figures.map((figure) => row([...cells(figure), figure.detail ?? '']))),
    '',
    ...pictures.flatMap(([name]) => [`![${name}](${basename(base)}-${name}.svg)`, '']),
    ...told.flatMap(({ name, leftOut }) => leftOut.map((words) => `- ${name}, left out: ${words}`)),
    ...told.flatMap(({ name, faults }) => faults.map((words) => `- ${name}, ${words}`)),
    '',
  ];
  writeFileSync(`${base}.md`, text.join('\n'));
  return `${base}.json and .md`;
}

/** The versions of those who are measured beside us. */
function peers(): Record<string, string> {
  const ask: [name: string, ...args: string[]][] = [
    ['rg', '--version'],
    ['mawk', '-W', 'version'],
    ['fail2ban-server', '--version'],
    ['sshguard', '-v'],
    ['nft', '--version'],
  ];
  return Object.fromEntries(
    ask.map(([name, ...args]) => {
      const path = findProgram(name);
      return [name, path === undefined ? 'missing' : said(path, ...args)];
    }),
  );
}

/** The number in the first line that a program says of itself. */
function said(file: string, ...args: string[]): string {
  try {
    const text = execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return /\d+(?:\.\d+)+/.exec(text.split('\n')[0] ?? '')?.[0] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
