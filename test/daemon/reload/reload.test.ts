// Another config without a gap, through a real daemon: counts and bans stay, faults leave the old one in force, and what
// is on trial goes back.
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HistoryView, ReloadRequest, ReloadView, StatusView } from '../../../src/api/contract.ts';
import { createClient } from '../../../src/api/index.ts';
import { launchDaemon, startDaemon } from '../../support/daemon.ts';
import type { Daemon } from '../../support/daemon.ts';
import { eventually } from '../../support/run.ts';

let folder: string;
let daemon: Daemon | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-reload-'));
  mkdirSync(join(folder, 'logs'));
  writeFileSync(log('access.log'), '');
});
afterEach(async () => {
  await daemon?.end('SIGKILL');
  daemon = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const log = (name: string): string => join(folder, 'logs', name);
const login = (more: object = {}) => ({
  filter: 'nginx-login',
  logs: [log('access.log')],
  maxRetry: 3,
  ...more,
});
const configOf = (jails: object, more: object = {}): string => JSON.stringify({ jails, ...more });
function write(config: string): void {
  writeFileSync(join(folder, 'bailiff', 'jails.json'), config, { mode: 0o600 });
}

/** Without watching its files, so that a test says when it reads them. */
async function start(jails: object, args: readonly string[] = ['--no-watch']): Promise<Daemon> {
  daemon = await startDaemon({
    folder: join(folder, 'bailiff'),
    config: configOf(jails),
    args: ['--firewall', 'memory', ...args],
  });
  return daemon;
}

async function reload(config: string, options: ReloadRequest = {}): Promise<ReloadView> {
  write(config);
  return createClient(join(folder, 'bailiff', 'run')).reload(options);
}

async function fail(address: string, times: number, name = 'access.log'): Promise<void> {
  const date = new Date();
  const stamp = `${String(date.getUTCDate()).padStart(2, '0')}/${date.toUTCString().slice(8, 11)}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`;
  appendFileSync(
    log(name),
    `${address} - - [${stamp}] "POST /login HTTP/1.1" 401 12 "-" "curl/8"\n`.repeat(times),
  );
  await daemon!.caughtUp();
}

const countOf = async (address: string): Promise<number[]> => {
  const history = await daemon!.get<HistoryView>(`/v1/history?address=${address}`);
  return history.offenders.map(({ count }) => count);
};
const banned = async (): Promise<string[]> =>
  (await daemon!.bans()).map(({ address, jail }) => `${jail} ${address}`);
const states = ({ jails }: StatusView): string[] => jails.map(({ name, state }) => `${name} ${state}`);
const codes = ({ faults }: StatusView): string[] => faults.map(({ code }) => code);

test('counts and bans stay under other rules, and what was seen is counted on', async () => {
  await start({ login: login() });
  await fail('198.51.100.1', 3);
  await fail('198.51.100.2', 2);
  const answer = await reload(configOf({ login: login({ maxRetry: 4 }) }));
  expect(answer).toMatchObject({ jails: { added: [], removed: [], changed: ['login'] }, sources: [] });
  expect(await banned()).toEqual(['login 198.51.100.1']);
  await fail('198.51.100.2', 1);
  expect(await countOf('198.51.100.2')).toEqual([3]);
  await fail('198.51.100.2', 1);
  expect(await banned()).toEqual(['login 198.51.100.1', 'login 198.51.100.2']);
  expect((await daemon!.status()).jails[0]).toMatchObject({ matches: 7, bansTotal: 2 });
});

test('what was not committed at a reload is committed after it', async () => {
  await start({ login: login() });
  await fail('198.51.100.1', 2);
  await reload(configOf({ login: login({ findTime: '1h' }) }));
  await daemon!.end('SIGKILL');
  await start({ login: login({ findTime: '1h' }) });
  await daemon!.caughtUp();
  expect(await countOf('198.51.100.1')).toEqual([2]);
});

test("a removed jail's bans stay, and its counts are there when it is back", async () => {
  await start({ login: login(), other: login({ maxRetry: 100 }) });
  await fail('198.51.100.1', 3);
  await fail('198.51.100.2', 2);
  expect(await reload(configOf({ other: login({ maxRetry: 100 }) }))).toMatchObject({
    jails: { removed: ['login'], changed: [] },
    released: 0,
  });
  expect(await banned()).toEqual(['login 198.51.100.1']);
  await reload(configOf({ login: login(), other: login({ maxRetry: 100 }) }));
  await fail('198.51.100.2', 1);
  expect(await banned()).toEqual(['login 198.51.100.1', 'login 198.51.100.2']);
  expect(await reload(configOf({ other: login({ maxRetry: 100 }) }), { release: true })).toMatchObject({
    released: 2,
  });
  expect(await banned()).toEqual([]);
});

test('who is released while his jail is not in session counts from nothing when it is back', async () => {
  await start({ login: login() });
  await fail('198.51.100.1', 3);
  await daemon!.end('SIGTERM');
  await start({ login: login({ enabled: false }), other: login({ maxRetry: 100 }) });
  expect((await daemon!.verb('unban', '198.51.100.1')).stdout).toContain('released');
  await daemon!.verb('enable', 'login');
  // Lines stamped with the second of the release are pardoned as well.
  const released = Math.floor(Date.now() / 1_000);
  await eventually('a second has passed', async () => Math.floor(Date.now() / 1_000) > released);
  await fail('198.51.100.1', 3);
  expect(await banned()).toEqual(['login 198.51.100.1']);
  const [ban] = await daemon!.bans();
  expect(ban!.nth).toBe(2);
});

test('the kernel follows what the config says of bans, also of a jail that is off', async () => {
  await start({ login: login() });
  await fail('198.51.100.1', 3);
  await reload(configOf({ login: login({ enabled: false }) }));
  expect((await daemon!.status()).firewall.blocked).toBe(1);
  await reload(configOf({ login: login({ enabled: false, dryRun: true }) }));
  expect((await daemon!.status()).firewall.blocked).toBe(0);
  await reload(configOf({ login: login({ ports: [443] }) }));
  expect((await daemon!.status()).firewall.blocked).toBe(1);
});

test('a log that is new says from where it is read; one that is not there yet is read when it comes', async () => {
  await start({ login: login() });
  writeFileSync(log('old.log'), 'one\ntwo\n');
  const logs = [log('access.log'), log('old.log'), log('none.log')];
  const answer = await reload(configOf({ login: login({ logs, start: 'end' }) }));
  expect(answer.sources.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
    { id: log('none.log'), from: null },
    { id: log('old.log'), from: 3 },
  ]);
  await fail('198.51.100.1', 1, 'old.log');
  await fail('198.51.100.1', 1, 'none.log');
  await fail('198.51.100.1', 1);
  expect(await banned()).toEqual(['login 198.51.100.1']);
});

test('a faulty config leaves the old one in force, tells every fault, and stands in status until it is mended', async () => {
  await start({ login: login() });
  write('{ "jails": { "login": { "filter": "nginx-logn", "logs": ["/x"], "maxRety": 2 } } }');
  const ran = await daemon!.verb('reload');
  expect(ran.code).toBe(78);
  expect(ran.stderr).toMatch(/jails\.json:1:\d+: .*nginx-login/);
  expect(ran.stderr).toMatch(/jails\.json:1:\d+: .*maxRetry/);
  expect(codes(await daemon!.status())).toEqual(['E_RELOAD_REFUSED']);
  await fail('198.51.100.1', 3);
  expect(await banned()).toEqual(['login 198.51.100.1']);
  await reload(configOf({ login: login() }));
  expect(codes(await daemon!.status())).toEqual([]);
});

test('who comes to be allowed is released at once', async () => {
  await start({ login: login() });
  await fail('198.51.100.1', 3);
  await reload(configOf({ login: login() }, { allow: ['198.51.100.0/24'] }));
  expect(await banned()).toEqual([]);
  await fail('198.51.100.1', 3);
  expect(await banned()).toEqual([]);
});

test('a config on trial goes back by itself, and takes along what it decided', async () => {
  await start({ login: login(), other: login({ maxRetry: 100 }) });
  await fail('198.51.100.1', 3);
  await fail('198.51.100.2', 2);
  const strict = { login: login({ maxRetry: 2 }), strict: login({ maxRetry: 1 }) };
  const answer = await reload(configOf(strict), { confirm: '2s' });
  expect(Date.parse(answer.confirmBy!)).toBeGreaterThan(Date.now());
  expect(codes(await daemon!.status())).toEqual(['W_RELOAD_UNCONFIRMED']);
  await fail('198.51.100.2', 1);
  expect(await banned()).toEqual(['login 198.51.100.1', 'login 198.51.100.2', 'strict 198.51.100.2']);
  const status = await eventually('the trial is over', async () => {
    const now = await daemon!.status();
    return codes(now).includes('W_RELOAD_ROLLED_BACK') && now;
  });
  expect(states(status)).toEqual(['login active', 'other active']);
  expect(codes(status)).toEqual(['W_RELOAD_ROLLED_BACK']);
  expect(await banned()).toEqual(['login 198.51.100.1']);
  expect((await daemon!.verb('confirm')).code).toBe(1);
});

test('a config that was confirmed in time stays', async () => {
  await start({ login: login() });
  const ran = await daemon!.verb('reload', '--confirm', '1h');
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(ran.stdout).toMatch(/^on trial\tuntil \d{4}-.*"bailiff confirm" keeps it/);
  await reload(configOf({ login: login(), strict: login({ maxRetry: 1 }) }), { confirm: '1h' });
  expect(await daemon!.verb('confirm')).toMatchObject({ code: 0 });
  expect(codes(await daemon!.status())).toEqual([]);
  expect(states(await daemon!.status())).toEqual(['login active', 'strict active']);
});

test('jails are switched off and on without touching the files, until the next reload', async () => {
  await start({ login: login(), off: login({ enabled: false }) });
  expect((await daemon!.verb('disable', 'login')).stdout).toBe('login\tdisabled\n');
  expect((await daemon!.verb('enable', 'off')).stdout).toBe('off\tenabled\n');
  expect(states(await daemon!.status())).toEqual(['login disabled', 'off active']);
  const acting = ['attempt', '198.51.100.2', '--jail', 'login'];
  const disabled =
    'bailiff: The jail "login" is disabled; "bailiff enable login" puts it in session until the next reload.\n';
  expect(await daemon!.verb(...acting)).toMatchObject({ code: 2, stderr: disabled });
  expect(await daemon!.verb('ban', ...acting.slice(1))).toMatchObject({ code: 2, stderr: disabled });
  expect((await daemon!.verb('attempt', '198.51.100.2', '--jail', 'of')).stderr).toContain(
    'There is no jail "of"; did you mean "off"?',
  );
  await fail('198.51.100.1', 3);
  expect(await banned()).toEqual(['off 198.51.100.1']);
  expect((await daemon!.verb('enable', 'off')).code).toBe(1);
  expect((await daemon!.verb('enable', 'nobody')).code).toBe(2);
  await reload(configOf({ login: login(), off: login({ enabled: false }) }));
  expect(states(await daemon!.status())).toEqual(['login active', 'off disabled']);
});

test('SIGHUP, and a file that changes, reload by themselves', async () => {
  await start({ login: login() }, []);
  write(configOf({ login: login(), second: login() }));
  await eventually('the changed file is in force', async () =>
    states(await daemon!.status()).includes('second active'),
  );
  mkdirSync(join(folder, 'bailiff', 'jails.d'), { mode: 0o700 });
  writeFileSync(join(folder, 'bailiff', 'jails.d', 'more.json'), configOf({ third: login() }), {
    mode: 0o600,
  });
  await eventually('a file beside it is in force', async () =>
    states(await daemon!.status()).includes('third active'),
  );
  await daemon!.end('SIGTERM');

  await start({ login: login() });
  write(configOf({ login: login(), second: login() }));
  process.kill(daemon!.pid, 'SIGHUP');
  await eventually('the signal is heard', async () =>
    states(await daemon!.status()).includes('second active'),
  );
});

test('a hang-up while it still boots ends nothing', async () => {
  const place = join(folder, 'bailiff');
  daemon = launchDaemon({
    folder: place,
    config: configOf({ login: login() }),
    args: ['--firewall', 'memory', '--no-watch'],
  });
  // From here on it proves its filters, for a second or so.
  await eventually('it has begun', () => existsSync(join(place, 'state', 'ledger.sqlite')));
  process.kill(daemon.pid, 'SIGHUP');
  const status = await eventually('it answers', () => daemon!.status().catch(() => undefined));
  expect(states(status)).toEqual(['login active']);
});
