// Who is protected because someone logged in from there of late: what the sockets and `explain` tell of it.
import type { HistoryView } from '../../api/contract.ts';
import { whyWelcome } from '../../jails/index.ts';
import type { Instant, Network } from '../../model.ts';
import { formatInstant } from '../../time.ts';
import type { SittingJail } from '../judge.ts';

interface InSession {
  readonly all: readonly SittingJail[];
}

/** Why a ban by hand is refused unless its administrator insists; of a network, by whoever logged in from inside. */
export function whyWelcomed({ all }: InSession, network: Network, now: Instant): string | undefined {
  for (const { jail } of all) {
    const welcome = jail.welcomed(network, now);
    if (welcome)
      return `protected in the jail ${jail.rules.name} until ${formatInstant(welcome.until)}: ${whyWelcome(welcome)}`;
  }
  return undefined;
}

/** In which jails the address is protected, and until when. */
export function protectedIn({ all }: InSession, network: Network, now: Instant): HistoryView['protected'] {
  return all.flatMap(({ jail }) => {
    const welcome = jail.welcomed(network, now);
    if (!welcome) return [];
    const { last, until } = welcome;
    return [{ jail: jail.rules.name, loggedIn: formatInstant(last), until: formatInstant(until) }];
  });
}
