// In: changes (block, release) and the addresses that are always allowed.
// Out: one outcome per change, a listing of what is blocked, and a kernel that drops it.
// Never: decides whom to block or for how long, touches anything outside Bailiff's own table, or blocks the event loop.
import { BailiffError } from '../errors.ts';
import type { Clock, Exec, Log } from '../ports.ts';
import type { Firewall, Owner } from './contract.ts';
import { createDryRun } from './dry-run.ts';
import { createMemory } from './memory.ts';
import { createNftables } from './nftables.ts';

export type { Applied, Change, Dropped, Firewall, Owner } from './contract.ts';

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
  'dry-run': createDryRun,
  memory: createMemory,
  iptables() {
    throw new BailiffError(
      'E_USAGE',
      'the firewall "iptables" is not built yet: use --firewall nftables, which does not disturb rules made with iptables',
    );
  },
};

/**
 * Makes a firewall without touching the host: nothing happens before the first call, so
 * `createFirewall(kind, ports).teardown()` is all that a teardown without a daemon needs.
 * @throws BailiffError E_USAGE for a kind that isn't built yet.
 */
export function createFirewall(kind: FirewallKind, ports: FirewallPorts): Firewall {
  return BACK_ENDS[kind](ports);
}
