// What an administrator does in the middle of a run: he lifts one offender's bans, and bans an address by hand. In a run
// with kills the daemon dies in the act, and once more as soon as it has answered.
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createClient } from '../../src/api/index.ts';
import { ended, eventually } from '../support/run.ts';
import { readKernel } from './outcome.ts';
import { caughtUp, during, launch, ready, reboot } from './process.ts';
import type { Place } from './process.ts';
import { PARDONED } from './script.ts';

const BANNED = ['203.0.113.77', '2001:db8:77::/48'];

/** To be called when everything is read. Ends with the acts done and no daemon. */
export async function administrate(place: Place, isDeadly: boolean): Promise<void> {
  if (isDeadly) await dieInTheAct(place);
  // What was answered is done: SIGKILL right after the answer changes nothing.
  await during(place, isDeadly ? 'SIGKILL' : 'SIGTERM', async (client, child) => {
    // What the kernel still holds of the act before goes by itself, and at once: later a reboot would take it away anyhow.
    await caughtUp(child, place);
    if (isDeadly) await leftTheKernel(place);
    await client.unban({ addresses: [...PARDONED] });
    await client.ban({ addresses: BANNED, for: '9w' });
  });
}

/** Waits until the kernel blocks nobody any more who was pardoned. */
export async function leftTheKernel(place: Place): Promise<void> {
  await eventually('what was lifted has left the kernel', async () => !(await isHeld(place)));
}

async function isHeld(place: Place): Promise<boolean> {
  return (await readKernel(place.host)).some(isPardoned);
}

/** @param block as {@link readKernel} tells of it. */
function isPardoned(block: string): boolean {
  return PARDONED.some((address) => block.split(' ')[1] === address.replace('::1', '::'));
}

/** The unban is committed, but the kernel was not told: what it holds too much goes, though not before the backlog is read. */
async function dieInTheAct(place: Place): Promise<void> {
  let inTheAct = launch(place, 'before-enforce:1');
  await ready(inTheAct);
  // Where boot has something to tell the kernel, that is the first time; the act is the second.
  if (inTheAct.signalCode !== null) {
    inTheAct = launch(place, 'before-enforce:2');
    await ready(inTheAct);
  }
  await createClient(join(place.folder, 'run'))
    .unban({ addresses: [...PARDONED] })
    .catch(() => {});
  await die(inTheAct);
  const before = await readKernel(place.host);
  if (!before.some(isPardoned))
    throw new Error('the run is too short: nothing was blocked that could be lifted');
  const booted = await afterBoot(place);
  const gone = before.filter((block) => !booted.has(block));
  if (gone.length > 0) throw new Error(`blocks went before the backlog was read: ${gone.join(', ')}`);
  await reboot(place);
  const rebooted = await afterBoot(place);
  const missing = before.filter((block) => !rebooted.has(block) && !isPardoned(block));
  if (missing.length > 0) throw new Error(`not in the kernel after a reboot: ${missing.join(', ')}`);
}

/** What the kernel holds once a boot has told it of the bans, and before a line is read. */
async function afterBoot(place: Place): Promise<ReadonlySet<string>> {
  const booting = launch(place, 'after-boot-enforce:1');
  await ready(booting);
  await die(booting);
  return new Set(await readKernel(place.host));
}

async function die(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await ended(child);
}
