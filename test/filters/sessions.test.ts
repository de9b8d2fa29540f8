// Lines joined by a session: a line without an address is about the address in an earlier one.
import { describe, expect, test } from 'vitest';
import { createScanner, createSessionMemory, parseFilter, proveFilter } from '../../src/filters/index.ts';
import type { Filter, FilterDefinition, SessionMemory } from '../../src/filters/contract.ts';
import { sessionId } from '../../src/filters/session-index.ts';
import type { Instant } from '../../src/model.ts';
import { formatInstant } from '../../src/time.ts';
import { parseAddress } from '../../src/address.ts';
import { NOW, faultsOf, filterOf, pattern } from './engine.ts';

/** A service that numbers its connections, in a log of its own. */
const NUMBERED: Partial<FilterDefinition> = {
  layout: 'plain',
  opens: [pattern('^conn <session> from <ip>$')],
  match: [pattern('^conn <session> refused "<user>"$')],
  success: [pattern('^conn <session> let in "<user>"$')],
};
/** A service that has a process for each connection, in syslog. */
const FORKING: Partial<FilterDefinition> = {
  layout: 'syslog',
  program: ['door'],
  opens: [pattern('^connect from <ip>$')],
  match: [pattern('^refused$'), pattern('^refused <user> from <ip>$')],
};

/** What each line comes to, in one log: the address that it is about, or the outcome. */
function tell(filter: Filter, lines: readonly string[], sessions = createSessionMemory()): string[] {
  return lines.map((line) => {
    const verdict = filter.judge(line, NOW, sessions);
    return verdict.outcome === 'match' ? verdict.match.address.text : verdict.outcome;
  });
}

/** The same of a scan, chunk by chunk: the addresses of its matches. */
function scanned(filter: Filter, chunks: readonly string[], sessions: SessionMemory): string[] {
  const scanner = createScanner([filter]);
  const found: string[] = [];
  for (const chunk of chunks)
    scanner.scan(
      chunk,
      NOW,
      (_, { outcome, address }) => found.push(`${outcome} ${address.text}`),
      'log',
      sessions,
    );
  return found;
}

const at = (minutes: number, message: string): string =>
  `${formatInstant(NOW - 86_400_000 * 3 + minutes * 60_000)} ${message}`;

describe('a line without an address', () => {
  test('is about the one that opened its session', () => {
    const lines = ['conn 1 from 192.0.2.7', 'conn 2 from [2001:db8::7]:40022', 'conn 1 refused "x"'];
    expect(tell(filterOf(NUMBERED), [...lines, 'conn 2 refused "x"', 'conn 2 let in "x"'])).toEqual([
      ...['opened', 'opened', '192.0.2.7', '2001:db8::7', 'success'],
    ]);
  });

  test('is no match where nobody opened it, and says why', () => {
    const filter = filterOf(NUMBERED);
    expect(tell(filter, ['conn 1 from 192.0.2.7', 'conn 11 refused "x"'])).toEqual(['opened', 'no-match']);
    expect(filter.judge('conn 1 refused "x"', NOW)).toMatchObject({
      why: "a pattern fits, but the line that told the address of its session wasn't seen, or is too long ago",
    });
  });

  test('is of the process that wrote it, on its host, where it names no session', () => {
    const line = (host: string, pid: number, message: string): string =>
      `Jan  5 10:11:12 ${host} door[${pid}]: ${message}`;
    expect(
      tell(filterOf(FORKING), [
        line('web', 812, 'connect from 192.0.2.7'),
        line('web', 813, 'refused'),
        line('mail', 812, 'refused'),
        'Jan  5 10:11:12 web door: refused',
        line('web', 812, 'refused'),
        // A line that bears an address is about that one, and so are those after it.
        line('web', 812, 'refused root from 192.0.2.8'),
        '<34>1 2026-01-05T10:11:12Z web door 812 - - refused',
      ]),
    ).toEqual(['opened', 'no-match', 'no-match', 'no-match', '192.0.2.7', '192.0.2.8', '192.0.2.8']);
  });

  test('is of the host and process too where it names a session: others count their own', () => {
    const filter = filterOf({ ...NUMBERED, layout: 'syslog' });
    const line = (who: string, message: string): string => `Jan  5 10:11:12 ${who}: ${message}`;
    expect(
      tell(filter, [
        line('web door[812]', 'conn 1 from 192.0.2.7'),
        line('mail door[812]', 'conn 1 from 192.0.2.8'),
        line('web door[812]', 'conn 1 refused "x"'),
        line('mail door[812]', 'conn 1 refused "x"'),
        line('web door[813]', 'conn 1 refused "x"'),
      ]),
    ).toEqual(['opened', 'opened', '192.0.2.7', '192.0.2.8', 'no-match']);
  });

  test('can be excepted and narrowed like any other', () => {
    const lines = ['conn 1 from 192.0.2.7', 'conn 2 from 192.0.2.8'];
    const filter = filterOf(
      { ...NUMBERED, except: [pattern('.*"monitor"$')] },
      { where: { ip: '192.0.2.7' } },
    );
    const asked = ['conn 1 refused "x"', 'conn 1 refused "monitor"', 'conn 2 refused "x"'];
    expect(tell(filter, [...lines, ...asked]).slice(2)).toEqual(['192.0.2.7', 'excepted', 'no-match']);
  });
});

describe('a session', () => {
  test('is another one once its id is opened anew', () => {
    const lines = ['conn 1 from 192.0.2.7', 'conn 1 from 192.0.2.8', 'conn 1 refused "x"'];
    expect(tell(filterOf(NUMBERED), lines)).toEqual(['opened', 'opened', '192.0.2.8']);
  });

  test('is over where a line says so', () => {
    const filter = filterOf({ ...NUMBERED, closes: [pattern('^conn <session> gone$')] });
    const lines = ['conn 1 from 192.0.2.7', 'conn 1 gone', 'conn 1 refused "x"'];
    expect(tell(filter, lines)).toEqual(['opened', 'closed', 'no-match']);
  });

  test('has an id that is short, and of plain characters', () => {
    const ids = ['a'.repeat(64), 'a'.repeat(65), 'a/b', 'a.B_c-9'];
    const lines = ids.map((id) => `conn ${id} from 192.0.2.7`);
    expect(tell(filterOf(NUMBERED), lines)).toEqual(['opened', 'no-match', 'no-match', 'opened']);
  });

  test('is forgotten an hour after its latest line, by the stamps of lines, whenever they are read', () => {
    const opened = at(0, 'conn 1 from 192.0.2.7');
    const refused = (minutes: number): string => at(minutes, 'conn 1 refused "x"');
    const filter = filterOf(NUMBERED);
    expect(tell(filter, [opened, refused(60)])).toEqual(['opened', '192.0.2.7']);
    expect(tell(filter, [opened, refused(61)])).toEqual(['opened', 'no-match']);
    expect(tell(filter, [opened, refused(50), refused(110)])).toEqual(['opened', '192.0.2.7', '192.0.2.7']);
    // Late lines find it again: nothing was forgotten for good by a line of another session's.
    expect(tell(filter, [opened, refused(61), refused(59)])).toEqual(['opened', 'no-match', '192.0.2.7']);
  });

  test('that goes by a pid alone is forgotten ten minutes after its latest line: pids come again', () => {
    const filter = filterOf(FORKING);
    const line = (minutes: number, message: string): string =>
      `Jan  5 10:${10 + minutes}:12 web door[812]: ${message}`;
    expect(
      tell(filter, [line(0, 'connect from 192.0.2.7'), line(10, 'refused'), line(20, 'refused')]),
    ).toEqual([...['opened', '192.0.2.7', '192.0.2.7']]);
    expect(tell(filter, [line(0, 'refused root from 192.0.2.7'), line(11, 'refused')])).toEqual([
      ...['192.0.2.7', 'no-match'],
    ]);
  });

  test('is over at a success that ends it, and one that doesn’t tells no address', () => {
    const success = [pattern('^let in from <ip>$'), pattern('^almost let in from <ip>$')];
    const filter = filterOf({ ...FORKING, success, closes: [pattern('^let in from <ip>$')] });
    const line = (message: string): string => `Jan  5 10:11:12 web door[812]: ${message}`;
    const told = tell(filter, ['connect from 192.0.2.7', 'let in from 192.0.2.7', 'refused'].map(line));
    expect(told).toEqual(['opened', 'success', 'no-match']);
    expect(tell(filter, ['almost let in from 192.0.2.7', 'refused'].map(line))).toEqual([
      'success',
      'no-match',
    ]);
  });

  test('may be silent for a day where its end is told', () => {
    const filter = filterOf({ ...NUMBERED, closes: [pattern('^conn <session> gone$')] });
    const lines = [at(0, 'conn 1 from 192.0.2.7'), at(24 * 60, 'conn 1 refused "x"')];
    expect(tell(filter, lines)).toEqual(['opened', '192.0.2.7']);
    const late = [at(0, 'conn 1 from 192.0.2.7'), at(24 * 60 + 1, 'conn 1 refused "x"')];
    expect(tell(filter, late)).toEqual(['opened', 'no-match']);
  });

  test('does not live longer for a stamp that is ahead of the clock', () => {
    const sessions = createSessionMemory();
    filterOf(NUMBERED).judge('2027-01-05T10:11:12Z conn 1 from 192.0.2.7', NOW, sessions);
    expect(sessions.find('sample', sessionId('1'), NOW + 3_600_000)?.text).toBe('192.0.2.7');
    expect(sessions.find('sample', sessionId('1'), NOW + 3_600_001)).toBeUndefined();
  });
});

describe('the memory of sessions', () => {
  const address = parseAddress('192.0.2.7')!;
  const open = (sessions: SessionMemory, session: number, when: Instant): void =>
    sessions.open('f', sessionId(String(session)), address, when, when + 10);

  test('has room for 10 000, and those that were silent for longest make room for others', () => {
    const sessions = createSessionMemory();
    for (let n = 0; n < 10_000; n++) open(sessions, n, 0);
    open(sessions, 0, 1);
    open(sessions, 10_000, 1);
    expect([sessions.size, sessions.evicted]).toEqual([10_000, 1]);
    expect(sessions.find('f', sessionId('0'), 1)).toBe(address);
    expect(sessions.find('f', sessionId('1'), 1)).toBeUndefined();
  });

  test('lets go of what no later line is joined with, uncounted', () => {
    const sessions = createSessionMemory();
    open(sessions, 1, 0);
    open(sessions, 2, 11);
    expect([sessions.size, sessions.evicted]).toEqual([1, 0]);
    sessions.prune(22);
    expect(sessions.size).toBe(0);
  });

  test('keeps filters apart', () => {
    const sessions = createSessionMemory();
    open(sessions, 1, 0);
    expect(sessions.find('g', sessionId('1'), 0)).toBeUndefined();
  });
});

describe('a scan', () => {
  const LINES = ['conn 1 from 192.0.2.7', 'something else', 'conn 1 refused "x"', 'conn 1 let in "x"'];
  const TOLD = ['failure 192.0.2.7', 'success 192.0.2.7'];

  test('gives the verdicts of single lines, wherever the chunks part', () => {
    const filter = filterOf(NUMBERED);
    expect(scanned(filter, [`${LINES.join('\n')}\n`], createSessionMemory())).toEqual(TOLD);
    const apart = LINES.map((line) => `${line}\n`);
    expect(scanned(filter, apart, createSessionMemory())).toEqual(TOLD);
  });

  test('of another log knows nothing of it', () => {
    const apart = LINES.map((line) => `${line}\n`);
    const filter = filterOf(NUMBERED);
    expect(apart.flatMap((chunk) => scanned(filter, [chunk], createSessionMemory()))).toEqual([]);
  });

  test('takes the stamps of a container engine where lines bear none', () => {
    const framed = (hour: number, message: string): string =>
      `2026-01-05T${String(hour).padStart(2, '0')}:00:00.000000001Z stdout F ${message}\n`;
    const filter = filterOf(NUMBERED);
    const told = (hour: number): string[] =>
      scanned(
        filter,
        [framed(8, 'conn 1 from 192.0.2.7') + framed(hour, 'conn 1 refused "x"')],
        createSessionMemory(),
      );
    expect(told(9)).toEqual(['failure 192.0.2.7']);
    expect(told(10)).toEqual([]);
  });

  test('takes the host and the stamp of the daemon that relayed a plain line', () => {
    const filter = filterOf({ ...NUMBERED, program: ['door'] });
    const line = (stamp: string, message: string): string => `${stamp} door[812]: ${message}\n`;
    const lines = [
      line('2026-01-05T08:00:00Z web', 'conn 1 from 192.0.2.7'),
      line('2026-01-05T08:00:00Z mail', 'conn 1 refused "x"'),
      line('2026-01-05T08:01:00Z web', 'conn 1 refused "x"'),
      line('2026-01-05T10:00:00Z web', 'conn 1 refused "x"'),
    ];
    expect(scanned(filter, lines, createSessionMemory())).toEqual(['failure 192.0.2.7']);
  });
});

describe('a filter that joins lines is refused', () => {
  const bent = (more: Partial<FilterDefinition>): string[] =>
    proveFilter(filterOf({ ...NUMBERED, ...more })).map(({ got }) => got);

  test('where a client can name another session than his', () => {
    expect(bent({})).toEqual([]);
    expect(bent({ match: [pattern('^.*conn <session> refused')] })).toContain('203.0.113.66');
    expect(bent({ match: [pattern('^<user> refused on <session>')] })).toContain('203.0.113.66');
  });

  test('where a client can make his session another address’s, or himself another’s', () => {
    expect(bent({ opens: [pattern('^conn <session> as <user> from <ip>')] })).toContain('203.0.113.66');
    const stolen = { opens: [pattern('^as <user> on <session> from <ip>(?: .*)?$')] };
    expect(bent(stolen)).not.toEqual([]);
  });

  test('where a client can give another session to an address, or another address to a session that ends', () => {
    const told = pattern('^from <ip> as <user> on <session>');
    expect(bent({ match: [...NUMBERED.match!, told] })).toEqual(['the session 966']);
    expect(bent({ closes: [pattern('^conn <session> as <user> gone from <ip>')] })).toContain('203.0.113.66');
  });

  test('where a client can end a session by what he says', () => {
    const closes = [pattern('^.*"gone" <session>')];
    expect(bent({ closes, match: [pattern('^conn <session> refused "(?<user>[^"]*)"$')] })).toEqual([
      'the end of a session',
      'the session 966',
    ]);
  });

  test.each<[string, Partial<FilterDefinition>, string]>([
    ['a pattern names nobody', { match: [pattern('^refused$')] }, 'it has neither <ip> nor <session>'],
    ['an opening names nobody', { opens: [pattern('^conn <session>$')] }, 'it has no <ip>'],
    ['an opening names no session', { opens: [pattern('^from <ip>$')] }, 'it has no <session>'],
    ['an ending names no session', { closes: [pattern('^gone$')] }, 'it has no <session>'],
    ['nothing is ever opened', { opens: [] }, 'it has no <ip>'],
    ['a session is only looked at', { closes: [pattern('^x(?<=<session>)')] }, '<session> stands inside'],
  ])('where %s', (_what, more, why) => {
    const faults = faultsOf({ ...NUMBERED, ...more });
    expect(faults.map(({ code }) => code)).toContain('E_FILTER_PLACEHOLDER');
    expect(faults.map(({ text }) => text).join()).toContain(why);
  });
});

describe('in a filter’s file', () => {
  const FILE = `
service: door
description: refused at the door
layout: plain
opens: '^conn <session> from <ip>$'
closes: ['^conn <session> gone$']
match: '^conn <session> refused$'
`;
  const told = (text: string): string[] =>
    parseFilter(text, 'filters/door.yaml').faults.map(({ code, message }) => `${code} ${message}`);

  test('samples are several lines, of which the last one is judged', () => {
    const sample = (lines: string, yields: string): string =>
      `${FILE}samples:\n  - line: |\n      ${lines.replaceAll('\n', '\n      ')}\n    yields: ${yields}\n`;
    const refuted = (text: string): string[] =>
      proveFilter(filterOf(parseFilter(text, 'filters/door.yaml').definition!)).map(({ got }) => got);
    const lines = 'conn 1 from 192.0.2.7\nconn 1 refused';
    expect(refuted(sample(lines, '{ ip: 192.0.2.7, session: 1 }'))).toEqual([]);
    expect(refuted(sample(lines, '{ ip: 192.0.2.8 }'))).toEqual(['ip "192.0.2.7", outcome "match"']);
    expect(refuted(sample('conn 1 from 192.0.2.7', '{ ip: 192.0.2.7, outcome: opened }'))).toEqual([]);
    expect(refuted(sample('conn 1 gone', '{ outcome: closed }'))).toEqual([]);
  });

  test('an end that bears an address may stand without a beginning', () => {
    expect(told(FILE.replace(/opens.*\n/, '').replace('gone$', 'gone from <ip>$'))).toEqual([]);
  });

  test.each([
    [FILE.replace(/opens.*\n/, ''), 'E_FILTER_MISSING "opens" is missing'],
    [FILE.replace('plain', 'json'), '"opens" means nothing with layout json'],
    [
      FILE.replace("opens: '", "opens:\n  counts: 2\n  regex: '"),
      'E_FILTER_UNKNOWN_KEY a pattern of "opens" takes no key "counts"',
    ],
    [
      FILE.replace(/opens.*\ncloses.*\n/, '') + 'samples:\n  - { line: "a\\nb", yields: none }',
      'E_FILTER_VALUE "line" must be one line',
    ],
  ])('what makes no sense is a fault (%#)', (text, fault) => {
    expect(told(text).join('\n')).toContain(fault);
  });
});
