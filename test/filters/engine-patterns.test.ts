import { describe, expect, it } from 'vitest';
import { NOW, bytes, faultsOf, filterOf, pattern, plain, verdict } from './engine.ts';

/** A whole line against a pattern. */
const on = (regex: string, line: string): unknown => verdict(plain(regex), line);

describe('a pattern', () => {
  it.each([
    ['fail <ip>', 'fail 192.0.2.7'],
    ['^fail <ip>$', 'fail 192.0.2.7'],
    ['fail <HOST>', 'fail 192.0.2.7'],
    ['fail <ADDR>$', 'fail ::ffff:192.0.2.7'],
    [String.raw`\Afail <ip>\Z`, 'fail 192.0.2.7'],
    ['fail <ip>', 'fail 192.0.2.7: 11: Bye'],
    ['fail <ip>', 'fail 192.0.2.7.'],
    ['fail <ip>$', 'fail 192.0.2.7:40022'],
    ['fail <ip>$', 'fail [192.0.2.7]:40022'],
    [String.raw`fail \[<ip>\]`, 'fail [192.0.2.7]'],
    [String.raw`fail <ip>:\d+$`, 'fail 192.0.2.7:40022'],
  ])('%s reads the address of "%s"', (regex, line) => {
    expect(on(regex, line)).toEqual({ ip: '192.0.2.7' });
  });

  it.each([
    ['fail 2001:db8::7'],
    ['fail [2001:db8::7]'],
    ['fail [2001:DB8:0:0::7]:443'],
    ['fail 2001:db8::7: 11: Bye'],
  ])('reads the IPv6 address of "%s"', (line) => {
    expect(on('fail <ip>', line)).toEqual({ ip: '2001:db8::7' });
  });

  it.each([
    ['not fail 192.0.2.7'],
    ['fail 192.0.2.777'],
    ['fail 192.0.2'],
    ['fail 010.0.2.7'],
    ['fail fe80::1%eth0 x'],
    ['fail host.example.net'],
    ['fail ...'],
  ])('does not take "%s"', (line) => {
    expect(on('fail <ip>(?: .*)?$', line)).toBe('no-match');
  });

  it('extends <user> to the last place where the rest fits, and other names to the first', () => {
    const line = 'for a from 203.0.113.9 x from 192.0.2.7 x';
    expect(on('for <user> from <ip> x', line)).toEqual({ user: 'a from 203.0.113.9 x', ip: '192.0.2.7' });
    expect(on('for <name> from <ip> x', line)).toEqual({ name: 'a', ip: '203.0.113.9' });
  });

  it('takes free text at its end to the end of the line', () => {
    expect(on('from <ip>: <reason>', 'from 192.0.2.7: bad ö')).toEqual({ ip: '192.0.2.7', reason: 'bad ö' });
  });

  it("knows fail2ban's captures and named groups", () => {
    expect(
      on(
        String.raw`<F-USER>\S+</F-USER> from <HOST> id <F-ID>\d+</F-ID> (?P<way>ssh|ftp)`,
        'ann from 192.0.2.7 id 12 ssh',
      ),
    ).toEqual({
      user: 'ann',
      ip: '192.0.2.7',
      id: '12',
      way: 'ssh',
    });
    expect(on('<F-USER> from <HOST>', 'ann from 192.0.2.7')).toEqual({ user: 'ann', ip: '192.0.2.7' });
  });

  it('may name a field once in each alternative', () => {
    const regex = '(?:<ip> failed|failure of <ip>)$';
    expect(on(regex, '192.0.2.7 failed')).toEqual({ ip: '192.0.2.7' });
    expect(on(regex, 'failure of 192.0.2.8')).toEqual({ ip: '192.0.2.8' });
    expect(on('a <ip>|b <ip>', 'xb 192.0.2.8')).toBe('no-match');
  });

  it('sees bytes: no letter of UTF-8 is white space, and none is lost', () => {
    expect(on(String.raw`for (?<user>\S+) from <ip>`, 'for à\u0085Ġ from 192.0.2.7')).toEqual({
      user: 'à\u0085Ġ',
      ip: '192.0.2.7',
    });
    expect(on(String.raw`for\s+x <ip>`, 'for\u00a0x 192.0.2.7')).toBe('no-match');
    expect(on('für (?<user>[^ ]+) <ip>', 'für \r\u2028ü 192.0.2.7')).toEqual({
      user: '\r\u2028ü',
      ip: '192.0.2.7',
    });
    expect(on('[äü]+b? <ip>', 'üäb 192.0.2.7')).toEqual({ ip: '192.0.2.7' });
    expect(on('ü{2} <ip>', 'üü 192.0.2.7')).toEqual({ ip: '192.0.2.7' });
    expect(on('x.y <ip>', 'xüy 192.0.2.7')).toBe('no-match'); // two bytes
    expect(on('x.y <ip>', 'x\0y 192.0.2.7')).toEqual({ ip: '192.0.2.7' });
  });

  it('folds case where it says (?i), and only there', () => {
    expect(on('(?i)login [a-c] <ip>', 'LoGIN B 192.0.2.7')).toEqual({ ip: '192.0.2.7' });
    expect(on('log(?i:in) <ip>', 'logIN 192.0.2.7')).toEqual({ ip: '192.0.2.7' });
    expect(on('log(?i:in) <ip>', 'LOGIN 192.0.2.7')).toBe('no-match');
    expect(on('(?i)[^x] <ip>', 'X 192.0.2.7')).toBe('no-match');
  });

  it.each([
    [String.raw`a{2}b{1,3}c{,2} <ip>`, 'aabb 192.0.2.7'],
    [String.raw`a{}{,}[]a-]+[^]x]\x41\t(?#note) <ip>`, 'a{}{,}-]aYA\t 192.0.2.7'],
    [String.raw`\<x\>[\d\].]+? <ip>`, '<x>1]. 192.0.2.7'],
    [String.raw`(?<!z)a\b.(?<=-)b\Bc <ip>`, 'a-bc 192.0.2.7'],
    [String.raw`</ <ip>`, '</ 192.0.2.7'],
  ])('has the syntax of %s', (regex, line) => {
    expect(on(regex, line)).toEqual({ ip: '192.0.2.7' });
  });

  it.each([
    ['(<ip>', 'never closed'],
    ['<ip>)', 'closes nothing'],
    ['[a <ip>', 'never closed'],
    ['*<ip>', 'nothing to repeat'],
    ['^* <ip>', 'nothing to repeat'],
    ['a{3,1} <ip>', 'before it begins'],
    [String.raw`\y <ip>`, String.raw`\y is not known`],
    ['(?>a) <ip>', 'not known'],
    ['a++ <ip>', 'possessive'],
    ['(?x) <ip>', 'only i'],
    ['[^ü] <ip>', 'ASCII'],
    ['<ip></F-USER>', 'closes nothing'],
    ['<ip> \\', 'backslash'],
  ])('%s is a fault of its syntax', (regex, text) => {
    expect(faultsOf({ match: [pattern(regex)] })).toEqual([
      { code: 'E_FILTER_PATTERN', text: expect.stringContaining(text) },
    ]);
  });

  it.each([
    ['(?!x)a <ip>', 'except'],
    ['(?=x)a <ip>', 'look-ahead'],
    [String.raw`(?<a>x)\1 <ip>`, 'back-reference'],
    ['(?P<a>x)(?P=a) <ip>', 'back-reference'],
    ['a{1,50} <ip>', 'counted repeat of 50'],
    ['(?:a{5}b){4} <ip>', 'counted repeat of 20'],
    ['a{17,} <ip>', 'counted repeat of 17'],
  ])('%s is refused because it may take more than linear time', (regex, text) => {
    expect(faultsOf({ match: [pattern(regex)] })).toEqual([
      { code: 'E_FILTER_NOT_LINEAR', text: expect.stringContaining(text) },
    ]);
  });

  it.each([
    ['no address', 'no <ip>'],
    ['<ip> and <ip>', 'twice'],
    ['(?:<ip>,)+', 'twice'],
    ['<SKIPLINES> <ip>', 'no placeholder'],
    ['<HOST>x</HOST>', 'no pattern of its own'],
  ])('%s is a fault of its placeholders', (regex, text) => {
    const [fault] = faultsOf({ match: [pattern(regex)] });
    expect(fault!.text).toContain(text);
  });

  it('bears its place in its faults, and all faults are told at once', () => {
    const faults = faultsOf({ match: [pattern('('), pattern('x', { line: 9 })], where: { usr: 'x' } });
    expect(faults.map(({ code }) => code)).toEqual([
      'E_FILTER_PATTERN',
      'E_FILTER_PLACEHOLDER',
      'E_FILTER_FIELD',
    ]);
  });

  // Both were found by fuzzing, and ended whatever read the filter: a check, a start, a scan.
  it.each([
    ['groups that nobody could count', `^${'('.repeat(20_000)}<ip>`, 'nested too deep'],
    [
      'tags within each other',
      `^${'<F-USER>'.repeat(5_000)}${'</F-USER>'.repeat(5_000)}<ip>`,
      'nested too deep',
    ],
    ['more than the engine takes', `^<ip>(?i:${' again'.repeat(10_000)})?$`, 'too large to be run'],
  ])('is refused for %s', (_what, regex, why) => {
    const [fault, ...others] = faultsOf({ match: [pattern(regex)] });
    expect(fault?.text.slice(-200)).toContain(why);
    expect(others).toEqual([]);
  });

  it('may have groups a hundred deep', () => {
    expect(
      verdict(plain(`^${'(?:a'.repeat(99)}${')'.repeat(99)} <ip>$`), `${'a'.repeat(99)} 192.0.2.7`),
    ).toEqual({
      ip: '192.0.2.7',
    });
  });

  it('sees 8 KiB of a line, and no end where the line goes on', () => {
    const open = plain('x+ <ip>');
    const closed = plain(String.raw`<user> from <ip>\s*$`);
    const cut = `${'x'.repeat(8 * 1024 - ' from 192.0.2.7'.length)} from 192.0.2.7`;
    expect(verdict(closed, cut)).toMatchObject({ ip: '192.0.2.7' });
    expect(verdict(closed, `${cut}7 from 192.0.2.8`)).toBe('no-match');
    expect(verdict(open, `x 192.0.2.7${' '.repeat(20_000)}`)).toEqual({ ip: '192.0.2.7' });
  });

  it('takes nothing from a text of two lines', () => {
    expect(plain('.*<ip>').judge('a\nb 192.0.2.7', NOW).outcome).toBe('no-layout');
  });

  it('stays quick on lines that make others backtrack for ever', () => {
    const bomb = plain(String.raw`^(?:a+)+(?:.*.*)*b <ip>$`);
    expect(bomb.judge(`${'a'.repeat(15_000)} 192.0.2.7`, NOW).outcome).toBe('no-match');
  });
});

describe('a filter by patterns', () => {
  const sshd = {
    layout: 'syslog' as const,
    program: ['sshd'],
    match: [
      pattern('Failed for <user> from <ip>$'),
      pattern('Invalid user <user> from <ip>$', { counts: 0 }),
      pattern('Odd <ip>$', { mode: 'aggressive' }),
      pattern('Closed by <ip>$', { counts: 'session' }),
    ],
    success: [pattern('Accepted for <user> from <ip>$')],
    except: [pattern('Failed for monitor ')],
  };
  const line = (message: string): string => `Jan  5 10:11:12 web sshd[812]: ${message}`;

  it('tells failures, evidence, successes and exceptions apart', () => {
    const filter = filterOf(sshd);
    expect(filter.judge(line('Failed for root from 192.0.2.7'), NOW)).toMatchObject({
      outcome: 'match',
      match: {
        filter: 'sample',
        pattern: 0,
        outcome: 'failure',
        counts: 1,
        at: Date.UTC(2026, 0, 5, 10, 11, 12),
        fields: { user: 'root' },
      },
    });
    expect(filter.judge(line('Invalid user x from 192.0.2.7'), NOW)).toMatchObject({
      match: { pattern: 1, counts: 0, oncePerSession: false, session: '812' },
    });
    expect(filter.judge(line('Closed by 192.0.2.7'), NOW)).toMatchObject({
      match: { counts: 1, oncePerSession: true, session: '812' },
    });
    expect(filter.judge(line('Accepted for root from 192.0.2.7'), NOW)).toMatchObject({
      outcome: 'success',
      match: { counts: 0, oncePerSession: false, outcome: 'success' },
    });
    expect(filter.judge(line('Failed for monitor from 192.0.2.7'), NOW)).toMatchObject({
      outcome: 'excepted',
      match: { fields: { user: 'monitor' } },
    });
    expect(filter.judge('no syslog', NOW).outcome).toBe('no-layout');
    expect(filter.judge(line('Failed for root from 192.0.2.7').replace('sshd', 'cron'), NOW)).toMatchObject({
      outcome: 'no-match',
      why: expect.stringContaining('sshd'),
    });
  });

  it('takes in aggressive patterns where the jail asks for them', () => {
    expect(verdict(filterOf(sshd), line('Odd 192.0.2.7'))).toBe('no-match');
    expect(verdict(filterOf(sshd, { mode: 'aggressive' }), line('Odd 192.0.2.7'))).toEqual({
      ip: '192.0.2.7',
    });
  });

  it("is narrowed by the jail's where and except, over what the patterns keep", () => {
    const narrowed = filterOf(sshd, {
      where: { user: ['root', 'größe'] },
      except: { ip: { prefix: '198.51.100.' } },
    });
    expect(verdict(narrowed, line('Failed for root from 192.0.2.7'))).toEqual({
      ip: '192.0.2.7',
      user: 'root',
    });
    expect(verdict(narrowed, line('Failed for größe from 192.0.2.7'))).toEqual({
      ip: '192.0.2.7',
      user: 'größe',
    });
    expect(verdict(narrowed, line('Failed for ann from 192.0.2.7'))).toBe('no-match');
    expect(verdict(narrowed, line('Failed for root from 198.51.100.7'))).toBe('excepted');
  });

  it('names a field that no pattern keeps as a fault of whoever wrote it', () => {
    const compiled = faultsOf(sshd, { where: { usre: 'x' } });
    expect(compiled).toEqual([
      { code: 'E_FILTER_FIELD', text: expect.stringContaining('did you mean "user"') },
    ]);
  });

  it('is a fault where it states a limit of a field that no pattern keeps', () => {
    const limit = { why: 'an account of the host', line: 7, column: 3 };
    const match = [pattern('^fail (?<user>\\S+) <ip>$')];
    expect(faultsOf({ match, limits: [{ field: 'usr', ...limit }] })).toEqual([
      {
        code: 'E_FILTER_FIELD',
        text: expect.stringContaining('"usr", a field that no pattern keeps; the patterns keep user'),
      },
    ]);
    expect(
      verdict(filterOf({ match, limits: [{ field: 'user', ...limit }] }), 'fail x 192.0.2.7'),
    ).toMatchObject({
      ip: '192.0.2.7',
    });
  });

  it('refuses a filter without patterns, and a zone that there is not', () => {
    expect(faultsOf({ match: [] })[0]!.code).toBe('E_FILTER_EMPTY');
    expect(faultsOf({ match: [pattern('<ip>')] }, { zone: 'Mars/Base' })[0]!.code).toBe('E_FILTER_ZONE');
  });

  it('reads stamps without a zone in the zone of the jail', () => {
    const at = (zone: string): unknown => {
      const verdict = filterOf(sshd, { zone }).judge(line('Failed for root from 192.0.2.7'), NOW);
      return verdict.outcome === 'match' && verdict.match.at;
    };
    expect(at('Europe/Berlin')).toBe(Date.UTC(2026, 0, 5, 9, 11, 12));
  });

  it('decodes what it keeps as UTF-8', () => {
    const found = plain('for <user> from <ip>').judge(
      bytes('for ü\xff').replace('\xc3\xbf', '\xff') + ' from 192.0.2.7',
      NOW,
    );
    expect(found).toMatchObject({ match: { fields: { user: 'ü\ufffd' } } });
  });
});
