// What the sockets can ask of a running daemon: the implementation of api's Control.
import type {
  BanOutcome,
  BanRequest,
  Control,
  PresentView,
  StatusView,
  UnbanOutcome,
  UnbanRequest,
} from '../api/contract.ts';
import { parseNetwork } from '../address.ts';
import { BailiffError } from '../errors.ts';
import type { Ledger } from '../ledger/contract.ts';
import type { Ban, Network } from '../model.ts';
import { parseDuration } from '../time.ts';
import type { Bans } from './bans.ts';
import type { Brakes } from './brakes.ts';
import type { Committer } from './committer.ts';
import type { Clock } from '../ports.ts';
import type { Enforcer } from './enforcer.ts';
import type { Events } from './telling/events.ts';
import type { Administrators } from './host/administrators.ts';
import type { Protection } from './host/protection.ts';
import type { Recent } from './telling/recent.ts';
import type { Reloader } from './reload/reload.ts';
import { noJail } from './no-jail.ts';
import { EVERYTHING, MANUAL } from './sitting.ts';
import type { Sittings } from './sitting.ts';
import type { Views } from './telling/views.ts';
import { protectedIn, whyWelcomed } from './host/welcomed.ts';

const PAGE = 1_000;
/** So many addresses are banned or unbanned in one go. */
const SLICE = 500;
/** With more networks than this in one answer to `history`, something else is being asked. */
const HISTORY_BANS = 1_000;

export interface ControlParts {
  readonly version: string;
  readonly bans: Bans;
  readonly brakes: Brakes;
  readonly ledger: Ledger;
  readonly committer: Committer;
  readonly enforcer: Enforcer;
  readonly protection: Protection;
  readonly administrators: Pick<Administrators, 'present'>;
  readonly sittings: Sittings;
  readonly views: Views;
  readonly clock: Clock;
  readonly reloader: Reloader;
  readonly reports: Pick<Control, 'report' | 'attempt'>;
  readonly events: Events;
  /** Tells at once what has changed of what no one announces. */
  review(): void;
  /** The daemon's own log. */
  readonly recent: Recent;
  /** How long a ban by hand lasts when nobody says. */
  manualDuration(): number;
  /** `--detect-only`: nothing may ever reach the kernel. */
  readonly neverEnforce: boolean;
  /** Looks at the disk and, where all of it is read, commits. @returns whether everything that was there at the call is committed. */
  catchUp(): Promise<boolean>;
  /** Tells the kernel what changed; nothing where nothing may reach it. @returns whether it answered in time (patience.ts). */
  enforce(): Promise<boolean>;
  /** A ban's end may have become the next one. */
  rescheduleExpiry(): void;
}

/** Has the disk what was done, and the kernel? */
interface Settled {
  readonly durable: boolean;
  readonly told: boolean;
}

export function createControl(parts: ControlParts): Control {
  const { bans, ledger, committer, enforcer, protection, sittings, views, clock } = parts;

  /** Bans of a jail that is disabled, or gone, can still be listed and lifted. */
  function checkJail(name: string | undefined, isActing = false): void {
    if (name === undefined || name === MANUAL || sittings.find(name)) return;
    const isRemembered = (): boolean =>
      sittings.isConfigured(name) || ledger.bans({ jail: name, all: true, limit: 1 }).length > 0;
    if (!isActing && (bans.countIn(name) > 0 || isRemembered())) return;
    throw noJail(name, sittings);
  }

  function durationOf(written: string | number | undefined): number | undefined {
    if (written === undefined) return undefined;
    const duration = parseDuration(written);
    if (duration !== undefined && duration > 0) return duration;
    throw new BailiffError('E_DURATION', `"${written}" is not a duration; try 10m, 1h30m, 1w or forever.`);
  }

  /** Commits durably and tells the kernel. Neither a full disk nor a firewall that hangs may keep an act by hand back. */
  async function settleByHand(): Promise<Settled> {
    const durable = await committer.commit(true);
    const told = await parts.enforce();
    parts.rescheduleExpiry();
    return { durable, told };
  }

  /** Why the kernel does not have what was done by hand; undefined where it has. */
  function whyNotTold({ told }: Pick<Settled, 'told'>): string | undefined {
    return enforcer.fault ?? (told ? undefined : 'the firewall has not answered yet');
  }

  /** Answered once it is committed: what follows may be a config that would lock him out. */
  async function presentFrom(network: Network): Promise<PresentView> {
    parts.administrators.present(network);
    await committer.commit(true);
    const until = protectedIn(sittings, network, clock.now())
      .map((each) => each.until)
      .toSorted();
    return {
      address: network.text,
      outcome: until.length > 0 ? 'protected' : 'unchanged',
      until: until.at(-1) ?? null,
    };
  }

  function banOne(network: Network, request: BanRequest, duration: number | undefined): BanOutcome {
    const address = network.text;
    const entry = protection.whyAllowed(network);
    if (entry !== undefined)
      return {
        address,
        outcome: 'refused',
        why: `allowed by the entry "${entry}"; remove it from "allow" first`,
      };
    const now = clock.now();
    const why = protection.whyProtected(network) ?? whyWelcomed(sittings, network, now);
    if (why !== undefined && !request.force)
      return { address, outcome: 'refused', why: `${why}; --force if you mean it` };

    const jail = request.jail ?? MANUAL;
    const standing = bans.find(jail, network);
    const reason = request.reason ?? 'banned by hand';
    // Who is only throttled is to be shut out now: by a ban in its place.
    const isThrottled = standing && sittings.scopeOf(standing)?.answer?.do === 'throttle';
    if (standing && !isThrottled && (standing.until === undefined || standing.until > now)) {
      const ladder = sittings.find(jail)?.jail.next(network, now).duration;
      const until = endOf(now, duration ?? ladder ?? parts.manualDuration());
      if (standing.until === undefined || (until !== undefined && until <= standing.until))
        return { address, outcome: 'unchanged', why: 'a ban is in force at least as long' };
      bans.extend(standing, until, 'admin', reason, now);
      sittings.find(jail)?.jail.prolong(network, until);
      return { address, outcome: 'extended' };
    }
    const sitting = sittings.find(jail);
    const sentence = sitting
      ? sitting.jail.convict(network, now, duration)
      : { nth: 1, until: endOf(now, duration ?? parts.manualDuration()) };
    bans.impose(
      {
        ...{ address: network, jail, since: now, ...sentence, reason, by: 'admin', evidence: [] },
        scope: sitting ? sitting.ready.scope : EVERYTHING,
      },
      now,
    );
    return { address, outcome: 'banned' };
  }

  function release(ban: Ban): UnbanOutcome {
    const now = clock.now();
    // First, for it may have to read the ledger.
    sittings.forgive(ban.jail, ban.address, now);
    bans.end(ban, now, 'admin', 'lifted by hand');
    return { address: ban.address.text, jail: ban.jail, outcome: 'released' };
  }

  function unbanOne(network: Network, jail: string | undefined): UnbanOutcome[] {
    const found = bans.touching(network).filter((ban) => jail === undefined || ban.jail === jail);
    // Lines written before this moment never count, also where they have not been read yet.
    for (const { jail: court } of sittings.all)
      if (jail === undefined || court.rules.name === jail) court.forgive(network, clock.now());
    if (found.length === 0) return [{ address: network.text, jail: jail ?? '', outcome: 'not-banned' }];
    return found.map(release);
  }

  /**
   * Does `step` to each item, some at a time, and settles in between: a long list must not stall what else goes on.
   * @returns the outcomes, and whether the disk and the kernel have all of them.
   */
  async function inSlices<T, R>(
    items: readonly T[],
    step: (item: T) => R[],
  ): Promise<Settled & { outcomes: R[] }> {
    const outcomes: R[] = [];
    let [durable, told] = [true, true];
    for (let from = 0; from < items.length; from += SLICE) {
      for (const item of items.slice(from, from + SLICE)) outcomes.push(...step(item));
      const settled = await settleByHand();
      durable &&= settled.durable;
      told &&= settled.told;
    }
    return { outcomes, durable, told };
  }

  /** Without an address, all must be meant in so many words: an empty list lifts nothing. */
  function everything(request: UnbanRequest): Ban[] {
    if (request.all !== true && request.jail === undefined)
      throw new BailiffError('E_USAGE', 'Name an address, a jail, or all.');
    return [...bans.open()];
  }

  return {
    ping: () => ({ version: parts.version, pid: process.pid }),
    async status(): Promise<StatusView> {
      return views.status(await parts.catchUp());
    },
    async bans(query) {
      const after = query.after === undefined ? undefined : Number(query.after);
      if (after !== undefined && !Number.isSafeInteger(after))
        throw new BailiffError('E_USAGE', '"after" takes what "next" of the page before said.');
      checkJail(query.jail);
      // Ended bans stand in the ledger alone: it must have all of them.
      if (query.all) await committer.commit(false);
      return views.bans({ jail: query.jail, all: query.all ?? false, after: after ?? 0 }, PAGE);
    },
    async ban(request) {
      checkJail(request.jail, true);
      const duration = durationOf(request.for);
      const networks = request.addresses.map(networkNamed);
      const { outcomes, durable, told } = await inSlices(networks, (network) => [
        banOne(network, request, duration),
      ]);
      const reason = whyNotTold({ told });
      const why = reason && `it is not in the kernel yet: ${reason}`;
      return outcomes.map((each) => ({
        ...each,
        ...(isNew(each) && why !== undefined ? { why } : {}),
        ...(isNew(each) && !durable ? { durable } : {}),
      }));
    },
    async unban(request: UnbanRequest) {
      checkJail(request.jail);
      const listed = (request.addresses ?? []).map(networkNamed);
      const isMeant = (ban: Ban): boolean => request.jail === undefined || ban.jail === request.jail;
      const { outcomes, durable, told } =
        listed.length > 0
          ? await inSlices(listed, (network) => unbanOne(network, request.jail))
          : await inSlices(everything(request).filter(isMeant), (ban) => [release(ban)]);
      const reason = whyNotTold({ told });
      const why = reason && `it is still in the kernel: ${reason}`;
      return outcomes.map((each) => ({
        ...each,
        ...(each.outcome === 'released' && why !== undefined ? { why } : {}),
        ...(durable ? {} : { durable }),
      }));
    },
    async history(address) {
      const network = networkNamed(address);
      await committer.commit(false);
      const remembered = ledger.bans({ address: network, all: true, limit: HISTORY_BANS });
      const known = new Map(remembered.map((ban) => [ban.id, ban]));
      // What the disk has not taken yet stands in memory alone; evidence that it has taken, on the disk alone.
      for (const ban of bans.touching(network)) {
        const evidence = ban.evidence.length > 0 ? ban.evidence : (known.get(ban.id)?.evidence ?? []);
        known.set(ban.id, { ...ban, evidence });
      }
      return views.history(network, [...known.values()], clock.now());
    },
    ...parts.reports,
    events({ address, ...query }, tell) {
      for (const jail of query.jail ?? []) checkJail(jail);
      const networks = address?.map(networkNamed);
      return parts.events.subscribe({ ...query, ...(networks && { networks }) }, tell);
    },
    present: ({ address }) => presentFrom(networkNamed(address)),
    async teardown() {
      await enforcer.standDown();
      parts.review();
      return { mode: views.mode() };
    },
    async arm() {
      if (parts.neverEnforce)
        throw new BailiffError(
          'E_USAGE',
          'This daemon was started with --detect-only; start it without to enforce.',
        );
      await enforcer.arm();
      await parts.enforce();
      if (enforcer.fault !== undefined) throw new BailiffError('E_FIREWALL_UNAVAILABLE', enforcer.fault);
      parts.review();
      return { mode: views.mode() };
    },
    async reload({ confirm, release }) {
      return parts.reloader.reload({ confirm: durationOf(confirm), release });
    },
    async confirm() {
      return parts.reloader.confirm();
    },
    async enable(jails) {
      const outcomes = await parts.reloader.switch(jails, true);
      const released = parts.brakes.release(jails, parts, clock.now());
      if (released.length > 0) await settleByHand();
      return outcomes.map((each) => (released.includes(each.jail) ? { ...each, outcome: 'enabled' } : each));
    },
    disable: (jails) => parts.reloader.switch(jails, false),
    log: (query) => parts.recent.read(query),
  };
}

function networkNamed(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed) return parsed.network;
  throw new BailiffError('E_ADDRESS', `"${text}" is not an address or a network.`, { address: text });
}

function endOf(now: number, duration: number): number | undefined {
  return duration === Infinity ? undefined : now + duration;
}

function isNew(outcome: BanOutcome): boolean {
  return outcome.outcome === 'banned' || outcome.outcome === 'extended';
}
