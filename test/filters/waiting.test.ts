// Lines without an address that wait for the end of their session to tell it.
import { describe, expect, test } from 'vitest';
import { createScanner, createSessionMemory, proveFilter } from '../../src/filters/index.ts';
import type { FilterDefinition } from '../../src/filters/contract.ts';
import type { Match } from '../../src/model.ts';
import { formatInstant } from '../../src/time.ts';
import { NOW, filterOf, pattern } from './engine.ts';

/** A service that tells the address at the end of a connection. */
const ENDING: Partial<FilterDefinition> = {
  layout: 'plain',
  opens: [pattern('^conn <session> from <ip>$')],
  match: [
    pattern('^conn <session> refused(?: "<user>")?$'),
    pattern('^conn <session> suspicious$', { counts: 'session' }),
    pattern('^conn <session> looked at$', { counts: 0 }),
    pattern('^conn <session> gone from <ip> at once$', { mode: 'aggressive' }),
  ],
  success: [pattern('^conn <session> let in "<user>"$')],
  except: [pattern('^.*"monitor"$')],
  closes: [pattern('^conn <session> gone from <ip>'), pattern('^conn <session> lost$')],
};

const at = (minutes: number, message: string): string =>
  `${formatInstant(NOW - 86_400_000 * 3 + minutes * 60_000)} ${message}`;

describe('a line without an address, where the end of its session bears one', () => {
  /** What the last line comes to, after the others. */
  const last = (lines: readonly string[], filter = filterOf(ENDING)): unknown => {
    const sessions = createSessionMemory();
    for (const line of lines.slice(0, -1)) filter.judge(line, NOW, sessions);
    const verdict = filter.judge(lines.at(-1)!, NOW, sessions);
    if (verdict.outcome !== 'match') return verdict.outcome;
    const { address, counts, oncePerSession, pattern: index } = verdict.match;
    return `${address.text} ${oncePerSession ? 'session' : counts} by ${index}`;
  };
  const GONE = 'conn 1 gone from 192.0.2.7';

  test('waits for it, and says so', () => {
    const filter = filterOf(ENDING);
    expect(filter.judge('conn 1 refused', NOW, createSessionMemory())).toMatchObject({
      outcome: 'no-match',
      why: 'a pattern fits, but no line has told the address of its session: it counts if the line that ends the session does',
    });
    expect(last(['conn 1 refused', GONE])).toBe('192.0.2.7 1 by 0');
  });

  test.each([
    [['conn 1 refused', 'conn 1 refused "x"', GONE], '192.0.2.7 2 by 0'],
    [['conn 1 suspicious', GONE], '192.0.2.7 session by 1'],
    [['conn 1 suspicious', 'conn 1 suspicious', GONE], '192.0.2.7 session by 1'],
    [['conn 1 suspicious', 'conn 1 refused', GONE], '192.0.2.7 1 by 1'],
    [[...Array.from({ length: 1_010 }, () => 'conn 1 refused'), GONE], '192.0.2.7 1000 by 0'],
    [['conn 1 looked at', GONE], 'closed'],
    [['conn 1 refused "monitor"', GONE], 'closed'],
    [['conn 1 let in "x"', GONE], 'closed'],
    [['conn 2 refused', GONE], 'closed'],
    // It counts once.
    [['conn 1 refused', GONE, GONE], 'closed'],
    // Nobody tells it: the end bears no address, or another session begins.
    [['conn 1 refused', 'conn 1 lost', GONE], 'closed'],
    [['conn 1 refused', 'conn 1 from 192.0.2.7', GONE], 'closed'],
    // A line that counts was about the address that was known.
    [['conn 1 from 192.0.2.7', 'conn 1 refused', GONE], 'closed'],
  ])('%#', (lines, expected) => expect(last(lines)).toBe(expected));

  test('counts together with the line that ends the session, where that counts too', () => {
    const filter = filterOf(ENDING, { mode: 'aggressive' });
    const end = `${GONE} at once`;
    expect(last(['conn 1 refused', end], filter)).toBe('192.0.2.7 2 by 3');
    expect(last(['conn 1 suspicious', end], filter)).toBe('192.0.2.7 1 by 3');
    expect(last(['conn 2 refused', end], filter)).toBe('192.0.2.7 1 by 3');
  });

  test('waits on where a line that is no end bears the address: it may be of another session with the same id', () => {
    const match = [...ENDING.match!, pattern('^conn <session> refused <ip>$')];
    const filter = filterOf({ ...ENDING, match });
    expect(last(['conn 1 refused', 'conn 1 refused 192.0.2.7'], filter)).toBe('192.0.2.7 1 by 4');
    expect(last(['conn 1 refused', 'conn 1 refused 192.0.2.7', GONE], filter)).toBe('192.0.2.7 1 by 0');
  });

  test('waits as long as a session is remembered, by the stamps of lines', () => {
    const [day, later] = [24 * 60, 24 * 60 + 1];
    expect(last([at(0, 'conn 1 refused'), at(day, GONE)])).toBe('192.0.2.7 1 by 0');
    expect(last([at(0, 'conn 1 refused'), at(later, GONE)])).toBe('closed');
  });
});

describe('where no line opens a session', () => {
  /** A service whose messages name their client at their end only. */
  const UNOPENED: Partial<FilterDefinition> = {
    layout: 'syslog',
    program: ['post'],
    match: [pattern('^<session>: unknown (?<user>\\S+)$'), pattern('^refused <user> from <ip>$')],
    closes: [pattern('^<session>: nothing sent by <ip>$'), pattern('^<session>: sent$')],
  };
  const line = (message: string, pid = 812): string => `Jan  5 10:11:12 mx post[${pid}]: ${message}`;
  const last = (...lines: string[]): string => {
    const sessions = createSessionMemory();
    const filter = filterOf(UNOPENED);
    const verdict = lines.map((each) => filter.judge(each, NOW, sessions)).at(-1)!;
    return verdict.outcome === 'match'
      ? `${verdict.match.address.text} ${verdict.match.counts}`
      : verdict.outcome;
  };
  const END = line('A1: nothing sent by 192.0.2.7');

  test('the end that bears an address is enough', () => {
    expect(last(line('A1: unknown x'), line('A1: unknown y'), END)).toBe('192.0.2.7 2');
    expect(last(line('A2: unknown x'), END)).toBe('closed');
    expect(last(line('A1: unknown x', 813), END)).toBe('closed');
    expect(last(line('A1: unknown x'), line('A1: sent'), END)).toBe('closed');
    expect(last(line('refused x from 192.0.2.7'))).toBe('192.0.2.7 1');
  });

  test('forgeries are made of its lines too', () => {
    expect(proveFilter(filterOf(UNOPENED))).toEqual([]);
    // Whoever writes in front of the id tells whose message it is.
    const match = [pattern('^by <name>: <session>: unknown')];
    const bent = proveFilter(filterOf({ ...UNOPENED, layout: 'plain', program: [], match }));
    expect(bent.map(({ got }) => got)).toContain('203.0.113.66');
  });
});

test('each of several jails is told of a session that a line ends', () => {
  const filters = [
    filterOf(ENDING),
    filterOf(ENDING, { mode: 'aggressive' }),
    filterOf(ENDING, { where: { ip: '192.0.2.7' } }),
    filterOf(ENDING, { where: { ip: '192.0.2.8' } }),
    filterOf(ENDING, { except: { ip: '192.0.2.8' } }),
  ];
  const told = (text: string): string[] => {
    const found: string[] = [];
    const keep = (filter: number, { counts }: Match): void => void found.push(`${filter}: ${counts}`);
    createScanner(filters).scan(text, NOW, keep, 'log', createSessionMemory());
    return found;
  };
  // An attempt in the one mode only, but the end in both.
  expect(told('conn 1 from 192.0.2.7\nconn 1 gone from 192.0.2.7 at once\nconn 1 refused\n')).toEqual([
    '1: 1',
  ]);
  expect(told('conn 1 refused\nconn 1 gone from 192.0.2.7\n')).toEqual(['0: 1', '1: 1', '2: 1', '4: 1']);
});
