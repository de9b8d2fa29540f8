// A flood of strangers, through the real daemon: attackers among them are banned all the same, memory holds what it may, and
// what was let go is told. `node bench/flood.ts addresses` does it with two million, and tells figures.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/run.ts';

/** Of each family. */
const STRANGERS = Number(process.env['BAILIFF_FLOOD'] ?? 25_000);
const ATTACKERS = 100;
const CAP = 4_000;

const folder = mkdtempSync(join(tmpdir(), 'bailiff-flood-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const attacker = (i: number): string => `198.18.0.${i}`;
const stranger = (i: number): string =>
  i % 2 === 0
    ? `10.${(i >> 17) & 255}.${(i >> 9) & 255}.${(i >> 1) & 255}`
    : `2001:db8:${(i >> 17).toString(16)}:${((i >> 1) & 65_535).toString(16)}::1`;

test(
  'strangers by the ten thousand hide no attacker, and what they pushed out is told',
  { timeout: 180_000 },
  async () => {
    const log = join(folder, 'auth.log');
    writeFileSync(log, '');
    const daemon = await startDaemon({
      folder,
      config: {
        limits: { offendersPerJail: CAP },
        jails: { sshd: { filter: 'sshd', logs: [log], zone: 'UTC', findTime: '1h', banTime: '1d' } },
      },
      args: ['--firewall', 'memory'],
    });
    try {
      const now = new Date();
      const stamp = `${now.toUTCString().slice(8, 11)} ${String(now.getUTCDate()).padStart(2)} ${now.toISOString().slice(11, 19)}`;
      const lineOf = (who: string): string =>
        `${stamp} web sshd[812]: Failed password for root from ${who} port 40022 ssh2\n`;
      const every = (STRANGERS * 2) / (ATTACKERS * 5);
      let attempts = 0;
      let text = '';
      for (let i = 0; i < STRANGERS * 2; i++) {
        text += lineOf(stranger(i));
        // Five side by side: some hundred strangers between two attempts of one, no more than a quarter of what is remembered.
        if (i % every === 0) text += lineOf(attacker(Math.floor(attempts / 25) * 5 + (attempts++ % 5)));
      }
      appendFileSync(log, text);
      const status = await eventually(
        'all is read',
        async () => {
          const each = await daemon.status();
          return each.caughtUp && each.jails[0]!.matches >= STRANGERS * 2 + attempts && each;
        },
        120_000,
      );

      const bans = await daemon.bans('?jail=sshd');
      expect(bans.map(({ address, state }) => `${address} ${state}`).toSorted()).toEqual(
        Array.from({ length: ATTACKERS }, (_, i) => `${attacker(i)} blocked`).toSorted(),
      );
      const [jail] = status.jails;
      expect(jail).toMatchObject({
        ...{ matches: STRANGERS * 2 + ATTACKERS * 5, banned: ATTACKERS, bansTotal: ATTACKERS },
      });
      // Those who are banned stand aside.
      expect(jail!.offenders).toBeLessThanOrEqual(CAP + ATTACKERS);
      expect(jail!.offenders + jail!.evicted).toBe(STRANGERS * 2 + ATTACKERS);
      expect(jail!.crowds![0]).toMatchObject({ network: '2001:db8::/48' });
      const bounds = new Map(status.bounds!.map((each) => [each.what, each]));
      expect(bounds.get('offenders')).toMatchObject({
        ...{ held: jail!.offenders - ATTACKERS, dropped: jail!.evicted },
      });
      for (const { what, held, most } of bounds.values())
        expect([what, held <= (most ?? Infinity)]).toEqual([what, true]);

      const alarm = await eventually('the alarm', async () =>
        (await daemon.status()).faults.find(({ code }) => code === 'W_OFFENDERS_EVICTED'),
      );
      expect(alarm.message).toContain('2001:db8::/48');
      expect(alarm.hint).toContain('limits.offendersPerJail');
      // Whoever was forgotten is no row of the ledger either: a restart remembers as many, and as many bans.
      await daemon.end();
      const again = await startDaemon({ folder, args: ['--firewall', 'memory'] });
      const after = (await again.caughtUp()).jails[0]!;
      expect([after.offenders, after.banned]).toEqual([jail!.offenders, ATTACKERS]);
      await again.end();
    } finally {
      await daemon.end();
    }
  },
);
