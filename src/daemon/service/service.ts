// The service manager's ear (sd_notify(3)): ready, what is going on, still alive, ending. Without one, nothing happens.
//
// Node opens no datagram sockets in the file system, so `systemd-notify` says each word: a process of 5 ms, every few
// seconds at most. It waits until systemd has read what it said, so that systemd still knows whose word it was.
import { printable } from '../../text.ts';
import type { Duration } from '../../model.ts';
import type { Clock, Exec, Log } from '../../ports.ts';
import { every } from './timers.ts';

/** How long one word may take; the unit is given far longer to start and to end. */
const PATIENCE = 5_000;

export interface Service {
  /** Everything works: bans are in the kernel, the sockets answer. Ends a reload as well. */
  ready(status: string): Promise<void>;
  /** A new config is about to be taken over; {@link ready} says when it is. */
  reloading(): Promise<void>;
  /** From here on nothing more is said of being alive. */
  stopping(): Promise<void>;
  /**
   * Gives a sign of life at half the interval in which one is expected, and the status with it, as long as `isAlive`.
   * Without a watchdog only the status is told, once a minute.
   */
  watch(isAlive: () => boolean, status: () => string): void;
}

export interface ServicePorts {
  readonly exec: Exec;
  readonly clock: Clock;
  readonly log: Log;
  /** CLOCK_MONOTONIC in microseconds, as systemd compares it. */
  readonly microseconds: () => bigint;
}

const STATUS_PERIOD = 60_000;

/** @param manager undefined: there is none, and every call is empty. */
export function createService(
  manager: { readonly socket: string; readonly watchdog: Duration | undefined } | undefined,
  { exec, clock, log, microseconds }: ServicePorts,
): Service {
  const program = manager && exec.find('systemd-notify');
  if (!manager || program === undefined) {
    if (manager) log.warn({ program: 'systemd-notify' }, 'the service manager cannot be told anything');
    return { async ready() {}, async reloading() {}, async stopping() {}, watch() {} };
  }
  let said: Promise<void> = Promise.resolve();
  let unwatch = (): void => {};
  let isStopping = false;
  let isQuiet = true;

  /** One after the other: they must arrive in the order in which they became true. */
  function say(...words: string[]): Promise<void> {
    said = said.then(async () => {
      const env = { NOTIFY_SOCKET: manager!.socket };
      const told = await exec.run({ file: program!, args: ['--', ...words], env, timeout: PATIENCE });
      if (told.outcome === 'exited' && told.code === 0) return;
      const why = told.outcome === 'timeout' ? 'it does not listen' : told.stderr.trim();
      log.warn({ why: printable(why, 500) }, 'the service manager was not told');
    });
    return said;
  }

  return {
    ready: (status) => say('READY=1', statusWord(status)),
    reloading: () => say('RELOADING=1', `MONOTONIC_USEC=${microseconds()}`),
    stopping() {
      isStopping = true;
      unwatch();
      return say('STOPPING=1');
    },
    watch(isAlive, status) {
      const period = manager.watchdog === undefined ? STATUS_PERIOD : manager.watchdog / 2;
      const tell = (): void => {
        // A word that is still on its way says the same: they must not queue up.
        if (isStopping || !isQuiet) return;
        const alive = isAlive();
        if (!alive) log.error({}, 'lines are no longer worked on');
        isQuiet = false;
        const sign = alive && manager.watchdog !== undefined ? ['WATCHDOG=1'] : [];
        void say(...sign, statusWord(alive ? status() : 'Stalled: lines are no longer worked on')).then(
          () => (isQuiet = true),
        );
      };
      unwatch = every(clock, period, tell, (error) => log.error({ why: String(error) }, 'watchdog failed'));
    },
  };
}

/** A line break would begin another assignment. */
function statusWord(status: string): string {
  return `STATUS=${printable(status, 500)}`;
}
