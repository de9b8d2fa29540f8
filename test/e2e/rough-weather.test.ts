// What comes in is not what anyone hoped for, and the daemon goes on.
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BAILIFF } from '../support/built.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { needs } from '../support/programs.ts';
import { eventually, runOk } from '../support/run.ts';

let folder: string;
let daemon: Daemon | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-rough-'));
  mkdirSync(join(folder, 'logs'));
});

afterEach(async () => {
  await daemon?.end('SIGKILL');
  daemon = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const log = (name: string): string => join(folder, 'logs', name);

/** A refused log-in, stamped now. */
function refused(address: string, at = Date.now()): string {
  const date = new Date(at);
  const stamp = `${String(date.getUTCDate()).padStart(2, '0')}/${date.toUTCString().slice(8, 11)}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`;
  return `${address} - - [${stamp}] "POST /login HTTP/1.1" 401 12 "-" "curl/8"\n`;
}

function configFor(pattern: string, jail: object = {}): object {
  return { jails: { login: { filter: 'nginx-login', logs: [log(pattern)], maxRetry: 3, ...jail } } };
}

const start = (config: object, args: string[] = []): Promise<Daemon> =>
  startDaemon({ folder: join(folder, 'bailiff'), config, args: ['--firewall', 'memory', ...args] });

describe('bad input never stops it', () => {
  test('rubbish, NULs, invalid UTF-8 and a line of 10 MB between two log-ins are counted, and the log-ins too', async () => {
    writeFileSync(log('access.log'), '');
    daemon = await start(configFor('access.log'));
    const rubbish = Buffer.from(
      Array.from({ length: 65_536 }, (_, index) => (index * 7 + (index >> 8)) & 0xff),
    );
    appendFileSync(log('access.log'), refused('198.51.100.1'));
    appendFileSync(log('access.log'), Buffer.concat([rubbish, Buffer.from('\n')]));
    appendFileSync(log('access.log'), Buffer.from([0, 0, 0, 10, 0xff, 0xfe, 0xc3, 0x28, 10, 13, 10]));
    appendFileSync(log('access.log'), refused('198.51.100.1'));
    appendFileSync(log('access.log'), `${'x'.repeat(10_000_000)}\n`);
    appendFileSync(log('access.log'), refused('198.51.100.1'));
    await daemon.ban('198.51.100.1');
    const status = await daemon.caughtUp();
    expect(status.sources[0]).toMatchObject({ state: 'following', lag: 0, skipped: 1 });
    expect(status.sources[0]!.faults.length).toBeGreaterThan(0);
  });

  test('a log that vanishes, and one that turns into a folder, are told; the other log goes on', async () => {
    for (const name of ['a.log', 'b.log', 'c.log']) writeFileSync(log(name), '');
    daemon = await start(configFor('*.log'));
    rmSync(log('a.log'));
    renameSync(log('b.log'), log('b.log.1'));
    mkdirSync(log('b.log'));
    appendFileSync(log('c.log'), refused('198.51.100.2').repeat(3));
    await daemon.ban('198.51.100.2');
    const states = await eventually('the folder is a fault', async () => {
      const { sources } = await daemon!.status();
      const b = sources.find((source) => source.path === log('b.log'));
      return b && b.faults.length > 0 && sources;
    });
    expect(states.find((source) => source.path === log('c.log'))).toMatchObject({ state: 'following' });
  });

  needs('root', 'setpriv')('without the right to read', () => {
    test('a log is a fault, and followed once the right is given', async () => {
      for (const name of ['closed.log', 'open.log']) writeFileSync(log(name), '');
      chmodSync(log('closed.log'), 0o600);
      chmodSync(folder, 0o755);
      const bailiff = join(folder, 'as-nobody');
      writeFileSync(
        bailiff,
        `#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups '${BAILIFF}' "$@"\n`,
      );
      chmodSync(bailiff, 0o755);
      mkdirSync(join(folder, 'bailiff'));
      chownSync(join(folder, 'bailiff'), 65_534, 65_534);
      const config = join(folder, 'bailiff', 'jails.json');
      writeFileSync(config, JSON.stringify(configFor('*.log')));
      daemon = await startDaemon({
        folder: join(folder, 'bailiff'),
        args: ['--firewall', 'memory'],
        bailiff,
      });
      const closed = (await daemon.status()).sources.find((source) => source.path === log('closed.log'));
      expect(closed).toMatchObject({ state: 'failed' });
      expect(closed!.faults[0]!.message).toMatch(/may not be read/);
      appendFileSync(log('open.log'), refused('198.51.100.3').repeat(3));
      await daemon.ban('198.51.100.3');
      chmodSync(log('closed.log'), 0o644);
      appendFileSync(log('closed.log'), refused('198.51.100.4').repeat(3));
      await daemon.ban('198.51.100.4');
    });
  });
});

describe('clocks', () => {
  test('live lines an hour behind are a fault that names the zone; lines on time are none', async () => {
    writeFileSync(log('slow.log'), '');
    writeFileSync(log('true.log'), '');
    daemon = await start(configFor('*.log'));
    const hour = 3_600_000;
    for (let i = 0; i < 5; i++) {
      appendFileSync(log('slow.log'), refused(`198.51.100.${i + 10}`, Date.now() - hour));
      appendFileSync(log('true.log'), refused(`198.51.100.${i + 20}`));
      await daemon.caughtUp();
    }
    const { sources } = await daemon.status();
    const faultsOf = (name: string) => sources.find((source) => source.path === log(name))!.faults;
    expect(faultsOf('slow.log')).toMatchObject([
      { code: 'W_CLOCK_SKEW', message: expect.stringMatching(/lag.*1h.*"zone"/) },
    ]);
    expect(faultsOf('true.log')).toEqual([]);
  });
});

describe('replay', () => {
  test('over the same file it decides what the daemon decided', async () => {
    const past = Date.now() - 5 * 3_600_000;
    const lines = Array.from({ length: 400 }, (_, index) =>
      refused(
        index % 4 === 0 ? `2001:db8:${index % 3}::${index % 7}` : `198.51.100.${index % 9}`,
        past + index * 1_500,
      ),
    );
    writeFileSync(log('access.log'), lines.join(''));
    const jail = {
      start: 'beginning',
      maxRetry: 4,
      findTime: '2m',
      banTime: { first: '1m', factor: 2, max: '1h' },
    };
    daemon = await start(configFor('access.log', jail));
    await daemon.caughtUp();
    const decided = (await daemon.bans('?all=true')).map(
      (ban) => `${ban.jail} ${ban.address} ${ban.since} ${ban.until} ${ban.nth}`,
    );
    const replayed = await daemon.verb('--json', 'replay', log('access.log'));
    const { bans } = JSON.parse(replayed.stdout) as {
      bans: { jail: string; address: string; at: string; until: string; nth: number }[];
    };
    expect(bans.map((ban) => `${ban.jail} ${ban.address} ${ban.at} ${ban.until} ${ban.nth}`)).toEqual(
      decided,
    );
    expect(decided.length).toBeGreaterThan(10);
  });
});

needs('root')('a full disk', () => {
  test('blocking goes on from memory, status says so, and the ledger catches up when there is room', async () => {
    const state = join(folder, 'small');
    mkdirSync(state);
    await runOk('/usr/bin/mount', ['-t', 'tmpfs', '-o', 'size=700k,mode=0700', 'bailiff-test', state]);
    try {
      writeFileSync(log('access.log'), '');
      const args = ['--state', state];
      daemon = await start(configFor('access.log'), args);
      writeFileSync(join(state, 'ballast'), '');
      fill(join(state, 'ballast'));
      appendFileSync(log('access.log'), refused('198.51.100.5').repeat(3));
      const inForce = await eventually('the ban is in force', async () =>
        (await daemon!.bans()).find((ban) => ban.address === '198.51.100.5' && ban.state === 'blocked'),
      );
      expect(inForce).toMatchObject({ nth: 1 });
      const byHand = await daemon.verb('--json', 'ban', '203.0.113.5');
      expect(JSON.parse(byHand.stdout)).toMatchObject([{ outcome: 'banned', durable: false }]);
      expect((await daemon.status()).faults).toMatchObject([{ code: 'E_LEDGER_UNAVAILABLE' }]);
      // Of a filter that is new here it can't be kept that it was proven; it runs all the same.
      const { jails } = configFor('access.log') as { jails: object };
      const more = { jails: { ...jails, ftp: { filter: 'vsftpd', logs: [log('ftp.log')] } } };
      writeFileSync(join(folder, 'bailiff', 'jails.json'), JSON.stringify(more));
      process.kill(daemon.pid, 'SIGHUP');
      await eventually('the new jail is there', async () => (await daemon!.status()).jails.length === 2);

      rmSync(join(state, 'ballast'));
      const mended = await daemon.caughtUp();
      expect(mended.faults).toEqual([]);
      await daemon.end('SIGKILL');
      daemon = await start(configFor('access.log'), args);
      expect((await daemon.bans()).map((ban) => ban.address).toSorted()).toEqual([
        '198.51.100.5',
        '203.0.113.5',
      ]);
    } finally {
      await daemon?.end('SIGKILL');
      daemon = undefined;
      await runOk('/usr/bin/umount', [state]);
    }
  });
});

/** Writes until the file system has no byte left. */
function fill(file: string): void {
  for (const size of [65_536, 4_096, 512, 1])
    for (;;)
      try {
        appendFileSync(file, Buffer.alloc(size));
      } catch {
        break;
      }
}
