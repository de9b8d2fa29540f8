// Keeps the ledger from growing for ever: history by age and by size, free pages, the write-ahead log. All in slices so
// short that the sockets answer and lines are worked on in between.
import { reasonOf } from '../../errors.ts';
import type { Config, JailConfig } from '../../config/contract.ts';
import type { Upkeep } from '../../ledger/contract.ts';
import type { Duration } from '../../model.ts';
import type { Cancel, Clock, Log, Round, Rounds } from '../../ports.ts';
import type { Faults } from '../telling/faults.ts';
import type { Timekeeper } from './timekeeper.ts';

/** The whole schedule, by the host's clock. */
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const SCHEDULE: readonly { readonly when: Round; readonly chore: Chore }[] = [
  // Often, because a flood of bans fills megabytes in seconds: it must not pass the bound between two looks.
  { when: { every: 5 * SECOND, at: 0 }, chore: 'size' },
  { when: { every: MINUTE, at: 41 * SECOND }, chore: 'checkpoint' },
  { when: { every: HOUR, at: 7 * MINUTE + 17 * SECOND }, chore: 'age' },
  { when: { every: HOUR, at: 37 * MINUTE + 29 * SECOND }, chore: 'room' },
];

export type Chore = 'size' | 'checkpoint' | 'age' | 'room';

/** A slice that took longer makes the next one half as large; one that took a quarter of it, twice. */
const LONG: Duration = 4;
/** Milliseconds of work: some megabytes in the write-ahead log. */
const BETWEEN_CHECKPOINTS: Duration = 250;
const FIRST_SLICE = 16;
const LARGEST_SLICE = 1_024;
/** What is filled beyond the first share of the bound is emptied down to the second: so that it doesn't go on for ever. */
const FULL = 0.9;
const ENOUGH = 0.8;
/** Less free room than this, and less than a quarter, is left for what comes next. */
const SPARE = 8 * 1_024 * 1_024;
const FAULT = 'W_LEDGER_LARGE';
const MIB = 1_024 * 1_024;

export interface HousekeepingRules {
  /** How long an ended ban is kept; at least as long as it may count for a sentence. */
  readonly keep: Duration;
  /** Bytes. */
  readonly maxSize: number;
}

export interface Housekeeping {
  /** From here on each chore comes round by the clock. */
  begin(): void;
  /** Does one chore now; ends early once stopped. A failure is logged, and the chore comes round again. */
  run(chore: Chore): Promise<void>;
  /** Bytes of the ledger in use, how many there may be, and how many bans were forgotten for want of room. */
  use(): { readonly used: number; readonly most: number; readonly forgotten: number };
  /** Takes a changed config over from the next slice on. */
  change(rules: HousekeepingRules): void;
  /** @returns when the slice under way, if any, is over: then the ledger may be closed. */
  stop(): Promise<void>;
}

export function createHousekeeping(
  upkeep: Upkeep,
  rules: HousekeepingRules,
  ports: { clock: Clock; log: Log; faults: Faults; rounds: Rounds | undefined; timekeeper?: Timekeeper },
): Housekeeping {
  const { clock, log, faults, rounds, timekeeper } = ports;
  let { keep, maxSize } = rules;
  let stopped = false;
  let forgotten = 0;
  let lastUsed = 0;
  let last: Promise<void> = Promise.resolve();
  const waiting = new Set<Chore>();

  /**
   * @param step does up to so much. What it writes is taken back into the ledger in between, by another thread.
   * @returns how much it did.
   */
  async function inSlices(step: (limit: number) => number, isEnough = (): boolean => false): Promise<number> {
    let done = 0;
    let worked = 0;
    upkeep.holdBack(true);
    try {
      for (let limit = FIRST_SLICE; !stopped && !isEnough();) {
        const { count, took } = await upkeep.between(() => {
          const began = clock.monotonic();
          return { count: step(limit), took: clock.monotonic() - began };
        });
        done += count;
        if (count < limit) break;
        if (took > LONG) limit = Math.max(1, limit >> 1);
        else if (took < LONG / 4) limit = Math.min(LARGEST_SLICE, limit * 2);
        worked += took;
        if (worked > BETWEEN_CHECKPOINTS) {
          await upkeep.checkpoint();
          worked = 0;
        } else await new Promise((resolve) => setImmediate(resolve));
      }
      if (worked > 0 && done > 0) await upkeep.checkpoint();
    } finally {
      upkeep.holdBack(false);
    }
    return done;
  }

  const used = (): number => {
    const { bytes, free } = upkeep.size();
    return bytes - free;
  };

  const CHORES: Record<Chore, () => Promise<void>> = {
    async size() {
      if (upkeep.isLogLong()) await upkeep.checkpoint();
      if (used() <= maxSize * FULL) return faults.clear(FAULT);
      const bans = await inSlices(
        (limit) => upkeep.forgetBans(Infinity, limit),
        () => used() <= maxSize * ENOUGH,
      );
      forgotten += bans;
      if (bans > 0) log.info({ bans, maxSize }, 'history forgotten for want of room');
      if (stopped || used() <= maxSize * FULL) return faults.clear(FAULT);
      faults.raise(
        FAULT,
        `The ledger holds ${Math.ceil(used() / MIB)} MiB of the ${Math.floor(maxSize / MIB)} that "history.maxSize" allows, and no ended ban is left to be forgotten.`,
      );
    },
    async age() {
      if (timekeeper?.parted) return;
      const bans =
        keep === Infinity ? 0 : await inSlices((limit) => upkeep.forgetBans(clock.now() - keep, limit));
      const proofs = stopped ? 0 : await upkeep.between(() => upkeep.forgetProofs());
      if (bans + proofs > 0) log.info({ bans, proofs }, 'history forgotten by age');
    },
    async room() {
      const { bytes, free } = upkeep.size();
      if (free < SPARE || free < bytes / 4) return;
      const pages = await inSlices((limit) => upkeep.giveBack(limit));
      log.info({ pages }, 'room given back');
    },
    // What was written is on the disk after this. To write it back takes a process, which a few commits aren't worth.
    checkpoint: () => (upkeep.isLogLong() ? upkeep.checkpoint() : upkeep.settle()),
  };

  /** One after the other; a chore that waits already isn't queued once more. */
  function run(chore: Chore): Promise<void> {
    if (waiting.has(chore)) return last;
    waiting.add(chore);
    last = last.then(async () => {
      waiting.delete(chore);
      if (stopped) return;
      try {
        await CHORES[chore]();
      } catch (error) {
        log.warn({ chore, why: reasonOf(error) }, 'housekeeping failed');
      }
    });
    return last;
  }

  let cancels: Cancel[] = [];
  return {
    begin() {
      if (!stopped)
        cancels = SCHEDULE.flatMap(({ when, chore }) => rounds?.(when, () => void run(chore)) ?? []);
    },
    run,
    use() {
      try {
        lastUsed = used();
      } catch {
        // A disk that can't be read is told of elsewhere.
      }
      return { used: lastUsed, most: maxSize, forgotten };
    },
    change(changed) {
      ({ keep, maxSize } = changed);
    },
    stop() {
      stopped = true;
      for (const cancel of cancels) cancel();
      return last;
    },
  };
}

/** Ended bans are kept as long as any jail's sentence may still hang on them. */
export function rulesOf({
  history,
  banTime,
  jails,
}: Pick<Config, 'history' | 'banTime'> & {
  readonly jails: readonly Pick<JailConfig, 'banTime'>[];
}): HousekeepingRules {
  const forgets = [banTime, ...jails.map((jail) => jail.banTime)].map(({ forget }) => forget);
  return { ...history, keep: Math.max(history.keep, ...forgets) };
}
