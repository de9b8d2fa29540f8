// Another setup comes into force while lines are being read: one step between two chunks, then the kernel is told.
import { setImmediate as breathe } from 'node:timers/promises';
import { BailiffError } from '../../errors.ts';
import type { Clock } from '../../ports.ts';
import type { Setup } from '../../setup/index.ts';
import type { Bans } from '../bans.ts';
import type { Brakes } from '../brakes.ts';
import type { Chunk } from '../../model.ts';
import type { Committer } from '../committer.ts';
import type { Enforcer } from '../enforcer.ts';
import type { FaultPoint } from '../fault-points.ts';
import type { Feeds } from '../intake/feeds.ts';
import { namesOf, type InForce } from '../in-force.ts';
import type { Names } from '../host/names.ts';
import type { Protection } from '../host/protection.ts';
import { liftAllowed, liftCrowds } from '../releases.ts';
import type { Installed } from './reload.ts';
import type { Sittings } from '../sitting.ts';

export interface InstallParts {
  readonly inForce: InForce;
  readonly feeds: Feeds;
  /** Applies a chunk as it is under the setup in force. */
  apply(chunk: Chunk): void;
  readonly sittings: Sittings;
  readonly bans: Bans;
  readonly brakes: Brakes;
  readonly protection: Protection;
  readonly names: Names;
  readonly committer: Committer;
  readonly enforcer: Enforcer;
  readonly clock: Clock;
  readonly at: FaultPoint;
  /** Commits, then tells the kernel. */
  settle(): Promise<void>;
  /** Is the daemon being ended? Then nothing new is followed. */
  isEnding(): boolean;
}

/** Resolves when the kernel knows, and each log has its place. */
export async function installSetup(next: Setup, parts: InstallParts): Promise<Installed> {
  const { inForce, feeds, bans, sittings, protection, names, committer, clock } = parts;
  // Whom a name protects is known before a jail can ban him.
  await names.learn(namesOf(next));
  const { sources } = feeds;
  const before = new Set(sources.status().map(({ id }) => id));
  // What was read is applied by the setup for which it was read; a turn of the event loop ends what is on its way.
  await breathe();
  if (parts.isEnding()) throw new BailiffError('E_NOT_RUNNING', 'The daemon ends; the config was not read.');
  for (const chunk of sources.takeHeld()) parts.apply(chunk);
  // From here to the end of the step nothing else runs: what was applied so far was judged by the old setup.
  const { forgotten, rescoped, ...changes } = inForce.replace(next);
  for (const { jail, address } of forgotten) committer.forgetOffenders(jail, [address]);
  const placed = feeds.follow(inForce.feeding);
  bans.touch(new Set(rescoped));
  parts.brakes.refit({ bans, sittings }, clock.now());
  // The step is done; the kernel and the disk are told.
  names.restart();
  await parts.enforcer.allow(protection.allowed());
  liftAllowed({ bans, sittings }, protection, clock.now());
  liftCrowds({ bans, sittings }, protection, clock.now());
  await parts.settle();
  // If we die here what was known before the step is on the disk, by whatever jail it is held now.
  parts.at('after-reload');
  await placed;
  const news = sources.status().filter(({ id }) => !before.has(id));
  return { ...changes, sources: news.map(({ id, firstLine }) => ({ id, from: firstLine ?? null })) };
}
