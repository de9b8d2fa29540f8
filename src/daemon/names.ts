// Names in `allow` and `ignore`, looked up at the start and again every five minutes. A name that can't be resolved keeps
// the addresses that it had.
import { lookup } from 'node:dns/promises';
import { parseAddress } from '../address.ts';
import type { Cancel, Clock } from '../ports.ts';
import { reasonOf } from '../errors.ts';
import type { Faults } from './faults.ts';
import type { Protection } from './protection.ts';

const AGAIN = 5 * 60_000;
/** So long the start waits for the names: without them, whom they protect could be banned by his own backlog. */
const PATIENCE = 5_000;
const FAULT = 'W_NAME_UNRESOLVED';

export interface Names {
  /** Resolves when every name was looked up once, or after five seconds. */
  readonly ready: Promise<void>;
  /** Looks up names that will be asked for. Resolves when each was looked up, or after five seconds. */
  learn(names: readonly string[]): Promise<void>;
  /** Other names may be asked for from now on. */
  restart(): void;
  readonly stop: Cancel;
}

/**
 * @param names those that `protection` asks for, or those that it will.
 * @returns the names that can't be resolved, each with the reason.
 */
export async function lookUpNames(
  protection: Protection,
  names: readonly string[] = protection.names,
): Promise<{ changed: boolean; unresolved: { name: string; why: string }[] }> {
  const unresolved: { name: string; why: string }[] = [];
  const changes = await Promise.all(
    names.map(async (name) => {
      try {
        const found = await lookup(name, { all: true });
        const addresses = found.flatMap(({ address }) => parseAddress(address) ?? []);
        return protection.resolved(name, addresses);
      } catch (error) {
        unresolved.push({ name, why: reasonOf(error) });
        return false;
      }
    }),
  );
  return { changed: changes.some(Boolean), unresolved };
}

/**
 * Looks up every name of `protection`, in the background, until stopped.
 * @param onChange called when a name came to stand for other addresses.
 */
export function followNames(
  protection: Protection,
  clock: Clock,
  faults: Faults,
  onChange: () => void,
): Names {
  let cancel: Cancel = () => {};
  let stopped = false;

  async function round(): Promise<void> {
    cancel();
    const { changed, unresolved } = await lookUpNames(protection);
    if (stopped) return;
    cancel();
    const list = unresolved.map(({ name, why }) => `${name} (${why})`).join(', ');
    if (list === '') faults.clear(FAULT);
    else faults.raise(FAULT, `Names in the allow lists can't be resolved: ${list}.`);
    if (changed) onChange();
    cancel = clock.schedule(AGAIN, () => void round());
  }

  function patiently(looking: Promise<unknown>): Promise<void> {
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const giveUp = clock.schedule(PATIENCE, resolve);
    return Promise.race([looking.then(() => {}), enough]).finally(giveUp);
  }

  return {
    ready: patiently(protection.names.length > 0 ? round() : Promise.resolve()),
    learn: (names) => patiently(lookUpNames(protection, names)),
    restart: () => void (protection.names.length > 0 ? round() : cancel()),
    stop() {
      stopped = true;
      cancel();
    },
  };
}
