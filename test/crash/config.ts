// The config of the daemon that is killed, and its filters: small ones of its own, for to read the shipped ones would be a
// third of what a life costs; those have tests of their own.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JOURNAL } from './disk.ts';

const FILTERS: Readonly<Record<string, string>> = {
  login: `
service: nginx
description: refused log-ins
layout: access
where:
  method: POST
  status: [401, 403]
  path: /login
`,
  api: `
service: nginx
description: requests to the API
layout: access
where:
  path: { regex: '^/api/' }
`,
  ssh: `
service: sshd
description: failed log-ins
layout: syslog
program: sshd
match: '^Failed password for <user> from <ip> port \\d+ ssh2$'
protects: host
success: '^Accepted publickey for (?<user>\\S+) from <ip> port \\d+ ssh2$'
`,
  // Of the script's lines, some without an address are made to be about the address in the line before them that has one.
  // What is forgotten of any line shows at once.
  joined: `
service: sshd
description: goodbyes, said to whom failed last
layout: plain
match: '^web <session>\\[\\d+\\]: Received disconnect '
opens: '^web <session>\\[\\d+\\]: Failed password for <user> from <ip> port \\d+ ssh2$'
closes: '^web <session>\\[\\d+\\]: Accepted '
`,
  // Here lines without an address are counted for the address in the goodbye that comes next.
  waiting: `
service: sshd
description: log-ins, held against whom the next goodbye names
layout: plain
match: '^web <session>\\[\\d+\\]: Accepted '
opens: '^web <session>\\[\\d+\\]: nobody at <ip>$'
closes: '^web <session>\\[\\d+\\]: Received disconnect from <ip> port \\d+:11: Bye Bye \\[preauth\\]$'
`,
  // Many sessions at once, each begun long before the lines that hang on it: what was forgotten of one is told by no later line.
  worker: `
service: worker
description: refusals, held against whom the worker greeted last
layout: plain
match: '^web worker\\[<session>\\]: refused$'
opens: '^web worker\\[<session>\\]: hello from <ip>$'
`,
};

/** Which logs are named how, and how much patience a jail has that never bans: nothing that the outcome shows. */
const VARIANTS = [
  { access: 'access.log', auth: '*auth.log', patience: 5_000 },
  { access: 'acces?.log', auth: '*auth.log', patience: 5_001 },
  { access: 'access.log', auth: 'auth.log', patience: 5_002 },
];
export const VARIANT_COUNT = VARIANTS.length;

/** Makes the folders of a daemon that was never run. */
export function layOut(folder: string): void {
  mkdirSync(join(folder, 'logs', JOURNAL), { recursive: true });
  for (const name of ['filters', 'shipped']) mkdirSync(join(folder, name), { mode: 0o700 });
  for (const [name, text] of Object.entries(FILTERS))
    writeFileSync(join(folder, 'filters', `${name}.yaml`), text, { mode: 0o600 });
  writeConfig(folder, 0);
  setClock(folder, 0);
}

/** How far the daemon's clock is off, in milliseconds; read at its start, and when it is told to. */
export function setClock(folder: string, off: number): void {
  writeFileSync(join(folder, 'clock'), String(off));
}

/** In one step, as whoever edits a config that a daemon may read at any time does. */
export function writeConfig(folder: string, variant: number): void {
  const file = join(folder, 'jails.json');
  writeFileSync(`${file}.new`, JSON.stringify(configOf(folder, VARIANTS[variant]!)), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function configOf(folder: string, variant: (typeof VARIANTS)[number]): object {
  const logFormat = 'combined';
  const access = { logs: [join(folder, 'logs', variant.access)], start: 'end', logFormat };
  const auth = { filter: 'ssh', logs: [join(folder, 'logs', variant.auth)], start: 'end', zone: 'UTC' };
  const short = { first: '3m', factor: 2, max: '1h', forget: '1d' };
  const journal = { filter: 'ssh', journal: ['_SYSTEMD_UNIT=ssh.service'], start: 'end' };
  return {
    journalDirectory: join(folder, 'logs', JOURNAL),
    // Whoever logs in by the one source is protected in each jail of the others, too; a few such jails tell as much as all.
    defaults: { protectAfterSuccess: 0 },
    // All stamps lie two days back, so whoever is silent for a jail's findTime may be forgotten: none is shorter than the
    // longest life of an uninterrupted run, on however slow a machine. With a minute a run of two minutes was another.
    jails: {
      login: { ...access, filter: 'login', maxRetry: 4, findTime: '10m', banTime: short },
      api: { ...access, filter: 'api', limit: '12/10m', banTime: short },
      // Sentences that are still running when the test ends, so that the kernel has something to hold.
      stern: { ...access, filter: 'login', maxRetry: 25, findTime: '1d', banTime: '9w' },
      // Its brake trips in the middle: from then on the kernel hears of none of its bans.
      rash: {
        ...access,
        filter: 'login',
        maxRetry: 12,
        findTime: '1d',
        banTime: '9w',
        ports: [80],
        brake: '5/1d',
      },
      sshd: { ...auth, maxRetry: 4, findTime: '10m', banTime: short, protectAfterSuccess: '3m' },
      joined: {
        ...{ ...auth, filter: 'joined', maxRetry: 3, findTime: '1d', banTime: short },
        protectAfterSuccess: '5m',
      },
      patient: { ...auth, maxRetry: variant.patience, findTime: '1w', banTime: short },
      waiting: { ...auth, filter: 'waiting', maxRetry: 4, findTime: '1d', banTime: short },
      worker: { ...auth, filter: 'worker', maxRetry: 4, findTime: '1d', banTime: short },
      unit: { ...journal, maxRetry: 5, findTime: '10m', banTime: short },
      app: { reports: true, maxRetry: 4, findTime: '10m', banTime: short, resetOnSuccess: true },
      court: { reports: true, maxRetry: 30, findTime: '1d', banTime: '9w', ports: [443] },
      gate: { ...auth, maxRetry: 30, findTime: '1d', banTime: '9w', ports: [22], protectAfterSuccess: '1d' },
    },
  };
}
