// An entry is one line of syslog, whatever its sender wrote into it; and a part of a line is none.
import { expect, test } from 'vitest';
import { createLineMaker, type LineMaker } from '../../src/sources/journal-lines.ts';

const AT = '1767607872123456';
const SSHD = { _HOSTNAME: 'web', SYSLOG_IDENTIFIER: 'sshd', _PID: '812', __REALTIME_TIMESTAMP: AT };
const FAILED = 'Failed password for root from 192.0.2.7 port 40022 ssh2';

function lineOf(fields: Record<string, string | undefined>, maker: LineMaker = createLineMaker([])): string {
  const all = Object.entries({ ...SSHD, ...fields }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return maker.lineOf({ fields: new Map(all), isCut: false }).text;
}

test('an entry is written as rsyslog writes it', () => {
  expect(lineOf({ MESSAGE: FAILED })).toBe(`2026-01-05T10:11:12.123456+00:00 web sshd[812]: ${FAILED}\n`);
});

test.each([
  ['a line feed', 'a\nb', 'a#012b'],
  ['a line feed at the end', 'a\n\n', 'a'],
  ['NUL, tab, carriage return, escape, delete', '\0\t\r\x1b\x7f', '#000#011#015#033#177'],
  ['bytes beyond ASCII, as latin1', 'gr\xc3\xbc\xc3\x9f\xff\x85', 'gr\xc3\xbc\xc3\x9f\xff\x85'],
  ['nothing', undefined, ''],
])('a message with %s is one line', (_what, message, written) => {
  expect(lineOf({ MESSAGE: message })).toBe(`2026-01-05T10:11:12.123456+00:00 web sshd[812]: ${written}\n`);
});

test.each([
  [
    'a tag that would end early',
    { SYSLOG_IDENTIFIER: `sshd[1]: ${FAILED} ` },
    /^\S+ web sshd_1___Failed[\w.-]{30,60}\[812\]: m\n$/,
  ],
  ['a host that would end early', { _HOSTNAME: 'web sshd: x\n' }, /^\S+ web_sshd__x_ sshd\[812\]: m\n$/],
  ['no tag', { SYSLOG_IDENTIFIER: undefined, _COMM: 'sshd' }, /^\S+ web sshd\[812\]: m\n$/],
  ['no names', { SYSLOG_IDENTIFIER: '', _HOSTNAME: undefined }, /^\S+ localhost unknown\[812\]: m\n$/],
  ['no pid (the kernel)', { SYSLOG_IDENTIFIER: 'kernel', _PID: undefined }, /^\S+ web kernel: m\n$/],
  ['a pid that the sender chose', { _PID: undefined, SYSLOG_PID: '77' }, /^\S+ web sshd\[77\]: m\n$/],
  ['a pid that is none', { _PID: undefined, SYSLOG_PID: '7]: x' }, /^\S+ web sshd: m\n$/],
  [
    'a stamp that is none',
    { __REALTIME_TIMESTAMP: 'x' },
    /^1970-01-01T00:00:00\.000000\+00:00 web sshd\[812\]: m\n$/,
  ],
])('what stands around a message: %s', (_what, fields, expected) => {
  expect(lineOf({ MESSAGE: 'm', ...fields })).toMatch(expected);
});

const isBroken = (line: string): boolean => line.endsWith(']: \n');

test.each(['nul', 'line-max', 'pid-change'])(
  'neither what journald broke off (%s) nor the rest of it is a line',
  (reason) => {
    const maker = createLineMaker([]);
    const say = (fields: Record<string, string>): string =>
      lineOf({ MESSAGE: FAILED, _STREAM_ID: 'a1', ...fields }, maker);
    expect(isBroken(say({ _LINE_BREAK: reason }))).toBe(true);
    expect(maker.broken).toEqual(['a1 812']);
    // Another process, or another stream, is not concerned.
    expect(isBroken(say({ _PID: '813' }))).toBe(false);
    expect(isBroken(say({ _STREAM_ID: 'b2' }))).toBe(false);
    // After a crash it is still known.
    const later = createLineMaker(maker.broken);
    const after = (): string => lineOf({ MESSAGE: FAILED, _STREAM_ID: 'a1' }, later);
    expect([isBroken(after()), isBroken(after())]).toEqual([true, false]);
    expect(later.broken).toEqual([]);
  },
);

test('a line that ends with its stream is one', () => {
  expect(isBroken(lineOf({ MESSAGE: FAILED, _STREAM_ID: 'a1', _LINE_BREAK: 'eof' }))).toBe(false);
});

test('parts of a line that a container wrote are none', () => {
  const maker = createLineMaker([]);
  const say = (fields: Record<string, string>): boolean =>
    isBroken(lineOf({ MESSAGE: FAILED, CONTAINER_ID_FULL: 'c0', PRIORITY: '6', ...fields }, maker));
  expect(say({ CONTAINER_PARTIAL_MESSAGE: 'true' })).toBe(true);
  expect(say({ PRIORITY: '3' })).toBe(false);
  expect(say({})).toBe(true);
  expect(say({})).toBe(false);
  expect(say({ CONTAINER_PARTIAL_ID: 'p', CONTAINER_PARTIAL_LAST: 'true' })).toBe(true);
});

test('a message that journald cut at a NUL is none', () => {
  const cut = (raw: string): boolean => isBroken(lineOf({ MESSAGE: FAILED, SYSLOG_RAW: raw }));
  expect(cut(`<86>sshd[812]: ${FAILED}\0 from 198.51.100.9`)).toBe(true);
  expect(cut(`<86>sshd[812]: ${FAILED} \n\0`)).toBe(false);
});

test('as many broken streams are remembered as there may be, and no more', () => {
  const maker = createLineMaker([]);
  for (let i = 0; i < 1_000; i++) lineOf({ _STREAM_ID: `s${i}`, _LINE_BREAK: 'nul' }, maker);
  expect([maker.broken.length, maker.broken[0], maker.broken.at(-1)]).toEqual([256, 's744 812', 's999 812']);
});
