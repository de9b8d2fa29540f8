// The brake of one jail: where a filter is wrong, and not the world, its jail must not go on banning. Pure: told of each ban
// with its instant, it says when it trips. The rule is explained in docs/decisions/0034.
import type { BrakeMemory, Braked, BrakeRule, Duration, Tripped } from '../model.ts';
import { formatDuration } from '../time.ts';

export interface Brake {
  /** @returns the bans that look like mistakes, where this one trips it; they are to be lifted. undefined: it did not trip. */
  note(ban: Braked): readonly number[] | undefined;
  readonly tripped: Tripped | undefined;
  /** An administrator has answered: it begins anew. @returns what it had tripped for. */
  release(): Tripped | undefined;
  memory(): BrakeMemory;
}

export const NOTHING_BRAKED: BrakeMemory = { latest: [], tripped: undefined };

/** So many addresses are looked at, and more than half of them … */
const LATEST = 20;
const MOST = LATEST / 2;
/** … within so long: a mistake shows soon, and people who mistype their password come to be many over a year. */
const SPAN: Duration = 86_400_000;
/** Not more than these are remembered over a restart: a brake by a larger number begins to count anew then. */
const REMEMBERED = 1_000;

export function createBrake(rule: BrakeRule, remembered: BrakeMemory = NOTHING_BRAKED): Brake {
  let latest = [...remembered.latest];
  let { tripped } = remembered;

  /** Whoever is banned again counts once. Lines of several logs don't come in the order of their stamps. */
  function keep(ban: Braked): void {
    const before = latest.findIndex(({ address }) => address === ban.address);
    if (before >= 0) latest.splice(before, 1);
    latest.push(ban);
    let newest = -Infinity;
    let oldest = Infinity;
    for (const { at } of latest) {
      newest = Math.max(newest, at);
      oldest = Math.min(oldest, at);
    }
    if (oldest <= newest - SPAN) latest = latest.filter(({ at }) => at > newest - SPAN);
    if (latest.length > LATEST) latest.splice(0, latest.length - LATEST);
  }

  /** Kept in order of their instants, so that the one before the `count` newest tells how long they took. */
  function countUp(ban: Braked, count: number, window: Duration): readonly number[] | undefined {
    const place = latest.findLastIndex(({ at }) => at <= ban.at) + 1;
    latest.splice(place, 0, ban);
    const before = latest.at(-1 - count);
    if (before && latest.at(-1)!.at - before.at < window)
      return trip(ban, `it banned more than ${count} times within ${formatDuration(window)}`, []);
    // What is older can't be one of them any more. Cut off now and then, not each time.
    if (latest.length > 2 * count + REMEMBERED) latest = latest.slice(-count);
    return undefined;
  }

  function trip({ ban, at }: Braked, why: string, mistakes: readonly Braked[]): readonly number[] {
    tripped = { at, from: ban + 1, why };
    latest = [];
    return mistakes.map((each) => each.ban);
  }

  return {
    get tripped() {
      return tripped;
    },
    note(ban) {
      if (tripped || rule.kind === 'off') return undefined;
      if (rule.kind === 'number') return countUp(ban, rule.count, rule.window);
      keep(ban);
      const behaved = latest.filter((each) => each.behaved);
      if (behaved.length <= MOST) return undefined;
      const why = `${behaved.length} of the last ${latest.length} addresses that it banned had behaved before`;
      return trip(ban, why, behaved);
    },
    release() {
      const before = tripped;
      tripped = undefined;
      latest = [];
      return before;
    },
    memory: () => ({ latest: latest.slice(-REMEMBERED), tripped }),
  };
}
