// "last message repeated 3 times", as sysklogd writes it: so many more of what the line before counted, once.
import { describe, expect, test } from 'vitest';
import { createSessions } from '../../src/daemon/intake/sessions.ts';
import { scanSafely } from '../../src/daemon/intake/safe-scan.ts';
import { createScanner, createSessionMemory, parseFilter, proveFilter } from '../../src/filters/index.ts';
import type { Filter, SessionMemory } from '../../src/filters/contract.ts';
import type { LastLine } from '../../src/ledger/contract.ts';
import type { Match } from '../../src/model.ts';
import { NOW, filterOf, pattern } from './engine.ts';

const at = (second: number, rest: string): string =>
  `Jan  5 10:11:${String(second).padStart(2, '0')} ${rest}`;
const FAILED = at(12, 'web door[812]: refused from 192.0.2.7');
const again = (times: number, host = 'web ', second = 20): string =>
  at(second, `${host}last message repeated ${times} times`);
const OTHER = at(13, 'web cron[9]: nothing to do');

const door = (more: Parameters<typeof filterOf>[0] = {}): Filter =>
  filterOf({ layout: 'syslog', program: ['door'], match: [pattern('^refused from <ip>$')], ...more });

/** What each match of a scan comes to: its line, from 1 over all chunks, and what it counts. */
function scanned(
  chunks: readonly (readonly string[])[],
  filter: Filter = door(),
  sessions?: () => SessionMemory,
): string[] {
  const memory = createSessionMemory();
  const scanner = createScanner([filter]);
  const found: string[] = [];
  let before = 0;
  for (const lines of chunks) {
    const text = lines.map((line) => `${line}\n`).join('');
    const visit = (_: number, { start, address, counts, outcome }: Match): number =>
      found.push(
        `${before + text.slice(0, start).split('\n').length} ${address.text} ${outcome === 'failure' ? counts : outcome}`,
      );
    scanner.scan(text, NOW, visit, 'log', sessions?.() ?? memory);
    before += lines.length;
  }
  return found;
}

/** Every way of cutting the lines into chunks. */
function cuts(lines: readonly string[]): string[][][] {
  return Array.from({ length: 2 ** (lines.length - 1) }, (_, bits) => {
    const chunks: string[][] = [[lines[0]!]];
    for (const [index, line] of lines.slice(1).entries())
      if (bits & (1 << index)) chunks.push([line]);
      else chunks.at(-1)!.push(line);
    return chunks;
  });
}

describe('a message that came again', () => {
  test('counts so many more times, at the instant of the line that says so', () => {
    expect(scanned([[FAILED, again(3)]])).toEqual(['1 192.0.2.7 1', '2 192.0.2.7 3']);
    const instants: (number | undefined)[] = [];
    createScanner([door()]).scan(`${FAILED}\n${again(3)}\n`, NOW, (_, match) => instants.push(match.at));
    expect(instants[1]! - instants[0]!).toBe(8_000);
  });

  const LOG = [FAILED, again(2), again(5), OTHER, again(4), FAILED, OTHER, FAILED, again(1)];
  const COUNTED = [
    ...['1 192.0.2.7 1', '2 192.0.2.7 2', '3 192.0.2.7 5'],
    ...['6 192.0.2.7 1', '8 192.0.2.7 1', '9 192.0.2.7 1'],
  ];
  test('counts the same wherever the log is cut into chunks, and whenever it is read by another daemon', () => {
    for (const chunks of cuts(LOG)) {
      expect(scanned(chunks)).toEqual(COUNTED);
      // What is committed at each edge is all that the next one knows.
      let sessions = createSessions([]);
      let committed: readonly LastLine[] = [];
      const reborn = (): SessionMemory => {
        const { lastLines, forgottenLastLines } = sessions.takeDirty();
        if (lastLines.length + forgottenLastLines.length > 0) committed = lastLines;
        sessions = createSessions([], committed);
        return sessions.of('log');
      };
      expect(scanned(chunks, door(), reborn)).toEqual(COUNTED);
    }
  });

  test('counts what the message counted: nothing for evidence, once for what counts once in a session', () => {
    const weighed = door({ match: [pattern('^refused from <ip>$', { counts: 2 })] });
    expect(scanned([[FAILED, again(3)]], weighed)).toEqual(['1 192.0.2.7 2', '2 192.0.2.7 6']);
    const evidence = door({ match: [pattern('^refused from <ip>$', { counts: 0 })] });
    expect(scanned([[FAILED, again(3)]], evidence)).toEqual(['1 192.0.2.7 0', '2 192.0.2.7 0']);
    const once = door({ match: [pattern('^refused from <ip>$', { counts: 'session' })] });
    expect(scanned([[FAILED, again(3)]], once)).toEqual(['1 192.0.2.7 1', '2 192.0.2.7 1']);
    const success = door({ match: [pattern('^x <ip>$')], success: [pattern('^refused from <ip>$')] });
    expect(scanned([[FAILED, again(3)]], success)).toEqual(['1 192.0.2.7 success', '2 192.0.2.7 success']);
  });

  test('may be about a line whose address an earlier line told', () => {
    const filter = door({ opens: [pattern('^hello from <ip>$')], match: [pattern('^refused$')] });
    const hello = at(11, 'web door[812]: hello from 192.0.2.7');
    const refused = at(12, 'web door[812]: refused');
    for (const chunks of cuts([hello, refused, again(3)]))
      expect(scanned(chunks, filter)).toEqual(['2 192.0.2.7 1', '3 192.0.2.7 3']);
  });

  test('is written with another stamp, a priority, and without a host where there is none', () => {
    const iso = (rest: string): string => `2026-01-05T10:11:12.123456+01:00 ${rest}`;
    expect(
      scanned([
        [iso('web door[812]: refused from 192.0.2.7'), `<37>${iso('web last message repeated 2 times')}`],
      ]),
    ).toEqual(['1 192.0.2.7 1', '2 192.0.2.7 2']);
    expect(scanned([[FAILED.replace('web ', ''), again(2, '')]])).toEqual(['1 192.0.2.7 1', '2 192.0.2.7 2']);
  });
});

describe('nothing is counted', () => {
  test.each([
    ['where another host says so', [FAILED, again(3, 'db ')]],
    ['where no host says so, and the line had one', [FAILED, again(3, '')]],
    ['where another line came between', [FAILED, OTHER, again(3)]],
    ['where it is empty', [FAILED, '', again(3)]],
    [
      'behind a tag, as a client would have it written',
      [FAILED, at(20, 'web door[812]: last message repeated 3 times')],
    ],
    ['behind the tag of another program', [FAILED, at(20, 'web x: last message repeated 3 times')]],
    ['where more follows', [FAILED, `${again(3)} or so`]],
    ['beyond six digits', [FAILED, again(1_000_000)]],
    ['before the first number', [FAILED, at(20, 'web last message repeated -3 times')]],
  ])('%s', (_, lines) => {
    for (const chunks of cuts(lines)) expect(scanned(chunks)).toEqual(['1 192.0.2.7 1']);
  });

  test('of a line that is excepted, or that no filter takes, or where the log begins', () => {
    const filter = door({ except: [pattern('refused')] });
    expect(scanned([[FAILED, again(3)]], filter)).toEqual([]);
    expect(scanned([[OTHER, again(3), again(3)]])).toEqual([]);
    expect(scanned([[again(3), again(3)], [again(3)]])).toEqual([]);
  });

  test('where a line between two of them broke a filter, or was told of no layout', () => {
    expect(scanned([[FAILED], ['no syslog'], [again(3)]])).toEqual(['1 192.0.2.7 1']);
  });
});

test('is remembered only where a filter took it, so that logs without such lines cost nothing', () => {
  const sessions = createSessions([]);
  const scan = (...lines: string[]) =>
    createScanner([door()]).scan(`${lines.join('\n')}\n`, NOW, () => {}, 'log', sessions.of('log'));
  scan(OTHER, FAILED, OTHER);
  expect(sessions.takeDirty()).toMatchObject({ lastLines: [], forgottenLastLines: [] });
  scan(OTHER, FAILED);
  expect(sessions.takeDirty().lastLines).toEqual([{ source: 'log', line: FAILED, at: NOW }]);
  // What it spoke of stays.
  scan(again(2));
  expect(sessions.takeDirty()).toMatchObject({ lastLines: [], forgottenLastLines: [] });
  scan(OTHER);
  const changes = sessions.takeDirty();
  expect(changes).toMatchObject({ lastLines: [], forgottenLastLines: ['log'] });
  sessions.restore(changes);
  expect(sessions.takeDirty().forgottenLastLines).toEqual(['log']);
  scan(`${FAILED.replace('refused', 'x'.repeat(9_000))}`, FAILED);
  sessions.prune(NOW + 1);
  expect(sessions.takeDirty()).toMatchObject({ lastLines: [], forgottenLastLines: ['log'] });
});

test('a line that breaks a filter is no line to come again', () => {
  const sessions = createSessionMemory();
  const chunk = { text: `${FAILED}\nbroken\n${again(3)}\n`, arrivedAt: NOW, source: 'log' };
  const scanner = createScanner([door()]);
  const breaking: typeof scanner = {
    scan: (lines, ...rest) => {
      if ((typeof lines === 'string' ? lines : lines.text).includes('broken')) throw new Error('broken');
      return scanner.scan(lines, ...rest);
    },
  };
  const found: number[] = [];
  const report = scanSafely(breaking, chunk, sessions, (_, { counts }) => found.push(counts));
  expect([report.broken, found]).toEqual([1, [1]]);
});

test('many in a row take no longer than as many others', () => {
  let asked = 0;
  const sessions: SessionMemory = {
    ...createSessionMemory(),
    get lastLine() {
      asked++;
      return FAILED;
    },
    keepLast() {},
  };
  const lines = Array.from({ length: 5_000 }, () => again(1));
  let counted = 0;
  createScanner([door(), door()]).scan(`${lines.join('\n')}\n`, NOW, () => counted++, 'log', sessions);
  expect([counted, asked]).toEqual([10_000, 1]);
});

test('a sample of two lines says it, and the filter is proven', () => {
  const text = `service: door
layout: syslog
program: door
match: '^refused from <ip>$'
samples:
  - line: |
      ${FAILED}
      ${again(3)}
    yields: { ip: 192.0.2.7, counts: 3 }
`;
  const { definition, faults } = parseFilter(text, 'door.yaml');
  expect(faults).toEqual([]);
  expect(proveFilter(filterOf(definition!))).toEqual([]);
  const wrong = parseFilter(text.replace('counts: 3', 'counts: 4'), 'door.yaml').definition!;
  expect(proveFilter(filterOf(wrong))).toHaveLength(1);
});
