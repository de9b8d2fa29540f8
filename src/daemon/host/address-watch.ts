// News of this host's addresses and default routes, as the kernel announces them over netlink: `ip monitor`, a child that
// stays, hears them and needs no privilege for it.
import type { Cancel, Clock, Exec } from '../../ports.ts';
import { type Announcer, followAnnouncements } from '../kernel/announcements.ts';

export interface AddressListener {
  /** An address, a link or a default route has changed. Told once for what comes within a tenth of a second. */
  changed(): void;
  /** From here on changes are told. What changed before was not. */
  following(): void;
  /** Changes are not told for now. It is tried again by itself, ever later. */
  lost(why: string): void;
}

/** One announcement a line, each with its kind in front. Links too: an address counts only while its link is up. */
const MONITOR: Announcer = {
  programs: [{ program: 'ip', args: ['-o', 'monitor', 'label', 'link', 'address', 'route'] }],
  protocol: 0,
};
/** Bringing up a container is a dozen announcements. */
const GATHER = 100;

export function watchAddresses(exec: Exec, clock: Clock, listener: AddressListener): Cancel {
  let cancelGathering: Cancel | undefined;

  function gather(): void {
    cancelGathering ??= clock.schedule(GATHER, () => {
      cancelGathering = undefined;
      listener.changed();
    });
  }

  const stop = followAnnouncements(MONITOR, exec, clock, {
    open: () => (line) => {
      if (concernsUs(line)) gather();
      return line.startsWith('[');
    },
    following: () => listener.following(),
    lost: (why) => listener.lost(why),
  });
  return () => {
    stop();
    cancelGathering?.();
  };
}

/** A router may change thousands of routes a second; only the default ones are our business. What isn't understood is. */
function concernsUs(line: string): boolean {
  return !line.startsWith('[ROUTE]') || /\bdefault\b/.test(line);
}
