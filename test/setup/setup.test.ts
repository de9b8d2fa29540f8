// What `check`, `replay` and the daemon make of a config and the filters beside it: every fault, once, where it is mended.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noProofs, prepareSetup, takenAsProven } from '../../src/setup/index.ts';
import type { SetupOptions } from '../../src/setup/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-setup-'));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, text, { mode: 0o644 });
}

const options = (): SetupOptions => ({
  configFile: join(folder, 'jails.json'),
  shippedFilters: join(import.meta.dirname, '../../filters'),
  trusted: { uid: process.geteuid!() },
  proofs: noProofs,
  version: 'test',
});

/** `jails.json:3:5 E_CODE message`, for each fault. */
function faultsOf(more: Partial<SetupOptions> = {}): string[] {
  const result = prepareSetup({ ...options(), ...more });
  const faults = result.ok ? [] : result.faults;
  return faults.map(
    ({ file, line, column, code, message, hint }) =>
      `${file.slice(folder.length + 1)}:${line}:${column} ${code} ${message}; ${hint ?? ''}`,
  );
}

const withFormat = (logFormat: string, filter = 'nginx-login'): string =>
  `{ "jails": { "login": { "filter": "${filter}", "logs": ["/a"],
    "logFormat": ${JSON.stringify(logFormat)} } } }`;

describe('a condition of a jail that can not be asked', () => {
  test('is a fault where it is written, whatever the layout', () => {
    write(
      'jails.json',
      `{ "jails": {
        "web": { "filter": "nginx-login", "logs": ["/a"], "where": { "method": "POST",
          "pth": "/x" } },
        "ssh": { "filter": "sshd", "logs": ["/b"], "except": {
          "usr": "root" } },
        "app": { "filter": "app-login-json", "logs": ["/c"], "where": {
          "msg": { "regex": "(" } } } } }`,
    );
    expect(faultsOf()).toEqual([
      'jails.json:3:11 E_FILTER_FIELD the "where" of the jail web: the lines have no field "pth"; did you mean "path"?',
      'jails.json:5:11 E_FILTER_FIELD the "except" of the jail ssh: the lines have no field "usr"; did you mean "user"?',
      'jails.json:7:11 E_FILTER_CONDITION the "where" of the jail app: the condition on "msg", "(": the group that begins here is never closed (at character 1); ',
    ]);
  });

  test('is one in the defaults where it stands there', () => {
    write(
      'jails.json',
      '{ "jails": { "ssh": { "filter": "sshd", "logs": ["/a"] } },\n  "defaults": { "except": { "usr": "x" } } }',
    );
    expect(faultsOf()).toEqual([expect.stringMatching(/^jails\.json:2:29 E_FILTER_FIELD the "except" of /)]);
  });
});

describe('a jail whose conditions its filter never fulfils', () => {
  const told = (jail: object, filters: Record<string, string> = {}): string[] => {
    for (const [name, text] of Object.entries(filters)) write(`filters/${name}.yaml`, text);
    write('jails.json', JSON.stringify({ jails: { a: { logs: ['/a'], ...jail } } }));
    expect(faultsOf()).toEqual([]);
    return prepareSetup(options()).warnings.map(
      ({ code, line, column, message }) => `${line}:${column} ${code} ${/such a "(\w+)"/.exec(message)?.[1]}`,
    );
  };
  const OWN = {
    own: 'service: x\nlayout: access\nmatch: [{ where: { status: 404 } }, { where: { status: 410-419 }, mode: aggressive }]\n',
  };

  test.each([
    ['a path that the filter’s regexes leave out', { path: ['/my-login', '/in'] }, 'path'],
    ['an answer that is no refusal', { method: 'POST', status: 200 }, 'status'],
    ['a method in the wrong case', { method: 'post' }, 'method'],
  ])('is warned of: %s', (_, where, field) => {
    expect(told({ filter: 'nginx-login', where })).toEqual([
      expect.stringMatching(new RegExp(`^1:\\d+ W_FILTER_IDLE ${field}$`)),
    ]);
  });

  test.each([
    ['one of several values', { path: ['/my-login', '/login'] }],
    ['a number as a text', { status: '401' }],
    ['what can’t be told', { path: { prefix: '/my' }, status: '200-299' }],
    ['a field that the filter says nothing of', { http_host: 'a' }],
  ])('is not suspected of: %s', (_, where) => {
    const logFormat = '$remote_addr [$time_local] "$request" "$http_host" $status';
    expect(told({ filter: 'nginx-login', where, logFormat })).toEqual([]);
  });

  test('may be fulfilled by any case that is in use', () => {
    const jail = { filter: 'own', where: { status: 410 } };
    expect(told(jail, OWN)).toEqual([expect.stringContaining('W_FILTER_IDLE status')]);
    expect(told({ ...jail, mode: 'aggressive' })).toEqual([]);
    expect(told({ ...jail, where: { status: [404, 500] } })).toEqual([]);
  });
});

describe('a log format that a filter can not work with', () => {
  test.each([
    ['$remote_addr - $remote_user [$time_local] $http_host "$request" $status', 'where $time_local begins'],
    ['$remote_addr [$time_local] $request $http_host $status', 'where $request begins'],
    ['$remote_addr [$time_local] "$request_uri" $status', 'no field "method"'],
    ['escape=json {"host":"$host"}', 'no $remote_addr'],
    ['escape=json $remote_addr "$request"', 'is not a JSON object'],
  ])('%s is a fault where it is written', (logFormat, message) => {
    write('jails.json', withFormat(logFormat));
    const faults = faultsOf();
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(
      /^jails\.json:2:5 E_FILTER_\w+ the "logFormat" of the jail login does not do for the filter nginx-login: /,
    );
    expect(faults[0]).toContain(message);
  });

  test('is one in the defaults where it stands there', () => {
    write(
      'jails.json',
      '{ "jails": { "login": { "filter": "nginx-login", "logs": ["/a"] } },\n  "defaults": { "logFormat": "$status" } }',
    );
    expect(faultsOf()).toEqual([expect.stringMatching(/^jails\.json:2:17 E_FILTER_LOG_FORMAT /)]);
  });

  test('is none of the format where the filter itself is faulty', () => {
    write('jails.json', withFormat('$remote_addr "$request" $status', 'own'));
    write('filters/own.yaml', 'service: x\nlayout: access\nwhere: { colour: red }\n');
    expect(faultsOf()).toEqual([expect.stringMatching(/^filters\/own\.yaml:0:0 E_FILTER_FIELD /)]);
  });

  test('an ordinary one with a host in it is none', () => {
    write(
      'jails.json',
      withFormat('$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status'),
    );
    expect(faultsOf()).toEqual([]);
  });
});

describe('a filter beside the config that no jail names', () => {
  beforeEach(() => write('jails.json', '{}'));

  test.each([
    ['is no filter', 'service: x\n', /^filters\/own\.yaml:1:1 E_FILTER_MISSING /],
    [
      'does not compile',
      'service: x\nlayout: plain\nmatch: "^from <user>$"\n',
      /^filters\/own\.yaml:3:8 E_FILTER_PLACEHOLDER /,
    ],
    [
      'can be bent',
      'service: x\nlayout: plain\nmatch: "^<user> from <ip>"\n',
      /^filters\/own\.yaml:3:8 E_FILTER_UNPROVEN /,
    ],
    [
      'has a condition that is none',
      "service: x\nlayout: json\naddress: a\nwhere: { msg: { regex: '(?=x)' } }\n",
      /^filters\/own\.yaml:0:0 E_FILTER_CONDITION /,
    ],
  ])('and that %s is told by check, and by nobody else', (_what, yaml, fault) => {
    write('filters/own.yaml', yaml);
    expect(faultsOf({ everyFilter: true })).toEqual([expect.stringMatching(fault)]);
    expect(faultsOf()).toEqual([]);
  });

  test('is read even where the config is faulty', () => {
    write('jails.json', '{ "jials": {} }');
    write('filters/own.yaml', 'service: x\n');
    expect(faultsOf({ everyFilter: true }).map((fault) => fault.split(' ')[1])).toEqual([
      'E_CONFIG_UNKNOWN_KEY',
      'E_FILTER_MISSING',
    ]);
    // Which format the jail says is not known then.
    write('filters/own.yaml', 'service: x\nlayout: access\nwhere: { host: a }\n');
    expect(faultsOf({ everyFilter: true })).toHaveLength(1);
  });

  test('and that everybody may write is not believed', () => {
    write('filters/own.yaml', 'service: x\nlayout: plain\nmatch: "^from <ip>$"\n');
    expect(faultsOf({ everyFilter: true })).toEqual([]);
    chmodSync(join(folder, 'filters/own.yaml'), 0o666);
    expect(faultsOf({ everyFilter: true })).toEqual([
      expect.stringMatching(/^filters\/own\.yaml:0:0 E_CONFIG_UNTRUSTED /),
    ]);
  });

  test('is tried in the format of the jail that names it, where one does', () => {
    write('filters/own.yaml', 'service: x\nlayout: access\nwhere: { host: a }\n');
    const config = withFormat('$remote_addr "$host"', 'own');
    for (const text of [config, config.replace('"filter"', '"enabled": false, "filter"')]) {
      write('jails.json', text);
      expect(faultsOf({ everyFilter: true })).toEqual([]);
    }
  });
});

test.each(['jails.d', 'filters'])(
  'a folder %s that everybody may write is told while it is empty',
  (name) => {
    write('jails.json', '{}');
    mkdirSync(join(folder, name));
    expect(faultsOf()).toEqual([]);
    chmodSync(join(folder, name), 0o777);
    expect(faultsOf()).toEqual([
      expect.stringMatching(`^${name}:0:0 E_CONFIG_UNTRUSTED .*/${name} can be written by everyone`),
    ]);
  },
);

test('a file that is missing is told once', () => {
  expect(faultsOf()).toEqual([expect.stringMatching(/^jails\.json:0:0 E_CONFIG_UNREADABLE .*no such file/)]);
  write('jails.json', `{ "allow": ["file:${join(folder, 'allow.txt')}"] }`);
  expect(faultsOf()).toEqual([expect.stringMatching(/^allow\.txt:0:0 E_CONFIG_UNREADABLE /)]);
});

describe('a jail that names no log format', () => {
  const HAPROXY =
    '192.0.2.7:40022 [05/Jan/2026:10:11:12.655] https~ app/srv1 0/0/1/4/5 401 512 - - ---- 1/1/0/0/0 0/0 "POST /login HTTP/1.1"\n';
  const COMBINED = '192.0.2.7 - - [05/Jan/2026:10:11:12 +0100] "POST /login HTTP/1.1" 401 179 "-" "-"\n';

  /** The jail's log format once it is set up, and what was told. */
  function settled(log: string | undefined, jail: Record<string, unknown> = {}) {
    if (log !== undefined) write('logs/a.log', log);
    const jails = { login: { filter: 'nginx-login', logs: [join(folder, 'logs/*.log')], ...jail } };
    write('jails.json', JSON.stringify({ jails }));
    const result = prepareSetup({
      configFile: join(folder, 'jails.json'),
      shippedFilters: join(import.meta.dirname, '../../filters'),
      trusted: { uid: process.geteuid!() },
      proofs: takenAsProven,
      version: 'test',
    });
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    const told = result.warnings.filter(({ code }) => code === 'W_FORMAT_DETECTED');
    return {
      logFormat: result.setup.jails[0]!.config.logFormat,
      filter: result.setup.jails[0]!.filters[0]!,
      told: told.map(({ message, hint }) => `${message}; ${hint}`.replace(folder, '…')),
    };
  }

  test('has its log read as it is written, and is told so', () => {
    const { logFormat, filter, told } = settled(`cut off\n${HAPROXY.repeat(20)}not ended`);
    expect(logFormat).toBe('haproxy');
    expect(filter.judge(HAPROXY.trim(), 0).outcome).toBe('match');
    expect(told).toEqual([
      'the jail login names no "logFormat"; …/logs/a.log is written as haproxy, and is read so; write "logFormat": "haproxy" into the jail, so that it stays so',
    ]);
    expect(settled(`Jan  5 10:11:12 web haproxy[9]: ${HAPROXY}`).told[0]).toContain(
      'as haproxy (inside syslog)',
    );
  });

  test('goes by the latest lines of a long log', () => {
    expect(settled(COMBINED.repeat(2_000) + HAPROXY.repeat(1_000)).logFormat).toBe('haproxy');
  });

  test.each([
    ['the log is as expected', COMBINED, {}],
    ['there is none', undefined, {}],
    ['it is empty', '', {}],
    ['it is a mixture', HAPROXY + COMBINED, {}],
    ['the filter is for something else', HAPROXY, { filter: 'sshd' }],
  ])('keeps the default where %s', (_, log, jail) => {
    expect(settled(log, jail)).toMatchObject({ logFormat: undefined, told: [] });
  });

  test('is not asked where it names one', () => {
    expect(settled(HAPROXY, { logFormat: 'common' })).toMatchObject({ logFormat: 'common', told: [] });
  });

  test('keeps the default where its filter needs more than the log has', () => {
    write('filters/agents.yaml', 'service: x\nlayout: access\nwhere: { user_agent: { contains: bot } }\n');
    expect(settled(HAPROXY, { filter: 'agents' })).toMatchObject({ logFormat: undefined, told: [] });
  });
});
