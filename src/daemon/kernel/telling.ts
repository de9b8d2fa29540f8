// The kernel is told of many networks: compared in short turns, told together, and while it works on some, the next ones are
// compared already. At a start with 100 000 bans each side would else wait for the other half of the time.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Change } from '../../firewall/contract.ts';
import type { Instant, Network } from '../../model.ts';

/** Networks that are compared, and changes whose outcomes are noted, within one turn: some milliseconds' worth. */
export const AT_ONCE = 1_000;
/**
 * Networks of which the firewall is told together: to start a program for fewer costs more, to write them down for more stalls.
 * The first ones are fewer, so that it begins to work.
 */
export const FIRST = 5_000;
export const TOGETHER = 10_000;

type Networks = Map<string, Network>;

export interface Telling {
  now(): Instant;
  /** What is to be changed in the kernel for it to hold what is wanted of the network. */
  changesOf(network: Network, now: Instant): readonly Change[];
  /** Tells the firewall, and notes what it held of each change. Called again only once it has. */
  apply(changes: readonly Change[]): Promise<void>;
  /** All that was wanted of them has been told. */
  told(networks: Iterable<Network>): void;
}

/**
 * Tells the kernel of each, once or more often.
 * @returns those that could not be told, and why; undefined where all were.
 */
export async function tellOf(
  networks: Iterator<Network>,
  telling: Telling,
): Promise<{ readonly left: Networks; readonly why: unknown } | undefined> {
  let compared: Networks = new Map();
  let changes: Change[] = [];
  let most = FIRST;
  /** What the firewall works on. */
  let flying: { readonly networks: Networks; readonly landed: Promise<void> } | undefined;

  async function land(): Promise<void> {
    await flying?.landed;
    if (flying) telling.told(flying.networks.values());
    flying = undefined;
  }

  async function depart(): Promise<void> {
    await land();
    const landed = changes.length > 0 ? telling.apply(changes) : breathe();
    // Whoever waits for it hears of a failure.
    landed.catch(() => {});
    flying = { networks: compared, landed };
    compared = new Map();
    changes = [];
    most = TOGETHER;
  }

  let now = telling.now();

  function compare(network: Network): void {
    for (const change of telling.changesOf(network, now)) changes.push(change);
  }

  /**
   * A turn's worth, in a function that never waits: a loop that does is interpreted to its end.
   * @returns the one at which it stopped, for the firewall works on it: what the kernel holds of it is about to change, and it
   * can be compared afterwards.
   */
  function compareSome(): { readonly isLast: boolean; readonly flown?: Network } {
    for (;;) {
      const next = networks.next();
      if (next.done) return { isLast: true };
      const network = next.value;
      const before = compared.size;
      compared.set(network.text, network);
      if (compared.size === before) continue;
      if (flying?.networks.has(network.text)) return { isLast: false, flown: network };
      compare(network);
      if (compared.size % AT_ONCE === 0) return { isLast: false };
    }
  }

  try {
    for (;;) {
      const { isLast, flown } = compareSome();
      if (isLast) break;
      if (flown) {
        await land();
        compare(flown);
      } else if (compared.size < most) await breathe();
      if (compared.size >= most) await depart();
      now = telling.now();
    }
    if (compared.size > 0) await depart();
    await land();
    return undefined;
  } catch (why) {
    const left: Networks = new Map([...(flying?.networks ?? []), ...compared]);
    for (let next = networks.next(); !next.done; next = networks.next())
      left.set(next.value.text, next.value);
    return { left, why };
  }
}
