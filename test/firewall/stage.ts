// The stage for real packets: an attacker, a bystander and a server whose kernel a firewall of some kind is let loose on.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { createClock } from '../../src/daemon/system.ts';
import { createFirewall, type Firewall, type FirewallKind } from '../../src/firewall/index.ts';
import { silentLog, type Exec } from '../../src/ports.ts';
import { createNetwork, type Network } from './network.ts';
import { execIn } from './worlds.ts';

/** Sets it up for the tests of a `describe`: the network once, a firewall that blocks nobody for each of them. */
export function setStage(kind: FirewallKind) {
  const clock = createClock();
  let network: Network;
  let exec: Exec;
  let firewall: Firewall;

  beforeAll(async () => {
    network = await createNetwork();
    exec = execIn(network.server.host.namespace);
  }, 60_000);
  afterAll(() => network.remove());
  beforeEach(async () => {
    firewall = createFirewall(kind, { exec, clock, log: silentLog });
    await firewall.prepare([]);
  });
  afterEach(async () => {
    await firewall.teardown();
    await firewall.close();
  });

  return {
    clock,
    /** When a ban ends that outlasts its test. */
    soon: (): number => clock.now() + 600_000,
    /** All of it is applied. */
    async apply(...changes: Parameters<Firewall['apply']>[0]): Promise<void> {
      const outcomes = await firewall.apply(changes, clock.now());
      expect(outcomes).toEqual(changes.map(() => ({ outcome: 'applied' })));
    },
    get server() {
      return network.server;
    },
    get attacker() {
      return network.attacker;
    },
    get bystander() {
      return network.bystander;
    },
    /** Runs programs on the server. */
    get exec() {
      return exec;
    },
    get firewall() {
      return firewall;
    },
  };
}
