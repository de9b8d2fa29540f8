// What `watch` shows, as text and as a screen. Pure.
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { LiveEvent } from '../../src/api/contract.ts';
import { formatEvent } from '../../src/cli/event-line.ts';
import { createLiveScreen } from '../../src/cli/live-screen.ts';
import type { LiveScreen } from '../../src/cli/live-screen.ts';
import { HOSTILE, match, status } from '../api/fake-control.ts';

const terminal = { terminal: true, color: false };
const piped = { terminal: false, color: false };
const now = Date.parse('2026-01-05T10:20:00.000Z');
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u;

const head = { id: 'b-1', at: '2026-01-05T10:11:12.500Z' };
const imposed = (changes: object = {}): LiveEvent => ({
  ...{ ...head, kind: 'ban', what: 'imposed', ban: 12, jail: 'sshd', address: '192.0.2.7' },
  ...{
    since: '2026-01-05T10:11:12.000Z',
    until: '2026-01-05T10:21:12.000Z',
    nth: 2,
    reason: '5 matches',
    by: 'jail',
  },
  ...changes,
});
const EVERY: LiveEvent[] = [
  match(),
  imposed(),
  {
    ...head,
    kind: 'release',
    ban: 12,
    jail: 'sshd',
    address: '192.0.2.7',
    by: 'expired',
    why: 'its time was up',
  },
  { ...head, kind: 'kernel', what: 'blocked', address: '192.0.2.7', protocol: 'tcp', ports: [80, 443] },
  { ...head, kind: 'fault', what: 'raised', code: 'W_X', message: 'the clock is off', source: '/log' },
  { ...head, kind: 'mode', mode: 'stood-down', was: 'enforcing' },
  {
    ...head,
    kind: 'reload',
    outcome: 'applied',
    message: 'done',
    added: ['a'],
    removed: ['b'],
    changed: [],
    faults: 0,
  },
  { ...head, kind: 'gap', why: 'overrun' },
];

describe('a line', () => {
  test('of each kind has the same six cells when it is piped', () => {
    const lines = EVERY.map((event) => formatEvent(piped, event));
    expect(lines.map((line) => line.slice(0, -1).split('\t').slice(1))).toEqual([
      ['match', 'sshd', '192.0.2.7', 'counted', '3 of 5 by sshd, /var/log/auth.log:12'],
      [
        'ban',
        'sshd',
        '192.0.2.7',
        'imposed',
        'until 2026-01-05T10:21:12.000Z, sentence 2, by jail: 5 matches',
      ],
      ['release', 'sshd', '192.0.2.7', 'expired', 'its time was up'],
      ['kernel', '', '192.0.2.7', 'blocked', 'tcp port 80,443'],
      ['fault', '', '', 'raised', 'W_X /log: the clock is off'],
      ['mode', '', '', 'stood-down', 'was enforcing'],
      ['reload', '', '', 'applied', 'done +a -b'],
      [
        'gap',
        '',
        '',
        'overrun',
        'more has happened than the daemon remembers: events before this one are lost',
      ],
    ]);
    expect(new Set(lines.map((line) => line.split('\t')[0]))).toEqual(new Set([head.at]));
  });

  test('is one line and harmless, whatever stands in it', () => {
    const hostile = EVERY.map((event) => {
      const entries = Object.entries(event).map(([key, value]) => [
        key,
        typeof value === 'string' && !['kind', 'at', 'why'].includes(key) ? HOSTILE : value,
      ]);
      return Object.fromEntries(entries) as LiveEvent;
    });
    for (const surface of [piped, terminal])
      for (const event of hostile) {
        const line = formatEvent(surface, event);
        expect(line.slice(0, -1).replaceAll('\t', ' ')).not.toMatch(RAW);
        expect(line.endsWith('\n')).toBe(true);
      }
  });
});

describe('the screen', () => {
  const show = (screen: LiveScreen, columns = 80, rows = 24, trouble?: string): string[] =>
    screen.lines({ columns, rows }, trouble, now);

  test('has jails, top offenders, rates and the latest bans', () => {
    const screen = createLiveScreen(terminal);
    const view = status();
    screen.look(view, 0);
    const jails = [{ ...view.jails[0]!, matches: view.jails[0]!.matches + 30, bansTotal: 2 }];
    screen.look({ ...view, jails }, 10_000);
    for (const address of ['192.0.2.8', '192.0.2.7', '192.0.2.7']) screen.event(match({ address }));
    screen.event(match({ address: '192.0.2.7', jail: 'web' }));
    screen.event(imposed({ address: '192.0.2.1' }));
    screen.event(imposed({ address: '192.0.2.2', until: null }));
    const lines = show(screen);
    expect(lines).toHaveLength(24);
    const text = lines.join('\n');
    expect(text).toMatch(
      /^bailiff 0\.1\.0 {2}enforcing with nftables, 12 packets dropped +10:20:00Z\n3 matches\/s, 0\.1 bans\/s$/m,
    );
    expect(text).toMatch(/^sshd +active +1 +37 {2}·+█$/m);
    expect(text).toMatch(/OFFENDER .*\n192\.0\.2\.7 +3 {2}10:11:12 {2}sshd, web\n192\.0\.2\.8 +1 /);
    expect(text).toMatch(
      /^10:11:12 {2}192\.0\.2\.2 +sshd +ever +2 {2}5 matches\n10:11:12 {2}192\.0\.2\.1 +sshd +10m /m,
    );
  });

  test.each([
    [80, 24],
    [200, 60],
    [40, 12],
    [10, 3],
    [1, 1],
  ])('fits %d by %d, with hostile text and much of everything', (columns, rows) => {
    for (const color of [false, true]) {
      const screen = createLiveScreen({ terminal: true, color });
      const view = status();
      const jails = Array.from({ length: 50 }, (_, index) => ({
        ...view.jails[0]!,
        name: `${HOSTILE}${index}`,
      }));
      screen.look({ ...view, version: HOSTILE, jails, health: { ok: false, problems: [HOSTILE] } }, 0);
      for (let index = 0; index < 300; index++) {
        screen.event(match({ address: `2001:db8:${index}:ffff:ffff:ffff:ffff:ffff`, jail: HOSTILE }));
        screen.event(imposed({ jail: HOSTILE, reason: 'x'.repeat(10_000) + HOSTILE }));
      }
      const lines = show(screen, columns, rows, color ? HOSTILE : undefined);
      expect(lines).toHaveLength(rows);
      for (const line of lines) {
        const plain = stripVTControlCharacters(line);
        expect(plain).not.toMatch(RAW);
        expect(plain.length).toBeLessThanOrEqual(columns);
        if (!color) expect(line).toBe(plain);
      }
    }
  });

  test('remembers a bounded number of offenders, and of them the worst', () => {
    const screen = createLiveScreen(terminal);
    screen.look(status(), 0);
    for (let i = 0; i < 3; i++) screen.event(match({ address: '203.0.113.1' }));
    for (let i = 0; i < 50_000; i++)
      screen.event(match({ address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` }));
    expect(show(screen).join('\n')).toMatch(/OFFENDER .*\n203\.0\.113\.1 +3 /);
  });

  test('says above all what is wrong, and starts the rates anew with another daemon', () => {
    const screen = createLiveScreen(terminal, ['sshd']);
    expect(show(screen, 80, 24, 'no daemon')[0]).toBe('no daemon');
    screen.look(status(), 0);
    screen.look(
      status({
        jails: [
          { ...status().jails[0]!, matches: 1 },
          { ...status().jails[0]!, name: 'web' },
        ],
      }),
      1_000,
    );
    screen.event({ ...head, kind: 'gap', why: 'restarted' });
    const text = show(screen, 80, 24, 'the daemon is gone').join('\n');
    expect(text).toContain('\n0 matches/s, 0 bans/s  (1 gap');
    expect(text).toContain('\n! the daemon is gone\n');
    expect(text).not.toContain('web');
  });
});
