// A daemon that ends in order leaves its bans for the next start; one that is killed leaves none. Either way all are there again.
import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, expect, test } from 'vitest';
import { LEAST_LEFT } from '../../src/ledger/left.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';

const MANY = LEAST_LEFT + 100;
const folder = mkdtempSync(join(tmpdir(), 'bailiff-left-'));
/** The one that runs now, also where the test has failed. */
let running: Daemon | undefined;
afterAll(async () => {
  await running?.end('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const addressOf = (n: number): string =>
  n % 3 === 0 ? `2001:db8:0:${n.toString(16)}::1` : `10.1.${n >> 8}.${n & 255}`;

/** Is there a picture that the ledger vouches for? */
function isLeft(): boolean {
  const db = new Database(join(folder, 'state', 'ledger.sqlite'), { readonly: true });
  const marks = db.prepare('SELECT count(*) FROM left_bans').pluck().get();
  db.close();
  return marks === 1 && existsSync(join(folder, 'state', 'ledger.sqlite-bans'));
}

async function held(daemon: Daemon): Promise<{ count: number; bans: string }> {
  const { blocked } = (await daemon.status()).firewall;
  const { code, stdout } = await daemon.verb('bans', '--json');
  expect(code).toBe(0);
  return { count: blocked!, bans: stdout };
}

test(
  'bans are the same after an orderly end as before it, and after a kill',
  { timeout: 120_000 },
  async () => {
    const log = join(folder, 'auth.log');
    writeFileSync(log, '');
    const config = {
      jails: {
        sshd: { filter: 'sshd', logs: [log], zone: 'UTC', maxRetry: 1, findTime: '1h', banTime: '1d' },
      },
    };
    const start = async (): Promise<Daemon> =>
      (running = await startDaemon({ folder, config, args: ['--firewall', 'memory'] }));
    const first = await start();
    const now = new Date();
    const stamp = `${now.toUTCString().slice(8, 11)} ${String(now.getUTCDate()).padStart(2)} ${now.toISOString().slice(11, 19)}`;
    const lines = Array.from(
      { length: MANY },
      (_, n) => `${stamp} web sshd[812]: Failed password for root from ${addressOf(n)} port 40022 ssh2\n`,
    );
    appendFileSync(log, lines.join(''));
    await first.caughtUp();
    const before = await held(first);
    expect(before.count).toBe(MANY);
    expect(before.bans).toContain(addressOf(MANY - 1));
    expect(isLeft()).toBe(false);
    expect(await first.end()).toBe(0);
    expect(isLeft()).toBe(true);

    const second = await start();
    expect(await held(second)).toEqual(before);
    expect((await second.verb('unban', addressOf(7))).code).toBe(0);
    expect(isLeft()).toBe(false);
    const after = await held(second);
    await second.end('SIGKILL');
    expect(isLeft()).toBe(false);

    const third = await start();
    expect(await held(third)).toEqual(after);
    expect(after.count).toBe(MANY - 1);
    expect(await third.end()).toBe(0);
    expect(isLeft()).toBe(true);
  },
);
