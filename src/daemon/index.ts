// In: a Setup, a state folder and a runtime folder, a firewall, and the doors to the outside. Out: a running daemon.
// It puts the rooms together and keeps the order in which things become true: applied, committed, enforced.
// It never decides anything itself, and it reads no environment.
import { createServer } from '../api/index.ts';
import type { StatusView } from '../api/contract.ts';
import type { Firewall } from '../firewall/contract.ts';
import type { Ledger } from '../ledger/contract.ts';
import type { Chunk } from '../model.ts';
import { reasonOf } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { createPlans } from '../setup/index.ts';
import type { Setup } from '../setup/index.ts';
import type { SourceStatus } from '../sources/contract.ts';
import { createSources } from '../sources/index.ts';
import { createBans } from './bans.ts';
import { createCommitter } from './committer.ts';
import { createControl } from './control.ts';
import { createEnforcer } from './enforcer.ts';
import type { FaultPoint } from './fault-points.ts';
import { createFaults } from './faults.ts';
import type { Host } from './host.ts';
import { followNames } from './names.ts';
import { createNewsroom } from './news.ts';
import { applyChunk } from './pipeline.ts';
import { createProtection } from './protection.ts';
import { createSessions } from './sessions.ts';
import { seatJails } from './sitting.ts';
import { createSourceWatch } from './source-watch.ts';
import { createExpiry, every } from './timers.ts';
import { createStampFinder, watchesOf } from './watches.ts';
import { createViews } from './views.ts';

export { openLedger } from '../ledger/index.ts';
export { createHost } from './host.ts';
export { createLog } from './log.ts';
export { passBy } from './fault-points.ts';
export { explain } from './explain.ts';
export { replay } from './replay.ts';
export { testFilter } from './test-filter.ts';
export type { FaultPoint } from './fault-points.ts';
export type { Host } from './host.ts';
export type { Explanation } from './explain.ts';
export type { ReplayResult } from './replay.ts';
export type { MissedLine, TestedMatch } from './test-filter.ts';

/** How often the daemon looks after what no event announces: expired bans, due commits, its own addresses. */
const TICK = 1_000;
const REFRESH_HOST = 30_000;
const PRUNE = 60_000;
/** Lines may be read so late and still find the session that they belong to. */
const LATENESS = 7 * 86_400_000;

export interface DaemonOptions {
  readonly setup: Setup;
  /** Opened by the caller, who proves filters with it first; closed by the daemon. */
  readonly ledger: Ledger;
  /** Where the sockets go. */
  readonly runtime: string;
  readonly firewall: Firewall;
  /** `--detect-only`: nothing ever reaches the kernel. */
  readonly neverEnforce: boolean;
  /** The group that may read `status.sock`; undefined: the process's own. */
  readonly statusGroup: number | undefined;
  readonly version: string;
}

export interface DaemonPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly host: Host;
  readonly at: FaultPoint;
}

export interface Daemon {
  readonly mode: StatusView['mode'];
  /** How many addresses the kernel holds, as far as the daemon knows. */
  readonly stillBlocked: number;
  /** What the firewall said, where it can't be reached. */
  readonly firewallFault: string | undefined;
  sources(): readonly SourceStatus[];
  /** Commits what is known and ends. Bans stay in the kernel. A second call is harmless. */
  stop(): Promise<void>;
  /** Rejects if the daemon breaks down by itself; resolves once it was stopped. */
  readonly ended: Promise<void>;
}

/**
 * Boots in this order: ledger, sockets (another daemon's are left alone, and it ends here), kernel, sources. Bans are in
 * the kernel before any log is looked at, and the socket answers before backlog is read.
 * @throws BailiffError E_ALREADY_RUNNING, E_SOCKET_PATH, E_LEDGER_…; a firewall that can't be reached is no exception:
 *   the daemon detects, says so, and tries again.
 */
export async function startDaemon(options: DaemonOptions, ports: DaemonPorts): Promise<Daemon> {
  const { setup, ledger, firewall } = options;
  const { clock, log, at } = ports;
  const startedAt = clock.now();
  const news = createNewsroom(clock, firewall.enforces);
  const faults = createFaults(clock, news.onFault);
  const remembered = ledger.load();
  if (remembered.damaged > 0)
    faults.raise(
      'W_LEDGER_DAMAGED',
      `${remembered.damaged} rows of the ledger can't be read and were passed over.`,
    );
  const protection = createProtection(
    setup.allow,
    setup.jails.map((jail) => jail.ignore),
    ports.host,
  );
  const sittings = seatJails(setup, protection, remembered.offenders, startedAt);
  const plans = createPlans(sittings.all, (sitting) => sitting.ready);
  const bans = createBans(remembered.openBans, remembered.nextBanId, news.onBan);
  const sessions = createSessions(remembered.sessions);
  const committer = createCommitter(ledger, () => sittings.jails, sessions, bans, { clock, log, faults, at });
  const enforcer = createEnforcer(
    firewall,
    bans,
    sittings.scopeOf,
    { detectOnly: options.neverEnforce },
    { clock, log, at, news: news.enforcer },
  );
  /** Was the firewall ever reached? Until then nothing is enforced, and nothing says so. */
  let reached = false;
  const booted = Promise.withResolvers<void>();
  let isBooted = false;
  const { promise: broken, reject: fail } = Promise.withResolvers<never>();
  broken.catch(() => {});

  const stampOf = createStampFinder(setup.jails, () => clock.now());
  const sources = createSources(
    { watches: watchesOf(setup.jails, startedAt), positions: remembered.positions, stampOf },
    { clock, log },
  );
  const sourceWatch = createSourceWatch(stampOf, clock);

  async function enforce(): Promise<void> {
    await enforcer.sync();
    reached ||= !options.neverEnforce && enforcer.fault === undefined;
  }

  /** A decided ban is committed at once, then enforced; without the disk it is enforced all the same. */
  async function settle(): Promise<void> {
    await committer.commit(false);
    await enforce();
  }

  // ── one line's journey ──
  async function follow(): Promise<void> {
    for (let chunk = await sources.next(); chunk; chunk = await sources.next()) {
      apply(chunk);
      // The sources may not go on reading from a first sight's cutoff that a crash would forget.
      if (chunk.commitFirst || committer.isDue()) await committer.commit(false);
      void enforce().catch(fail);
      await breathe();
    }
  }

  function apply(chunk: Chunk): void {
    const journey = applyChunk(
      chunk,
      plans.of(chunk.patterns),
      sessions,
      bans,
      clock.now(),
      news.onVerdict(),
    );
    news.applied(chunk, journey);
    committer.moved(chunk.position);
    at('after-apply');
    sourceWatch.observe(chunk, journey);
    for (const { address, jail, since, until, nth, reason } of journey.bans)
      log.info({ address: address.text, jail, since, until, nth, why: reason }, 'ban');
    if (journey.bans.length > 0) expiry.reschedule();
  }

  // ── time ──
  const expiry = createExpiry(
    clock,
    () => bans.nextExpiry(),
    () => {
      const ended = bans.expire(clock.now());
      for (const { address, jail, nth } of ended) log.info({ address: address.text, jail, nth }, 'released');
      if (ended.length > 0) void settle().catch(fail);
    },
  );
  let settled = false;
  const tick = (): void => {
    committer.forgetPositions(sources.takeForgotten());
    if (committer.isDue()) void committer.commit(false).catch(fail);
    if (isBooted) review();
    // Before the first look at the disk no source would say that it has a backlog.
    if (!isBooted || settled || isCatchingUp()) return;
    settled = true;
    void enforcer.settle().catch(fail);
  };
  const prune = (): void => {
    if (!isBooted || isCatchingUp()) return;
    for (const jail of sittings.jails) committer.forgetOffenders(jail.rules.name, jail.prune(clock.now()));
    sessions.prune(clock.now() - LATENESS);
  };
  let evicted = 0;
  const tellEvicted = (): void => {
    if (sessions.evicted === evicted) return faults.clear('W_SESSIONS_EVICTED');
    evicted = sessions.evicted;
    faults.raise(
      'W_SESSIONS_EVICTED',
      `${evicted} sessions were forgotten to make room for newer ones; lines of theirs without an address count nothing.`,
    );
  };
  const refreshHost = (): void => {
    try {
      protection.refresh();
      faults.clear('W_HOST_UNKNOWN');
    } catch (error) {
      const why = reasonOf(error);
      faults.raise(
        'W_HOST_UNKNOWN',
        `This host's own addresses can't be read (${why}); the known ones stay protected.`,
      );
    }
  };
  const timers = [
    every(clock, TICK, tick, fail),
    every(clock, REFRESH_HOST, refreshHost, fail),
    every(clock, PRUNE, prune, fail),
    every(clock, PRUNE, tellEvicted, fail),
  ];
  const names = followNames(protection, clock, faults, () => {
    void (async () => {
      await enforcer.allow(protection.allowed());
      if (releaseAllowed() > 0) await settle();
    })().catch(fail);
  });

  /** Bans on what has come to be allowed end. @returns how many. */
  function releaseAllowed(): number {
    const now = clock.now();
    const allowed = [...bans.open()].filter((ban) => protection.whyAllowed(ban.address) !== undefined);
    for (const ban of allowed) {
      bans.end(ban, now, 'allow', 'the address is allowed now');
      sittings.find(ban.jail)?.jail.forgive(ban.address, now);
    }
    return allowed.length;
  }

  const review = (): void => {
    news.hour.observe(sittings.jails);
    const { fault: firewallFault, refusal } = enforcer;
    const sourceFaults = sourceWatch.faults;
    news.review({ mode: views.mode(), firewallFault, refusal, sources: sources.status(), sourceFaults });
  };
  const isCatchingUp = (): boolean => sources.status().some((source) => source.state === 'catching-up');

  // ── the sockets ──
  const views = createViews({
    config: setup.config,
    version: options.version,
    startedAt,
    bans,
    ledger,
    firewall,
    enforcer,
    sittings,
    sources,
    faults,
    sourceFaults: sourceWatch.faults,
    neverEnforce: options.neverEnforce,
    wasReached: () => reached,
    clock,
    news,
  });
  const control = createControl({
    version: options.version,
    bans,
    ledger,
    committer,
    enforcer,
    enforce,
    protection,
    sittings,
    views,
    clock,
    events: news.events,
    review,
    manualDuration: setup.config.banTime.first,
    neverEnforce: options.neverEnforce,
    rescheduleExpiry: () => expiry.reschedule(),
    async catchUp() {
      await booted.promise;
      const handedOut = await sources.caughtUp();
      // The chunk handed out last may still wait its turn in this round of the event loop.
      await breathe();
      return (await committer.commit(false)) && handedOut;
    },
  });
  let server: Awaited<ReturnType<typeof createServer>>;
  try {
    server = await createServer(
      control,
      {
        folder: options.runtime,
        version: options.version,
        ...(options.statusGroup === undefined ? {} : { statusGroup: options.statusGroup }),
      },
      { log },
    );
  } catch (error) {
    await shutDown();
    throw error;
  }

  // ── the kernel: bans are in force before any log is looked at ──
  await names.ready;
  releaseAllowed();
  try {
    await enforcer.boot(protection.allowed());
  } catch (error) {
    await server.close();
    await shutDown();
    throw error;
  }
  reached = !options.neverEnforce && enforcer.fault === undefined;
  // The first look at the disk: from here on it is known which logs there are.
  await sources.caughtUp();
  isBooted = true;
  booted.resolve();
  expiry.reschedule();
  const following = follow();

  async function shutDown(): Promise<void> {
    for (const stop of [...timers, names.stop, expiry.stop]) stop();
    await sources.close();
    await committer.commit(true);
    await enforcer.close();
    ledger.close();
  }

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      await server.close();
      await sources.close();
      await following.catch(() => {});
      await shutDown();
    })());

  return {
    get mode() {
      return views.mode();
    },
    get stillBlocked() {
      return enforcer.heldCount;
    },
    get firewallFault() {
      return enforcer.fault;
    },
    sources: () => sources.status(),
    stop,
    ended: Promise.race([broken, following.then(() => stop())]),
  };
}

/** Gives the event loop back, so that the sockets answer while a backlog is read. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
