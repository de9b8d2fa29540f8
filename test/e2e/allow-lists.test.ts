// A `file:` list that changes while nothing else does: read again by itself, in force in the kernel, and a faulty one
// leaves the list of before in force.
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { createInternet } from '../support/namespaces.ts';
import type { Internet } from '../support/namespaces.ts';
import { needs, program } from '../support/programs.ts';
import { eventually } from '../support/run.ts';

needs(
  'root',
  'ip',
  'nft',
)('a file: list', () => {
  let folder: string;
  let internet: Internet<never>;
  let daemon: Daemon;
  const list = (): string => join(folder, 'lists', 'allow.txt');
  const log = (): string => join(folder, 'access.log');

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-lists-'));
    mkdirSync(join(folder, 'lists'), { mode: 0o700 });
    writeFileSync(log(), '');
    internet = await createInternet();
  });
  afterEach(async () => {
    await daemon?.end('SIGKILL');
    await internet?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const configOf = (more: object = {}): object => ({
    allow: ['192.0.2.200', `file:${list()}`],
    jails: { login: { filter: 'nginx-login', logs: [log()], maxRetry: 2, ...more } },
  });
  async function start(config = configOf()): Promise<void> {
    daemon = await startDaemon({ folder: join(folder, 'bailiff'), host: internet.server, config });
  }
  async function fail(address: string): Promise<void> {
    const now = new Date().toUTCString();
    const stamp = `${now.slice(5, 7)}/${now.slice(8, 11)}/${now.slice(12, 16)}:${now.slice(17, 25)} +0000`;
    appendFileSync(log(), `${address} - - [${stamp}] "POST /login HTTP/1.1" 401 12 "-" "curl/8"\n`.repeat(2));
    await daemon.caughtUp();
  }
  const banned = async (): Promise<string[]> => (await daemon.bans()).map(({ address }) => address);
  const faults = async () => (await daemon.status()).faults;
  /** The addresses in the kernel's sets whose names begin so. */
  async function kernel(purpose: 'allow' | 'ban'): Promise<string[]> {
    const table = await internet.server.runOk(program('nft'), ['list', 'table', 'inet', 'bailiff']);
    const sets = table.split(/\n\tset /).filter((text) => text.startsWith(purpose));
    return sets
      .flatMap((text) => /elements = \{([^}]*)\}/.exec(text)?.[1]!.split(',') ?? [])
      .map((element) => element.trim().split(' ')[0]!)
      .toSorted();
  }
  const holds = (purpose: 'allow' | 'ban', ...addresses: string[]): Promise<unknown> =>
    eventually(
      `the kernel's ${purpose} sets hold ${addresses.join(' ')}`,
      async () => (await kernel(purpose)).join() === addresses.toSorted().join(),
    );

  test('written in place: its new entries are allowed in the kernel, and who stands there now is released', async () => {
    writeFileSync(list(), '198.51.100.1\n', { mode: 0o600 });
    await start();
    for (const address of ['198.51.100.1', '198.51.100.2', '198.51.100.3']) await fail(address);
    expect(await banned()).toEqual(['198.51.100.2', '198.51.100.3']);
    await holds('ban', '198.51.100.2', '198.51.100.3');
    appendFileSync(list(), '198.51.100.2 # the new office\n');
    await holds('allow', '192.0.2.200', '198.51.100.1', '198.51.100.2');
    await holds('ban', '198.51.100.3');
    expect(await daemon.bans('?all=true')).toMatchObject([
      { address: '198.51.100.2', state: 'ended', endedBy: 'allow' },
      { address: '198.51.100.3', state: 'blocked' },
    ]);
    writeFileSync(list(), '198.51.100.2\n');
    await holds('allow', '192.0.2.200', '198.51.100.2');
    await fail('198.51.100.2');
    await fail('198.51.100.1');
    expect(await banned()).toEqual(['198.51.100.3', '198.51.100.1']);
  });

  test('a faulty one leaves the list of before in force and stands in status until it is mended', async () => {
    writeFileSync(list(), '198.51.100.1\n', { mode: 0o600 });
    await start();
    writeFileSync(list(), '198.51.100.2\n198.51.100.300\n');
    await eventually('it is refused', async () => (await faults()).length > 0);
    expect(await faults()).toMatchObject([
      {
        code: 'E_RELOAD_REFUSED',
        message: expect.stringMatching(/lists\/allow\.txt:2:1: .*198\.51\.100\.300/),
      },
    ]);
    await holds('allow', '192.0.2.200', '198.51.100.1');
    rmSync(list());
    await eventually('that it is gone is told', async () => (await faults())[0]!.count > 1);
    await holds('allow', '192.0.2.200', '198.51.100.1');
    writeFileSync(`${list()}.new`, '198.51.100.2\n', { mode: 0o600 });
    renameSync(`${list()}.new`, list());
    await holds('allow', '192.0.2.200', '198.51.100.2');
    expect(await faults()).toEqual([]);
  });

  test("a jail's own list is read again too", async () => {
    writeFileSync(list(), '', { mode: 0o600 });
    await start({
      jails: { login: { filter: 'nginx-login', logs: [log()], maxRetry: 2, ignore: [`file:${list()}`] } },
    });
    await fail('198.51.100.1');
    expect(await banned()).toEqual(['198.51.100.1']);
    writeFileSync(list(), '198.51.100.0/30\n');
    await eventually('it is in force', () => daemon.output().includes('config in force'));
    await fail('198.51.100.2');
    expect((await daemon.status()).jails[0]).toMatchObject({ matches: 4, ignored: 2 });
  });

  test('one that a link leads to is read again when the link is turned, and when its folder is', async () => {
    for (const [name, address] of [
      ['one', '198.51.100.1'],
      ['two', '198.51.100.2'],
      ['three', '198.51.100.3'],
    ] as const) {
      mkdirSync(join(folder, 'lists', name), { mode: 0o700 });
      writeFileSync(join(folder, 'lists', name, 'allow.txt'), `${address}\n`, { mode: 0o600 });
    }
    const turn = (link: string, target: string): void => {
      symlinkSync(target, join(folder, 'lists', `${link}.new`));
      renameSync(join(folder, 'lists', `${link}.new`), join(folder, 'lists', link));
    };
    turn('now', 'one');
    turn('allow.txt', 'now/allow.txt');
    await start();
    await holds('allow', '192.0.2.200', '198.51.100.1');
    turn('now', 'two');
    await holds('allow', '192.0.2.200', '198.51.100.2');
    writeFileSync(join(folder, 'lists', 'two', 'allow.txt'), '198.51.100.4\n');
    await holds('allow', '192.0.2.200', '198.51.100.4');
    turn('allow.txt', 'three/allow.txt');
    await holds('allow', '192.0.2.200', '198.51.100.3');
  });

  test('one that is named anew and is faulty comes into force once it is mended', async () => {
    writeFileSync(list(), '198.51.100.1\n', { mode: 0o600 });
    await start({ ...configOf(), allow: ['192.0.2.200'] });
    writeFileSync(list(), 'nobody\n');
    writeFileSync(join(folder, 'bailiff', 'jails.json'), JSON.stringify(configOf()), { mode: 0o600 });
    await eventually('it is refused', async () => (await faults()).length > 0);
    writeFileSync(list(), '198.51.100.5\n');
    await holds('allow', '192.0.2.200', '198.51.100.5');
  });
});
