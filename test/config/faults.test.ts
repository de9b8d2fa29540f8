import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { formatFault } from '../../src/errors.ts';
import { loadConfig } from '../../src/config/index.ts';
import { briefly, createFolder, FILTERS, unmark } from './folder.ts';

const inJail = (keys: string) =>
  `{\n  "jails": {\n    "a": { "filter": "sshd", "logs": ["/a"], ${keys} }\n  }\n}`;

/** Where the mark » stands, the fault is to be. */
const TABLE: [what: string, code: string, marked: string, hint?: string][] = [
  ['a missing comma', 'E_CONFIG_SYNTAX', '{\n  "allow": []\n  »"jails": {}\n}'],
  ['a missing colon', 'E_CONFIG_SYNTAX', '{\n  "allow" »[]\n}'],
  ['a text that is not closed', 'E_CONFIG_SYNTAX', '{\n  "jails": {},\n  »"allow\n}'],
  ['a bare word', 'E_CONFIG_SYNTAX', '{\n  "allow": »yes\n}'],
  ['something after the end', 'E_CONFIG_SYNTAX', '{} »{}'],
  ['a comment that is not closed', 'E_CONFIG_SYNTAX', '{}\n»/* no end'],
  ['nesting without end', 'E_CONFIG_SYNTAX', `${'['.repeat(32)}»${'['.repeat(100_000)}`],
  ['a list for a config', 'E_CONFIG_TYPE', '\n »[]'],
  ['a text for a config', 'E_CONFIG_TYPE', '»"jails"'],
  ['an unknown key at the top', 'E_CONFIG_UNKNOWN_KEY', '{ »"alow": [] }', 'did you mean "allow"?'],
  ['an unknown key in a jail', 'E_CONFIG_UNKNOWN_KEY', inJail('»"maxretry": 3'), 'did you mean "maxRetry"?'],
  [
    'an unknown key in banTime',
    'E_CONFIG_UNKNOWN_KEY',
    inJail('"banTime": { »"frist": 3 }'),
    'did you mean "first"?',
  ],
  [
    'an unknown key in defaults',
    'E_CONFIG_UNKNOWN_KEY',
    '{ "defaults": {\n »"findtime": 3 } }',
    'did you mean "findTime"?',
  ],
  [
    'an unknown test in where',
    'E_CONFIG_UNKNOWN_KEY',
    inJail('"where": { "path": { "prefix": "/", »"sufix": "x" } }'),
    'did you mean "suffix"?',
  ],
  ['a key of a later version', 'E_CONFIG_UNKNOWN_KEY', inJail('»"answers": []')],
  ['the key __proto__', 'E_CONFIG_UNKNOWN_KEY', '{ »"__proto__": { "jails": {} } }'],
  [
    'a duplicate key',
    'E_CONFIG_DUPLICATE_KEY',
    '{\n  "allow": [],\n  »"allow": ["192.0.2.1"]\n}',
    'the first is on line 2',
  ],
  [
    'a duplicate jail',
    'E_CONFIG_DUPLICATE_KEY',
    inJail('"mode": "normal" },\n    »"a": { "filter": "sshd", "logs": ["/b"]'),
  ],
  ['a jail that is a list', 'E_CONFIG_TYPE', '{ "jails": { "a": »[] } }'],
  ['jails as a list', 'E_CONFIG_TYPE', '{ "jails": »[] }'],
  ['defaults as a list', 'E_CONFIG_TYPE', '{ "defaults": »[] }'],
  ['logs that are no list', 'E_CONFIG_TYPE', '{ "jails": { "a": { "filter": "sshd", "logs": »"/a" } } }'],
  ['a number for a filter', 'E_CONFIG_TYPE', '{ "jails": { "a": { "filter": »7, "logs": ["/a"] } } }'],
  [
    'a number in a list of filters',
    'E_CONFIG_TYPE',
    '{ "jails": { "a": { "filter": ["sshd", »7], "logs": ["/a"] } } }',
  ],
  ['a text for maxRetry', 'E_CONFIG_TYPE', inJail('"maxRetry": »"5"')],
  ['half a match', 'E_CONFIG_TYPE', inJail('"maxRetry": »2.5')],
  ['a text for enabled', 'E_CONFIG_TYPE', inJail('"enabled": »"no"')],
  ['a number for dryRun', 'E_CONFIG_TYPE', inJail('"dryRun": »1')],
  ['true for a duration', 'E_CONFIG_TYPE', inJail('"findTime": »true')],
  ['a list for banTime', 'E_CONFIG_TYPE', inJail('"banTime": »["1h"]')],
  ['a text among ports', 'E_CONFIG_TYPE', inJail('"ports": [22, »"80"]')],
  [
    'null in jails.json',
    'E_CONFIG_VALUE',
    inJail('"mode": »null'),
    'leave the key out; null deletes a key only in jails.d/',
  ],
  ['null among conditions', 'E_CONFIG_TYPE', inJail('"where": { "user": [1, »null] }')],
  ['a number in allow', 'E_CONFIG_TYPE', '{ "allow": ["192.0.2.1", »7] }'],
  ['maxRetry of nothing', 'E_CONFIG_VALUE', inJail('"maxRetry": »0')],
  ['a port beyond the last', 'E_CONFIG_VALUE', inJail('"ports": [22, »65536]')],
  ['port 0', 'E_CONFIG_VALUE', inJail('"ports": [»0]')],
  ['too short a prefix', 'E_CONFIG_VALUE', inJail('"ipv6Prefix": »31')],
  ['too long a prefix', 'E_CONFIG_VALUE', inJail('"ipv6Prefix": »129')],
  ['an unknown mode', 'E_CONFIG_VALUE', inJail('"mode": »"agressive"'), 'did you mean "aggressive"?'],
  ['an unknown protocol', 'E_CONFIG_VALUE', inJail('"protocol": »"sctp"'), 'known values: any, tcp, udp'],
  ['an unknown start', 'E_CONFIG_VALUE', inJail('"start": »"begin"')],
  ['an unknown zone', 'E_CONFIG_VALUE', inJail('"zone": »"Europe/Berln"'), 'did you mean "Europe/Berlin"?'],
  ['an offset for a zone', 'E_CONFIG_VALUE', inJail('"zone": »"+02:00"')],
  ['a relative log', 'E_CONFIG_VALUE', '{ "jails": { "a": { "filter": "sshd", "logs": [»"auth.log"] } } }'],
  ['an option for a journal match', 'E_CONFIG_VALUE', inJail('"journal": [»"--file=/x"]')],
  ['a journal match without a field', 'E_CONFIG_VALUE', inJail('"journal": [»"sshd"]')],
  ['a "+" at the end', 'E_CONFIG_VALUE', inJail('"journal": »["_UID=0", "+"]')],
  [
    'a relative folder',
    'E_CONFIG_VALUE',
    `{ "journalDirectory": »"log/journal",${inJail('"mode": "normal"').slice(1)}`,
  ],
  ['an unreadable limit', 'E_CONFIG_VALUE', inJail('"limit": »"100 per minute"')],
  ['a limit within nothing', 'E_CONFIG_VALUE', inJail('"limit": »"100/0s"')],
  ['an unknown answer', 'E_CONFIG_VALUE', inJail('"respond": »"rejct"'), 'did you mean "reject"?'],
  ['no steps to respond', 'E_CONFIG_VALUE', inJail('"respond": »[]')],
  ['a number for respond', 'E_CONFIG_TYPE', inJail('"respond": »7')],
  ['a number among steps', 'E_CONFIG_TYPE', inJail('"respond": ["drop", »7]')],
  [
    'an unknown do',
    'E_CONFIG_VALUE',
    inJail('"respond": [{ "do": »"trottle" }]'),
    'did you mean "throttle"?',
  ],
  [
    'an unknown key in a step',
    'E_CONFIG_UNKNOWN_KEY',
    inJail('"respond": [{ »"port": "all" }]'),
    'did you mean "ports"?',
  ],
  [
    'an unknown key in wider',
    'E_CONFIG_UNKNOWN_KEY',
    inJail('"respond": [{ "wider": { "ipv4": 24, »"wen": 3 } }]'),
    'did you mean "when"?',
  ],
  [
    'a throttle without a rate',
    'E_CONFIG_MISSING',
    inJail('"respond": ["drop", »{ "do": "throttle" }]'),
    'add "rate": "10/1s"',
  ],
  [
    'a rate without a throttle',
    'E_CONFIG_CONFLICT',
    inJail('"respond": [{ "do": "reject", »"rate": "10/1m" }]'),
    'take it away, or throttle',
  ],
  ['a rate in no unit', 'E_CONFIG_VALUE', inJail('"respond": [{ "do": "throttle", "rate": »"10/5m" }]')],
  ['a rate of nothing', 'E_CONFIG_VALUE', inJail('"respond": [{ "do": "throttle", "rate": »"0/1m" }]')],
  [
    'a rate beyond what a kernel takes',
    'E_CONFIG_VALUE',
    inJail('"respond": [{ "do": "throttle", "rate": »"10001/1s" }]'),
  ],
  ['no ports in a step', 'E_CONFIG_VALUE', inJail('"respond": [{ "ports": »[] }]')],
  ['a port of a step beyond the last', 'E_CONFIG_VALUE', inJail('"respond": [{ "ports": [22, »65536] }]')],
  ['another word for all ports', 'E_CONFIG_VALUE', inJail('"respond": [{ "ports": »"every" }]')],
  ['a step that lasts no time', 'E_CONFIG_DURATION', inJail('"respond": [{ "for": »0 }]')],
  [
    'wider without how wide',
    'E_CONFIG_CONFLICT',
    inJail('"respond": [{ »"wider": { "when": 3 } }]'),
    'add "ipv4": 24 or "ipv6": 48',
  ],
  ['too wide', 'E_CONFIG_VALUE', inJail('"respond": [{ "wider": { "ipv4": »7 } }]')],
  [
    'no wider than what is counted',
    'E_CONFIG_CONFLICT',
    inJail('"ipv6Prefix": 56, "respond": [{ "wider": { »"ipv6": 56 } }]'),
    'make it smaller',
  ],
  [
    'a contradiction in defaults, once for all jails',
    'E_CONFIG_MISSING',
    '{ "defaults": { "respond": [»{ "do": "throttle" }] }, "jails": { "a": { "filter": "sshd", "logs": ["/a"] }, "b": { "filter": "sshd", "logs": ["/b"] } } }',
  ],
  ['an unreadable brake', 'E_CONFIG_VALUE', inJail('"brake": »"hard"')],
  ['an empty list of conditions', 'E_CONFIG_VALUE', inJail('"where": { "status": »[] }')],
  ['a condition that asks nothing', 'E_CONFIG_VALUE', inJail('"where": { "status": »{} }')],
  ['a factor below 1', 'E_CONFIG_VALUE', inJail('"banTime": { "factor": »0.5 }')],
  ['no steps', 'E_CONFIG_VALUE', inJail('"banTime": { "steps": »[] }')],
  ['an unknown scope', 'E_CONFIG_VALUE', inJail('"banTime": { "scope": »"every" }')],
  ['no filter in a list', 'E_CONFIG_VALUE', '{ "jails": { "a": { "filter": »[], "logs": ["/a"] } } }'],
  ['a capital in a name', 'E_CONFIG_NAME', '{ "jails": { »"SSH": { "filter": "sshd", "logs": ["/a"] } } }'],
  ['the reserved name', 'E_CONFIG_NAME', '{ "jails": { »"manual": { "filter": "sshd", "logs": ["/a"] } } }'],
  [
    'a name of 65 characters',
    'E_CONFIG_NAME',
    `{ "jails": { »"${'a'.repeat(65)}": { "filter": "sshd", "logs": ["/a"] } } }`,
  ],
  [
    'a name that JavaScript takes',
    'E_CONFIG_NAME',
    '{ "jails": { »"constructor": { "filter": "sshd", "logs": ["/a"] } } }',
  ],
  ['an unreadable duration', 'E_CONFIG_DURATION', inJail('"findTime": »"10q"')],
  ['a negative duration', 'E_CONFIG_DURATION', inJail('"findTime": »-1')],
  ['a findTime of nothing', 'E_CONFIG_DURATION', inJail('"findTime": »0')],
  ['a findTime without end', 'E_CONFIG_DURATION', inJail('"findTime": »"forever"')],
  ['an unreadable banTime', 'E_CONFIG_DURATION', inJail('"banTime": »"soon"')],
  ['a banTime of nothing', 'E_CONFIG_DURATION', inJail('"banTime": { "first": »"0s" }')],
  ['an unreadable step', 'E_CONFIG_DURATION', inJail('"banTime": { "steps": ["1h", »"1y"] }')],
  ['a sentence beyond the calendar', 'E_CONFIG_DURATION', inJail('"banTime": { "max": »"900000w" }')],
  [
    'a number beyond an octet',
    'E_CONFIG_ADDRESS',
    '{ "allow": [»"192.0.2.256"] }',
    'IPv4 has four numbers from 0 to 255 and a prefix from 0 to 32',
  ],
  ['an octal address', 'E_CONFIG_ADDRESS', '{ "allow": [»"192.0.2.010"] }'],
  ['too long an IPv4 prefix', 'E_CONFIG_ADDRESS', '{ "allow": [»"192.0.2.0/33"] }'],
  [
    'too long an IPv6 prefix',
    'E_CONFIG_ADDRESS',
    inJail('"ignore": [»"2001:db8::/129"]'),
    'IPv6 has up to eight groups and a prefix from 0 to 128',
  ],
  [
    'an address with its zone',
    'E_CONFIG_ADDRESS',
    '{ "allow": [»"fe80::1%eth0"] }',
    'an address is written without its zone',
  ],
  ['a name without a dot', 'E_CONFIG_ADDRESS', '{ "allow": [»"office"] }', 'a name has a dot in it'],
  [
    'spaces around an address',
    'E_CONFIG_ADDRESS',
    '{ "allow": [»" 192.0.2.1"] }',
    'take away the spaces around it',
  ],
  [
    'a relative list',
    'E_CONFIG_ADDRESS',
    '{ "allow": [»"file:allow.txt"] }',
    'the path after file: must be absolute',
  ],
  [
    'an unknown filter',
    'E_CONFIG_UNKNOWN_FILTER',
    '{ "jails": { "a": { "filter": »"ssdh", "logs": ["/a"] } } }',
    'did you mean "sshd"?',
  ],
  [
    'an unknown filter in a list',
    'E_CONFIG_UNKNOWN_FILTER',
    '{ "jails": { "a": { "filter": ["sshd", "sshd", »"nginx-lgin"], "logs": ["/a"] } } }',
    'did you mean "nginx-login"?',
  ],
  [
    'an unknown filter in defaults',
    'E_CONFIG_UNKNOWN_FILTER',
    '{ "defaults": { "filter": »"apache" } }',
    'there are: nginx-api, nginx-auth, nginx-login, sshd',
  ],
  [
    'a jail without a filter',
    'E_CONFIG_MISSING',
    '{ "jails": { »"a": { "logs": ["/a"] } } }',
    'add "filter"',
  ],
  [
    'a jail with nothing to watch',
    'E_CONFIG_MISSING',
    '{ "jails": { »"a": { "filter": "sshd", "logs": [] } } }',
    'add "logs"',
  ],
  ['limit beside maxRetry', 'E_CONFIG_CONFLICT', inJail('"limit": "5/1m", »"maxRetry": 3')],
  ['limit beside findTime', 'E_CONFIG_CONFLICT', inJail('»"findTime": 3, "limit": "5/1m"')],
  [
    'limit beside maxRetry in defaults',
    'E_CONFIG_CONFLICT',
    '{ "defaults": { "limit": "5/1m", »"maxRetry": 3 } }',
  ],
  ['first beyond max', 'E_CONFIG_CONFLICT', inJail('"banTime": { »"first": "2h", "max": "1h" }')],
  [
    'first beyond the max of defaults',
    'E_CONFIG_CONFLICT',
    `{ "defaults": { "banTime": { "max": "1h" } },${inJail('"banTime": { »"first": "2h" }').slice(1)}`,
  ],
  [
    'max below the first of defaults',
    'E_CONFIG_CONFLICT',
    `{ "defaults": { "banTime": { "first": "1h" } },${inJail('"banTime": { »"max": "10m" }').slice(1)}`,
  ],
  ['max below the built-in first', 'E_CONFIG_CONFLICT', inJail('"banTime": { »"max": "5m" }')],
  ['a step beyond max', 'E_CONFIG_CONFLICT', inJail('"banTime": { "steps": ["1h", »"3h"], "max": "2h" }')],
  ['steps beside factor', 'E_CONFIG_CONFLICT', inJail('"banTime": { "factor": 2, »"steps": ["1h"] }')],
  [
    'first unlike the first step',
    'E_CONFIG_CONFLICT',
    inJail('"banTime": { »"first": "2h", "steps": ["1h"] }'),
  ],
  [
    'zones that disagree',
    'E_CONFIG_CONFLICT',
    inJail('"zone": "UTC" },\n    "b": { "filter": "sshd", "logs": ["/a"], »"zone": "Europe/Berlin"'),
  ],
  [
    "a zone beside the host's",
    'E_CONFIG_CONFLICT',
    inJail('"zone": "UTC" },\n    »"b": { "filter": "sshd", "logs": ["/a"]'),
  ],
  [
    'starts that disagree',
    'E_CONFIG_CONFLICT',
    inJail('"start": "end" },\n    "b": { "filter": "sshd", "logs": ["/x", "//a"], »"start": "beginning"'),
  ],
  ['a trusted proxy by name', 'E_CONFIG_ADDRESS', '{ »"trustedProxies": ["proxy.example.net"] }'],
  ['a byte that is no UTF-8', 'E_CONFIG_SYNTAX', '{\n  "allow": ["»\xff"]\n}'],
];

describe('a fault is told with its place', () => {
  test.each(TABLE)('%s: %s', (_what, code, marked, hint) => {
    using folder = createFolder();
    const { text, place } = unmark(marked);
    const { config, faults } = folder.load(Buffer.from(text, 'latin1'));
    expect(briefly(folder, faults)).toEqual([`jails.json:${place} ${code}`]);
    if (hint !== undefined) expect(faults[0]!.hint).toBe(hint);
    expect(config).toBeUndefined();
  });
});

test('all faults are told at once, in the order of their places', () => {
  using folder = createFolder();
  const { faults } = folder.load(
    [
      '{',
      '  "alow": ["192.0.2.1"],',
      '  "allow": ["300.1.2.3", "198.51.100.0/24", "nonsense"],',
      '  "jails": {',
      '    "sshd": { "filter": "ssdh", "logs": ["/var/log/auth.log"], "findTime": "10x", "maxRetry": 0 },',
      '    "api": { "filter": "nginx-api", "logs": ["/a"], "limit": "5/1m", "maxRetry": 3, "maxRetry": 4 },',
      '    "login": { "filter": "nginx-login", "log": ["/a"], "banTime": { "frist": 1, "max": false } },',
      '  }',
      '}',
    ].join('\n'),
  );
  expect(briefly(folder, faults)).toEqual([
    'jails.json:2:3 E_CONFIG_UNKNOWN_KEY',
    'jails.json:3:13 E_CONFIG_ADDRESS',
    'jails.json:3:45 E_CONFIG_ADDRESS',
    'jails.json:5:25 E_CONFIG_UNKNOWN_FILTER',
    'jails.json:5:76 E_CONFIG_DURATION',
    'jails.json:5:95 E_CONFIG_VALUE',
    'jails.json:6:85 E_CONFIG_DUPLICATE_KEY',
    'jails.json:6:85 E_CONFIG_CONFLICT',
    'jails.json:7:41 E_CONFIG_UNKNOWN_KEY',
    'jails.json:7:69 E_CONFIG_UNKNOWN_KEY',
    'jails.json:7:88 E_CONFIG_TYPE',
  ]);
});

test('a fault reads as file:line:column: what is wrong, what was expected; did you mean …', () => {
  using folder = createFolder();
  const { faults } = folder.load(
    '{\n  "jails": {\n    "a": { "filter": "ssdh", "logs": ["/a"], "maxRetry": 0 }\n  }\n}',
  );
  expect(faults.map((fault) => formatFault(fault).slice(folder.path.length + 1))).toEqual([
    'jails.json:3:22: jails.a.filter: there is no filter "ssdh"; did you mean "sshd"?',
    'jails.json:3:58: jails.a.maxRetry: expected a whole number from 1 to 1000000000, got 0',
  ]);
});

test.each(['soon', 'forever'])(
  'a duration that must end is not told to be "forever" instead of %j',
  (written) => {
    using folder = createFolder();
    const jail = { filter: 'sshd', logs: ['/a'], findTime: written, protectAfterSuccess: written };
    const { faults } = folder.load(JSON.stringify({ jails: { a: jail } }));
    expect(faults.map(({ message }) => message)).toEqual(
      ['findTime', 'protectAfterSuccess'].map(
        (key) =>
          `jails.a.${key}: expected a duration with an end, such as 90, "10m" or "1h30m", got "${written}"`,
      ),
    );
  },
);

test('what was taken out as faulty is not told again as empty or missing', () => {
  using folder = createFolder();
  const { faults } = folder.load(
    '{ "jails": {\n"a": { "filter": [7], "logs": ["x"] },\n"B": { "filter": "sshd", "log": ["/a"], "where": { "p": { "x": 1 } } } } }',
  );
  expect(briefly(folder, faults)).toEqual([
    'jails.json:2:19 E_CONFIG_TYPE',
    'jails.json:2:32 E_CONFIG_VALUE',
    'jails.json:3:1 E_CONFIG_NAME',
    'jails.json:3:26 E_CONFIG_UNKNOWN_KEY',
    'jails.json:3:59 E_CONFIG_UNKNOWN_KEY',
  ]);
});

test('columns count from 1 after \\n, \\r\\n and \\r alike, and a byte order mark is no column', () => {
  using folder = createFolder();
  for (const end of ['\n', '\r\n', '\r'])
    expect(briefly(folder, folder.load(`\uFEFF{${end}// é${end} "x": 1}`).faults)).toEqual([
      'jails.json:3:2 E_CONFIG_UNKNOWN_KEY',
    ]);
  expect(briefly(folder, folder.load('\uFEFF{"x":1}').faults)).toEqual([
    'jails.json:1:2 E_CONFIG_UNKNOWN_KEY',
  ]);
});

test('control characters of a config do not reach the message', () => {
  using folder = createFolder();
  const { faults } = folder.load('{"\\u001b[2Jx\\u202e": 1, "allow": ["\\u001b]0;x"]}');
  expect(faults).toHaveLength(2);
  for (const fault of faults) expect(formatFault(fault)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test.each([
  ['nothing', ''],
  ['only blanks and comments', ' \n// jails come later\n/* */'],
])('a file that holds %s is a fault of the whole file', (_what, text) => {
  using folder = createFolder();
  expect(briefly(folder, folder.load(text).faults)).toEqual(['jails.json:0:0 E_CONFIG_EMPTY']);
});

test('what can not be read is a fault: a missing file, a folder, a FIFO, a huge file', () => {
  using folder = createFolder();
  execFileSync('/usr/bin/mkfifo', [`${folder.path}/fifo`]);

  for (const [name, says] of [
    ['missing.json', /no such file/],
    ['.', /not a regular file/],
    ['fifo', /not a regular file/],
    [folder.write('huge.json', ' '.repeat(1024 * 1024 + 1)).slice(folder.path.length + 1), /larger than/],
  ] as const) {
    const { config, faults } = loadConfig(`${folder.path}/${name}`, { filters: FILTERS });
    expect(config).toBeUndefined();
    expect(faults).toMatchObject([
      { code: 'E_CONFIG_UNREADABLE', line: 0, message: expect.stringMatching(says) as string },
    ]);
  }
});

test('a config without jails is no fault but a warning', () => {
  using folder = createFolder();
  for (const text of ['{}', '{ "jails": {} }', '{ "allow": [], /* none */ }']) {
    const { config, faults, warnings } = folder.load(text);
    expect(faults).toEqual([]);
    expect(config?.jails).toEqual([]);
    expect(briefly(folder, warnings)).toEqual(['jails.json:0:0 W_CONFIG_NO_JAILS']);
  }
});

test.each([
  ['what any user can write', 'W_CONFIG_FORGEABLE', inJail('»"journal": ["SYSLOG_IDENTIFIER=sshd"]')],
  ['a name that any user can take', 'W_CONFIG_FORGEABLE', inJail('»"journal": ["_COMM=sshd"]')],
  [
    "a unit that any user's own manager can have",
    'W_CONFIG_FORGEABLE',
    inJail('»"journal": ["_SYSTEMD_USER_UNIT=app.service"]'),
  ],
  [
    'one group of two',
    'W_CONFIG_FORGEABLE',
    inJail('»"journal": ["_SYSTEMD_UNIT=ssh.service", "+", "_TRANSPORT=syslog"]'),
  ],
  [
    'host bits in allow',
    'W_CONFIG_HOST_BITS',
    `{ "allow": [»"127.0.0.1/8"],${inJail('"mode": "normal"').slice(1)}`,
  ],
  ['host bits in ignore', 'W_CONFIG_HOST_BITS', inJail('"ignore": ["192.0.2.1", »"2001:db8::1/64"]')],
  ['everyone', 'W_CONFIG_ALLOWS_ALL', inJail('"ignore": [»"0.0.0.0/0"]')],
])('a warning leaves the config usable: %s', (_what, code, marked) => {
  using folder = createFolder();
  const { text, place } = unmark(marked);
  const { config, faults, warnings } = folder.load(text);
  expect(faults).toEqual([]);
  expect(briefly(folder, warnings)).toEqual([`jails.json:${place} ${code}`]);
  expect(config).toBeDefined();
});

test('a brake, empty trusted proxies and "self" are worth no word', () => {
  using folder = createFolder();
  const { faults, warnings } = folder.load(
    `{ "trustedProxies": [], "allow": ["self"],${inJail('"brake": "300/1m"').slice(1)}`,
  );
  expect([...faults, ...warnings]).toEqual([]);
});
