// What the rooms tell, put into events; and what is measured on the way. Nothing here decides, and nothing waits.
import type { FaultNews, StatusView } from '../../api/contract.ts';
import { answerText } from '../../answer.ts';
import type { Ban, Chunk, Instant, Match, Verdict } from '../../model.ts';
import type { Clock } from '../../ports.ts';
import type { SourceStatus } from '../../sources/contract.ts';
import { beginningOf, printable } from '../../text.ts';
import { formatInstant } from '../../time.ts';
import type { OnBan } from '../bans.ts';
import type { EnforcerNews } from '../enforcer.ts';
import { createEvents } from './events.ts';
import type { Events } from './events.ts';
import type { Faults, OnFault } from './faults.ts';
import { createHour } from './hour.ts';
import type { Hour } from './hour.ts';
import { createLatency } from './latency.ts';
import type { Latency } from './latency.ts';
import type { Journey, OnVerdict } from '../pipeline.ts';
import type { ReloadTold } from '../reload/reload.ts';

/** Events are remembered: what a client wrote is cut to so many characters a field, and so many fields. */
const MOST_TEXT = 500;
const MOST_FIELD = 200;
const MOST_FIELDS = 16;

export interface Newsroom {
  readonly events: Events;
  readonly hour: Hour;
  readonly latency: Latency;
  readonly onBan: OnBan;
  readonly onFault: OnFault;
  /** A jail's brake has tripped, or was released (no reason). */
  onBrake(jail: string, why: string | undefined): void;
  readonly enforcer: EnforcerNews;
  /** For the pipeline; undefined while nobody wants matches. */
  onVerdict(): OnVerdict | undefined;
  readonly onReload: (told: ReloadTold) => void;
  /** A chunk was applied. */
  applied(chunk: Chunk, journey: Journey): void;
  /** When lines of each source were last read, by its id. */
  readonly lastLines: ReadonlyMap<string, Instant>;
  /** Tells what has changed of what no one announces: the mode, the firewall's and the sources' faults. Forgets sources that are gone. */
  review(now: Standing): void;
}

/** How things are. */
export interface Standing {
  readonly mode: StatusView['mode'];
  readonly firewallFault: string | undefined;
  readonly refusal: string | undefined;
  readonly sources: readonly Pick<SourceStatus, 'id' | 'faults'>[];
  /** What the daemon noticed about a source, by its id. */
  readonly sourceFaults: ReadonlyMap<string, Faults>;
}

/** @param firewallEnforces false where nothing ever reaches a kernel: then nobody is said to be blocked. */
export function createNewsroom(clock: Clock, firewallEnforces: boolean): Newsroom {
  const events = createEvents(clock, clock.now().toString(36));
  const latency = createLatency(clock);
  const lastLines = new Map<string, Instant>();
  let mode: StatusView['mode'] | undefined;
  let standing = new Map<string, Omit<FaultNews, 'kind' | 'what'>>();

  return {
    events,
    hour: createHour(clock),
    latency,
    lastLines,
    onBan(what, ban, why) {
      // The ban that takes its place says it all.
      if (what === 'ended' && ban.endedBy === 'replaced') return;
      if (what === 'ended') events.emit(releaseNews(ban, why));
      else events.emit(banNews(what, ban));
    },
    onFault(code, message) {
      events.emit({
        kind: 'fault',
        what: message === undefined ? 'cleared' : 'raised',
        code,
        message: message ?? '',
      });
    },
    onBrake(jail, why) {
      events.emit({ kind: 'brake', what: why === undefined ? 'released' : 'tripped', jail, why: why ?? '' });
    },
    enforcer: {
      applied(change, outcome) {
        const { network, scope } = change;
        const isBlock = change.what === 'block';
        if (isBlock && outcome.outcome === 'applied') latency.blocked(network);
        if (!firewallEnforces) return;
        const { protocol } = scope;
        const ports = [...scope.ports];
        const address = network.text;
        if (outcome.outcome === 'applied' && !scope.answer)
          // By name: there may be hundreds of thousands at once.
          return events.emit({
            kind: 'kernel',
            what: isBlock ? 'blocked' : 'released',
            address,
            protocol,
            ports,
          });
        events.emit({
          ...{ kind: 'kernel', address, protocol, ports },
          ...(scope.answer && { answer: answerText(scope.answer) }),
          ...(outcome.outcome === 'refused'
            ? { what: 'refused', why: printable(outcome.why) }
            : { what: isBlock ? 'blocked' : 'released' }),
        });
      },
      told: (networks) => latency.settled(networks),
    },
    onReload: (told) => events.emit({ kind: 'reload', ...told }),
    onVerdict() {
      if (!events.wantsMatches) return undefined;
      return (jail, match, verdict, evidence) => {
        const { file, line, at, text } = evidence();
        events.emit({
          ...{ kind: 'match', jail, filter: match.filter, address: match.address.text },
          ...outcomeOf(verdict),
          ...{
            time: formatInstant(at),
            file,
            line,
            fields: shortened(match),
            text: beginningOf(text, MOST_TEXT),
          },
        });
      };
    },
    applied(chunk, journey) {
      if (chunk.lines > 0) lastLines.set(chunk.source, chunk.arrivedAt);
      if (journey.bans.length === 0) return;
      const readAt = clock.monotonic() - Math.max(0, clock.now() - chunk.arrivedAt);
      for (const ban of journey.bans)
        if (ban.endedAt === undefined && ban.scope !== undefined && ban.via === undefined)
          latency.decided(ban.address, readAt);
    },
    review(now) {
      if (mode !== undefined && mode !== now.mode) events.emit({ kind: 'mode', mode: now.mode, was: mode });
      mode = now.mode;
      const known = new Set(now.sources.map(({ id }) => id));
      for (const id of lastLines.keys()) if (!known.has(id)) lastLines.delete(id);
      const faults = faultsOf(now);
      for (const [key, fault] of faults)
        if (!standing.has(key)) events.emit({ kind: 'fault', what: 'raised', ...fault });
      for (const [key, fault] of standing)
        if (!faults.has(key)) events.emit({ kind: 'fault', what: 'cleared', ...fault, message: '' });
      standing = faults;
    },
  };
}

function faultsOf(now: Standing): Map<string, Omit<FaultNews, 'kind' | 'what'>> {
  const faults = new Map<string, Omit<FaultNews, 'kind' | 'what'>>();
  const note = (code: string, message: string | undefined): void => {
    if (message !== undefined) faults.set(code, { code, message });
  };
  note('E_FIREWALL_UNAVAILABLE', now.firewallFault);
  note('E_FIREWALL_REFUSED', now.refusal);
  for (const { id, faults: own } of now.sources)
    for (const { code, message } of [...own, ...(now.sourceFaults.get(id)?.list() ?? [])])
      faults.set(`${id}\0${code}`, { code, message, source: id });
  return faults;
}

function banNews(what: 'banned' | 'extended' | 'ended', ban: Ban) {
  const { id, jail, address, since, until, nth, reason, by } = ban;
  return {
    ...{ kind: 'ban' as const, what: what === 'banned' ? ('imposed' as const) : ('extended' as const) },
    ...{ ban: id, jail, address: address.text, since: formatInstant(since) },
    ...{ until: until === undefined ? null : formatInstant(until), nth, reason, by },
  };
}

function releaseNews({ id, jail, address, endedBy }: Ban, why: string) {
  return { kind: 'release' as const, ban: id, jail, address: address.text, by: endedBy ?? '', why };
}

function outcomeOf(verdict: Verdict) {
  switch (verdict.outcome) {
    case 'counted':
      return { outcome: verdict.outcome, count: verdict.count, of: verdict.of };
    case 'ban':
      return { outcome: verdict.outcome, count: verdict.count };
    case 'success':
      return { outcome: verdict.outcome };
    default:
      return { outcome: verdict.outcome, why: verdict.why };
  }
}

function shortened({ fields }: Pick<Match, 'fields'>): Record<string, string> {
  const some = Object.entries(fields).slice(0, MOST_FIELDS);
  return Object.fromEntries(some.map(([name, value]) => [name, beginningOf(value, MOST_FIELD)]));
}
