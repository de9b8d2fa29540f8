// In: changes (block, release) and the addresses that are always allowed.
// Out: one outcome per change, a listing of what is blocked, and a kernel that drops it.
// Never: decides whom to block or for how long, touches anything outside Bailiff's own table, or blocks the event loop.
import { BailiffError } from '../errors.ts';
import type { Clock, Exec, Log } from '../ports.ts';
import { isUsable, KERNEL_KINDS, type KernelKind } from './choice.ts';
import type { Firewall, Owner } from './contract.ts';
import { createDryRun } from './dry-run.ts';
import { createIptables } from './iptables.ts';
import { createMemory } from './memory.ts';
import { createNftables } from './nftables.ts';

export { chooseFirewall, isUsable, KERNEL_KINDS } from './choice.ts';
export type { Applied, Change, Dropped, Firewall, Owner } from './contract.ts';
export type { Glimpse, Seen } from './probe.ts';
export { readSurroundings } from './surroundings.ts';
export type { Surroundings } from './surroundings.ts';
export { createWitness } from './witness.ts';
export type { Witness } from './witness.ts';

export type FirewallKind = Firewall['kind'];

export interface FirewallPorts {
  readonly exec: Exec;
  readonly clock: Clock;
  readonly log: Log;
  /** Left out where nothing is enforced for long: a teardown, say. */
  readonly owner?: Owner;
}

const BACK_ENDS: Readonly<Record<FirewallKind, (ports: FirewallPorts) => Firewall>> = {
  nftables: createNftables,
  iptables: createIptables,
  'dry-run': createDryRun,
  memory: createMemory,
};

/**
 * Makes a firewall without touching the host: nothing happens before the first call, so
 * `createFirewall(kind, ports).teardown()` is all that a teardown without a daemon needs.
 */
export function createFirewall(kind: FirewallKind, ports: FirewallPorts): Firewall {
  return BACK_ENDS[kind](ports);
}

/**
 * Lifts what an earlier run blocked through another back end than `kind`: no release would ever reach it. What belongs to
 * a daemon that lives is left to it, and so is what can't be reached: a warning says so.
 * @returns the back ends that had bans.
 */
export async function liftOthers(kind: FirewallKind, ports: FirewallPorts): Promise<KernelKind[]> {
  const lifted: KernelKind[] = [];
  for (const other of KERNEL_KINDS) {
    if (other === kind || !(await isUsable(other, ports.exec))) continue;
    const firewall = createFirewall(other, ports);
    try {
      const [some] = await firewall.list();
      if (!some) continue;
      // Claims it, and so finds a daemon that lives.
      await firewall.prepare([]);
      await firewall.teardown();
      lifted.push(other);
    } catch (error) {
      if (!(error instanceof BailiffError)) throw error;
      ports.log.warn({ firewall: other, why: error.message }, 'bans of another back end stay in force');
    } finally {
      await firewall.close();
    }
  }
  return lifted;
}
