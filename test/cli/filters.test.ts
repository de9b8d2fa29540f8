// Verbs that ask filters about lines, without a daemon.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { start } from './harness.ts';

const FAILED = 'Jan  5 10:11:12 web sshd[812]: Failed password for root from 192.0.2.7 port 40022 ssh2';
const LOGIN =
  '198.51.100.9 - - [05/Jan/2026:10:11:12 +0000] "POST //log%69n HTTP/1.1" 401 12 "-" "x\\x1b[31m"';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-filters-'));
  mkdirSync(join(folder, 'filters'));
  writeFileSync(join(folder, 'auth.log'), `${FAILED}\nJan  5 10:11:13 web cron[1]: nothing\n${FAILED}`);
  const jails = {
    sshd: { filter: 'sshd', logs: ['/var/log/auth.log'] },
    login: { filter: 'nginx-login', logs: ['/var/log/nginx/access.log'], ignore: ['203.0.113.0/24'] },
    strict: { filter: 'nginx-login', logs: ['/var/log/nginx/access.log'], maxRetry: 1 },
  };
  writeFileSync(join(folder, 'jails.json'), JSON.stringify({ jails }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const call = (...args: string[]) => start(['--config', join(folder, 'jails.json'), ...args]);

describe('test', () => {
  // A process of its own has V8's flags from nobody but itself. Without them this line would take some thousand years.
  test('a line that makes a pattern step back without end takes no time', async () => {
    const filter = join(folder, 'bomb.yaml');
    const log = join(folder, 'bomb.log');
    const match = `'^(a+)+b <ip>$'`;
    writeFileSync(filter, `service: bomb\ndescription: bomb\nlayout: plain\nmatch: ${match}\n`);
    writeFileSync(log, `${'a'.repeat(60)}cb 192.0.2.7\n${'a'.repeat(60)}b 192.0.2.8\n`);
    const ran = await call('--json', 'test', filter, log);
    expect(JSON.parse(ran.out)).toMatchObject({ matches: [{ line: 2, address: '192.0.2.8' }], missed: 1 });
  });

  test('tells which lines match, with their numbers and what they yield; the last line needs no end', async () => {
    const ran = await call('--json', 'test', 'sshd', join(folder, 'auth.log'));
    expect(ran.code).toBe(0);
    const answer = JSON.parse(ran.out) as { matches: object[] };
    expect(answer).toMatchObject({ lines: 3, matched: 2, missed: 1 });
    expect(answer.matches).toMatchObject([
      { line: 1, address: '192.0.2.7', fields: { user: 'root' }, counts: 1 },
      { line: 3, address: '192.0.2.7' },
    ]);
  });

  test('shows the missed lines where they are asked for, and ends with 1 where nothing matched', async () => {
    const missed = await call('test', '--missed', 'sshd', join(folder, 'auth.log'));
    expect(missed.out).toBe('2\tJan  5 10:11:13 web cron[1]: nothing\n');
    expect((await call('test', 'nginx-login', join(folder, 'auth.log'))).code).toBe(1);
  });

  test('finds out how an access log is written', async () => {
    const log = join(folder, 'access.json');
    const record = { request: { remote_ip: '192.0.2.7', method: 'POST', uri: '/login' }, status: 401 };
    writeFileSync(log, `${JSON.stringify(record)}\n`.repeat(3));
    const ran = await call('--json', 'test', 'nginx-login', log);
    expect(JSON.parse(ran.out)).toMatchObject({ matched: 3, matches: [{ address: '192.0.2.7' }, {}, {}] });
    expect(ran.err).toBe(`${log} is read as json.\n`);
  });

  test('takes a YAML file, and names the nearest filter for a slip', async () => {
    const file = join(folder, 'mine.yaml');
    writeFileSync(file, "service: mine\nlayout: plain\nmatch:\n  - '^bad <ip>$'\n");
    writeFileSync(join(folder, 'app.log'), 'bad 192.0.2.9\n');
    const ran = await call('--json', 'test', file, join(folder, 'app.log'));
    expect(JSON.parse(ran.out)).toMatchObject({
      matched: 1,
      matches: [{ address: '192.0.2.9', time: null }],
    });
    const slip = await call('test', 'sshx', join(folder, 'app.log'));
    expect(slip.code).toBe(78);
    expect(slip.err).toContain('did you mean "sshd"?');
  });
});

describe('test --near', () => {
  const near = async (filter: string, lines: readonly string[]): Promise<[number, string][]> => {
    writeFileSync(join(folder, 'near.log'), `${lines.join('\n')}\n`);
    const ran = await call('--json', 'test', '--near', filter, join(folder, 'near.log'));
    const { missedLines } = JSON.parse(ran.out) as { missedLines: { line: number; why: string }[] };
    return missedLines.map(({ line, why }) => [line, why]);
  };

  test('tells where a pattern broke off, and passes over lines that are far from any', async () => {
    expect(
      await near('sshd', [
        FAILED,
        `${FAILED} and more`,
        FAILED.replace('192.0.2.7', 'gateway'),
        'Jan  5 10:11:12 web sshd[812]: Server listening on 0.0.0.0 port 22.',
        FAILED.replace('sshd', 'cron').replace('192.0.2.7', 'gateway'),
        'no syslog line',
      ]),
    ).toEqual([
      [2, expect.stringMatching(/^pattern 1 fits up to ".*port 40022 ssh2" .* then wants \$$/)],
      [3, expect.stringMatching(/^pattern \d fits up to "Failed password for root from " .* wants <ip>/)],
    ]);
  });

  test('sees into the frames that others put around a line', async () => {
    const broken = FAILED.replace('192.0.2.7', 'gateway');
    const docker = JSON.stringify({ log: `${broken}\n`, stream: 'stdout', time: '2026-01-05T10:11:12.5Z' });
    const found = await near('sshd', [docker, `2026-01-05T10:11:12.5Z stdout F ${broken}`]);
    expect(found.map(([line]) => line)).toEqual([1, 2]);
    expect(found[0]![1]).toMatch(/^pattern \d fits up to "Failed password for root from " .* wants <ip>/);
    writeFileSync(
      join(folder, 'filters', 'shop.yaml'),
      "service: shop\nlayout: plain\nprogram: shop\nmatch: '^refused for good from <ip>$'\n",
    );
    const relayed = (program: string): string =>
      `Jan  5 10:11:12 web ${program}: refused for good from gateway`;
    expect((await near('shop', [relayed('cron'), relayed('shop')])).map(([line]) => line)).toEqual([2]);
    rmSync(join(folder, 'filters', 'shop.yaml'));
  });

  test('tells of lines whose session is not known', async () => {
    writeFileSync(
      join(folder, 'filters', 'shop.yaml'),
      "service: shop\nlayout: plain\nopens: '^conn <session> from <ip>$'\nmatch: '^conn <session> refused$'\n",
    );
    expect(
      await near('shop', ['conn 1 from 192.0.2.7', 'conn 1 refused', 'conn 2 refused', 'nothing']),
    ).toEqual([[3, expect.stringContaining("the address of its session wasn't seen")]]);
    rmSync(join(folder, 'filters', 'shop.yaml'));
  });

  test('names the one condition that does not hold', async () => {
    const line = (method: string, path: string, status: number): string =>
      `192.0.2.7 - - [05/Jan/2026:10:11:12 +0000] "${method} ${path} HTTP/1.1" ${status} 1 "-" "-"`;
    expect(
      await near('nginx-login', [
        line('POST', '/login', 401),
        line('POST', '/login', 302),
        line('GET', '/login', 401),
        line('GET', '/', 401),
      ]),
    ).toEqual([
      [2, 'all conditions hold but the one on "status": it is "302"'],
      [3, 'all conditions hold but the one on "method": it is "GET"'],
    ]);
  });
});

describe('filters', () => {
  test('lists the library and what stands beside the config, each with a sample line', async () => {
    writeFileSync(
      join(folder, 'filters', 'shop.yaml'),
      "# What counts.\nservice: shop\nlayout: plain\ndescription: bad words\nmatch: '^bad <ip>$'\n" +
        'samples: [{ line: "bad 192.0.2.9", yields: { ip: 192.0.2.9 } }]\n',
    );
    const all = JSON.parse((await call('--json', 'filters')).out) as { name: string; sample: string }[];
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(['nginx-login', 'shop', 'sshd']));
    for (const { name, sample } of all) expect(sample, name).toMatch(/\d/);
    const shown = await call('filters', 'shop');
    expect(shown.out).toContain('What counts.');
    expect(shown.out).toContain('^bad <ip>$');
    expect(JSON.parse((await call('--json', 'filters', 'shop')).out)).toMatchObject({
      comment: 'What counts.',
      match: [{ regex: '^bad <ip>$', counts: 1 }],
      samples: [{ line: 'bad 192.0.2.9' }],
    });
    rmSync(join(folder, 'filters', 'shop.yaml'));
  });

  test('names the nearest for a slip', async () => {
    const ran = await call('filters', 'sshx');
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining('did you mean "sshd"')]);
  });
});

describe('explain', () => {
  test('says for each jail what becomes of the line, and why', async () => {
    const ran = await call('--json', 'explain', LOGIN);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject([
      { jail: 'sshd', outcome: 'no-layout' },
      {
        jail: 'login',
        outcome: 'counted',
        address: '198.51.100.9',
        why: expect.stringContaining('number 5'),
      },
      { jail: 'strict', outcome: 'ban', time: '2026-01-05T10:11:12.000Z' },
    ]);
  });

  test('names the entry that keeps an address from being counted', async () => {
    const ran = await call(
      '--json',
      'explain',
      LOGIN.replace('198.51.100.9', '203.0.113.9'),
      '--jail',
      'login',
    );
    expect(JSON.parse(ran.out)).toMatchObject([
      { outcome: 'ignored', why: expect.stringContaining('203.0.113.0/24') },
    ]);
  });

  test('ends with 1 where no jail takes the line, and prints hostile text harmlessly', async () => {
    const ran = await call('explain', 'nothing \u001b[31m of note');
    expect(ran.code).toBe(1);
    expect(ran.out).not.toContain('\u001b');
  });
});
