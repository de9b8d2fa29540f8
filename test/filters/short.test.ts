// What a scanner says in short: the same matches as in full, of the same addresses and instants, and nothing of the others.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../src/address.ts';
import { createWords, fillWords } from '../../src/address-words.ts';
import { createScanner } from '../../src/filters/scanner.ts';
import type { Instant, Match } from '../../src/model.ts';
import { beginOf, fillWordsOf, instantOf } from '../../src/short-run.ts';
import { NOW, filterOf, pattern } from './engine.ts';

const all = filterOf({ layout: 'access', where: {} });
const api = filterOf({ layout: 'access', where: { path: { prefix: '/api/' } } });
const broken = filterOf({ layout: 'access', where: { status: '500-599' }, exceptWhere: { path: '/health' } });
const twice = filterOf({
  layout: 'access',
  matchWhere: [
    { where: { status: 401 }, counts: 2, mode: 'normal', line: 1, column: 1 },
    { where: { status: 403 }, counts: 1, mode: 'normal', line: 1, column: 1 },
  ],
});
const sshd = filterOf({
  layout: 'syslog',
  program: ['sshd'],
  match: [pattern('^Failed password from <ip>$')],
});

const who = fc.constantFrom(
  '192.0.2.7',
  '2001:db8::7',
  '::ffff:192.0.2.9',
  '[2001:db8::8]:443',
  '192.0.2.7:80',
  '-',
);
const stamp = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('05/Jan/2026:10:11:12 +0100', '05/Jan/2026:10:11:59 +0100') },
  fc.constantFrom('05/Jan/2026:10:12:00 +0100', '32/Jan/2026:10:12:00 +0100'),
);
const request = fc.constantFrom(
  'GET / HTTP/1.1',
  'GET //api/x HTTP/1.1',
  'POST /%61pi/ HTTP/1.1',
  'GET /health HTTP/1.1',
  '-',
);
const status = fc.constantFrom(200, 401, 403, 503);
const access = fc
  .tuple(who, fc.constantFrom('-', 'anna', 'a b [c'), stamp, request, status)
  .map(([ip, user, at, line, code]) => `${ip} - ${user} [${at}] "${line}" ${code} 12 "-" "curl"`);
const line = fc.oneof(
  { weight: 8, arbitrary: access },
  access.map((text) => `Jan  5 10:11:12 web nginx[812]: ${text}`),
  access.map((text) => text.slice(0, 40)),
  fc.constantFrom('', '\r', 'x', 'Jan  5 10:11:12 host sshd[1]: Failed password from 192.0.2.8'),
);

interface Said {
  readonly filter: number;
  readonly start: number;
  readonly address: object;
  readonly at: Instant | undefined;
}

function said(filter: number, { start, address, at }: Match, base: number): Said {
  const words = createWords();
  fillWords(words, address);
  return { filter, start: base + start, address: words, at };
}

describe.each([
  ['one that takes all', [all]],
  ['some', [api, broken, twice]],
  ['all, and some', [all, api, twice]],
  ['others beside', [api, sshd, broken]],
])('filters: %s', (_, filters) => {
  it('the same as in full', () => {
    let short = 0;
    let many = 0;
    fc.assert(
      fc.property(fc.array(line, { minLength: 30, maxLength: 90 }), fc.nat(3), (lines, picky) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''), 'latin1');
        const chunk = { bytes, text: bytes.toString('latin1') };
        const full: Said[] = [];
        const whole = createScanner(filters).scan(chunk, NOW, (...told) => full.push(said(...told)));
        const found: Said[] = [];
        const report = createScanner(filters).scan(
          chunk,
          NOW,
          (...told) => found.push(said(...told)),
          'log',
          undefined,
          {
            wanted: filters.map(() => true),
            visit(filter, start, match) {
              // Now and then it isn't enough.
              if (picky > 0 && start % (picky + 1) === 0) return false;
              found.push({ filter, start, address: { ...match.address }, at: match.at });
              short++;
              return true;
            },
            visitRun(filter, run) {
              for (; run.first < run.end; run.first++) {
                const start = beginOf(run, run.first);
                if (picky > 0 && start % (picky + 1) === 0) return;
                const address = createWords();
                fillWordsOf(run, run.first, address);
                found.push({ filter, start, address, at: instantOf(run, run.first) });
                short++;
                many++;
              }
            },
          },
        );
        const inOrder = (list: Said[]): Said[] =>
          list.toSorted((a, b) => a.start - b.start || a.filter - b.filter);
        expect(inOrder(found)).toEqual(inOrder(full));
        expect(report).toEqual(whole);
      }),
      { numRuns: 40 },
    );
    expect(short).toBeGreaterThan(200);
    if (filters.includes(all)) expect(many).toBeGreaterThan(30);
  });
});

it('nobody is told in short who didn’t ask for it', () => {
  const bytes = Buffer.from(
    '192.0.2.7 - - [05/Jan/2026:10:11:12 +0100] "GET / HTTP/1.1" 200 12 "-" "curl"\n',
  );
  const found: string[] = [];
  createScanner([all, filterOf({ layout: 'access', where: { status: 200 } })]).scan(
    { bytes, text: bytes.toString('latin1') },
    NOW,
    (filter, { address }) => found.push(`${filter} ${address.text}`),
    'log',
    undefined,
    {
      wanted: [false, true],
      visit: (filter, _start, { address }) => found.push(`${filter} in short ${address.first}`) > 0,
      visitRun: (filter) => void found.push(`${filter} in short`),
    },
  );
  expect(found.toSorted()).toEqual(['0 192.0.2.7', `1 in short ${parseAddress('192.0.2.7')!.first}`]);
});
