// The daemon as its users see it: the shapes of api/contract, made from what is in memory and in the ledger.
import type {
  BanState,
  BanView,
  BoundView,
  CrowdView,
  HistoryView,
  JailView,
  Page,
  RuntimeFault,
  SourceView,
  StatusView,
} from '../../api/contract.ts';
import type { Config, JailConfig } from '../../config/contract.ts';
import type { Dropped, Firewall } from '../../firewall/contract.ts';
import type { Jail } from '../../jails/contract.ts';
import type { Ledger } from '../../ledger/contract.ts';
import type { Ban, Duration, Instant, Network } from '../../model.ts';
import type { Clock } from '../../ports.ts';
import type { SourceFault, SourceStatus, Sources } from '../../sources/contract.ts';
import { formatInstant } from '../../time.ts';
import type { Bans } from '../bans.ts';
import type { Effect } from '../effect/effect.ts';
import type { Brakes } from '../brakes.ts';
import type { Enforcer } from '../enforcer.ts';
import { answerOf, nextOf } from './answers.ts';
import type { ActiveFault, Faults } from './faults.ts';
import type { Rearm } from '../kernel/rearm.ts';
import { healthOf } from './health.ts';
import type { Newsroom } from './news.ts';
import { REMEDIES } from './remedies.ts';
import { REPORTS } from '../reports/report-source.ts';
import type { ReportSource, ReportStatus } from '../reports/report-source.ts';
import type { Sittings } from '../sitting.ts';
import type { Protection } from '../host/protection.ts';
import { administratorsIn, protectedIn } from '../host/welcomed.ts';

/** So long the counters of packets may take. */
const DROPPED_PATIENCE = 2_000;
/** So long they are told again in a flood of bans: to ask for them a program is started, and the bans wait meanwhile. */
const DROPPED_AGE = 1_000;

/** So many networks are shown of each jail. */
const MOST_CROWDS = 10;
const NOTHING = { matches: 0, ignored: 0, late: 0, bans: 0, evicted: 0 };

export interface ViewParts {
  /** The one in force. */
  config(): Config;
  readonly version: string;
  readonly startedAt: Instant;
  readonly bans: Bans;
  readonly ledger: Ledger;
  readonly firewall: Firewall;
  readonly enforcer: Enforcer;
  readonly sittings: Sittings;
  readonly protection: Pick<Protection, 'forJail'>;
  readonly brakes: Pick<Brakes, 'tripped'>;
  readonly sources: Sources;
  readonly faults: Faults;
  /** What the pipeline noticed about a source (its stamps), by the path that is watched. */
  readonly sourceFaults: ReadonlyMap<string, Faults>;
  readonly neverEnforce: boolean;
  readonly reportSource: ReportSource;
  /** Was the firewall ever reached? Until then the daemon only detects. */
  wasReached(): boolean;
  readonly clock: Clock;
  readonly news: Newsroom;
  readonly rearm: Pick<Rearm, 'noticedBy' | 'count'>;
  readonly effect: Pick<Effect, 'of'>;
  /** How much there is of what grows. */
  bounds(): BoundView[];
}

export interface Views {
  mode(): StatusView['mode'];
  status(caughtUp: boolean): Promise<StatusView>;
  /** Bans in order of number, a page at a time. */
  bans(
    query: { jail: string | undefined; all: boolean; after: number },
    limit: number,
  ): Promise<Page<BanView>>;
  /** @param bans all bans that touch the network. */
  history(network: Network, bans: readonly Ban[], now: Instant): HistoryView;
}

export function createViews(parts: ViewParts): Views {
  const { bans, enforcer, sittings, sources, faults, firewall, news, clock } = parts;
  let counted: { readonly dropped: Dropped; readonly at: Duration } | undefined;
  const intent = parts.neverEnforce || !firewall.enforces ? 'detect-only' : 'enforcing';

  function mode(): StatusView['mode'] {
    if (parts.neverEnforce || !firewall.enforces || !parts.wasReached()) return 'detect-only';
    return enforcer.isStanding ? 'enforcing' : 'stood-down';
  }

  function stateOf(ban: Ban): { state: BanState; why?: string } {
    if (ban.endedAt !== undefined) return { state: 'ended' };
    if (ban.via !== undefined && ban.scope !== undefined) {
      const why = `it reaches this host only through the proxy ${ban.via}: refuse it there, or in the web server`;
      return { state: 'unenforceable', why };
    }
    if (sittings.scopeOf(ban) === undefined) return { state: 'detected' };
    const standing = enforcer.standingOf(ban);
    // What an earlier run blocked stays blocked while this one only detects.
    const isLeftOver = parts.neverEnforce && firewall.enforces && standing.state === 'blocked';
    return mode() === 'enforcing' || isLeftOver ? standing : { state: 'detected' };
  }

  function banView(ban: Ban): BanView {
    const ineffective = parts.effect.of(ban);
    return {
      id: ban.id,
      address: ban.address.text,
      jail: ban.jail,
      ...stateOf(ban),
      ...(ineffective && { why: `it has no effect: ${ineffective.seen}`, ineffective }),
      since: formatInstant(ban.since),
      until: ban.until === undefined ? null : formatInstant(ban.until),
      nth: ban.nth,
      reason: ban.reason,
      by: ban.by,
      ...(ban.endedBy === undefined ? {} : { endedBy: ban.endedBy }),
      ...answerOf(sittings, ban),
    };
  }

  async function dropped(): Promise<Dropped | undefined> {
    if (mode() !== 'enforcing') return undefined;
    if (enforcer.isFlooded && counted && clock.monotonic() < counted.at + DROPPED_AGE) return counted.dropped;
    // A firewall that hangs must not silence status, which is to say so.
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const cancel = clock.schedule(DROPPED_PATIENCE, () => resolve(undefined));
    try {
      const answer = await Promise.race([firewall.dropped(), late]);
      counted = answer && { dropped: answer, at: clock.monotonic() };
      return answer;
    } catch {
      return undefined; // The enforcer notices by itself that the firewall is out of reach, and says so.
    } finally {
      cancel();
    }
  }

  function jailView({ name, filters, dryRun }: JailConfig): JailView {
    const jail = sittings.find(name)?.jail;
    const { matches, ignored, late, bans: bansTotal, evicted } = jail?.stats ?? NOTHING;
    const tripped = parts.brakes.tripped(name);
    return {
      name,
      state: !jail ? 'disabled' : tripped ? 'tripped' : dryRun ? 'dry-run' : 'active',
      ...(tripped && { tripped: { at: formatInstant(tripped.at), why: tripped.why } }),
      filters: [...filters],
      matches,
      ignored,
      late,
      offenders: jail?.size ?? 0,
      banned: bans.countIn(name),
      bansTotal,
      evicted,
      crowds: crowdsOf(jail),
      hour: news.hour.of(name),
    };
  }

  /** What is wrong with the daemon itself. */
  function ownFaults(): ActiveFault[] {
    const message = enforcer.refusal;
    const since = parts.startedAt;
    if (message === undefined) return [...faults.list()];
    return [...faults.list(), { code: 'E_FIREWALL_REFUSED', message, count: 1, since, last: clock.now() }];
  }

  function sourcesWithFaults(): (SourceStatus | ReportStatus)[] {
    const logs = sources.status().map((source) => ({
      ...source,
      faults: [...source.faults, ...(parts.sourceFaults.get(source.id)?.list() ?? [])],
    }));
    return [...logs, ...parts.reportSource.status()];
  }

  function sourceView(source: SourceStatus | ReportStatus): SourceView {
    const last = source.id === REPORTS ? parts.reportSource.last : news.lastLines.get(source.id);
    const lastLine = last === undefined ? null : formatInstant(last);
    return { ...source, lastLine, faults: source.faults.map(faultView) };
  }

  return {
    mode,
    async status(caughtUp) {
      const packets = await dropped();
      news.hour.observe(sittings.jails);
      const known = { faults: ownFaults(), sources: sourcesWithFaults() };
      const jails = parts.config().jails.map(jailView);
      const vitals = { ...known, jails, mode: mode(), intent, firewallFault: enforcer.fault } as const;
      return {
        version: parts.version,
        pid: process.pid,
        startedAt: formatInstant(parts.startedAt),
        mode: mode(),
        firewall: {
          kind: firewall.kind,
          healthy: enforcer.fault === undefined,
          ...(enforcer.fault === undefined ? {} : { fault: enforcer.fault }),
          ...(packets === undefined ? {} : { dropped: packets }),
          blocked: enforcer.heldCount,
          ...(parts.rearm.noticedBy === undefined
            ? {}
            : { noticedBy: parts.rearm.noticedBy, rearmed: parts.rearm.count }),
        },
        intent,
        latency: news.latency.view(),
        health: healthOf(vitals, clock.now()),
        caughtUp,
        sources: known.sources.map(sourceView),
        jails,
        bounds: parts.bounds(),
        administrators: administratorsIn(sittings, clock.now()),
        faults: known.faults.map(faultView),
      };
    },
    async bans({ jail, all, after }, limit) {
      const ended = all
        ? parts.ledger.bans({ ...(jail === undefined ? {} : { jail }), all, after, limit })
        : [];
      // What is open stands in memory, also while the ledger can't be written.
      const byId = new Map(ended.map((ban) => [ban.id, ban]));
      let room = limit;
      for (const ban of bans.open(after, jail)) {
        byId.set(ban.id, ban);
        if (--room === 0) break;
      }
      const page = [...byId.values()].toSorted((a, b) => a.id - b.id).slice(0, limit);
      const next = page.length === limit ? String(page.at(-1)!.id) : null;
      return { items: page.map(banView), next };
    },
    history(network, known, now) {
      const offenders = sittings.all.flatMap(({ jail }) => {
        const offender = jail.offender(network);
        return offender ? [{ jail, offender }] : [];
      });
      return {
        address: network.text,
        bans: known.map((ban) => ({
          ...banView(ban),
          evidence: ban.evidence.map((line) => ({ ...line, at: formatInstant(line.at) })),
        })),
        offenders: offenders.map(({ jail, offender }) => ({
          jail: jail.rules.name,
          count: offender.stamps.reduce((sum, [, count]) => sum + count, 0),
          of: jail.limitOf(network, now),
          window: jail.rules.findTime / 1_000,
          last: lastOf(offender.stamps),
        })),
        protected: protectedIn(sittings, network, now),
        next: sittings.all.map((sitting) => nextOf(sitting, network, now, parts.protection)),
      };
    },
  };
}

function crowdsOf(jail: Jail | undefined): CrowdView[] {
  const largest = jail?.crowds.largest(MOST_CROWDS) ?? [];
  return largest.map(({ network, last, ...counts }) => ({
    ...{ network: network.text, ...counts, last: formatInstant(last) },
  }));
}

function lastOf(stamps: readonly (readonly [Instant, number])[]): string | null {
  const newest = stamps.at(-1);
  return newest ? formatInstant(newest[0]) : null;
}

function faultView({ last, ...fault }: ActiveFault | SourceFault): RuntimeFault {
  const hint = REMEDIES[fault.code]?.hint;
  return {
    ...fault,
    since: formatInstant(fault.since),
    ...(last !== undefined && { last: formatInstant(last) }),
    ...(hint !== undefined && { hint }),
  };
}
