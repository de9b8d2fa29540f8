// From evidence to a cause: what the kernel holds, what stands ahead of it, and where packets of the address are seen.
// A cause is named only where something was seen that speaks for it; else there is none.
import { contains } from '../../address.ts';
import type { Glimpse, Seen, Surroundings, Witness } from '../../firewall/index.ts';
import type { Duration, Instant, Network, Scope } from '../../model.ts';
import type { Clock } from '../../ports.ts';
import type { Socket } from '../host/sockets.ts';
import { covers, describeScope } from './causes.ts';
import type { Finding } from './causes.ts';

/** What is asked about. */
export interface Question {
  readonly network: Network;
  readonly scope: Scope;
  /** The address that the lines name. */
  readonly address: Network;
  /** When the latest line about it was written. */
  lastLine(): Instant;
  /** Does it still matter? */
  isOpen(): boolean;
}

export interface DiagnosisParts {
  readonly witness: Witness;
  readonly clock: Clock;
  sockets(): readonly Socket[];
  /** Is a connection of the network taken past the firewall? undefined: this kernel does not tell. */
  isOffloaded(network: Network): boolean | undefined;
  /** The entry of `allow` that holds the address. */
  whyAllowed(address: Network): string | undefined;
}

/** Looks so often, first each second, then each five; traffic that is slower has to be met. */
const QUICK_LOOKS = 10;
const SLOW_LOOKS = 10;
const QUICK: Duration = 1_000;
const SLOW: Duration = 5_000;
/** A line's stamp may be a second old when it is written, for it has no smaller parts. */
const AFTER: Duration = 1_000;

/** @returns undefined where nothing was seen that explains it. Takes seconds. */
export async function diagnose(parts: DiagnosisParts, question: Question): Promise<Finding | undefined> {
  return (await standing(parts, question)) ?? (await moving(parts, question));
}

/** What can be read at once. */
async function standing(
  { witness, whyAllowed }: DiagnosisParts,
  { network, scope, address }: Question,
): Promise<Finding | undefined> {
  const entry = whyAllowed(address);
  if (entry !== undefined)
    return { cause: 'allowed', seen: `the address is allowed by "${entry}" and passes ahead of every ban` };
  if (await witness.allows(address))
    return {
      cause: 'allowed',
      seen: 'it stands in an allow set of the kernel and passes ahead of every ban',
    };
  if ((await witness.holds(scope, network)) === false)
    return { cause: 'not-in-kernel', seen: 'the kernel does not hold it any more, or no rule asks for it' };
  const ahead = await witness.acceptedAhead();
  return ahead === undefined
    ? undefined
    : { cause: 'accepted-first', seen: `ahead of the ban stands: ${ahead}` };
}

/** What shows only while traffic comes. */
async function moving(parts: DiagnosisParts, question: Question): Promise<Finding | undefined> {
  const { witness, clock } = parts;
  const probe = await witness.probe(question.network);
  const began = clock.now();
  // Whoever was connected before the ban may still have lines written about him: such lines prove nothing.
  const wasConnected = socketsOf(parts, question).some((socket) => covers(question.scope, socket));
  try {
    for (let look = 0; look < QUICK_LOOKS + SLOW_LOOKS && question.isOpen(); look++) {
      await sleep(clock, look < QUICK_LOOKS ? QUICK : SLOW);
      const glimpse = await probe?.read();
      // Somebody made the table anew: what was counted is gone with it.
      if (probe && !glimpse) return undefined;
      const found = await judge(parts, question, {
        glimpse,
        wasConnected,
        isFed: question.lastLine() > began + AFTER,
      });
      if (found) return found;
    }
    return undefined;
  } finally {
    await probe?.remove();
  }
}

interface Look {
  /** undefined where packets can't be counted. */
  readonly glimpse: Glimpse | undefined;
  /** Was somebody of the network connected to what the ban covers when it began? */
  readonly wasConnected: boolean;
  /** Have lines been written since? */
  readonly isFed: boolean;
}

async function judge(
  parts: DiagnosisParts,
  question: Question,
  { glimpse, wasConnected, isFed }: Look,
): Promise<Finding | undefined> {
  const { scope } = question;
  if (!isFed || wasConnected) return undefined;
  const seen = glimpse ? glimpse.behind : socketsOf(parts, question).map(seenAs);
  const outside = seen.filter((to) => !covers(scope, to));
  if (outside.length > 0) return portsFinding(scope, outside);
  const surroundings = await parts.witness.surroundings();
  if (glimpse && glimpse.behind.length > 0)
    return aheadFinding(surroundings, 'packets pass though the ban covers them');
  if (glimpse && glimpse.before.length > 0)
    return surroundings && earlierChains(surroundings).length > 0
      ? aheadFinding(surroundings, 'lines are written though its packets are dropped')
      : undefined;
  if (!glimpse) {
    const uncovered = listenersOutside(parts, scope);
    if (uncovered.length > 0) return portsFinding(scope, uncovered, 'this host listens on');
  }
  return bypassFinding(parts, question.network, surroundings);
}

function portsFinding(
  scope: Scope,
  to: readonly Pick<Seen, 'protocol' | 'port'>[],
  what = 'its packets come to',
): Finding {
  const names = [...new Set(to.map(({ protocol, port }) => `${protocol} ${port}`))].slice(0, 8).join(', ');
  return { cause: 'ports', seen: `${what} ${names}, and the ban covers ${describeScope(scope)}` };
}

function aheadFinding(surroundings: Surroundings | undefined, what: string): Finding {
  const chains = surroundings ? earlierChains(surroundings) : [];
  const named = chains.map(
    ({ family, table, name, priority }) => `${family} ${table} ${name} (priority ${priority})`,
  );
  const ahead = named.length === 0 ? '' : `; these chains come first: ${named.join(', ')}`;
  return { cause: 'accepted-first', seen: `${what}${ahead}` };
}

/** Its packets don't pass the place where all packets to this host pass. */
function bypassFinding(
  parts: DiagnosisParts,
  network: Network,
  surroundings: Surroundings | undefined,
): Finding {
  const flowtable = surroundings?.flowtables.find(({ devices }) => devices.length > 0);
  if (flowtable && parts.isOffloaded(network) !== false)
    return {
      cause: 'flowtable',
      seen: `none of its packets passes the firewall, and the flowtable ${flowtable.family} ${flowtable.table} ${flowtable.name} takes connections past it`,
    };
  return {
    cause: 'proxy',
    seen: 'lines name it, and none of its packets comes to this host: it comes through a proxy or a CDN, or the log tells of another host',
  };
}

/** Chains that see packets before Bailiff does. In nftables an accept there decides nothing for later chains; other verbs do. */
export function earlierChains({ chains }: Surroundings): Surroundings['chains'] {
  return chains.filter(
    ({ hook, priority, does }) =>
      (hook === 'ingress' || (hook === 'prerouting' && priority < -300)) &&
      does.some((word) => !['accept', 'drop', 'jump', 'goto', 'return', 'notrack'].includes(word)),
  );
}

function listenersOutside(parts: DiagnosisParts, scope: Scope): Socket[] {
  if (scope.ports.length === 0) return [];
  return parts
    .sockets()
    .filter((socket) => socket.isListening && socket.protocol === 'tcp' && !covers(scope, socket));
}

function socketsOf(parts: DiagnosisParts, { network }: Question): Socket[] {
  return parts.sockets().filter(({ peer, isListening }) => !isListening && contains(network, peer));
}

function seenAs({ protocol, port }: Socket): Seen {
  return { protocol, port, packets: 1 };
}

function sleep(clock: Clock, duration: Duration): Promise<void> {
  return new Promise((resolve) => void clock.schedule(duration, resolve));
}
