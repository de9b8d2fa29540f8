// Whatever others take out of our part of the kernel is put back: at once where the kernel announces it, at the next look
// where it doesn't (ipset, or no nft to hear by). After a teardown nothing is, until it is armed again.
import type { Firewall, Notice } from '../../firewall/contract.ts';
import type { Cancel, Clock, Exec, Log } from '../../ports.ts';
import { printable } from '../../text.ts';
import type { Enforcer } from '../enforcer.ts';
import type { Faults } from '../telling/faults.ts';
import { followAnnouncements } from './announcements.ts';
import { createPace } from './pace.ts';

/**
 * nft keeps about 150 bytes of every line that it has said, so another takes over at some 60 MB. That one reads all sets
 * before it listens: some 600 bytes for each block, and time by the square of them (10 seconds for 300 000), in which the
 * kernel takes few new ones. So it must give back twice what it takes: in a flood of bans it would take more.
 */
const MAX_LINES = 400_000;
const LINES_A_BLOCK = 8;
const NETFILTER = 12;
/** More blocks than these are compared with a listing: it takes half a second for 100 000. */
const MOST_SINGLE = 1_000;
/**
 * In a flood of bans what the kernel may have been told by others is listed later, up to this: the announcements of our own
 * changes overrun whoever listens, and while the kernel lists hundreds of thousands of blocks bans wait for it.
 */
const PUT_OFF = 1_000;
const AT_LAST = 600_000;
/**
 * While a start tells the kernel of so many bans nobody listens: each would be announced to us, which takes as long again as
 * to tell the kernel. Beyond the second number whoever listens only then reads too much before it does.
 */
const MANY = 5_000;
const TOO_MANY = 150_000;
/**
 * So long after a listing had put something back, the announcement that it was gone may still come: then it is not put back, and
 * counted, once more.
 */
const LATENESS = 10_000;
/** An alarm is looked at again so often. */
const REVIEW = 60_000;
const POLLED = 'W_FIREWALL_POLLED';
const CONTESTED = 'W_FIREWALL_CONTESTED';

export interface RearmParts {
  readonly firewall: Firewall;
  readonly enforcer: Enforcer;
  readonly neverEnforce: boolean;
  readonly exec: Exec;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults: Faults;
  fail(error: unknown): void;
}

export interface Rearm {
  /** How changes by others are noticed now; undefined where nothing is enforced. */
  readonly noticedBy: 'event' | 'poll' | undefined;
  /** How often something had to be put back since the start. */
  readonly count: number;
  /** From here on announcements are listened to. A second call is harmless. */
  hear(): void;
  /** The slow looks: {@link Enforcer.mend} and {@link Enforcer.audit}, their repairs counted. */
  mend(): Promise<void>;
  audit(): Promise<void>;
  stop(): void;
}

/** Is it better to listen only once the kernel was told of so many bans? Until then `isWhole` is asked every five seconds. */
export function hearsLater(bans: number): boolean {
  return bans > MANY && bans <= TOO_MANY;
}

export function createRearm(parts: RearmParts): Rearm {
  const { firewall, enforcer, clock, log, faults, fail } = parts;
  const { announcements } = firewall;
  const isEnforcing = firewall.enforces && firewall.kind !== 'memory' && !parts.neverEnforce;
  const pace = createPace();
  let structure = false;
  let unsure = false;
  let released: Notice['released'][number][] = [];
  /** Since when something is gathered, and when a listing put something back, by the monotonic clock. */
  let since = 0;
  let relistedAt = -Infinity;
  /** How many looks by the clock are under way. */
  let slowLooks = 0;
  let by: string | undefined;
  /** The program that was named last: one that has ended by the time the kernel tells of it has no name any more. */
  let lastKnown: string | undefined;
  let isHeard = false;
  let isBusy = false;
  /** Since when a listing is put off, by the monotonic clock, and until when it is. */
  let putOffSince: number | undefined;
  let putOffUntil = 0;
  let isNextPatient = false;
  let count = 0;
  let cancelNext: Cancel | undefined;
  let cancelReview: Cancel | undefined;
  let stopped = false;
  let stopHearing: Cancel | undefined;

  function take(notice: Notice): void {
    if (!enforcer.isStanding || stopped) return;
    if (!isAnythingDue()) since = clock.monotonic();
    structure ||= notice.structure;
    unsure ||= notice.unsure || released.length + notice.released.length > MOST_SINGLE;
    released = unsure ? [] : [...released, ...notice.released];
    by = notice.by ?? by;
    goOn();
  }

  const isAnythingDue = (): boolean => structure || unsure || released.length > 0;

  /** What is announced while we look, or before the next look may be, is gathered. */
  function goOn(): void {
    if (isBusy || stopped || !isAnythingDue()) return;
    const now = clock.monotonic();
    const isPatient = !structure && released.length === 0;
    const wait = Math.max(pace.wait(now), isPatient ? putOffUntil - now : 0);
    // What is gone for certain doesn't wait for a listing that was put off.
    if (!isPatient && isNextPatient) {
      cancelNext?.();
      cancelNext = undefined;
    }
    isNextPatient = isPatient;
    cancelNext ??= clock.schedule(wait, () => {
      cancelNext = undefined;
      void act().catch(fail);
    });
  }

  async function act(): Promise<void> {
    const noticed = { structure, unsure, released, by };
    [structure, unsure, released, by] = [false, false, [], undefined];
    const isLate = slowLooks > 0 || relistedAt > since - LATENESS;
    const mayBeBack = noticed.released.length > 0 && isLate && !enforcer.isFlooded;
    isBusy = true;
    try {
      await timed(noticed.by, async () => {
        // What was made anew was compared with a list already.
        if (noticed.structure && (await mended())) return true;
        // What is found because of them is not what they are late for: else one listing would lead to the next.
        const wasGone =
          (noticed.unsure || mayBeBack) && !mustWait() ? await audited(noticed.unsure) : undefined;
        if (wasGone !== undefined) return wasGone;
        return noticed.released.length > 0 && (await enforcer.putBack(noticed.released)) > 0;
      });
    } finally {
      isBusy = false;
      goOn();
    }
  }

  async function mended(): Promise<boolean> {
    return relisted(await enforcer.mend());
  }

  /** @returns whether anything was gone; undefined where the enforcer did not look. */
  async function audited(isNoted = true): Promise<boolean | undefined> {
    const count = await enforcer.audit();
    if (count === undefined) return undefined;
    return isNoted ? relisted(count > 0) : count > 0;
  }

  /** Both compare with a listing. */
  function relisted(wasGone: boolean): boolean {
    if (wasGone) relistedAt = clock.monotonic();
    return wasGone;
  }

  /** Is there no time for a listing? Then it is still due. */
  function mustWait(): boolean {
    const now = clock.monotonic();
    const isFlood = enforcer.isFlooded && now < (putOffSince ?? now) + AT_LAST;
    putOffSince = isFlood ? (putOffSince ?? now) : undefined;
    if (isFlood) {
      unsure = true;
      putOffUntil = now + PUT_OFF;
    }
    return isFlood;
  }

  /** @param look says whether something was gone. @param isSlow it keeps a pace of its own. */
  async function timed(who: string | undefined, look: () => Promise<boolean>, isSlow = false): Promise<void> {
    const began = clock.monotonic();
    if (isSlow) slowLooks++;
    const wasGone = await look().finally(() => {
      if (isSlow) slowLooks--;
    });
    const now = clock.monotonic();
    if (wasGone || !isSlow) pace.looked(now, now - began, wasGone);
    if (!wasGone) return;
    count++;
    log.warn(
      { took: Math.round(now - began), ...(who === undefined ? {} : { by: printable(who, 16) }) },
      'what others took out of the kernel was put back',
    );
    lastKnown = who ?? lastKnown;
    if (pace.isContested(now)) contested();
  }

  function contested(): void {
    const times = pace.repairs(clock.monotonic());
    const last = lastKnown === undefined ? '' : `, lately by the program "${printable(lastKnown, 16)}"`;
    faults.raise(
      CONTESTED,
      `Bailiff's part of the firewall was taken out ${times} times in ten minutes${last}; it is put back each time, with pauses between.`,
    );
    cancelReview ??= clock.schedule(REVIEW, review);
  }

  function review(): void {
    cancelReview = undefined;
    if (pace.isContested(clock.monotonic())) cancelReview = clock.schedule(REVIEW, review);
    else faults.clear(CONTESTED);
  }

  function listen(): Cancel {
    if (!announcements || !isEnforcing) return () => {};
    const { programs, open, heard } = announcements;
    const maxLines = (): number => Math.max(MAX_LINES, enforcer.heldCount * LINES_A_BLOCK);
    const isDrowned = (): boolean => enforcer.isSwamped;
    const announcer = { programs, protocol: NETFILTER, maxLines, isDrowned } as const;
    return followAnnouncements(announcer, parts.exec, clock, {
      open: () => open(take),
      following(isAnew) {
        if (isAnew) return take({ structure: true, unsure: true, released: [], by: undefined });
        isHeard = true;
        heard(true);
        faults.clear(POLLED);
        log.info({}, 'hearing what others do to the firewall');
        // What happened before was not heard.
        take({ structure: true, unsure: false, released: [], by: undefined });
      },
      lost(why) {
        if (stopped) return;
        if (isHeard)
          log.warn({ why }, 'what others do to the firewall is not heard; it is looked at instead');
        isHeard = false;
        heard(false);
        faults.raise(
          POLLED,
          `What others do to the firewall is not heard (${why}): a flush is put back within five seconds, a single block within a minute.`,
        );
      },
    });
  }

  return {
    get noticedBy() {
      return isEnforcing ? (isHeard ? 'event' : 'poll') : undefined;
    },
    get count() {
      return count;
    },
    hear() {
      if (!stopped) stopHearing ??= listen();
    },
    mend: () => timed(undefined, mended, true),
    async audit() {
      if (mustWait()) goOn();
      else await timed(undefined, async () => (await audited()) === true, true);
    },
    stop() {
      stopped = true;
      stopHearing?.();
      cancelNext?.();
      cancelReview?.();
      announcements?.heard(false);
    },
  };
}
