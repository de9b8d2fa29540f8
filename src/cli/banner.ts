// The few plain lines with which a daemon that a person starts says what it does, and how it ended.
import type { Daemon } from '../daemon/index.ts';
import type { Firewall } from '../firewall/contract.ts';
import type { SourceStatus } from '../sources/contract.ts';
import type { Setup } from '../setup/index.ts';
import { printable } from '../text.ts';
import { paint } from './table.ts';
import type { Context } from './verb.ts';

export interface Started {
  readonly setup: Setup;
  readonly daemon: Daemon;
  readonly firewall: Firewall;
  /** Why this firewall was chosen, where it isn't the usual one and nobody asked for it. */
  readonly why: string | undefined;
  readonly neverEnforce: boolean;
  readonly state: string;
}

const INDENT = 10;

export function describeStart(context: Context, started: Started): string {
  const { setup, daemon } = started;
  const { paths } = context;
  const present = daemon.sources().filter((source) => source.state !== 'waiting');
  const absent = daemon.sources().filter((source) => source.state === 'waiting');
  const rows: [string, string[]][] = [
    ['config', [paths.config]],
    ['watches', present.map((source) => NAMES[source.kind](source))],
    ['waits for', absent.map((source) => `${NAMES[source.kind](source)} (followed as soon as it exists)`)],
    [
      'jails',
      [setup.jails.map((jail) => jail.rules.name + (jail.config.dryRun ? ' (dry run)' : '')).join(', ')],
    ],
    ['journal', withoutJournal(setup, new Set(absent.map((source) => source.id)))],
    ['state', [started.state]],
    ['sockets', socketsOf(context)],
  ];
  const lines = rows
    .filter(([, values]) => values.length > 0 && values[0] !== '')
    .flatMap(([name, values]) =>
      values.map((value, index) => `${(index === 0 ? name : '').padEnd(INDENT)}${printable(value, 4_000)}\n`),
    );
  const next = `${'next'.padEnd(INDENT)}${commandOf(context)} status    (Ctrl-C ends the daemon)\n`;
  return `Bailiff ${context.version} runs, pid ${process.pid}.\n${lines.join('')}${describeMode(context, started)}${next}`;
}

function socketsOf({ paths }: Context): string[] {
  if (paths.fellBackFrom === undefined) return [paths.runtime];
  return [`${paths.runtime} (${paths.fellBackFrom} is too long for a socket)`];
}

/** How a source is written. */
const NAMES: Readonly<Record<SourceStatus['kind'], (source: SourceStatus) => string>> = {
  file: ({ path, id }) => path ?? id,
  journal: ({ id }) => `the journal, by ${id.slice('journal:'.length)}`,
  input: () => 'standard input',
};

/** Jails that would read the journal, were there one. */
function withoutJournal(setup: Setup, absent: ReadonlySet<string>): string[] {
  return setup.jails
    .filter(({ config }) => config.journal.length > 0 && config.logs.length > 0)
    .filter(({ config }) => config.logs.every((log) => absent.has(log)))
    .map(({ config }) => `${config.name}: none of its logs exists, and this host keeps no journal`);
}

function describeMode(context: Context, { daemon, firewall, why, neverEnforce }: Started): string {
  const name = 'mode'.padEnd(INDENT);
  if (firewall.kind === 'memory')
    return loud(
      context,
      name,
      'the firewall is memory, a stand-in for tests',
      'start it without --firewall to block',
    );
  if (daemon.mode === 'enforcing')
    return `${name}blocking through ${firewall.kind}${why === undefined ? '' : `, because ${printable(why, 1_000)}`}\n`;
  if (neverEnforce && daemon.stillBlocked > 0)
    return `${name}${paint(context, ['bold', 'red'], `*** DETECT ONLY: NOTHING NEW IS BLOCKED *** ${daemon.stillBlocked} addresses that an earlier run blocked still are; ${commandOf(context)} teardown lifts them.`)}\n`;
  if (neverEnforce)
    return loud(context, name, 'as asked by --detect-only', 'start it without --detect-only to block');
  if (!firewall.enforces)
    return loud(context, name, `the firewall is ${firewall.kind}`, 'start it without --firewall to block');
  return loud(context, name, daemon.firewallFault ?? 'the firewall did not answer', mendOf(context));
}

/** A line that can't be missed. */
function loud(context: Context, name: string, why: string, mend: string): string {
  const reason = printable(why, 1_000).replace(/[.;]$/, '');
  const line = `*** DETECT ONLY: NOTHING IS BLOCKED *** ${reason}${mend === '' ? '' : `; ${mend}`}.`;
  return `${name}${paint(context, ['bold', 'red'], line)}\n`;
}

function mendOf(context: Context): string {
  if (process.geteuid!() !== 0)
    return context.paths.checkout === undefined ? 'sudo bailiff run blocks' : 'sudo npm start blocks';
  return ''; // To root the firewall itself has said what would mend it.
}

/** How this bailiff is called here. */
function commandOf({ paths }: Context): string {
  return paths.checkout === undefined ? 'bailiff' : 'npm run -s bailiff --';
}

/** The same in half a line, for the service manager: `systemctl status` shows it. No hostile text. */
export function describeState(daemon: Daemon): string {
  const jails = daemon.jailCount === 1 ? '1 jail' : `${daemon.jailCount} jails`;
  const blocked = daemon.stillBlocked === 1 ? '1 address' : `${daemon.stillBlocked} addresses`;
  if (daemon.mode === 'enforcing') return `${jails}, ${blocked} blocked`;
  const why = daemon.firewallFault === undefined ? '' : `: ${daemon.firewallFault}`;
  return `${jails}, ${daemon.mode}${why}`;
}

export function describeEnd(context: Context, kind: string, wasBlocking: boolean): string {
  if (!wasBlocking) return 'Bailiff has ended. Nothing was blocked.\n';
  const command = commandOf(context);
  const table = kind === 'nftables' ? ' (or: nft delete table inet bailiff)' : '';
  return `Bailiff has ended. Bans stay in the kernel until they run out; to lift them all: ${command} teardown${table}\n`;
}
