import { describe, expect, test } from 'vitest';
import type { stepObject, widerObject } from '../../src/config/respond.ts';
import type {
  banTimeObject,
  configSchema,
  historySchema,
  jailSchema,
  limitsSchema,
} from '../../src/config/schema.ts';
import { createFolder } from './folder.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test('a jail that says only what it must has every value', () => {
  using folder = createFolder();
  const config = folder.config(
    '{\n "jails": { "sshd": { "filter": "sshd", "logs": ["/var/log/auth.log"] } } }',
  );
  const banTime = { first: 10 * MINUTE, factor: 4, max: 7 * DAY, forget: 30 * DAY, scope: 'jail' };
  expect(config).toEqual({
    file: `${folder.path}/jails.json`,
    allow: [],
    trustedProxies: [],
    journalDirectory: undefined,
    banTime,
    history: { keep: 365 * DAY, maxSize: 1_024 * 1_024 * 1_024 },
    limits: { offendersPerJail: 100_000, offenders: 250_000, evidence: 128 * 1_024 * 1_024, bans: 250_000 },
    jails: [
      {
        name: 'sshd',
        enabled: true,
        filters: ['sshd'],
        logs: ['/var/log/auth.log'],
        journal: [],
        sources: undefined,
        reports: false,
        start: undefined,
        maxRetry: 5,
        findTime: 10 * MINUTE,
        banTime,
        respond: [{ answer: undefined, ports: undefined, duration: undefined, wider: undefined }],
        ports: [],
        protocol: 'any',
        ignore: [],
        ipv6Prefix: 64,
        brake: { kind: 'behaving' },
        mode: 'normal',
        dryRun: false,
        resetOnSuccess: false,
        protectAfterSuccess: 86_400_000,
        zone: undefined,
        logFormat: undefined,
        where: undefined,
        except: undefined,
        conditionsAt: { where: new Map(), except: new Map() },
        at: { file: `${folder.path}/jails.json`, line: 2, column: 13 },
        logFormatAt: { file: `${folder.path}/jails.json`, line: 2, column: 13 },
      },
    ],
  });
});

test('comments and trailing commas are allowed', () => {
  using folder = createFolder();
  const { faults } = folder.load(
    '// one\n{ /* two */ "jails": { "a": { "filter": "sshd", "logs": ["/a",], }, }, } // three',
  );
  expect(faults).toEqual([]);
});

describe('changing a key changes what comes of it', () => {
  const JAIL: Record<keyof typeof jailSchema.entries, [unknown, unknown]> = {
    enabled: [true, false],
    filter: ['sshd', ['sshd', 'nginx-login']],
    logs: [['/a'], ['/a', '/b*']],
    journal: [[], ['_SYSTEMD_UNIT=ssh.service']],
    reports: [false, true],
    sources: [undefined, 'all'],
    start: ['beginning', 'end'],
    maxRetry: [5, 4],
    findTime: ['10m', '15m'],
    limit: ['100/1m', '100/2m'],
    banTime: ['10m', { first: '10m' }],
    respond: ['drop', ['reject', 'drop']],
    ports: [[22], [22, 80]],
    protocol: ['tcp', 'udp'],
    ignore: [['192.0.2.1'], ['192.0.2.0/24']],
    ipv6Prefix: [64, 56],
    brake: ['off', '300/1m'],
    mode: ['normal', 'aggressive'],
    dryRun: [false, true],
    resetOnSuccess: [false, true],
    protectAfterSuccess: ['1d', 0],
    zone: ['UTC', 'Europe/Berlin'],
    logFormat: ['combined', '$remote_addr $status'],
    where: [{ status: 401 }, { status: [401, 403], path: { prefix: '/x' } }],
    except: [{ user: 'a' }, { user: { present: true } }],
  };
  test.each(Object.entries(JAIL))('%s, in a jail and in defaults', (key, [one, other]) => {
    using folder = createFolder();
    const jail = { filter: 'sshd', logs: ['/a'] };
    const inJail = (value: unknown) => folder.load({ jails: { j: { ...jail, [key]: value } } });
    const inDefaults = (value: unknown) => {
      const { [key as keyof typeof jail]: _without, ...rest } = jail;
      return folder.load({ defaults: { [key]: value }, jails: { j: rest } });
    };
    for (const load of [inJail, inDefaults]) {
      const [first, second] = [load(one), load(other)];
      expect([...first.faults, ...second.faults]).toEqual([]);
      expect(second.config!.jails[0]).not.toEqual(first.config!.jails[0]);
    }
  });

  const BAN_TIME: Record<keyof typeof banTimeObject.entries, [unknown, unknown]> = {
    first: ['10m', '20m'],
    factor: [2, 3],
    max: ['1d', '2d'],
    forget: ['1d', 0],
    steps: [
      ['1m', '2m'],
      ['1m', '3m'],
    ],
    scope: ['jail', 'all'],
  };
  test.each(Object.entries(BAN_TIME))('%s of banTime, in a jail and in defaults', (key, [one, other]) => {
    using folder = createFolder();
    const own = (value: unknown) => folder.jail({ banTime: { [key]: value } }).banTime;
    const inherited = (value: unknown) => folder.config({ defaults: { banTime: { [key]: value } } }).banTime;
    expect(own(other)).not.toEqual(own(one));
    expect(inherited(other)).not.toEqual(inherited(one));
    expect(folder.jail({}, { banTime: { [key]: other } }).banTime).toEqual(own(other));
  });

  const STEP: Record<keyof typeof stepObject.entries, [unknown, unknown]> = {
    do: ['drop', 'reject'],
    rate: ['10/1m', '10/60'],
    ports: ['all', [22, 80]],
    for: ['1h', 'forever'],
    wider: [{ ipv4: 24 }, { ipv4: 24, when: 9 }],
  };
  test.each(Object.entries(STEP))('%s of a step, in a jail and in defaults', (key, [one, other]) => {
    using folder = createFolder();
    const extra = key === 'rate' ? { do: 'throttle' } : {};
    const step = (value: unknown) => ({ respond: [{ ...extra, [key]: value }] });
    const own = (value: unknown) => folder.jail(step(value)).respond;
    // A minute is a minute.
    if (key === 'rate') expect(own(other)).toEqual(own(one));
    else expect(own(other)).not.toEqual(own(one));
    expect(own(one)).not.toEqual(
      folder.jail(key === 'rate' ? step('11/1m') : {}).respond.slice(key === 'do' ? 1 : 0),
    );
    expect(folder.jail({}, step(other)).respond).toEqual(own(other));
  });

  const WIDER: Record<keyof typeof widerObject.entries, [unknown, unknown]> = {
    ipv4: [24, 16],
    ipv6: [48, 40],
    when: [8, 3],
  };
  test.each(Object.entries(WIDER))('%s of wider', (key, [one, other]) => {
    using folder = createFolder();
    const own = (value: unknown) => folder.jail({ respond: [{ wider: { ipv4: 25, [key]: value } }] }).respond;
    expect(own(other)).not.toEqual(own(one));
  });

  test('the short forms of respond stand for steps', () => {
    using folder = createFolder();
    const own = (respond: unknown) => folder.jail({ respond }).respond;
    expect(own('reject')).toEqual(own([{ do: 'reject' }]));
    expect(own(['drop', 'reject'])).toEqual(own([{}, { do: 'reject' }]));
    expect(
      own([
        { do: 'throttle', rate: '10/1m' },
        { ports: [80, 22, 80], for: 'forever' },
      ]),
    ).toEqual([
      {
        answer: { do: 'throttle', rate: { packets: 10, per: 'minute' } },
        ...{ ports: undefined, duration: undefined, wider: undefined },
      },
      { answer: undefined, ports: [22, 80], duration: Infinity, wider: undefined },
    ]);
  });

  const HISTORY: Record<keyof typeof historySchema.entries, [unknown, unknown]> = {
    keep: ['1w', 'forever'],
    maxSize: [16, 17],
  };
  test.each(Object.entries(HISTORY))('%s of history', (key, [one, other]) => {
    using folder = createFolder();
    const history = (value: unknown) => folder.config({ history: { [key]: value } }).history;
    expect(history(other)).not.toEqual(history(one));
    const { faults } = folder.load({ history: { maxSize: 15, keep: 0, size: 1 } });
    expect(faults.map(({ code }) => code).toSorted()).toEqual([
      'E_CONFIG_DURATION',
      'E_CONFIG_UNKNOWN_KEY',
      'E_CONFIG_VALUE',
    ]);
  });

  const LIMITS: Record<keyof typeof limitsSchema.entries, [unknown, unknown]> = {
    offendersPerJail: [1_000, 1_001],
    offenders: [1_000, 1_001],
    evidence: [1, 2],
    bans: [1_000, 1_001],
  };
  test.each(Object.entries(LIMITS))('%s of limits', (key, [one, other]) => {
    using folder = createFolder();
    const limits = (value: unknown) => folder.config({ limits: { [key]: value } }).limits;
    expect(limits(other)).not.toEqual(limits(one));
    const { faults } = folder.load({ limits: { [key]: 0, room: 1 } });
    expect(faults.map(({ code }) => code).toSorted()).toEqual(['E_CONFIG_UNKNOWN_KEY', 'E_CONFIG_VALUE']);
  });

  test('the keys of the file', () => {
    using folder = createFolder();
    const TOP: Record<keyof typeof configSchema.entries, [unknown, unknown]> = {
      $schema: ['a', 'a'],
      defaults: [{}, { banTime: '1h' }],
      allow: [['192.0.2.1'], ['192.0.2.2']],
      trustedProxies: [[], ['192.0.2.1']],
      history: [{}, { keep: '30d' }],
      limits: [{}, { bans: 1_000 }],
      journalDirectory: ['/var/log/journal', '/host/journal'],
      jails: [{}, { a: { filter: 'sshd', logs: ['/a'] } }],
    };
    for (const [key, [one, other]] of Object.entries(TOP)) {
      const [first, second] = [folder.load({ [key]: one }).config, folder.load({ [key]: other }).config];
      if (key === '$schema') expect(second).toEqual(first);
      else expect(second).not.toEqual(first);
    }
  });
});

describe('what a jail says goes before what defaults says', () => {
  test('limit is maxRetry and findTime in one', () => {
    using folder = createFolder();
    const counting = (own: object, defaults?: object) => {
      const { maxRetry, findTime } = folder.jail(own, defaults);
      return [maxRetry, findTime];
    };
    expect(counting({ limit: '100/1m' })).toEqual([101, MINUTE]);
    expect(counting({ limit: '0/1h30m' })).toEqual([1, 90 * MINUTE]);
    expect(counting({ limit: '10/30' })).toEqual([11, 30_000]);
    expect(counting({ limit: '100/1m' }, { maxRetry: 3, findTime: '1h' })).toEqual([101, MINUTE]);
    expect(counting({ maxRetry: 3 }, { limit: '100/1m' })).toEqual([3, MINUTE]);
    expect(counting({ findTime: '1h' }, { maxRetry: 3, findTime: '2h' })).toEqual([3, HOUR]);
  });

  test('a list replaces the list of defaults, an empty one too', () => {
    using folder = createFolder();
    const defaults = { ports: [22], ignore: ['192.0.2.1'] };
    expect(folder.jail({}, defaults)).toMatchObject({ ports: [22], ignore: [{ written: '192.0.2.1' }] });
    expect(folder.jail({ ports: [], ignore: [] }, defaults)).toMatchObject({ ports: [], ignore: [] });
  });

  test('filter and logs may stand in defaults', () => {
    using folder = createFolder();
    const { jails } = folder.config({
      defaults: { filter: 'sshd', logs: ['/a'] },
      jails: { a: {}, b: { logs: ['/b'] } },
    });
    expect(jails.map(({ filters, logs }) => [filters, logs])).toEqual([
      [['sshd'], ['/a']],
      [['sshd'], ['/b']],
    ]);
  });
});

describe('banTime', () => {
  const sentence = (own: unknown, defaults?: unknown) => {
    using folder = createFolder();
    return folder.jail({ banTime: own }, defaults === undefined ? {} : { banTime: defaults }).banTime;
  };

  test('as a duration makes every ban last so long, whatever defaults says', () => {
    expect(sentence('1h')).toMatchObject({ first: HOUR, factor: 1 });
    expect(sentence('2h', { first: '1m', factor: 3, max: '1h', forget: '1d' })).toMatchObject({
      first: 2 * HOUR,
      factor: 1,
      forget: DAY,
    });
    expect(sentence('2h', { steps: ['1m', '5m'] }).steps).toBeUndefined();
    expect(sentence('forever')).toMatchObject({ first: Infinity, max: Infinity });
  });

  test('as an object keeps what it does not say from defaults', () => {
    expect(sentence({ factor: 2 }, { first: '1h', max: '1d' })).toEqual({
      first: HOUR,
      factor: 2,
      max: DAY,
      forget: 30 * DAY,
      scope: 'jail',
    });
    expect(sentence({ factor: 2 }, '1h')).toMatchObject({ first: HOUR, factor: 2, max: 7 * DAY });
  });

  test('with steps begins with the first of them, and a later first or factor puts them away', () => {
    expect(sentence({ steps: ['10m', '1h', '1d'] }, { first: '5m' })).toMatchObject({
      first: 10 * MINUTE,
      steps: [10 * MINUTE, HOUR, DAY],
    });
    expect(sentence({ factor: 2 }, { steps: ['10m', '1h'] })).not.toHaveProperty('steps');
    expect(sentence({ first: '20m' }, { steps: ['10m', '1h'] })).toMatchObject({
      first: 20 * MINUTE,
      factor: 4,
    });
    expect(sentence({ forget: '1d' }, { steps: ['10m', '1h'] })).toMatchObject({
      steps: [10 * MINUTE, HOUR],
      forget: DAY,
    });
  });

  test('raises a max that nobody wrote', () => {
    expect(sentence({ first: '2w' })).toMatchObject({ first: 14 * DAY, max: 14 * DAY });
    expect(sentence({ steps: ['1h', 'forever'] })).toMatchObject({ max: Infinity });
  });

  test('of defaults is that of bans by hand', () => {
    using folder = createFolder();
    expect(folder.config({ defaults: { banTime: { first: '3h' } } }).banTime.first).toBe(3 * HOUR);
    expect(folder.config({ defaults: { banTime: { steps: ['3h', '4h'] } } }).banTime.first).toBe(3 * HOUR);
  });
});

test.each([
  [90, 90_000],
  ['90', 90_000],
  ['90s', 90_000],
  [0.5, 500],
  ['500ms', 500],
  ['10m', 10 * MINUTE],
  ['1h30m', 90 * MINUTE],
  ['1d', DAY],
  ['1w', 7 * DAY],
])('the duration %j is %d milliseconds', (written, expected) => {
  using folder = createFolder();
  expect(folder.jail({ findTime: written }).findTime).toBe(expected);
});

test('lists hold each thing once, ports in order, and a log is one however it is spelt', () => {
  using folder = createFolder();
  const jail = folder.jail({
    ports: [443, 80, 443],
    logs: ['/var/log/a', '/var//log/./a', '/b'],
    filter: ['sshd', 'nginx-api', 'sshd'],
  });
  expect(jail).toMatchObject({
    ports: [80, 443],
    logs: ['/var/log/a', '/b'],
    filters: ['sshd', 'nginx-api'],
  });
});

test('conditions come through as they were written', () => {
  using folder = createFolder();
  const where = {
    status: [401, '403'],
    admin: true,
    path: { prefix: ['/a', '/b'], regex: 'x$', present: true },
    'req.ip': '192.0.2.1',
  };
  expect(folder.jail({ where, except: { n: 0 } })).toMatchObject({ where, except: { n: 0 } });
});

test('jails that agree on a log, or have different ones, may say what they like', () => {
  using folder = createFolder();
  const jail = { filter: 'sshd', logs: ['/a'] };
  const { faults } = folder.load({
    jails: {
      a: { ...jail, start: 'end', zone: 'UTC' },
      b: { ...jail, zone: 'UTC' },
      c: { ...jail, start: 'end', zone: 'UTC' },
      d: { filter: 'sshd', logs: ['/b'], start: 'beginning', zone: 'Asia/Tokyo' },
    },
  });
  expect(faults).toEqual([]);
});

test.each(['a', '0', 'nginx_login-2.x', 'a'.repeat(64)])('a jail may be called %s', (name) => {
  using folder = createFolder();
  expect(folder.config({ jails: { [name]: { filter: 'sshd', logs: ['/a'] } } }).jails[0]!.name).toBe(name);
});
