// How long ours takes for a whole log, and whether it says the right thing: the daemon and `replay`.
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BanView, Page } from '../../src/api/contract.ts';
import { startDaemon, type Daemon } from '../../test/support/daemon.ts';
import { temporaryFolder } from '../../test/support/leftovers.ts';
import type { Stage } from './bench.ts';
import { median } from './figures.ts';
import type { Input } from './inputs.ts';
import { INPUTS } from './places.ts';
import { bytesRead, processorTime, timed, type Timed } from './timing.ts';
import { mustBe, mustEqual, type Verdict } from './verdicts.ts';

/** Milliseconds after which a reading hangs. */
const LONGEST = 600_000;

/** Some jails on one log. */
export interface Reading {
  readonly input: Input<unknown>;
  /** By jail: its settings without `logs`. */
  readonly jails: Readonly<Record<string, object>>;
  /** Filters of their own, by name. */
  readonly filters?: Readonly<Record<string, object>>;
  /** What each jail must say. */
  readonly verdicts: Readonly<Record<string, Verdict>>;
}

export interface Took {
  readonly seconds: number;
  readonly cpu: number;
}

/** The median of each. */
export const middle = (all: readonly Took[]): Took => ({
  seconds: median(all.map(({ seconds }) => seconds)),
  cpu: median(all.map(({ cpu }) => cpu)),
});

/** Bans never end, so that who is banned does not hang on when it is asked. */
export const FOREVER = { banTime: 'forever' };

/** Writes a config and its filters into `folder`. @returns the path of the config. */
export function writeConfig(
  folder: string,
  config: object,
  filters: Readonly<Record<string, object>> = {},
): string {
  mkdirSync(join(folder, 'filters'), { recursive: true, mode: 0o700 });
  const path = join(folder, 'jails.json');
  writeFileSync(path, JSON.stringify(config, null, 2), { mode: 0o600 });
  // JSON is YAML.
  for (const [name, filter] of Object.entries(filters))
    writeFileSync(join(folder, 'filters', `${name}.yaml`), JSON.stringify(filter), { mode: 0o600 });
  return path;
}

const configOf = ({ jails }: Reading, log: string): object => ({
  defaults: FOREVER,
  jails: Object.fromEntries(
    Object.entries(jails).map(([name, jail]) => [name, { logs: [log], start: 'beginning', ...jail }]),
  ),
});

/**
 * Starts a daemon, and when it waits gives it the log. The time runs from then until all is read and committed: a start of
 * the daemon is not in it, its first look at the log is.
 * @throws WrongVerdict
 */
export async function readByDaemon(stage: Stage, reading: Reading): Promise<Took> {
  const folder = temporaryFolder('bench-reading');
  let daemon: Daemon | undefined;
  try {
    mkdirSync(join(folder.path, 'logs'));
    const log = join(folder.path, 'logs/bench.log');
    writeConfig(folder.path, configOf(reading, log), reading.filters);
    daemon = await startDaemon({
      ...{ folder: folder.path, bailiff: stage.built.bailiff, args: ['--firewall', 'memory'] },
    });
    const running = daemon;
    await running.caughtUp();
    const { path, lines, bytes } = reading.input;
    const [cpu, readBefore] = [processorTime(running.pid), bytesRead(running.pid)];
    const began = performance.now();
    place(path, log);
    await untilRead(running, lines, readBefore + bytes);
    const took = { seconds: (performance.now() - began) / 1_000, cpu: processorTime(running.pid) - cpu };
    await check(running, reading);
    return took;
  } finally {
    await daemon?.end();
    folder.remove();
  }
}

/**
 * Waits until so many lines are read and committed. Each question makes the daemon commit, so they are asked ever more
 * seldom: the answer is accurate to a fiftieth.
 * @param bytes what {@link bytesRead} is when all is read, but for the commit: nothing is asked before.
 */
export async function untilRead(daemon: Daemon, lines: number, bytes = 0): Promise<void> {
  const asked = performance.now();
  while (bytesRead(daemon.pid) < bytes && performance.now() < asked + LONGEST) await sleep(5);
  const began = performance.now();
  for (;;) {
    const status = await daemon.status();
    const read = status.sources.reduce((sum, source) => sum + source.lines, 0);
    if (status.caughtUp && read >= lines) return;
    const passed = performance.now() - began;
    if (passed > LONGEST) throw new Error(`${lines} lines are not read within ${LONGEST / 1_000} s`);
    await sleep(Math.max(5, passed / 50));
  }
}

/** Puts the log there at once, as large as it is. */
export function place(from: string, to: string): void {
  if (dirname(from) !== INPUTS) throw new Error(`${from} is no input`);
  try {
    linkSync(from, to);
  } catch {
    // Another file system.
    symlinkSync(from, to);
  }
}

async function check(daemon: Daemon, { verdicts, input }: Reading): Promise<void> {
  const status = await daemon.status();
  mustEqual('lines read', status.sources[0]!.lines, input.lines);
  mustBe('lines passed over', [String(status.sources[0]!.skipped)], ['0']);
  const bans = await allBans(daemon);
  for (const [jail, verdict] of Object.entries(verdicts)) {
    const view = status.jails.find(({ name }) => name === jail);
    mustEqual(`matches of ${jail}`, view!.matches, verdict.matches);
    const banned = bans.filter((ban) => ban.jail === jail).map(({ address }) => address);
    mustBe(`bans of ${jail}`, banned, verdict.banned);
  }
}

/** Every ban in force, page by page. */
export async function allBans(daemon: Daemon): Promise<BanView[]> {
  const bans: BanView[] = [];
  for (let after = ''; ;) {
    const page = await daemon.get<Page<BanView>>(`/v1/bans${after}`);
    bans.push(...page.items);
    if (page.next === null) return bans;
    after = `?after=${encodeURIComponent(page.next)}`;
  }
}

/** Runs `replay` over the log, its start included. @throws WrongVerdict */
export async function replayed(stage: Stage, reading: Reading): Promise<Timed> {
  const folder = temporaryFolder('bench-replay');
  try {
    const config = writeConfig(folder.path, configOf(reading, reading.input.path), reading.filters);
    const took = await timed(stage.built.bailiff, [
      '--config',
      config,
      '--json',
      'replay',
      reading.input.path,
    ]);
    if (took.code !== 0) throw new Error(`replay ended with ${took.code}: ${took.stderr}`);
    const said = JSON.parse(took.stdout) as { lines: number; bans: { address: string; jail: string }[] };
    mustEqual('lines replayed', said.lines, reading.input.lines);
    for (const [jail, verdict] of Object.entries(reading.verdicts)) {
      const banned = said.bans.filter((ban) => ban.jail === jail).map(({ address }) => address);
      mustBe(`bans of ${jail} in replay`, banned, verdict.banned);
    }
    return took;
  } finally {
    folder.remove();
  }
}
