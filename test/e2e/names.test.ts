// A name in `allow` that comes to stand for another address: the daemon, a name server, and the kernel of a namespace.
// Time is in the test's hand.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient } from '../../src/api/index.ts';
import type { Client } from '../../src/api/index.ts';
import { createHost, openLedger, passBy, startDaemon } from '../../src/daemon/index.ts';
import type { Daemon } from '../../src/daemon/index.ts';
import { createExec, createInput } from '../../src/daemon/system.ts';
import { createFirewall } from '../../src/firewall/index.ts';
import { silentLog } from '../../src/ports.ts';
import { prepareSetup, takenAsProven } from '../../src/setup/index.ts';
import { createTestClock } from '../daemon/clock.ts';
import type { TestClock } from '../daemon/clock.ts';
import { onThisKernel } from '../firewall/worlds.ts';
import type { World } from '../firewall/conformance.ts';
import { startNameServer } from '../support/dns-server.ts';
import type { NameServer, Resource } from '../support/dns-server.ts';
import { needs } from '../support/programs.ts';
import { eventually } from '../support/run.ts';

needs(
  'root',
  'ip',
  'nft',
)('names in the allow list', () => {
  let folder: string;
  let server: NameServer;
  let world: World;
  let clock: TestClock;
  let daemon: Daemon | undefined;
  let client: Client;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-allow-'));
    writeFileSync(join(folder, 'access.log'), '');
    server = await startNameServer({});
    world = await onThisKernel('nftables');
    clock = createTestClock(Date.now());
  });
  afterEach(async () => {
    await daemon?.stop();
    await world.remove();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(config: object): Promise<void> {
    writeFileSync(join(folder, 'jails.json'), JSON.stringify(config), { mode: 0o600 });
    const prepare = () =>
      prepareSetup({
        configFile: join(folder, 'jails.json'),
        shippedFilters: join(import.meta.dirname, '..', '..', 'filters'),
        trusted: { uid: process.geteuid!() },
        proofs: takenAsProven,
        version: 'test',
      });
    const result = prepare();
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    daemon = await startDaemon(
      {
        ...{ setup: result.setup, prepare, watchConfig: false, ledger: openLedger(join(folder, 'state')) },
        ...{ runtime: join(folder, 'run'), firewall: createFirewall('nftables', world.ports) },
        ...{
          neverEnforce: false,
          statusGroup: undefined,
          reportGroup: undefined,
          asksForInput: false,
          version: 'test',
        },
      },
      {
        ...{ clock, log: silentLog, at: passBy, exec: createExec(), input: createInput },
        host: createHost(undefined, { servers: [server.address], hosts: '/nonexistent' }),
      },
    );
    client = createClient(join(folder, 'run'));
  }

  async function fail(address: string): Promise<void> {
    const now = new Date(clock.now()).toUTCString();
    const stamp = `${now.slice(5, 7)}/${now.slice(8, 11)}/${now.slice(12, 16)}:${now.slice(17, 25)} +0000`;
    const line = `${address} - - [${stamp}] "POST /login HTTP/1.1" 401 12 "-" "curl/8"\n`;
    appendFileSync(join(folder, 'access.log'), line.repeat(2));
    await eventually('it is read', async () => (await client.status()).caughtUp);
  }

  const banned = async (): Promise<string[]> => (await client.bans({})).items.map(({ address }) => address);
  /** The addresses in the kernel's sets whose names begin so, sorted. */
  async function kernel(purpose: 'allow' | 'ban'): Promise<string[]> {
    const sets = (await world.leftovers()).split(/\n\tset /).filter((text) => text.startsWith(purpose));
    return sets
      .flatMap((text) => /elements = \{([^}]*)\}/.exec(text)?.[1]!.split(',') ?? [])
      .map((element) => element.trim().split(' ')[0]!)
      .toSorted();
  }
  const a = (address: string): Resource => ({ type: 'A', ttl: 60, address });

  test('who it stands for is let through by the kernel, is not counted, and is released', async () => {
    server.zone = {
      'office.example.net': [{ type: 'CNAME', ttl: 300, name: 'dsl.example.org' }],
      'dsl.example.org': [a('198.51.100.10'), { type: 'AAAA', ttl: 60, address: '2001:db8:1::10' }],
    };
    await start({
      allow: ['office.example.net'],
      jails: { login: { filter: 'nginx-login', logs: [join(folder, 'access.log')], maxRetry: 2 } },
    });
    expect(await kernel('allow')).toEqual(['198.51.100.10', '2001:db8:1::10']);
    for (const address of ['198.51.100.10', '2001:db8:1::10', '198.51.100.11', '203.0.113.9'])
      await fail(address);
    expect(await banned()).toEqual(['198.51.100.11', '203.0.113.9']);
    await eventually('the kernel drops both', async () => (await kernel('ban')).length === 2);

    // A new address from the provider: he had been banned, as its holder of before.
    server.zone = { ...server.zone, 'dsl.example.org': [a('198.51.100.11')] };
    clock.advance(60_000);
    await eventually('its holder is released', async () => (await banned()).length === 1);
    await eventually('the kernel knows', async () => (await kernel('ban')).length === 1);
    expect(await kernel('allow')).toEqual(['198.51.100.11']);
    expect(await kernel('ban')).toEqual(['203.0.113.9']);
    await fail('198.51.100.11');
    // And whoever holds the old one now is a stranger.
    await fail('198.51.100.10');
    expect(await banned()).toEqual(['203.0.113.9', '198.51.100.10']);
    expect(await client.ban({ addresses: ['198.51.100.11'] })).toMatchObject([
      { outcome: 'refused', why: expect.stringContaining('"office.example.net"') },
    ]);
  });
});
