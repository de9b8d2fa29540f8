// Who is protected because someone logged in from there of late: what the sockets and `explain` tell of it.
import type { AdministratorView, HistoryView } from '../../api/contract.ts';
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
    const { last, until, by = 'log-in' } = welcome;
    return [{ jail: jail.rules.name, loggedIn: formatInstant(last), until: formatInstant(until), by }];
  });
}

const MOST_SHOWN = 100;

/** Who is protected though no log line said so: each jail knows the same of them, that which protects longest knows all. */
export function administratorsIn({ all }: InSession, now: Instant): AdministratorView[] {
  const [longest] = all.toSorted(
    (a, b) => b.jail.rules.protectAfterSuccess - a.jail.rules.protectAfterSuccess,
  );
  return [...(longest?.jail.welcomes.all() ?? [])]
    .filter(({ by, until }) => by !== undefined && until >= now)
    .slice(-MOST_SHOWN)
    .map(({ address, by, last, until }) => ({
      ...{ address: address.text, by: by! },
      ...{ last: formatInstant(last), until: formatInstant(until) },
    }));
}
