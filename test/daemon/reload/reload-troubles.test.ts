// A config that can't be read must not end the daemon, nor hold it up: it runs on with the one before, and says so.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { launchDaemon, startDaemon } from '../../support/daemon.ts';
import type { Daemon } from '../../support/daemon.ts';
import { eventually } from '../../support/run.ts';

let folder: string;
let daemon: Daemon | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-reload-'));
});
afterEach(async () => {
  await daemon?.end('SIGKILL');
  daemon = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const place = (...parts: string[]): string => join(folder, 'bailiff', ...parts);
const config = { jails: { login: { filter: 'nginx-login', logs: ['/var/log/none.log'] } } };

async function refusal(): Promise<string> {
  return eventually('the reload is refused', async () => {
    const { faults } = await daemon!.status();
    return faults.find(({ code }) => code === 'E_RELOAD_REFUSED')?.message;
  });
}

const circle = (path: string): void => {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  symlinkSync(path, path);
};
const fifo = (path: string): void => {
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  execFileSync('/usr/bin/mkfifo', ['-m', '600', path]);
};

test.each([
  ['jails.d/a.json', circle, 'ELOOP|circle'],
  ['filters/nginx-login.yaml', circle, 'ELOOP'],
  ['filters/nginx-login.yaml', fifo, 'not a regular file'],
  ['jails.d/a.json', fifo, 'not a regular file'],
  [
    'jails.d/a.json',
    (path: string) => mkdirSync(path, { recursive: true, mode: 0o700 }),
    'not a regular file',
  ],
])('%s that nobody can read is a refused reload', async (name, make, why) => {
  daemon = await startDaemon({ folder: place(), config, args: ['--firewall', 'memory', '--no-watch'] });
  make(place(name));
  process.kill(daemon.pid, 'SIGHUP');
  expect(await refusal()).toMatch(new RegExp(why));
  rmSync(place(name), { recursive: true });
  expect(await daemon.verb('reload')).toMatchObject({ code: 0, stderr: '' });
  expect((await daemon.status()).faults).toEqual([]);
});

test('the config itself may come and go under the watch', async () => {
  daemon = await startDaemon({ folder: place(), config, args: ['--firewall', 'memory'] });
  const file = place('jails.json');
  unlinkSync(file);
  expect(await refusal()).toMatch(/no such file/);
  mkdirSync(file);
  await eventually('the folder is told', async () => /not a regular file/.test(await refusal()));
  rmSync(file, { recursive: true });
  symlinkSync(file, file);
  await eventually('the circle is told', async () => /circle/.test(await refusal()));
  unlinkSync(file);
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  await eventually('all is well again', async () => (await daemon!.status()).faults.length === 0);
});

test('SIGHUP while it starts is not the end of it', async () => {
  daemon = launchDaemon({ folder: place(), config, args: ['--firewall', 'memory', '--no-watch'] });
  await eventually('it has begun', () => Promise.resolve(existsSync(place('state', 'ledger.sqlite'))));
  process.kill(daemon.pid, 'SIGHUP');
  const died = daemon.ended.then((how) => Promise.reject(new Error(JSON.stringify(how))));
  const answers = eventually('it answers', () => daemon!.status().catch(() => undefined));
  expect((await Promise.race([answers, died])).pid).toBe(daemon.pid);
});
