// Writes a script while one daemon after the other is killed, and worse happens to each before it dies.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createClient } from '../../src/api/index.ts';
import { ended } from '../support/run.ts';
import { setClock, VARIANT_COUNT, writeConfig } from './config.ts';
import { DYING, POINTS } from './points.ts';
import type { Point } from './points.ts';
import {
  childrenOf,
  commitFailed,
  launch,
  lockLedger,
  pause,
  ready,
  reboot,
  settleOrDie,
} from './process.ts';
import type { Place } from './process.ts';
import type { Random } from './random.ts';
import type { Step } from './script.ts';

const HOUR = 3_600_000;
/** The clock is off by so many hours at most. No further: lines must not come to lie in the future, and answers to reports are kept a day. */
const MOST_OFF = 6;
/** Half of a start: so some die before they are ready, and some just after. */
const START = 500;
/** Upon a burst. */
const RELOADS = 6;

export interface Fire {
  readonly random: Random;
  /** The points at which to die, one after the other. */
  nextPoint(): Point;
  write(steps: readonly Step[]): void;
  /** Counts what happened, by name. */
  readonly met: Record<string, number>;
}

/** @param seed where to begin. @param met those that it has died at come after those that it has not. */
export function takeTurns(seed: number, met: Readonly<Record<string, number>>): () => Point {
  const points = Object.keys(POINTS) as Point[];
  let next = seed;
  return () => {
    const inTurn = points.map((_, place) => points[(next + place) % points.length]!);
    const point = inTurn.find((each) => !(each in met)) ?? inTurn[0]!;
    next = points.indexOf(point) + 1;
    return point;
  };
}

/** @returns the steps that are left, and how often a daemon was killed. */
export async function underFire(
  place: Place,
  steps: readonly Step[],
  kills: number,
  fire: Fire,
): Promise<{ readonly rest: readonly Step[]; readonly kills: number }> {
  const { random, write } = fire;
  const share = Math.floor(steps.length / (kills + 1));
  let next = 0;
  const take = (count: number): readonly Step[] => steps.slice(next, (next += count));
  let unseen: readonly Step[] = [];
  let killed = 0;
  for (let life = 0; life < kills; life++) {
    const child = await live(place, take(Math.max(1, share - random.below(7))), hasBurst(unseen), fire);
    if (child.signalCode !== 'SIGKILL')
      throw new Error(`a daemon ended by itself with ${child.exitCode ?? child.signalCode}`);
    killed++;
    if (random.below(4) === 0) await reboot(place);
    // Rotations go on while nobody looks, now and then several.
    unseen = take(random.below(4) === 0 ? random.below(16) : random.below(3));
    write(unseen);
  }
  return { rest: steps.slice(next), kills: killed };
}

/** How a life goes, drawn before it begins. */
function draw(random: Random, isBusy: boolean, nextPoint: () => Point) {
  // Some can't commit for a while: what could not be written then is written afterwards, with all that came since.
  const recovers = random.below(5) === 0;
  const point = !recovers && random.below(2) === 0 ? nextPoint() : undefined;
  return {
    recovers,
    point,
    mark: point === undefined ? '' : `${point}:${1 + random.below(POINTS[point])}`,
    /** Others never can: what they do to the kernel is known to nobody when they die. */
    isLocked: !recovers && random.below(6) === 0,
    /** Some die while they boot, most while lines are being written. */
    isAwaited: recovers || isBusy || point !== undefined || random.below(5) > 0,
    /** The instant at which it dies is the script's to choose, and nothing waits for it: any instant must do. */
    isTimed: !recovers && !isBusy && point === undefined,
  };
}

/**
 * One daemon's life, from its start to SIGKILL.
 * @param hasBacklog there is something to be read in every source when it starts.
 */
async function live(
  place: Place,
  steps: readonly Step[],
  hasBacklog: boolean,
  fire: Fire,
): Promise<ChildProcess> {
  const { random, met } = fire;
  const note = (what: string): void => void (met[what] = (met[what] ?? 0) + 1);
  const { recovers, point, mark, isLocked, isAwaited, isTimed } = draw(
    random,
    hasBacklog || hasBurst(steps),
    fire.nextPoint,
  );
  setClock(place.folder, random.below(3) === 0 ? hours(random) : 0);
  const child = launch(place, mark);
  const lastWords = saidBy(child);
  try {
    const isReady = isAwaited && (await ready(child));
    if (!isAwaited) await pause(random.below(START));
    const unlock = recovers || (isReady && isLocked) ? lockLedger(place) : undefined;
    // The instant of death is left to chance: that is what is tried here, and nothing is waited for.
    const deadline = isTimed ? setTimeout(() => child.kill('SIGKILL'), random.below(60)) : undefined;
    // Before it is ready, signals would be the end of it.
    const weather = isReady ? createWeather(place, child, random, note) : undefined;
    if (point === 'after-reload') weather?.reload();
    if (hasBacklog) await weather?.reloadOften();
    for (const step of steps) await (weather ? weather.over(step, fire) : writeBlindly(step, fire));
    if (unlock && deadline) await ended(child);
    if (recovers && (await commitFailed(child, place))) note('commit failed');
    unlock?.();
    if (!isTimed) await settleOrDie(child, place);
    await ended(child);
    clearTimeout(deadline);
  } finally {
    // Nothing of it stays where something went wrong.
    child.kill('SIGKILL');
  }
  // Where the point was never passed, it died once it had caught up.
  note(point !== undefined && (await lastWords).endsWith(DYING) ? point : 'random');
  return child;
}

async function writeBlindly(step: Step, { random, write }: Fire): Promise<void> {
  write([step]);
  await pause(random.below(8));
}

/** What befalls a daemon that answers, besides its death. */
function createWeather(place: Place, child: ChildProcess, random: Random, note: (what: string) => void) {
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  function reload(): void {
    writeConfig(place.folder, random.below(VARIANT_COUNT));
    if (isAlive() && child.kill('SIGHUP')) note('reload');
  }
  async function reloadOften(): Promise<void> {
    writeConfig(place.folder, random.below(VARIANT_COUNT));
    const client = createClient(join(place.folder, 'run'));
    // Unlike signals, each of them is carried out, with a chunk or two in between. Whoever dies meanwhile answers nobody.
    const asked = Array.from({ length: RELOADS }, () => client.reload({}).catch(() => undefined));
    const answers = await Promise.all(asked);
    if (answers.some((answer) => answer !== undefined)) note('reloads');
  }
  return {
    reload,
    /** While there is something to read in every source. */
    reloadOften,
    async over(step: Step, { write }: Fire): Promise<void> {
      // It stands still while everything comes at once, as on a host that does something else: so all of it waits together.
      const stalls = step.what === 'burst' && isAlive() && child.kill('SIGSTOP');
      write([step]);
      if (stalls && child.kill('SIGCONT')) note('stall');
      await pause(random.below(8));
      if (!isAlive()) return;
      if (stalls) await reloadOften();
      else if (random.below(6) === 0) reload();
      if (random.below(12) === 0) {
        setClock(place.folder, hours(random));
        if (child.kill('SIGUSR2')) note('clock');
      }
      if (random.below(12) === 0 && bereave(child, random)) note('child killed');
    },
  };
}

function hasBurst(steps: readonly Step[]): boolean {
  return steps.some(({ what }) => what === 'burst');
}

/** All that it says on its standard output. */
async function saidBy(child: ChildProcess): Promise<string> {
  let said = '';
  child.stdout!.on('data', (text: Buffer) => (said += text.toString('latin1')));
  await once(child, 'close');
  return said;
}

function hours(random: Random): number {
  return (random.below(2 * MOST_OFF + 1) - MOST_OFF) * HOUR;
}

/** Kills one of its children: nft, journalctl, `ip monitor`, or what merges their outputs. @returns false where it has none. */
function bereave({ pid }: ChildProcess, random: Random): boolean {
  const children = childrenOf(pid!);
  if (children.length === 0) return false;
  try {
    return process.kill(random.pick(children), 'SIGKILL');
  } catch {
    return false; // It has ended meanwhile.
  }
}
