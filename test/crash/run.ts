// Runs a script against the real daemon, with kills or without, and says what came of it.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInternet } from '../support/namespaces.ts';
import { administrate, isHeld } from './administrator.ts';
import { carryOut, JOURNAL } from './disk.ts';
import { readOutcome } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import {
  caughtUp,
  commitFailed,
  during,
  launch,
  lockLedger,
  pause,
  ready,
  reboot,
  settleOrDie,
} from './process.ts';
import type { Place } from './process.ts';
import { ended, eventually } from '../support/run.ts';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';
import { createReporter } from './reporter.ts';
import { LOGS, oldEntries, oldLines, writeScript } from './script.ts';
import type { Step } from './script.ts';

const POINTS = [
  'before-commit',
  'after-commit',
  'before-enforce',
  'after-enforce',
  'after-boot-enforce',
  'after-apply',
  // Twice, for only half of the reloads change the rules of a jail.
  'after-reload',
  'after-reload',
] as const;

export interface CrashRun {
  readonly outcome: Outcome;
  readonly kills: number;
  /** How often each named point was died at; `random` for the other instants. */
  readonly diedAt: Readonly<Record<string, number>>;
}

export interface CrashOptions {
  readonly seed: number;
  /** How often it dies while the script is written; 0: the uninterrupted run. */
  readonly kills: number;
  readonly steps: number;
  /** The first stamp of the script. */
  readonly start: number;
  /** The daemon to run; another one than this checkout's for a mutation. */
  readonly main?: string;
}

/** One run in folders and a network namespace of its own, which are gone afterwards. */
export async function crashRun(options: CrashOptions): Promise<CrashRun> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-crash-'));
  const internet = await createInternet();
  try {
    mkdirSync(join(folder, 'logs', JOURNAL), { recursive: true });
    carryOut(join(folder, 'logs'), oldEntries(options.seed, options.start));
    for (const log of LOGS)
      writeFileSync(join(folder, 'logs', log), oldLines(log, options.seed, options.start));
    mkdirSync(join(folder, 'filters'), { mode: 0o700 });
    writeFileSync(join(folder, 'filters', 'joined.yaml'), JOINED, { mode: 0o600 });
    writeConfig(folder, 0);
    writeFileSync(join(folder, 'filters', 'waiting.yaml'), WAITING, { mode: 0o600 });
    return await runScript({ folder, host: internet.server, main: options.main }, options);
  } finally {
    await internet.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Of the script's lines, some without an address are made to be about the address in the line before them that has one.
 * What is forgotten of any line shows at once.
 */
const JOINED = `
service: sshd
description: goodbyes, said to whom failed last
layout: plain
match: '^web <session>\\[\\d+\\]: Received disconnect '
opens: '^web <session>\\[\\d+\\]: Failed password for <user> from <ip> port \\d+ ssh2$'
closes: '^web <session>\\[\\d+\\]: Accepted '
`;

/** Here lines without an address are counted for the address in the goodbye that comes next. */
const WAITING = `
service: sshd
description: log-ins, held against whom the next goodbye names
layout: plain
match: '^web <session>\\[\\d+\\]: Accepted '
opens: '^web <session>\\[\\d+\\]: nobody at <ip>$'
closes: '^web <session>\\[\\d+\\]: Received disconnect from <ip> port \\d+:11: Bye Bye \\[preauth\\]$'
`;

/** Which logs are named how, and how much patience a jail has that never bans: nothing that the outcome shows. */
const VARIANTS = [
  { access: 'access.log', auth: '*auth.log', patience: 5_000 },
  { access: 'acces?.log', auth: '*auth.log', patience: 5_001 },
  { access: 'access.log', auth: 'auth.log', patience: 5_002 },
];

/** In one step, as whoever edits a config that a daemon may read at any time does. */
function writeConfig(folder: string, variant: number): void {
  const file = join(folder, 'jails.json');
  writeFileSync(`${file}.new`, JSON.stringify(configOf(folder, VARIANTS[variant]!)), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function configOf(folder: string, variant: (typeof VARIANTS)[number]): object {
  const access = { logs: [join(folder, 'logs', variant.access)], start: 'end' };
  const auth = { filter: 'sshd', logs: [join(folder, 'logs', variant.auth)], start: 'end', zone: 'UTC' };
  const short = { first: '3m', factor: 2, max: '1h', forget: '1d' };
  const journal = { filter: 'sshd', journal: ['_SYSTEMD_UNIT=ssh.service'], start: 'end' };
  return {
    journalDirectory: join(folder, 'logs', JOURNAL),
    jails: {
      login: { ...access, filter: 'nginx-login', maxRetry: 4, findTime: '5m', banTime: short },
      api: { ...access, filter: 'nginx-api', limit: '6/1m', banTime: short },
      // Sentences that are still running when the test ends, so that the kernel has something to hold.
      stern: { ...access, filter: 'nginx-login', maxRetry: 25, findTime: '1d', banTime: '9w' },
      sshd: { ...auth, maxRetry: 4, findTime: '10m', banTime: short, protectAfterSuccess: '3m' },
      joined: { ...auth, filter: 'joined', maxRetry: 3, findTime: '1d', banTime: short },
      patient: { ...auth, maxRetry: variant.patience, findTime: '1w', banTime: short },
      waiting: { ...auth, filter: 'waiting', maxRetry: 4, findTime: '1d', banTime: short },
      unit: { ...journal, maxRetry: 5, findTime: '10m', banTime: short },
      app: { reports: true, maxRetry: 4, findTime: '5m', banTime: short, resetOnSuccess: true },
      court: { reports: true, maxRetry: 30, findTime: '1d', banTime: '9w', ports: [443] },
      gate: { ...auth, maxRetry: 30, findTime: '1d', banTime: '9w', ports: [22] },
    },
  };
}

async function runScript(place: Place, options: CrashOptions): Promise<CrashRun> {
  const random = createRandom(options.seed ^ 0x5eed);
  const script = writeScript(options.seed, options.steps, options.start);
  const isDeadly = options.kills > 0;
  const diedAt: Record<string, number> = {};
  const reporter = createReporter(place.folder, options.seed, options.start);
  const write = (steps: readonly Step[]): void => {
    for (const step of steps) carryOut(join(place.folder, 'logs'), step);
    reporter.allow(steps.length);
  };

  // What is appended before anybody looked is old, so the logs are met first; what is killed meanwhile read nothing.
  if (isDeadly)
    for (const point of ['before-commit:1', 'after-commit:1', 'after-commit:2'])
      await settleOrDie(launch(place, point), place);
  await during(place, 'SIGTERM', (_, child) => caughtUp(child, place));

  let answers: string[] = [];
  const half = Math.ceil(script.length / 2);
  for (const [index, steps] of [script.slice(0, half), script.slice(half)].entries()) {
    const kills = index === 0 ? Math.ceil(options.kills / 2) : Math.floor(options.kills / 2);
    const rest = await underFire(place, steps, kills, random, write, diedAt);
    await during(place, 'SIGTERM', async (_, child) => {
      for (const step of rest) {
        write([step]);
        await pause(random.below(3));
      }
      await reporter.settled();
      if (index === 1) answers = await reporter.repeat();
      await caughtUp(child, place);
      if (index === 1)
        await eventually('what was lifted has left the kernel', async () => !(await isHeld(place)));
    });
    // Between the halves everything is read, so that it is determined which lines an unban forgives.
    if (index === 0) await administrate(place, isDeadly);
  }
  const kills = Object.values(diedAt).reduce((sum, times) => sum + times, 0);
  return { outcome: await readOutcome(place.folder, place.host, answers), kills, diedAt };
}

/** Writes the steps while one daemon after the other is killed. @returns the steps that are left. */
async function underFire(
  place: Place,
  steps: readonly Step[],
  kills: number,
  random: Random,
  write: (steps: readonly Step[]) => void,
  diedAt: Record<string, number>,
): Promise<readonly Step[]> {
  const share = Math.floor(steps.length / (kills + 1));
  let next = 0;
  const take = (count: number): readonly Step[] => steps.slice(next, (next += count));
  for (let kill = 0; kill < kills; kill++) {
    const point = random.below(3) === 0 ? random.pick(POINTS) : undefined;
    const child = launch(place, point === undefined ? '' : `${point}:${1 + random.below(4)}`);
    // Some die while they boot, most while lines are being written.
    const isReady = !(point === undefined && random.below(5) === 0);
    if (isReady) await ready(child);
    else await pause(random.below(500));
    // Some can't commit meanwhile: what they do to the kernel is known to nobody when they die.
    const unlock = random.below(4) === 0 ? lockLedger(place) : undefined;
    // Others can again in time: then what could not be committed before is, with all that came since.
    const recovers = unlock !== undefined && point === undefined && random.below(2) === 0;
    // The instant at which it dies is the script's to choose, and nothing waits for it: any instant must do.
    const deadline =
      point === undefined && !recovers
        ? setTimeout(() => child.kill('SIGKILL'), random.below(60))
        : undefined;
    for (const step of take(Math.max(1, share - random.below(7)))) {
      write([step]);
      await pause(random.below(8));
      // Before it is ready, the signal would be the end of it.
      if (isReady && random.below(6) === 0) {
        writeConfig(place.folder, random.below(VARIANTS.length));
        child.kill('SIGHUP');
      }
    }
    if (unlock && deadline) await ended(child);
    if (recovers) await commitFailed(child, place);
    unlock?.();
    if (deadline === undefined) await settleOrDie(child, place);
    await ended(child);
    clearTimeout(deadline);
    diedAt[point ?? 'random'] = (diedAt[point ?? 'random'] ?? 0) + 1;
    if (random.below(4) === 0) await reboot(place);
    // Rotations go on while nobody looks, now and then several.
    write(take(random.below(4) === 0 ? random.below(16) : random.below(3)));
  }
  return steps.slice(next);
}
