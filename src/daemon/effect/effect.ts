// Does a ban that is in force have an effect? Lines from a banned address that keep being written are looked into, and what
// explains them becomes an alarm. It never changes a ban, and where nothing can be seen it waits for more.
import type { IneffectiveView } from '../../api/contract.ts';
import type { Witness } from '../../firewall/index.ts';
import type { Ban, Duration, Instant, Network, Verdict } from '../../model.ts';
import type { Clock, Log } from '../../ports.ts';
import { formatDuration } from '../../time.ts';
import type { Bans } from '../bans.ts';
import type { Enforcer, EnforcerNews } from '../enforcer.ts';
import type { Protection } from '../host/protection.ts';
import { isOffloaded, readSockets } from '../host/sockets.ts';
import type { OnVerdict } from '../pipeline.ts';
import { every } from '../service/timers.ts';
import type { Sittings } from '../sitting.ts';
import type { Events } from '../telling/events.ts';
import type { Faults } from '../telling/faults.ts';
import { createAlarms } from './alarms.ts';
import { diagnose } from './diagnosis.ts';
import { createForce } from './force.ts';
import type { Force } from './force.ts';
import { createLateClock } from './late-clock.ts';
import { createSuspects, QUIET } from './suspects.ts';
import type { Suspect } from './suspects.ts';

export interface EffectParts {
  /** undefined where there is no kernel to ask: then nothing is watched. */
  readonly witness: Witness | undefined;
  readonly bans: Bans;
  readonly sittings: Sittings;
  readonly protection: Protection;
  enforcer(): Enforcer;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults: Faults;
  readonly events: Events;
  fail(error: unknown): void;
}

export interface Effect {
  /** Hears of the verdicts on lines that arrived now, and hands them on. @returns what to call, undefined where nobody would hear. */
  listen(live: boolean, arrivedAt: Instant, next: OnVerdict | undefined): OnVerdict | undefined;
  /** The kernel was told of all that is in force: what is logged from here on is. */
  begin(): void;
  /** Hears when blocks come into force, and hands it on. */
  hearing(next: EnforcerNews): EnforcerNews;
  /** What is known against a ban. */
  of(ban: Ban): IneffectiveView | undefined;
  /** Leaves nothing of its own in the kernel. */
  close(): Promise<void>;
}

const LOOK: Duration = 1_000;
/** Older lines were kept back somewhere: they prove nothing. */
const FRESH: Duration = 600_000;

export function watchEffect(parts: EffectParts): Effect {
  const { witness, bans, sittings, protection, clock } = parts;
  /** There is none while the kernel is told of what was in force before: afterwards all of it is, from then on. */
  let force: Force | undefined;
  const suspects = createSuspects();
  const lateClock = createLateClock();
  const alarms = createAlarms(parts);
  let isLooking = false;
  let isStopped = false;

  const isCurrent = ({ id, jail, address }: Ban): boolean => bans.find(jail, address)?.id === id;

  /** What should keep lines of this jail about this address from being written. */
  function inForceAgainst(jail: string, address: Network): Ban[] {
    return bans.touching(address).filter((ban) => {
      const scope = sittings.scopeOf(ban);
      if (!scope || parts.enforcer().standingOf(ban).state !== 'blocked') return false;
      // What another jail's lines tell of may come to other ports.
      return ban.jail === jail || (scope.protocol === 'any' && scope.ports.length === 0);
    });
  }

  function hear(
    jail: string,
    address: Network,
    verdict: Verdict,
    atOf: () => Instant,
    arrivedAt: Instant,
  ): void {
    if (verdict.outcome === 'ban' || verdict.outcome === 'late') return;
    const against = inForceAgainst(jail, address);
    if (!force || against.length === 0) {
      const isBanned = verdict.outcome === 'recorded' && verdict.why === 'banned';
      if (isBanned) hearOfClock(jail, address, atOf(), arrivedAt);
      return;
    }
    // A writer whose clock is ahead does not make lines of before the ban later than it.
    const written = Math.min(atOf(), arrivedAt);
    if (written < arrivedAt - FRESH) return;
    for (const ban of against) {
      const since = force.since(ban.address, sittings.scopeOf(ban)!);
      if (suspects.note(ban, address, written, since)) alarms.count(ban.jail, ban.address, written);
    }
  }

  /** The jail says that the address is banned by the line's own time, and by ours it is not any more. */
  function hearOfClock(jail: string, address: Network, at: Instant, arrivedAt: Instant): void {
    const offender = sittings.find(jail)?.jail.offender(address);
    if (
      offender?.lastUntil === undefined ||
      offender.lastUntil > arrivedAt ||
      bans.on(offender.address).length > 0
    )
      return;
    const behind = lateClock.note(`${jail}\0${offender.address.text}`, at, arrivedAt);
    if (behind === undefined) return;
    const seen = `lines are stamped ${formatDuration(Math.round(behind / 1_000) * 1_000)} behind this host's clock, so that the ban was over too early`;
    alarms.raise({ jail, network: offender.address, lines: 3 }, { cause: 'clock', seen }, clock.now());
  }

  async function look(asked: Witness, suspect: Suspect): Promise<void> {
    const { ban } = suspect;
    const scope = sittings.scopeOf(ban);
    if (!scope) return;
    const found = await diagnose(
      { witness: asked, clock, sockets: readSockets, isOffloaded, whyAllowed: protection.whyAllowed },
      {
        ...{ network: ban.address, scope, address: suspect.address },
        lastLine: () => suspect.last,
        isOpen: () => !isStopped && isCurrent(ban),
      },
    );
    const isBeyondDoubt = suspects.lookedInto(suspect, found !== undefined, clock.now());
    if (isStopped || !isCurrent(ban)) return;
    const seen = `${suspect.lines} lines were written while it was in force, and nothing was found that explains them`;
    const finding = found ?? (isBeyondDoubt ? ({ cause: 'unknown', seen } as const) : undefined);
    if (!finding) return;
    alarms.raise({ jail: ban.jail, network: ban.address, lines: suspect.lines }, finding, clock.now());
    if (finding.cause === 'not-in-kernel') await parts.enforcer().audit();
  }

  function tick(): void {
    const now = clock.now();
    suspects.drop((suspect) => !isCurrent(suspect.ban) || suspect.last < now - QUIET);
    alarms.drop(({ jail, network, finding, last }) => {
      const isOver = finding.cause !== 'clock' && bans.find(jail, network) === undefined;
      return isOver || last < now - QUIET;
    });
    const suspect = isLooking ? undefined : suspects.next(now);
    if (!witness || !suspect) return;
    isLooking = true;
    void look(witness, suspect)
      .catch(parts.fail)
      .finally(() => (isLooking = false));
  }

  const cancel = witness ? every(clock, LOOK, tick, parts.fail) : () => {};
  return {
    listen(live, arrivedAt, next) {
      if (!witness || !live) return next;
      return (jail, match, verdict, evidence) => {
        next?.(jail, match, verdict, evidence);
        if (verdict.outcome === 'recorded' || bans.size > 0)
          hear(jail, match.address, verdict, () => evidence().at, arrivedAt);
      };
    },
    hearing: (next) => ({
      ...next,
      applied(change, outcome) {
        next.applied(change, outcome);
        const news = force?.applied(change, outcome, clock.now());
        if (news === undefined) return;
        suspects.clear(change.network);
        // What was known against the ban was known of other ports.
        if (news === 'new')
          alarms.drop(
            ({ network, finding }) =>
              network.text === change.network.text && finding.cause !== 'not-in-kernel',
          );
      },
    }),
    begin() {
      force = createForce(clock.now());
      // Of a daemon that was killed in the middle.
      void witness?.tidy().catch(parts.fail);
    },
    of: (ban) => (ban.endedBy === undefined || ban.endedBy === 'expired' ? alarms.of(ban) : undefined),
    async close() {
      isStopped = true;
      cancel();
      if (isLooking) await witness?.tidy();
    },
  };
}
