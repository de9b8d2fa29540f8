// In: a Setup, a state folder and a runtime folder, a firewall, and the doors to the outside. Out: a running daemon.
// It puts the rooms together and keeps the order in which things become true: applied, committed, enforced.
// It never decides anything itself, and it reads no environment.
import { setImmediate as breathe } from 'node:timers/promises';
import { createServer } from '../api/index.ts';
import { lengthOf } from '../lines.ts';
import type { Chunk } from '../model.ts';
import type { Daemon, DaemonOptions, DaemonPorts } from './contract.ts';
import { createControl } from './control.ts';
import { watchEffect } from './effect/effect.ts';
import { createEnforcer } from './enforcer.ts';
import type { Enforcer } from './enforcer.ts';
import { followAdministrators } from './host/administrators.ts';
import { followExempt } from './host/exempt.ts';
import { createRearm, hearsLater } from './kernel/rearm.ts';
import { createFaults } from './telling/faults.ts';
import { createFeeds } from './intake/feeds.ts';
import { createPortions } from './intake/portions.ts';
import { createResting } from './service/resting.ts';
import { createNewsroom } from './telling/news.ts';
import { createApplying } from './applying.ts';
import { createHandingOver } from './handing-over.ts';
import { createPatience } from './patience.ts';
import { createPressure } from './pressure.ts';
import { leaveBans, recall } from './recall.ts';
import { nothingKept } from './telling/recent.ts';
import type { ReloadTold } from './reload/reload.ts';
import { createReloading } from './reload/reloading.ts';
import { createHousekeeping, rulesOf } from './service/housekeeping.ts';
import { createPulse } from './service/pulse.ts';
import { createReportSource } from './reports/report-source.ts';
import { createReports } from './reports/reports.ts';
import { createSourceWatch } from './intake/source-watch.ts';
import { createExpiry, every, inTime } from './service/timers.ts';
import { watchClock } from './service/clock-watch.ts';
import { createTimekeeper } from './service/timekeeper.ts';
import { keepUp } from './service/upkeep.ts';
import { createViews } from './telling/views.ts';

export { openInAnyWeather, openLedger } from '../ledger/index.ts';
export { createHost } from './host/host.ts';
export { listLoggedIn } from './host/logged-in.ts';
export { createRounds } from './service/rounds.ts';
export { createLog } from './telling/log.ts';
export { createService } from './service/service.ts';
export { createTimekeeper } from './service/timekeeper.ts';
export { passBy } from './fault-points.ts';
export { examine } from './doctor/doctor.ts';
export type { Daemon, DaemonOptions, DaemonPorts } from './contract.ts';
export type { FaultPoint } from './fault-points.ts';
export type { Host } from './host/host.ts';
export type { Service } from './service/service.ts';

/** How often the daemon looks after what no event announces: due commits, a backlog that has been read. */
const TICK = 1_000;
/** Bans that end together, after a flood, are ended in slices. */
const ENDED_AT_ONCE = 500;

/**
 * Boots in this order: ledger, sockets (another daemon's are left alone, and it ends here), kernel, sources. Bans are in
 * the kernel before any log is looked at, and the socket answers before backlog is read.
 * @throws BailiffError E_ALREADY_RUNNING, E_SOCKET_PATH, E_LEDGER_…; a firewall that can't be reached is no exception:
 *   the daemon detects, says so, and tries again.
 */
export async function startDaemon(options: DaemonOptions, ports: DaemonPorts): Promise<Daemon> {
  const { setup, ledger, firewall, neverEnforce } = options;
  const { clock, log, at, recent = nothingKept, timekeeper = createTimekeeper(clock) } = ports;
  const { sentences } = timekeeper;
  // The firewall's program works while this one recalls.
  if (!neverEnforce) firewall.begin?.();
  const startedAt = clock.now();
  const news = createNewsroom(clock, firewall.enforces);
  const faults = createFaults(clock, news.onFault);
  const recalled = recall(setup, ledger, options.asksForInput, {
    ...{ clock, log, faults, host: ports.host, at, onBan: news.onBan, onBrake: news.onBrake },
  });
  const { protection, sittings, inForce, bans, sessions, committer, positions, brakes } = recalled;
  const effect = watchEffect({
    ...{
      witness: neverEnforce ? undefined : options.witness,
      bans,
      sittings,
      protection,
      clock,
      log,
    },
    ...{ faults, events: news.events, enforcer: () => enforcer, fail: (error) => fail(error) },
  });
  const pressure = createPressure(recalled, firewall, clock);
  const enforcer: Enforcer = createEnforcer(
    pressure.backlog.firewall,
    bans,
    sittings.scopeOf,
    { detectOnly: neverEnforce, adopt: recalled.adopt },
    { clock: sentences, log, at, news: effect.hearing(news.enforcer) },
  );
  /** Was the firewall ever reached? Until then nothing is enforced, and nothing says so. */
  let reached = false;
  const booted = Promise.withResolvers<void>();
  let isBooted = false;
  const { promise: broken, reject: fail } = Promise.withResolvers<never>();
  broken.catch(() => {});

  const portions = createPortions(clock);
  const resting = createResting(() => ports.onRest?.());
  const feeds = createFeeds(
    inForce.feeding,
    { positions, directory: setup.config.journalDirectory, stampOf: inForce.stampOf },
    { ...ports, portion: portions.size },
  );
  const { sources } = feeds;
  const sourceWatch = createSourceWatch(inForce.stampOf, clock);
  const housekeeping = createHousekeeping(ledger.upkeep, rulesOf(setup.config), {
    clock,
    log,
    faults,
    rounds: ports.rounds,
    timekeeper,
  });

  async function enforce(isLast = false): Promise<void> {
    await pressure.backlog.during(() => enforcer.sync(isLast));
    reached ||= !neverEnforce && enforcer.fault === undefined;
  }

  /** For who waits at a socket. */
  const enforcePatiently = createPatience(enforce, clock);
  const handingOver = createHandingOver({ committer, bans }, enforce, clock, (error) => fail(error));
  const { settle } = handingOver;

  // ── one line's journey ──
  async function follow(): Promise<void> {
    for (let chunk = await sources.next(); chunk; chunk = await sources.next()) {
      const began = clock.monotonic();
      const { look, tell } = apply(chunk);
      const took = clock.monotonic() - began;
      portions.note(lengthOf(chunk), took);
      resting.worked(took);
      await handingOver.after(chunk, tell);
      // What is written to the firewall's program is on its way by then.
      await breathe();
      look();
      pulse.beat();
    }
  }

  /** @param isProbe goes the whole way also while a backlog is read, when the answer is no whatever is committed. */
  async function catchUp(isProbe = false): Promise<boolean> {
    await booted.promise;
    const handedOut = await sources.caughtUp();
    if (!handedOut && !isProbe) return false;
    // The chunk handed out last may still wait its turn in this round of the event loop.
    await breathe();
    const isCommitted = await handingOver.commit();
    await breathe();
    return isCommitted && handedOut;
  }
  const pulse = createPulse(() => catchUp(true));

  const { apply, announce } = createApplying(recalled, {
    ...{ effect, news, pressure, sourceWatch, sentences, clock, log, at },
    reschedule: () => expiry.reschedule(),
    expectBans: () => void (!neverEnforce && firewall.expect?.()),
  });

  // ── time ──
  const expiry = createExpiry(
    sentences,
    () => bans.nextExpiry(),
    () => {
      const ended = bans.expire(sentences.now(), ENDED_AT_ONCE);
      for (const { address, jail, nth } of ended) log.info({ address: address.text, jail, nth }, 'released');
      if (ended.length > 0) void settle().catch(fail);
    },
  );
  let settled = false;
  async function commitAndDismiss(): Promise<void> {
    if (await committer.commit(false)) sittings.dismiss();
  }
  const tick = (): void => {
    committer.forgetPositions(sources.takeForgotten());
    // Before that nothing is read, and jails may still recollect.
    if (isBooted && committer.isDue() && !handingOver.isSet) void commitAndDismiss().catch(fail);
    if (isBooted) review();
    // Before the first look at the disk no source would say that it has a backlog.
    if (!isBooted || isCatchingUp()) return;
    if (!settled) {
      settled = true;
      void enforcer.settle().catch(fail);
      ports.onRest?.();
    }
    resting.tick(enforcer.isFlooded);
  };
  const rearm = createRearm({ firewall, enforcer, neverEnforce, exec: ports.exec, clock, log, faults, fail });
  const timers = [
    rearm.stop,
    handingOver.stop,
    every(clock, TICK, tick, fail),
    watchClock(timekeeper, () => expiry.reschedule(), { clock, log, faults, fail }),
    ...keepUp({
      ...{ sittings, sessions, committer, rearm, clock, timekeeper, faults, fail },
      isAtRest: () => isBooted && !isCatchingUp(),
    }),
    pressure.alarms(faults, fail),
  ];
  const exempt = followExempt({
    ...{ host: ports.host, protection, bans, sittings, enforcer, settle, clock, log, faults, fail },
    booted: booted.promise,
  });

  const { exec } = ports;
  const administrators = followAdministrators({ sittings, exec, clock, log, loggedIn: options.loggedIn });
  if (options.operator) administrators.present(options.operator);

  // ── another config ──
  const reloading = createReloading({
    ...{
      inForce,
      feeds,
      apply(chunk: Chunk) {
        const { look, tell } = apply(chunk);
        look();
        tell?.();
      },
      sittings,
      bans,
      brakes,
      protection,
      names: exempt,
      committer,
      enforcer,
      clock,
      at,
      settle,
    },
    ...{ expiry, housekeeping, log, faults, fail, tell: onReload, booted: booted.promise },
    ...{ initial: setup, prepare: options.prepare, watches: options.watchConfig },
    around: options.whileReloading ?? ((task) => task()),
    isEnding: () => stopping !== undefined,
  });

  function onReload(told: ReloadTold): void {
    administrators.remind();
    news.onReload(told);
  }

  const review = (): void => {
    news.hour.observe(sittings.jails);
    const { fault: firewallFault, refusal } = enforcer;
    const sourceFaults = sourceWatch.faults;
    const all = [...sources.status(), ...reportSource.status()];
    sourceWatch.retain(all.map(({ id }) => id));
    news.review({ mode: views.mode(), firewallFault, refusal, sources: all, sourceFaults });
  };
  const isCatchingUp = (): boolean => sources.status().some((source) => source.state === 'catching-up');

  // ── the sockets ──
  const reportSource = createReportSource(sittings, clock);
  const views = createViews({
    config: () => inForce.config,
    version: options.version,
    startedAt,
    bans,
    ledger,
    firewall,
    enforcer,
    sittings,
    protection,
    brakes,
    sources,
    faults,
    sourceFaults: sourceWatch.faults,
    rearm,
    neverEnforce,
    // It may have been reached by the enforcer's own retry.
    wasReached: () => (reached ||= isBooted && !neverEnforce && enforcer.fault === undefined),
    clock,
    news,
    effect,
    reportSource,
    bounds: pressure.bounds(housekeeping, news.events),
  });
  const reports = createReports({
    ...{ bans, committer, sittings, clock, sentences, faults, announce, enforce: enforcePatiently },
    ...{ memory: recalled.reportMemory, source: reportSource },
    onVerdict: () => effect.listen(true, clock.now(), news.onVerdict()),
    recidive: () => inForce.plans.recidive,
  });
  const control = createControl({
    reports,
    version: options.version,
    bans,
    brakes,
    ledger,
    committer,
    enforcer,
    enforce: enforcePatiently,
    protection,
    administrators,
    sittings,
    views,
    clock,
    reloader: reloading.reloader,
    events: news.events,
    review,
    recent,
    manualDuration: () => inForce.config.banTime.first,
    neverEnforce,
    rescheduleExpiry: () => expiry.reschedule(),
    catchUp: () => catchUp(),
  });
  let server: Awaited<ReturnType<typeof createServer>>;
  try {
    server = await createServer(
      control,
      {
        folder: options.runtime,
        version: options.version,
        ...(options.statusGroup === undefined ? {} : { statusGroup: options.statusGroup }),
        reportGroup: options.reportGroup,
      },
      { log },
    );
  } catch (error) {
    await shutDown();
    throw error;
  }

  // ── the kernel: bans are in force before any log is looked at ──
  if (!hearsLater(bans.size)) rearm.hear();
  await exempt.ready;
  await administrators.ready;
  exempt.release();
  try {
    await inTime(enforcer.boot(protection.allowed()), clock, fail);
    rearm.hear();
    await sittings.recollect();
  } catch (error) {
    await server.close();
    await shutDown();
    throw error;
  }
  effect.begin();
  housekeeping.begin();
  reached = !neverEnforce && enforcer.fault === undefined;
  // The first look at the disk: from here on it is known which logs there are.
  await sources.caughtUp();
  isBooted = true;
  booted.resolve();
  review();
  expiry.reschedule();
  const following = follow();

  async function shutDown(): Promise<void> {
    for (const stop of [...timers, exempt.stop, administrators.stop, expiry.stop]) stop();
    await reloading.stop();
    await effect.close();
    await sources.close();
    await housekeeping.stop();
    // What changed while it was written isn't in the ledger.
    if ((await committer.commit(true)) && !bans.hasDirty) leaveBans(ledger, bans, log);
    await enforcer.close();
    ledger.close();
  }

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      recent.close();
      await server.close();
      // What is under way waits for logs to be read; where nobody reads any more it is over when they are closed.
      await Promise.race([reloading.stop(), following.catch(() => {})]);
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
    get jailCount() {
      return sittings.all.length;
    },
    get firewallFault() {
      return enforcer.fault;
    },
    sources: () => sources.status(),
    reload: () => reloading.reloader.tryReload().catch(fail),
    isAlive: () => pulse.isAlive(),
    stop,
    ended: Promise.race([broken, following.then(() => stop())]),
  };
}
