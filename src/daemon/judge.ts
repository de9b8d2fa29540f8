// One match before one jail: the verdict, the ban where it is one, and the bans that follow from that ban. Lines and reports
// are judged by this same code.
import { isLoopback } from '../address.ts';
import { scopeAt } from '../answer.ts';
import { formatDuration } from '../time.ts';
import type { Count, Jail } from '../jails/contract.ts';
import type { Ban, Instant, Network, Verdict, Widening } from '../model.ts';
import type { ReadyJail } from '../setup/index.ts';
import type { Bans } from './bans.ts';

/** A jail in session. */
export interface SittingJail {
  readonly ready: ReadyJail;
  readonly jail: Jail;
  /** Nothing that it decides now is enforced: it is a dry run, or its brake has tripped. */
  readonly onlyDetects: boolean;
}

/** What a ban says of the match that decided it. */
export interface Ground {
  /** In our own words only: it is shown where no hostile text may be. @param count the matches that decided it. */
  reason(count: number): string;
  /** `jail`, or what the source of the match calls itself. */
  readonly by: string;
  /** The trusted proxy through which the address reached this host. */
  readonly via?: Network | undefined;
}

const NONE: readonly Ban[] = [];

export interface Judgement {
  readonly verdict: Verdict;
  /** The ban that the verdict says, then those of the jails that count bans. */
  readonly bans: readonly Ban[];
}

/**
 * @param ground asked only where it comes to a ban.
 * @param recidive the jails that count bans.
 * @param tell hears of the verdict before the ban that it leads to is there.
 */
export function judge(
  sitting: SittingJail,
  count: Count,
  ground: () => Ground,
  recidive: readonly SittingJail[],
  bans: Bans,
  now: Instant,
  tell?: (verdict: Verdict) => void,
): Judgement {
  const verdict = sitting.jail.decide(count);
  tell?.(verdict);
  if (verdict.outcome !== 'ban') return { verdict, bans: NONE };
  const grounds = ground();
  const ban = impose(sitting, grounds, verdict, bans, now);
  // Whoever was the last straw for his network comes back, not his neighbours.
  const culprit = verdict.widening?.culprit ?? ban.address;
  return { verdict, bans: [ban, ...relapses(sitting, ban, culprit, grounds.via, recidive, bans, now)] };
}

/** `5 matches of sshd within 10m`; `what` is our own word for where they come from. */
export function reasonOfMatches({ ready }: SittingJail, what: string): Ground['reason'] {
  return (count) =>
    `${quantity(count, 'match', 'matches')} of ${what} within ${formatDuration(ready.rules.findTime)}`;
}

/** The ban is itself a match for the jails that count bans. What only a detecting jail said never comes to one. */
function relapses(
  sitting: SittingJail,
  { since, evidence }: Ban,
  address: Network,
  via: Network | undefined,
  recidive: readonly SittingJail[],
  bans: Bans,
  now: Instant,
): Ban[] {
  if (sitting.onlyDetects) return [];
  return recidive.flatMap((counting) => {
    const latest = evidence.at(-1);
    if (!latest) return [];
    const { jail, ready } = counting;
    const verdict = jail.decide({
      address,
      at: since,
      counts: 1,
      outcome: 'failure',
      evidence: () => latest,
    });
    if (verdict.outcome !== 'ban') return [];
    const within = formatDuration(ready.rules.findTime);
    const reason = (count: number): string => `${quantity(count, 'ban', 'bans')} within ${within}`;
    return [impose(counting, { reason, by: 'jail', via }, verdict, bans, now)];
  });
}

/** Whom it hits besides, or whom it doesn't because of somebody who must be spared. */
function widened(widening: Widening | undefined): string {
  if (!widening) return '';
  const { network, offenders, spared } = widening;
  const why = `${offenders} of ${network.text} are banned`;
  return spared === undefined ? `; ${why}: all of it is` : `; ${why}, but not all of it: ${spared}`;
}

function quantity(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function impose(
  sitting: SittingJail,
  { reason, by, via }: Ground,
  verdict: Extract<Verdict, { outcome: 'ban' }>,
  bans: Bans,
  now: Instant,
): Ban {
  const { rules } = sitting.ready;
  return bans.impose(
    {
      address: verdict.offender,
      jail: rules.name,
      since: verdict.since,
      until: verdict.until,
      nth: verdict.nth,
      reason: `${reason(verdict.count)}${widened(verdict.widening)}`,
      by,
      evidence: verdict.evidence,
      scope: sitting.onlyDetects ? undefined : scopeAt(sitting.ready.scope, rules.respond, verdict.nth),
      // A proxy on this very host takes his packets from this kernel, which can drop them.
      ...(via && !isLoopback(via) && { via: via.text }),
    },
    now,
  );
}
