// Writes a script while one daemon after the other is killed, and worse happens to each before it dies.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
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
/** Reloads after a burst. */
const HANG_UPS = 5;

export interface Fire {
  readonly random: Random;
  write(steps: readonly Step[]): void;
  /** Counts what happened, by name. */
  readonly met: Record<string, number>;
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
  let killed = 0;
  for (let life = 0; life < kills; life++) {
    const child = await live(place, take(Math.max(1, share - random.below(7))), fire);
    if (child.signalCode !== 'SIGKILL')
      throw new Error(`a daemon ended by itself with ${child.exitCode ?? child.signalCode}`);
    killed++;
    if (random.below(4) === 0) await reboot(place);
    // Rotations go on while nobody looks, now and then several.
    write(take(random.below(4) === 0 ? random.below(16) : random.below(3)));
  }
  return { rest: steps.slice(next), kills: killed };
}

/** One daemon's life, from its start to SIGKILL. */
async function live(place: Place, steps: readonly Step[], fire: Fire): Promise<ChildProcess> {
  const { random, write } = fire;
  const note = (what: string): void => void (fire.met[what] = (fire.met[what] ?? 0) + 1);
  // Some can't commit for a while: what could not be written then is written afterwards, with all that came since.
  const recovers = random.below(5) === 0;
  const point = !recovers && random.below(2) === 0 ? random.pick(Object.keys(POINTS) as Point[]) : undefined;
  setClock(place.folder, random.below(3) === 0 ? hours(random) : 0);
  const mark = point === undefined ? '' : `${point}:${1 + random.below(POINTS[point])}`;
  const child = launch(place, mark);
  const lastWords = saidBy(child);
  const hangUp = (): void => {
    writeConfig(place.folder, random.below(VARIANT_COUNT));
    if (child.kill('SIGHUP')) note('reload');
  };
  // Some die while they boot, most while lines are being written.
  const isAwaited = recovers || point !== undefined || random.below(5) > 0;
  const isReady = isAwaited && (await ready(child));
  if (!isAwaited) await pause(random.below(START));
  // Others never can: what they do to the kernel is known to nobody when they die.
  const locks = random.below(6) === 0;
  const unlock = recovers || (isReady && locks) ? lockLedger(place) : undefined;
  // The instant at which it dies is the script's to choose, and nothing waits for it: any instant must do.
  const isTimed = point === undefined && !recovers;
  const deadline = isTimed ? setTimeout(() => child.kill('SIGKILL'), random.below(60)) : undefined;
  // While it reads what came when nobody looked.
  if (isReady && random.below(3) === 0) hangUp();
  for (const step of steps) {
    write([step]);
    await pause(random.below(8));
    // Before it is ready, the signals would be the end of it.
    if (!isReady || child.exitCode !== null || child.signalCode !== null) continue;
    if (random.below(6) === 0) hangUp();
    // Again and again, while there is something to read in every source.
    for (let times = step.what === 'burst' ? HANG_UPS : 0; times > 0; times--) {
      await pause(random.below(30));
      hangUp();
    }
    if (random.below(12) === 0) {
      setClock(place.folder, hours(random));
      if (child.kill('SIGUSR2')) note('clock');
    }
    if (random.below(12) === 0 && bereave(child, random)) note('child killed');
  }
  if (unlock && deadline) await ended(child);
  if (recovers && (await commitFailed(child, place))) note('commit failed');
  unlock?.();
  if (!isTimed) await settleOrDie(child, place);
  await ended(child);
  clearTimeout(deadline);
  // Where the point was never passed, it died once it had caught up.
  note(point !== undefined && (await lastWords).endsWith(DYING) ? point : 'random');
  return child;
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
