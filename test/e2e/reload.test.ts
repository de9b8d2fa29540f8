// Reloads while ten thousand lines a second are written: each line counts once, and nothing of a banned address passes.
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../src/api/index.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { createInternet } from '../support/namespaces.ts';
import type { Internet } from '../support/namespaces.ts';
import { needs, program } from '../support/programs.ts';
import { eventually } from '../support/run.ts';

const BURSTS = 120;
const LINES = 500;
/** Ten thousand lines a second, where the machine keeps up. */
const PAUSE = 50;
/** Where the attacker sends to. */
const PORT = 9;

needs(
  'root',
  'ip',
  'nft',
)('reloads under load', () => {
  let internet: Internet<'attacker'>;
  let daemon: Daemon;
  let folder: string;
  const log = (): string => join(folder, 'logs', 'access.log');

  /** Every reload changes how the log is named, the rules of the jail that counts, and what a ban drops. */
  function configOf(round: number): string {
    const isOdd = round % 2 === 1;
    const access = { filter: 'nginx-api', logs: [join(folder, 'logs', isOdd ? '*.log' : 'access.log')] };
    return JSON.stringify({
      jails: {
        all: { ...access, maxRetry: 1_000_000 + round, findTime: '1d' },
        gate: { ...access, maxRetry: 2_000_000, ports: isOdd ? [PORT, 22] : [PORT] },
        ...(isOdd && { other: { ...access, maxRetry: 3_000_000 } }),
      },
    });
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-e2e-'));
    mkdirSync(join(folder, 'logs'));
    writeFileSync(log(), '');
    internet = await createInternet('attacker');
    daemon = await startDaemon({
      folder: join(folder, 'bailiff'),
      host: internet.server,
      config: configOf(0),
      args: ['--no-watch'],
    });
    // Behind Bailiff's own chain: whatever it sees has passed.
    const probe = `
      table inet probe {
        counter passed { }
        chain seen {
          type filter hook prerouting priority 0
          ip saddr ${internet.clients.attacker.ipv4} udp dport ${PORT} counter name passed
        }
      }
    `;
    await internet.server.runOk(program('nft'), ['-f', '-'], { input: probe });
  }, 60_000);

  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await internet?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function counted(name: string, table: string): Promise<number> {
    const said = await internet.server.runOk(program('nft'), ['-j', 'list', 'counter', 'inet', table, name]);
    const { nftables } = JSON.parse(said) as { nftables: { counter?: { packets: number } }[] };
    return nftables.find(({ counter }) => counter)!.counter!.packets;
  }

  const dropped = async (): Promise<number> => (await daemon.status()).firewall.dropped!.packets;

  test('no line is lost or counted twice, and no packet passes', { timeout: 180_000 }, async () => {
    const { attacker } = internet.clients;
    const client = createClient(join(folder, 'bailiff', 'run'));
    await client.ban({ addresses: [attacker.ipv4], jail: 'gate', for: '1h' });
    const knocking = attacker.spawn('/bin/bash', [
      '-c',
      `for i in $(seq 100000); do echo x > /dev/udp/${internet.server.ipv4}/${PORT}; sleep 0.002; done`,
    ]);
    let reloads = 0;
    let isWriting = true;
    const reloading = (async () => {
      while (isWriting) {
        const file = join(folder, 'bailiff', 'jails.json');
        writeFileSync(`${file}.new`, configOf(++reloads), { mode: 0o600 });
        renameSync(`${file}.new`, file);
        await client.reload({});
      }
    })();
    for (let burst = 0; burst < BURSTS; burst++) {
      const stamp = new Date().toUTCString();
      const day = `${stamp.slice(5, 7)}/${stamp.slice(8, 11)}/${stamp.slice(12, 16)}:${stamp.slice(17, 25)} +0000`;
      const lines = Array.from(
        { length: LINES },
        (_, n) =>
          `198.51.100.${n % 250} - - [${day}] "GET /api/${burst}/${n} HTTP/1.1" 200 12 "-" "curl/8"\n`,
      );
      appendFileSync(log(), lines.join(''));
      // The writer's own rhythm: it waits for nothing.
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    // On a machine that is busy with other things both go on for longer.
    await eventually('it was reloaded often', () => reloads > 5, 100_000);
    await eventually('the attacker was heard often', async () => (await dropped()) > 100, 100_000);
    isWriting = false;
    await reloading;
    knocking.kill();
    const status = await daemon.caughtUp();
    expect(status.jails.find(({ name }) => name === 'all')).toMatchObject({ matches: BURSTS * LINES });
    const [{ count } = { count: 0 }] = (await client.history('198.51.100.7')).offenders;
    expect(count).toBe((BURSTS * LINES) / 250);
    expect(await counted('passed', 'probe')).toBe(0);
  });
});
