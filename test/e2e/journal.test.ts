// The daemon on a journal that a real journald writes, rotates and vacuums, killed in between.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HistoryView } from '../../src/api/contract.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { startJournald } from '../support/journald.ts';
import type { Journald } from '../support/journald.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import type { TemporaryFolder } from '../support/leftovers.ts';
import { needs } from '../support/programs.ts';
import { eventually } from '../support/run.ts';

// What journald reads of a process by its pid (its name, its unit) it misses where that has ended already, as `logger` has.
const TERMS = ['SYSLOG_IDENTIFIER=sshd', '_UID=0'];
const ID = `journal:${TERMS.join(' ')}`;
const failed = (address: string): string => `Failed password for root from ${address} port 40022 ssh2`;

needs(
  'root',
  'unshare',
  'nsenter',
  'journalctl',
  'systemd-journald',
  'logger',
)('a jail that follows the journal', () => {
  let folder: TemporaryFolder;
  let journald: Journald;
  let daemon: Daemon | undefined;

  beforeEach(async () => {
    folder = temporaryFolder('journal');
    journald = await startJournald(join(folder.path, 'journal'));
  });
  afterEach(async () => {
    await daemon?.end('SIGKILL');
    await journald.stop();
    folder.remove();
  });

  const run = async (): Promise<Daemon> =>
    (daemon = await startDaemon({
      folder: join(folder.path, 'bailiff'),
      args: ['--firewall', 'memory'],
      config: {
        journalDirectory: join(folder.path, 'journal'),
        jails: {
          sshd: {
            ...{ filter: 'sshd', logs: [join(folder.path, 'auth.log')], journal: TERMS.toReversed() },
            ...{ maxRetry: 4, findTime: '1h', banTime: '1h' },
          },
        },
      },
    }));
  const lines = async (): Promise<number> => (await daemon!.caughtUp()).sources[0]!.lines;

  test('counts every entry once through kills and rotations, and bans at the right one', async () => {
    await journald.log([
      failed('192.0.2.7'),
      failed('192.0.2.8'),
      'Accepted password for ops from 192.0.2.9 port 1 ssh2',
    ]);
    await run();
    expect((await daemon!.caughtUp()).sources).toMatchObject([
      { id: ID, kind: 'journal', state: 'following', lag: 0, lines: 3, skipped: 0, faults: [] },
    ]);
    await daemon!.end('SIGKILL');

    await journald.log([failed('192.0.2.7')]);
    await journald.rotate();
    await journald.log([failed('192.0.2.7')]);
    await run();
    expect(await lines()).toBe(2);
    await journald.rotate();
    await daemon!.end('SIGKILL');

    // Nothing new: nothing is counted again.
    await run();
    expect(await lines()).toBe(0);
    expect(await daemon!.bans()).toEqual([]);
    await journald.log([failed('192.0.2.7'), failed('192.0.2.8')]);
    expect(await daemon!.ban('192.0.2.7')).toMatchObject({
      jail: 'sshd',
      reason: '4 matches of sshd within 1h',
    });
    await daemon!.caughtUp();
    expect((await daemon!.bans()).map(({ address }) => address)).toEqual(['192.0.2.7']);

    const history = await daemon!.get<HistoryView>('/v1/history?address=192.0.2.7');
    const [ban] = history.bans as unknown as { evidence: { file: string; line: number; text: string }[] }[];
    expect(ban!.evidence.map(({ file, line }) => `${file}:${line}`)).toEqual(
      [1, 4, 5, 6].map((n) => `journal:${n}`),
    );
    expect(ban!.evidence[0]!.text).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00 \S+ sshd\[\d+\]: Failed password/,
    );
    expect(JSON.stringify(await daemon!.get<HistoryView>('/v1/history?address=192.0.2.8'))).toContain(
      '"count":2',
    );
  });

  test('what vacuum took away is told, and what is left is counted', async () => {
    await journald.log([failed('192.0.2.7')]);
    await run();
    expect(await lines()).toBe(1);
    await daemon!.end('SIGKILL');
    await journald.log([failed('192.0.2.7'), failed('192.0.2.7')]);
    await journald.rotate();
    await journald.log([failed('192.0.2.7'), failed('192.0.2.8')]);
    await journald.vacuum();
    await run();
    expect(await lines()).toBe(2);
    const [source] = (await daemon!.status()).sources;
    expect(source!.faults).toMatchObject([{ code: 'E_JOURNAL_LOST', count: 1 }]);
    // Two of ours, and what journald says of itself.
    expect(source!.faults[0]!.message).toMatch(
      /removed before they were read: those from \S+ to \S+ \(\d+, of all programs/,
    );
    expect(await daemon!.bans()).toEqual([]);
    expect(JSON.stringify(await daemon!.get<HistoryView>('/v1/history?address=192.0.2.7'))).toContain(
      '"count":2',
    );
  });

  test('nobody is banned for a part of a line that a client has made end or begin there', async () => {
    const forged = `${failed('203.0.113.9')}\0 from 192.0.2.7 port 40022 ssh2\n`;
    const begun = `session of ${'x'.repeat(48 * 1024)}${failed('203.0.113.9')}\n`;
    for (let i = 0; i < 4; i++)
      await journald.say(`${forged}${begun}said \0\0 \0${failed('203.0.113.9')}\n${failed('192.0.2.8')}\n`);
    await run();
    const { sources } = await daemon!.caughtUp();
    expect((await daemon!.bans()).map(({ address }) => address)).toEqual(['192.0.2.8']);
    expect(sources[0]!.faults).toMatchObject([{ code: 'E_SOURCE_BROKEN_LINE' }]);
    expect(sources[0]!.skipped).toBeGreaterThanOrEqual(4 * 4);
  });

  test('no journalctl outlives a daemon, however it ends', async () => {
    await journald.log([failed('192.0.2.7')]);
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await run();
      await daemon!.caughtUp();
      expect(readers(folder.path)).toHaveLength(1);
      await daemon!.end(signal);
      await eventually('its journalctl has ended', () => readers(folder.path).length === 0);
    }
  });

  test('the start says where it is read, and no log is waited for', async () => {
    await journald.log([failed('192.0.2.7')]);
    await run();
    expect((await daemon!.caughtUp()).sources.map(({ id }) => id)).toEqual([ID]);
    await eventually('it says so', () =>
      daemon!.output().includes(`watches   the journal, by ${TERMS.join(' ')}\n`),
    );
    expect(daemon!.output()).not.toContain('waits for');
  });
});

/** The command lines of the journalctls that follow a journal below this folder. */
function readers(folder: string): string[] {
  return globSync('/proc/[0-9]*/cmdline').flatMap((file) => {
    try {
      const line = readFileSync(file, 'latin1');
      return line.includes('journalctl') &&
        line.includes(`--directory=${folder}`) &&
        line.includes('--follow')
        ? [line]
        : [];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}
