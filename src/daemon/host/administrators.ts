// Whom a ban would lock out: who is logged in on this host from elsewhere, and who spoke to the daemon over ssh. Both are
// noted in every jail as a log-in is, while they last and for `protectAfterSuccess` after, and are committed with it.
import { reasonOf } from '../../errors.ts';
import type { Arrival } from '../../jails/contract.ts';
import type { Instant, Network } from '../../model.ts';
import type { Cancel, Clock, Exec, Log } from '../../ports.ts';
import type { Sittings } from '../sitting.ts';
import { listLoggedIn } from './logged-in.ts';

/** How often it is looked who is logged in, and how often what is known is noted anew while it lasts. */
const LOOK = 20_000;
const RENEW = 5 * 60_000;
/** An answer that was asked for ahead and is older is no answer any more. */
const FRESH = 2_000;
/** He was there already a moment before: stamps of lines are of the second, and clocks differ. */
const BEFORE = 60_000;
/** So many addresses are kept for jails that come in session later. */
const MOST = 500;

interface Presence extends Arrival {
  readonly address: Network;
  readonly last: Instant;
}

/** Who is logged in, as it was asked by whoever starts before he did what takes long. */
export interface AskedAhead {
  readonly asked: Instant;
  readonly found: ReturnType<typeof listLoggedIn>;
}

export interface Administrators {
  /** An administrator speaks to the daemon from there, now. */
  present(address: Network): void;
  /** Other jails may be in session: they are told what is known. */
  remind(): void;
  /** Resolves after the first look. */
  readonly ready: Promise<void>;
  stop: Cancel;
}

export function followAdministrators(parts: {
  readonly sittings: Pick<Sittings, 'all'>;
  readonly exec: Exec;
  readonly clock: Clock;
  readonly log: Log;
  /** For the first look. */
  readonly loggedIn?: AskedAhead | undefined;
}): Administrators {
  const { sittings, exec, clock, log } = parts;
  let { loggedIn } = parts;
  const known = new Map<string, Presence>();
  let open = new Map<string, Presence>();
  let isTold = false;
  let stopped = false;
  let cancel: Cancel = () => {};

  /** @param patience what the jails know already may be so old. */
  function note(presence: Presence, patience: number): void {
    const { address, last, by, since } = presence;
    known.delete(address.text);
    known.set(address.text, presence);
    if (known.size > MOST) known.delete(known.keys().next().value!);
    for (const { jail } of sittings.all) {
      const before = jail.welcomed(address, last);
      if (!before || last - before.last >= patience)
        jail.welcome(address, last, since === undefined ? { by } : { by, since });
    }
  }

  async function look(): Promise<void> {
    const ahead = loggedIn && clock.now() - loggedIn.asked <= FRESH ? loggedIn : undefined;
    loggedIn = undefined;
    const asked = ahead?.asked ?? clock.now();
    const found = await (ahead?.found ?? listLoggedIn(exec, asked));
    if (stopped) return;
    if (!found && !isTold) log.info({}, 'open sessions are not known: there is neither loginctl nor who');
    isTold ||= !found;
    const now = new Map<string, Presence>();
    for (const { address, since = asked - BEFORE } of found ?? [])
      now.set(address.text, { address, by: 'session', since: Math.min(since, asked), last: asked });
    for (const presence of now.values()) {
      if (!open.has(presence.address.text))
        log.info({ address: presence.address.text }, 'a session is open: its address is protected');
      note(presence, RENEW);
    }
    // It was open until a moment ago: from then on it is protected for the set time.
    for (const [text, presence] of open) if (!now.has(text)) note(presence, 0);
    open = now;
  }

  const goOn = async (): Promise<void> => {
    try {
      await look();
    } catch (error) {
      log.warn({ why: reasonOf(error) }, 'open sessions could not be looked at');
    }
    if (!stopped) cancel = clock.schedule(LOOK, () => void goOn());
  };

  return {
    present(address) {
      const last = clock.now();
      note({ address, by: 'command', since: last - BEFORE, last }, 0);
    },
    remind() {
      for (const presence of [...known.values()]) note(presence, RENEW);
    },
    ready: goOn(),
    stop() {
      stopped = true;
      cancel();
    },
  };
}
