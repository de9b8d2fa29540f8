// Lines from addresses that should not reach this host any more: counted by ban, until there are enough to look into.
import type { Ban, Duration, Instant, Network } from '../../model.ts';

/** Requests that were under way when the ban came into force are written down within this. */
export const GRACE: Duration = 5_000;
/** So many lines make a suspicion. */
const ENOUGH = 3;
/** Where the looking found nothing it is done again after this, if lines keep coming; else after {@link QUIET}. */
const AGAIN: Duration = 30_000;
/** Longer than any service waits for a connection that fell silent: sshd 120 seconds, web servers 60 to 75. */
const LEFTOVERS: Duration = 150_000;
/** So many lines after that can't be left over from before the ban. */
const MANY = 10;
/** So many bans are watched at once. */
const MOST = 1_000;
/** Without a line for so long a suspicion, or an alarm, is over. */
export const QUIET: Duration = 600_000;

export interface Suspect {
  readonly ban: Ban;
  /** That the latest line names. */
  address: Network;
  /** Lines written while the ban was in force … */
  lines: number;
  /** … and of those, the ones that nothing from before it explains. */
  late: number;
  first: Instant;
  last: Instant;
  /** When it is worth looking into again. */
  lookAt: Instant;
}

export interface Suspects {
  /** @param at when the line was written. @param since when the ban came into force. @returns undefined where it says nothing. */
  note(ban: Ban, address: Network, at: Instant, since: Instant): Suspect | undefined;
  /** The one that has waited longest to be looked into. */
  next(now: Instant): Suspect | undefined;
  /** It was looked into. @returns whether it is beyond doubt, whatever was found. */
  lookedInto(suspect: Suspect, isExplained: boolean, now: Instant): boolean;
  drop(isOver: (suspect: Suspect) => boolean): void;
  /** Forgets those whose ban is on exactly this network. Asked for each change in the kernel. */
  clear(network: Network): void;
}

export function createSuspects(): Suspects {
  const all = new Map<number, Suspect>();
  /** How many there are on a network, by its text. */
  const on = new Map<string, number>();

  function add(suspect: Suspect): Suspect {
    const { id, address } = suspect.ban;
    all.set(id, suspect);
    on.set(address.text, (on.get(address.text) ?? 0) + 1);
    return suspect;
  }

  function drop(isOver: (suspect: Suspect) => boolean): void {
    for (const [id, suspect] of all) {
      if (!isOver(suspect)) continue;
      all.delete(id);
      const { text } = suspect.ban.address;
      const rest = on.get(text)! - 1;
      if (rest > 0) on.set(text, rest);
      else on.delete(text);
    }
  }

  return {
    note(ban, address, at, since) {
      if (at <= since + GRACE) return undefined;
      const known = all.get(ban.id);
      if (!known && all.size >= MOST) return undefined;
      const suspect = known ?? add({ ban, address, lines: 0, late: 0, first: at, last: at, lookAt: 0 });
      suspect.address = address;
      suspect.lines++;
      if (at > since + LEFTOVERS) suspect.late++;
      suspect.last = Math.max(suspect.last, at);
      return suspect;
    },
    next(now) {
      let found: Suspect | undefined;
      for (const suspect of all.values())
        if (suspect.lines >= ENOUGH && suspect.lookAt <= now && (!found || suspect.lookAt < found.lookAt))
          found = suspect;
      return found;
    },
    lookedInto(suspect, isExplained, now) {
      suspect.lookAt = now + (isExplained ? QUIET : AGAIN);
      return suspect.late >= MANY;
    },
    drop,
    clear({ text }) {
      if (on.has(text)) drop(({ ban }) => ban.address.text === text);
    },
  };
}
