// What stands above the verbs: the purpose, and the options that are accepted before and after every verb.
import type { Term } from './verb.ts';

/** The first line of `bailiff --help`. */
export const PURPOSE = 'Follows logs, recognises abuse, and has the kernel drop the abuser for a while.';

export const GLOBALS: readonly Term[] = [
  { term: '--config <file>', summary: 'the config file (or BAILIFF_CONFIG)' },
  { term: '--runtime <dir>', summary: 'the folder with the sockets (or BAILIFF_RUNTIME)' },
  { term: '--json', summary: 'print JSON' },
  { term: '--no-color', summary: 'no colours (or NO_COLOR)' },
  { term: '-v, --verbose', summary: 'say more' },
];
/** Those that print something and end, as commander takes them. */
export const VERSION: Term = { term: '--version', summary: 'print the version' };
export const HELP: Term = { term: '-h, --help', summary: 'show this help, or that of a verb' };

/** What the environment says, where the command line says nothing. A test holds it together with paths.ts. */
export const ENVIRONMENT: readonly (readonly [name: string, says: string])[] = [
  ['BAILIFF_CONFIG', 'the config file, as `--config`'],
  ['BAILIFF_RUNTIME', 'the folder with the sockets, as `--runtime`'],
  ['BAILIFF_STATE', 'the folder with the ledger, as `run --state`'],
  ['NO_COLOR', 'with any value: no colours'],
  ['SSH_CONNECTION', 'from where you came in over ssh, which no jail is to lock out; sshd sets it'],
  ['SSH_CLIENT', 'the same, where `SSH_CONNECTION` is not set'],
  ['NOTIFY_SOCKET', 'where a service manager wants to be told what the daemon does; systemd sets it'],
  ['WATCHDOG_USEC', 'how long the service manager waits for a sign of life; systemd sets it'],
  ['WATCHDOG_PID', 'whose sign of life it waits for; systemd sets it'],
];

/** What a host has of Bailiff, unless options or environment say otherwise. */
export const FILES: readonly (readonly [path: string, holds: string])[] = [
  ['/etc/bailiff/jails.json', 'the config; `jails.d/*.json` beside it are merged over it in name order'],
  ['/etc/bailiff/filters/*.yaml', 'filters of your own; one named as a shipped one replaces it'],
  ['/run/bailiff/control.sock', 'everything; for root'],
  ['/run/bailiff/status.sock', "reads without hostile text; for the service's group as well"],
  ['/var/lib/bailiff/ledger.sqlite', 'what must survive: positions in logs, counts, bans and their history'],
  [
    '/var/lib/bailiff/ledger.sqlite-bans',
    'the open bans once more, left by an orderly end for a quicker start: nothing is lost with it',
  ],
];
