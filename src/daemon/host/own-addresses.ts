// The host's own addresses and its gateways, protected from the moment the kernel announces them. Where nobody hears the
// announcements they are looked at every half minute, and status says so.
import { reasonOf } from '../../errors.ts';
import type { Cancel, Clock, Log } from '../../ports.ts';
import type { Faults } from '../telling/faults.ts';
import type { Host } from './host.ts';
import type { Protection } from './protection.ts';

const POLL = 30_000;
/** Announcements can be lost where the kernel has no room for them. */
const SAFETY_POLL = 600_000;
const UNKNOWN = 'W_HOST_UNKNOWN';
const POLLED = 'W_HOST_POLLED';

export interface OwnAddressesParts {
  readonly host: Host;
  readonly protection: Protection;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults: Faults;
}

/**
 * Keeps `protection` as the host is, until cancelled.
 * @param onChange called when addresses came or went, after `protection` knows.
 */
export function followOwnAddresses(parts: OwnAddressesParts, onChange: () => void): Cancel {
  const { host, protection, clock, log, faults } = parts;
  let period = POLL;
  let cancel = clock.schedule(period, look);

  function look(): void {
    cancel();
    cancel = clock.schedule(period, look);
    try {
      const { came, went } = protection.refresh();
      faults.clear(UNKNOWN);
      if (came.length + went.length === 0) return;
      log.info({ came, went }, "this host's addresses have changed");
      onChange();
    } catch (error) {
      const why = reasonOf(error);
      faults.raise(
        UNKNOWN,
        `This host's own addresses can't be read (${why}); the known ones stay protected.`,
      );
    }
  }

  const stopWatching = host.watch({
    changed: look,
    following() {
      period = SAFETY_POLL;
      faults.clear(POLLED);
      log.info({}, "following this host's addresses");
      look();
    },
    lost(why) {
      if (period === SAFETY_POLL) log.warn({ why }, "this host's addresses are polled");
      period = POLL;
      faults.raise(
        POLLED,
        `Changes of this host's addresses are not heard (${why}): they are looked at every 30 seconds instead. The program ip of iproute2 tells them.`,
      );
      look();
    },
  });
  return () => {
    stopWatching();
    cancel();
  };
}
