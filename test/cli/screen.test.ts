import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatJson } from '../../src/cli/json.ts';
import { sparkline } from '../../src/cli/sparkline.ts';
import { formatStatus, statusLines, summaryLine } from '../../src/cli/status-screen.ts';
import { formatBytes, formatTable, formatWhen } from '../../src/cli/table.ts';
import { printable } from '../../src/text.ts';
import { HOSTILE, status } from '../api/fake-control.ts';

const terminal = { terminal: true, color: false };
const colored = { terminal: true, color: true };
const now = Date.parse('2026-01-05T10:20:00.000Z');
const screen80 = { ...terminal, columns: 80, rows: 24, now };
const piped = { terminal: false, color: false };
const fault = { code: 'W_X', message: 'stamps lag an hour', count: 3, since: '2026-01-05T10:00:00.000Z' };

describe('tables', () => {
  const rows = [
    ['192.0.2.7', 1, undefined],
    ['2001:db8::/64', 20, null],
  ];

  test('on a terminal have a head and aligned columns', () => {
    expect(formatTable(terminal, ['address', 'nth', 'why'], rows)).toBe(
      'ADDRESS        NTH  WHY\n192.0.2.7      1\n2001:db8::/64  20\n',
    );
  });

  test('in a pipe are cells between tabs, without a head', () => {
    expect(formatTable(piped, ['address', 'nth', 'why'], rows)).toBe('192.0.2.7\t1\t\n2001:db8::/64\t20\t\n');
  });

  test('keep one line a row and one cell a column, whatever a cell holds', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))), (all) => {
        const lines = formatTable(piped, [], all).split('\n');
        expect(lines).toHaveLength(all.length + 1);
        for (const line of lines.slice(0, -1)) expect(line.split('\t')).toHaveLength(2);
      }),
    );
  });

  test('no rows are no text', () => {
    expect(formatTable(terminal, ['address'], [])).toBe('');
  });
});

test('a log whose name is made of escapes does not make the screen wider than it is', () => {
  const sources = ['/var/log/\u001b[2J\u202e'.repeat(40), `/${'\u001b'.repeat(30)}`].map((id) => ({
    ...status().sources[0]!,
    ...{ id, path: id },
  }));
  const screen = formatStatus(screen80, false, { ...status(), sources });
  const lines = screen.slice(screen.indexOf('SOURCE')).split('\n');
  expect(lines.filter((line) => line.includes('\\x1b'))).toHaveLength(2);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});

describe('JSON', () => {
  test('means what it meant, and holds nothing that acts on a terminal', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = formatJson(value);
        expect(text.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]/u);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('escapes what JSON.stringify leaves, beyond the basic plane too', () => {
    expect(formatJson('\u007f\u009b\u202e\u{e0041}')).toBe('"\\u007f\\u009b\\u202e\\udb40\\udc41"\n');
  });
});

test('instants are for the eye on a terminal, and as JSON has them elsewhere', () => {
  const iso = '2026-01-05T10:11:12.345Z';
  expect([formatWhen(terminal, iso), formatWhen(terminal, null)]).toEqual(['2026-01-05 10:11:12Z', 'no end']);
  expect([formatWhen(piped, iso), formatWhen(piped, null)]).toEqual([iso, '']);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1.0 MB'],
  [12_345_678, '12.3 MB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

describe('the screen of status', () => {
  const screen = (changes: Parameters<typeof status>[0], isWhole = false): string =>
    formatStatus(screen80, isWhole, status(changes));

  test('says that it works and keeps up', () => {
    const text = screen({});
    expect(text).toContain('bailiff 0.1.0, pid 812, since 2026-01-05 10:00:00Z\n');
    expect(text).toContain('enforcing with nftables, 12 packets (720 B) dropped\n');
    expect(text).toContain('keeping up');
    expect(text).toMatch(/^JAIL +STATE +BANNED/m);
    expect(text).toMatch(/^sshd +active +1 /m);
    expect(text).toMatch(/^\/var\/log\/auth.log +following +10s ago +40$/m);
  });

  test.each([
    ['detect-only' as const, 'DETECTING ONLY'],
    ['stood-down' as const, 'STOOD DOWN'],
  ])('can not be misread where the mode is %s', (mode, words) => {
    const text = screen({ mode });
    expect(text).toContain(words);
    expect(text).not.toMatch(/^enforcing/m);
  });

  test('tells a firewall that should work and does not', () => {
    const text = screen({ firewall: { kind: 'nftables', healthy: false, fault: 'nft is missing' } });
    expect(text).toContain('SHOULD ENFORCE, AND CAN NOT with nftables: nft is missing\n');
  });

  test('tells how much there is still to read, and every fault with its source', () => {
    const source = {
      ...status().sources[0]!,
      state: 'catching-up' as const,
      lag: 2_500_000,
      faults: [fault],
    };
    const text = screen({
      caughtUp: false,
      sources: [source],
      faults: [{ ...fault, count: 1, message: 'the disk is full' }],
    });
    expect(text).toContain('catching up: 2.5 MB to read\n');
    expect(text).toContain('! the disk is full (W_X, once since 2026-01-05 10:00:00Z)\n');
    expect(text).toContain(
      '! /var/log/auth.log: stamps lag an hour (W_X, 3 times since 2026-01-05 10:00:00Z)\n',
    );
  });

  const bounds = [
    { what: 'offenders', held: 899, most: 1_000, dropped: 0 },
    { what: 'evidence', held: 900_000, most: 1_000_000, dropped: 0 },
    { what: 'bans', held: 10, most: 1_000, dropped: 3 },
    { what: 'events', held: 1_000, most: 1_000, dropped: 70 },
    { what: 'kernel', held: 12, most: null, dropped: 0 },
  ];

  test('tells what has little room, or has let something go, and with --verbose all of it', () => {
    expect(screen({ bounds: bounds.slice(0, 1) })).not.toContain('little room');
    expect(screen({ bounds })).toContain(
      'little room: evidence 900.0 kB of 1.0 MB, bans 10 of 1000 (3 let go)\n',
    );
    const many = bounds.map((bound) => ({ ...bound, held: 1_000_000 }));
    expect(screen({ bounds: many })).toMatch(
      /^little room: offenders 1000000 of 1000, evidence 1\.0 MB of 1\.0 MB, and 1 more$/m,
    );
    const whole = screen({ bounds }, true);
    expect(whole).not.toContain('little room');
    expect(whole).toMatch(/^BOUND +HELD +MOST +LET GO$/m);
    expect(whole).toMatch(/^evidence +900\.0 kB +1\.0 MB +0$/m);
    expect(whole).toMatch(/^events +1000 +1000 +70$/m);
    expect(whole).toMatch(/^kernel +12 +0$/m);
    expect(statusLines(status({ bounds })).filter(([kind]) => kind === 'bound')).toContainEqual([
      ...['bound', 'kernel', 12, undefined, 0],
    ]);
  });

  test('of a usual host fits 80 by 24, with the shell’s prompt below, and one with too much still does', () => {
    const [source, jail] = [status().sources[0]!, status().jails[0]!];
    const usual = {
      sources: ['/var/log/auth.log', '/var/log/nginx/access.log', '/var/log/nginx/error.log'].map((id) => ({
        ...source,
        id,
      })),
      jails: ['sshd', 'nginx-login', 'nginx-botsearch', 'recidive'].map((name) => ({ ...jail, name })),
    };
    const much = {
      sources: Array.from({ length: 40 }, (_, index) => ({
        ...source,
        id: `/srv/www/customers/a-rather-long-name-of-a-customer-${index}/logs/access.log`,
        skipped: 7,
        lag: 123_456_789,
      })),
      jails: Array.from({ length: 40 }, (_, index) => ({
        ...{ ...jail, name: `jail-number-${index}`, state: 'dry-run' as const },
        ...{ matches: 123_456_789 - index, banned: 12_345, bansTotal: 123_456, offenders: 123_456 },
      })),
    };
    for (const view of [usual, much]) {
      const lines = screen(view).split('\n');
      expect(lines.length).toBeLessThanOrEqual(24);
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
    }
    expect(screen(usual)).not.toContain('more, of which');
    expect(screen(usual)).toContain('from line to kernel 2 ms (99 of 100: 4 ms) over 3 bans\n');
    expect(screen(much)).toMatch(/^jail-number-0 .*\n(?:jail.*\n){7}and 32 more/m);
    expect(screen(much)).toMatch(/^\/srv\/ww….*access.log +following +123.5 MB +10s ago +40 +7 cut$/m);
    expect(screen(much, true)).toMatch(/^jail-number-39 .* sshd$/m);
  });

  test('tells of each fault what to do', () => {
    const text = screen({ faults: [{ ...fault, hint: 'Set the clock.' }] });
    expect(text).toContain(
      '! stamps lag an hour (W_X, 3 times since 2026-01-05 10:00:00Z)\n  → Set the clock.\n',
    );
  });

  test('draws the last hour: a little is never mistaken for nothing', () => {
    expect(sparkline([], 12)).toBe('');
    expect(sparkline([0, 0, 0], 3)).toBe('···');
    expect(sparkline([0, 1, 50, 100], 4)).toBe('·▁▄█');
    expect(sparkline([1, 1, 0, 0, 4, 0], 3)).toBe('▄·█');
  });

  test('is one line for monitoring', () => {
    const bad = { ok: false, problems: [HOSTILE, 'two'] };
    expect(summaryLine(status(), true)).toBe('OK: enforcing with nftables, 1 jail, 1 log, 1 banned\n');
    // Two more by hand: they are in force, and no jail's.
    const bounds = [{ what: 'bans', held: 3, most: 250_000, dropped: 0 } as const];
    expect(summaryLine(status({ bounds }), true)).toContain('1 log, 3 banned');
    expect(summaryLine(status({ bounds }), false)).toContain('1 log, 1 banned');
    expect(summaryLine(status({ health: bad }), true)).toBe(
      `PROBLEM: ${printable(HOSTILE)} (and 1 more: "bailiff status")\n`,
    );
  });

  test('says so where it follows nothing', () => {
    expect(screen({ sources: [], jails: [] })).toContain('no log is followed\n');
  });

  test('shows troubled sources first, and counts those that find no room', () => {
    const many = Array.from({ length: 30 }, (_, index) => ({ ...status().sources[0]!, id: `/log/${index}` }));
    const waiting = { ...many[0]!, id: '/log/missing', state: 'waiting' as const };
    const text = screen({ sources: [...many, waiting] });
    expect(text).toMatch(/SOURCE .*\n\/log\/missing +waiting +no file yet/);
    expect(text).toContain('and 18 more');
    expect(screen({ sources: [...many, waiting] }, true)).toContain('/log/29');
  });

  test('lets no hostile text through, coloured or not', () => {
    const view = status({
      version: HOSTILE,
      firewall: { kind: HOSTILE, healthy: false, fault: HOSTILE },
      sources: [
        { ...status().sources[0]!, id: HOSTILE, faults: [{ ...fault, code: HOSTILE, message: HOSTILE }] },
      ],
      jails: [{ ...status().jails[0]!, name: HOSTILE, filters: [HOSTILE] }],
      faults: [{ ...fault, message: HOSTILE }],
    });
    const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u;
    expect(formatStatus(screen80, true, view)).not.toMatch(raw);
    const text = formatStatus({ ...screen80, ...colored }, true, view);
    expect(text).toContain('\u001b[');
    expect(stripVTControlCharacters(text)).toBe(formatStatus(screen80, true, view));
    expect(formatTable(piped, [], statusLines(view))).not.toMatch(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u,
    );
  });
});
