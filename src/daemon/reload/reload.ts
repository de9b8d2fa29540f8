// Another config without a gap: read, checked and proven while the old one is in force, then put in its place between
// two chunks, or not at all. What is new for a time only goes back by itself.
import type { ConfirmView, JailSwitch, ReloadNews, ReloadView } from '../../api/contract.ts';
import { BailiffError, formatFault } from '../../errors.ts';
import type { Fault } from '../../errors.ts';
import type { Duration, Instant } from '../../model.ts';
import type { Cancel, Clock, Log } from '../../ports.ts';
import type { Setup, SetupResult } from '../../setup/index.ts';
import { printable } from '../../text.ts';
import { formatInstant } from '../../time.ts';
import type { Faults } from '../telling/faults.ts';
import type { Reseated } from '../sitting.ts';

const REFUSED = 'E_RELOAD_REFUSED';
const UNCONFIRMED = 'W_RELOAD_UNCONFIRMED';
const ROLLED_BACK = 'W_RELOAD_ROLLED_BACK';
const UNCHANGED = { added: [], removed: [], changed: [], faults: 0 };

/** A setup that came into force, and what that led to. */
export interface Installed extends Omit<Reseated, 'forgotten' | 'rescoped'> {
  readonly sources: ReloadView['sources'];
}

export interface ReloadOptions {
  /** So long the config is on trial; without it, it stays. A reload during a trial doesn't prolong it. */
  readonly confirm?: Duration | undefined;
  /** Lifts the bans of jails that are gone. */
  readonly release?: boolean | undefined;
}

export interface Reloader {
  /** @throws BailiffError E_CONFIG with the faults; the config in force stays. */
  reload(request: ReloadOptions): Promise<ReloadView>;
  /** The same, where nobody waits for an answer: a refusal stands in the log and in `status`. */
  tryReload(): Promise<void>;
  /** The same, because a file has changed. Who asks for a trial soon after it means what stood before that. */
  reloadUnasked(): Promise<void>;
  /** What is in force stays. */
  confirm(): ConfirmView;
  /** Puts a jail in session or takes it out, until the next reload. @throws BailiffError E_UNKNOWN_JAIL, E_CONFIG. */
  switch(jails: readonly string[], on: boolean): Promise<JailSwitch[]>;
  /** Nothing more begins. Resolves when what is under way is done. */
  stop(): Promise<void>;
}

export interface ReloadParts {
  /** What the daemon began with. */
  readonly initial: Setup;
  /** Reads the config anew. */
  prepare(): SetupResult | Promise<SetupResult>;
  /** Runs each reload of the config on the disk, and each that goes back. */
  around<T>(reload: () => Promise<T>): Promise<T>;
  /** Puts a setup in force, in one step between two chunks. Resolves when the kernel knows and each log has its place. */
  install(setup: Setup): Promise<Installed>;
  /** Lifts what these jails decided; with `from`, only bans with that number or a later one. @returns how many. */
  release(jails: readonly string[], by: string, why: string, from?: number): Promise<number>;
  /** The number that the next ban gets. */
  nextBan(): number;
  /** Whoever listens hears of it. */
  tell(news: ReloadTold): void;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults: Faults;
}

/** What is told of a reload, as an event. */
export type ReloadTold = Omit<ReloadNews, 'kind'>;

/** So long after files were read by themselves a trial takes in what they brought, in milliseconds. */
const SOON: Duration = 10 * 60_000;

/** What could come back. */
interface Past {
  readonly before: Setup;
  /** The first ban that can be one of what came after it. */
  readonly firstBan: number;
  /** Jails that are not as they were: what they decide meanwhile is taken back with them. */
  readonly jails: Set<string>;
}

/** What would come back if nobody confirmed. */
interface Trial extends Past {
  readonly until: Instant;
  readonly cancel: Cancel;
}

export function createReloader(parts: ReloadParts): Reloader {
  const { clock, log, faults } = parts;
  let inForce = parts.initial;
  let trial: Trial | undefined;
  /** What stood before files were read that nobody had asked us to read, and when that was, by the monotonic clock. */
  let unasked: (Past & { readonly at: Duration }) | undefined;
  let tail: Promise<unknown> = Promise.resolve();
  /** Waits its turn and has read nothing yet: whoever asks for the same has it from this one. */
  let waiting: Promise<void> | undefined;
  let stopped = false;

  /** One after the other: two reloads at once would each put back what the other took. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const mine = tail.then(() => {
      if (stopped)
        throw new BailiffError('E_NOT_RUNNING', 'The daemon is ending; no config is read any more.');
      return task();
    });
    tail = mine.catch(() => {});
    return mine;
  }

  async function install(
    setup: Setup,
    outcome: ReloadTold['outcome'] = 'applied',
    message = 'another config is in force',
  ): Promise<Installed> {
    const installed = await parts.install(setup);
    inForce = setup;
    const { added, removed, changed } = installed;
    for (const jail of [...added, ...changed]) {
      trial?.jails.add(jail);
      unasked?.jails.add(jail);
    }
    log.info({ added, removed, changed }, 'config in force');
    parts.tell({
      ...{ outcome, message, faults: 0 },
      ...{ added: [...added], removed: [...removed], changed: [...changed] },
    });
    return installed;
  }

  function refuse(found: readonly Fault[]): never {
    const [first] = found;
    const more = found.length > 1 ? ` and ${found.length - 1} more` : '';
    const what = first ? printable(formatFault(first), 500) : "it can't be read";
    tellRefusal(what, found.length, `${what}${more}. "bailiff check" tells all of it.`);
    throw new BailiffError('E_CONFIG', 'The config is faulty; the one before stays in force.', {
      faults: found,
    });
  }

  function tellRefusal(what: string, count: number, sentence: string): void {
    faults.raise(REFUSED, `The config on the disk is faulty, the one before stays in force: ${sentence}`);
    log.error({ faults: count, first: what }, 'reload refused');
    parts.tell({ ...UNCHANGED, outcome: 'refused', message: what, faults: count });
  }

  /** Whatever goes wrong here changes nothing of what is in force, and must not end the daemon. */
  async function read(): Promise<Extract<SetupResult, { ok: true }>> {
    let result: SetupResult;
    try {
      result = await parts.prepare();
    } catch (error) {
      const why = printable(error instanceof Error ? error.message : String(error), 500);
      tellRefusal(why, 0, why);
      const message = `The config can't be read, the one before stays in force: ${why}`;
      throw new BailiffError('E_CONFIG', message, { faults: [] }, error);
    }
    return result.ok ? result : refuse(result.faults);
  }

  async function reload({ confirm, release }: ReloadOptions): Promise<ReloadView> {
    const result = await read();
    if (confirm !== undefined && !trial) begin(confirm, sinceUnasked() ?? presentPast());
    unasked = undefined;
    const { added, removed, changed, sources } = await take(result.setup);
    const released = release ? await parts.release(removed, 'admin', 'its jail was removed') : 0;
    return {
      jails: { added: [...added], removed: [...removed], changed: [...changed] },
      sources,
      released,
      warnings: [...result.warnings],
      confirmBy: trial ? formatInstant(trial.until) : null,
    };
  }

  /** What lies on the disk comes into force. */
  async function take(setup: Setup): Promise<Installed> {
    const installed = await install(setup);
    faults.clear(REFUSED);
    faults.clear(ROLLED_BACK);
    return installed;
  }

  const presentPast = (): Past => ({ before: inForce, firstBan: parts.nextBan(), jails: new Set() });

  /** An editor saves a file, it is read at once, and only then comes `reload --confirm`: that is what goes on trial. */
  function sinceUnasked(): Past | undefined {
    return unasked && clock.monotonic() - unasked.at <= SOON ? unasked : undefined;
  }

  async function takeUnasked(): Promise<void> {
    const result = await read();
    if (!trial) unasked = { ...(sinceUnasked() ?? presentPast()), at: clock.monotonic() };
    await take(result.setup);
  }

  function begin(patience: Duration, past: Past): void {
    const until = clock.now() + patience;
    const cancel = clock.schedule(patience, () => void inTurn(() => parts.around(rollBack)).catch(failed));
    trial = { ...past, until, cancel };
    faults.raise(
      UNCONFIRMED,
      `The config in force is on trial: without "bailiff confirm" the one before comes back at ${formatInstant(until)}.`,
    );
  }

  async function rollBack(): Promise<void> {
    if (!trial) return;
    const { before, firstBan, jails } = trial;
    trial = undefined;
    unasked = undefined;
    faults.clear(UNCONFIRMED);
    // What lies on the disk was read last, and is no news to whoever watches it: it doesn't come back by itself.
    await install(before, 'rolled-back', 'nobody confirmed the config: the one before is in force again');
    await parts.release([...jails], 'rollback', 'passed by a config that nobody confirmed', firstBan);
    faults.raise(
      ROLLED_BACK,
      'Nobody confirmed the config of the last reload: the one before is in force again, and what its new and changed jails decided meanwhile is lifted. The files on the disk were left alone; the next reload reads them.',
    );
    log.warn({}, 'reload rolled back');
  }

  function failed(error: unknown): void {
    log.error({ why: String(error) }, 'rolling back failed');
  }

  async function switchJails(jails: readonly string[], on: boolean): Promise<JailSwitch[]> {
    const known = new Set(inForce.config.jails.map(({ name }) => name));
    const stranger = jails.find((jail) => !known.has(jail));
    if (stranger !== undefined)
      throw new BailiffError('E_UNKNOWN_JAIL', `There is no jail "${stranger}"; bailiff status lists them.`, {
        jail: stranger,
      });
    const sitting = new Set(inForce.jails.map(({ rules }) => rules.name));
    const outcomes = jails.map((jail): JailSwitch => {
      const outcome = sitting.has(jail) === on ? 'unchanged' : on ? 'enabled' : 'disabled';
      return { jail, outcome };
    });
    if (outcomes.every(({ outcome }) => outcome === 'unchanged')) return outcomes;
    const choice = new Map([...known].map((jail) => [jail, jails.includes(jail) ? on : sitting.has(jail)]));
    const result = inForce.withEnabled(choice);
    if (!result.ok)
      throw new BailiffError('E_CONFIG', 'The jail is faulty; nothing was changed.', {
        faults: result.faults,
      });
    await install(result.setup);
    return outcomes;
  }

  const inItsTurn = <T>(task: () => Promise<T>): Promise<T> => inTurn(() => parts.around(task));
  /** A refusal has been told. */
  const quietly = async (reloading: Promise<unknown>): Promise<void> => {
    await reloading.catch((error: unknown) => {
      if (!(error instanceof BailiffError)) throw error;
    });
  };
  return {
    reload: (options) => inItsTurn(() => reload(options)),
    tryReload: () =>
      (waiting ??= quietly(
        inTurn(() => {
          // Whoever asks from here on asks for another one: this one reads what lies on the disk now.
          waiting = undefined;
          return parts.around(() => reload({}));
        }),
      )),
    reloadUnasked: () => quietly(inItsTurn(takeUnasked)),
    confirm() {
      const wasOnTrial = trial !== undefined;
      trial?.cancel();
      trial = undefined;
      unasked = undefined;
      faults.clear(UNCONFIRMED);
      if (wasOnTrial) parts.tell({ ...UNCHANGED, outcome: 'confirmed', message: 'the config stays' });
      return { outcome: wasOnTrial ? 'confirmed' : 'unchanged' };
    },
    switch: (jails, on) => inTurn(() => switchJails(jails, on)),
    async stop() {
      stopped = true;
      trial?.cancel();
      await tail;
    },
  };
}
