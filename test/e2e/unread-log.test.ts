// Whoever should read the daemon's log has stopped: a journal that hangs, a pipe that nobody empties. Nobody else notices.
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BAILIFF } from '../support/built.ts';
import { startDaemon, type Daemon } from '../support/daemon.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { eventually, run } from '../support/run.ts';
import { createUnreadPipe, type UnreadPipe } from '../support/unread-pipe.ts';

/** Each says some 200 characters, and all of them more than may wait. */
const OFFENDERS = 60_000;
const MANY = 1_000_000;

let folder: TemporaryFolder;
let pipe: UnreadPipe;
let daemon: Daemon;

beforeEach(async () => {
  folder = temporaryFolder('unread-log');
  const [log, launcher] = ['access.log', 'launcher'].map((name) => join(folder.path, name));
  writeFileSync(log!, '');
  pipe = createUnreadPipe(folder.path);
  writeFileSync(launcher!, `#!/bin/sh\nexec '${BAILIFF}' "$@" > '${pipe.path}'\n`, { mode: 0o755 });
  const login = { filter: 'nginx-login', logs: [log], maxRetry: 1, banTime: '1h', brake: 'off' };
  const limits = { bans: MANY, offenders: MANY, offendersPerJail: MANY };
  daemon = await startDaemon({
    ...{ folder: folder.path, config: { limits, jails: { login } }, bailiff: launcher! },
    args: ['--firewall', 'memory'],
  });
  await daemon.caughtUp();
});
afterEach(async () => {
  await daemon.end('SIGKILL');
  pipe.close();
  folder.remove();
});

function attack(): void {
  const stamp = `${new Date().toUTCString().slice(5, 16).replaceAll(' ', '/')}:${new Date().toISOString().slice(11, 19)}`;
  const lines = Array.from(
    { length: OFFENDERS },
    (_, n) =>
      `11.1.${n >> 8}.${n & 255} - - [${stamp} +0000] "POST /login HTTP/1.1" 401 1 "-" "curl/8.5.0"\n`,
  );
  appendFileSync(join(folder.path, 'access.log'), lines.join(''));
}

const banned = async (): Promise<number> => (await daemon.status()).jails[0]!.banned;

test('all are banned, commands are answered, and it ends when it is told to', async () => {
  attack();
  await eventually('all are banned', async () => (await banned()) === OFFENDERS);
  const runtime = join(folder.path, 'run');
  const byHand = await run(BAILIFF, ['--runtime', runtime, 'ban', '203.0.113.7']);
  expect(byHand).toMatchObject({ code: 0, stderr: '', stdout: '203.0.113.7\tbanned\t\n' });
  expect(await daemon.end()).toBe(0);
});

test('when he reads again, he is told how many lines were left out', async () => {
  attack();
  await eventually('all are banned', async () => (await banned()) === OFFENDERS);
  let text = '';
  await eventually('it is told', () => {
    for (let came = pipe.read(); came !== ''; came = pipe.read()) text += came;
    return text.includes('were left out');
  });
  const said = text.split('\n').filter((line) => line.startsWith('{'));
  const told = said.map((line) => JSON.parse(line) as { msg: string; lines?: number });
  const bans = told.filter(({ msg }) => msg === 'ban').length;
  const { lines } = told.find(({ msg }) => msg.includes('were left out'))!;
  expect(bans).toBeGreaterThan(30_000);
  // Others may have been left out beside them.
  expect(bans + lines!).toBeGreaterThanOrEqual(OFFENDERS);
});
