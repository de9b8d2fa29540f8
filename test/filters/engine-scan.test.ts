import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Filter } from '../../src/filters/contract.ts';
import { createScanner } from '../../src/filters/scanner.ts';
import type { Match } from '../../src/model.ts';
import { NOW, bytes, filterOf, pattern, plain, scan } from './engine.ts';

const login = filterOf({
  layout: 'access',
  where: { method: 'POST', path: ['/login', '/anmelden/für'], status: [401, 403] },
});
const api = filterOf({
  layout: 'access',
  where: { path: { prefix: '/api/' } },
  exceptWhere: { status: '500-599' },
});
const agents = filterOf({ layout: 'access', where: { http_user_agent: { contains: ['sqlmap', 'nikto'] } } });
const sshd = filterOf({
  layout: 'syslog',
  program: ['sshd'],
  match: [pattern(String.raw`^Failed \S+ for (?:invalid user )?<user> from <ip> port \d+$`)],
  success: [pattern('^Accepted password for <user> from <ip>')],
  except: [pattern('.* from 198\\.51\\.100\\.')],
});
const folded = plain('(?i)^login failed for <user> from <ip>');
const unsearchable = plain(String.raw`^\d+ <ip>$`);
const everyFilter = [login, api, agents, sshd, folded, unsearchable];

/** Pieces that put together often make lines that nearly fit. */
const piece = fc.constantFrom(
  '192.0.2.7',
  '2001:db8::7',
  '::ffff:192.0.2.9',
  ' - - [05/Jan/2026:10:11:12 +0100] ',
  '"POST /login HTTP/1.1"',
  '"POST //login?x HTTP/1.1"',
  '"GET /api/x HTTP/1.1"',
  '"GET /%61pi/ HTTP/1.1"',
  '"POST /anmelden/f\\xC3\\xBCr HTTP/1.1"',
  ' 401 12 "-" "sqlmap"',
  ' 503 0 "-" "-"',
  'Jan  5 10:11:12 host sshd[1]: ',
  'Failed password for ',
  'invalid user ',
  'à\u0085\u00a0',
  ' from ',
  '198.51.100.4',
  ' port 22',
  'Accepted password for root',
  'LOGIN Failed for x from 192.0.2.8',
  '7 192.0.2.7',
  '\0',
  '\r',
  '"',
  '\\x41',
);
const line = fc
  .array(fc.oneof({ weight: 8, arbitrary: piece }, fc.string({ unit: 'binary', maxLength: 4 })), {
    maxLength: 7,
  })
  .map((parts) => bytes(parts.join('').replaceAll('\n', ' ')));
const whole = fc.constantFrom(
  '192.0.2.7 - - [05/Jan/2026:10:11:12 +0100] "POST /login HTTP/1.1" 401 12 "-" "sqlmap"',
  '2001:db8::7 - - [05/Jan/2026:10:11:12 +0100] "GET /x/../api/ HTTP/1.1" 200 12 "-" "-"',
  'Jan  5 10:11:12 host sshd[1]: Failed password for root from 192.0.2.7 port 22',
  'Jan  5 10:11:12 host sshd[1]: Accepted password for root from 192.0.2.7 port 22',
  'Jan  5 10:11:12 host sshd[1]: Failed password for root from 198.51.100.4 port 22',
  'LOGIN FAILED for ü from 192.0.2.8',
  '12 192.0.2.7',
  '',
);

/** What is compared: all of a match but where it stands. */
function essence(match: Match): unknown {
  const { filter, pattern, outcome, address, at, counts, oncePerSession, session, fields } = match;
  return { filter, pattern, outcome, address: address.text, at, counts, oncePerSession, session, fields };
}

describe('a scan', () => {
  it('finds in any chunk exactly what judging each of its lines finds', () => {
    let matches = 0;
    const lines = fc.array(fc.tuple(fc.oneof(line, whole), fc.constantFrom('\n', '\r\n')), { maxLength: 12 });
    const property = (filters: readonly Filter[]) =>
      fc.property(lines, (all) => {
        const expected = all.flatMap(([text, end]) =>
          filters.flatMap((filter, index) => {
            // Of "\r\r\n" only the last carriage return belongs to the end.
            const stripped = end === '\n' && text.endsWith('\r') ? text.slice(0, -1) : text;
            const verdict = filter.judge(stripped, NOW);
            const isMatch = verdict.outcome === 'match' || verdict.outcome === 'success';
            return isMatch ? [{ filter: index, match: essence(verdict.match) }] : [];
          }),
        );
        matches += expected.length;
        const found = scan(filters, all.map(([text, end]) => text + end).join(''));
        expect(found.map(({ filter, match }) => ({ filter, match: essence(match) }))).toEqual(expected);
      });
    for (const filters of [everyFilter, [login, sshd, agents], [login], [folded]])
      fc.assert(property(filters), { numRuns: 300 });
    expect(matches).toBeGreaterThan(500);
  });

  it('says where in the chunk the line stands, without its end', () => {
    const text = 'nothing\nlogin failed for a from 192.0.2.7\r\nlogin failed for b from 192.0.2.8\n';
    expect(scan([folded], text).map(({ match }) => text.slice(match.start, match.end))).toEqual([
      'login failed for a from 192.0.2.7',
      'login failed for b from 192.0.2.8',
    ]);
  });

  it('looks at lines that hold a literal, and counts those that fit no layout', () => {
    const text =
      'x\nFailed password\nJan  5 10:11:12 host sshd[1]: Failed password for root from 192.0.2.7 port 22\n';
    expect(createScanner([sshd]).scan(text, NOW, () => {})).toEqual({ candidates: 2, unframed: 1 });
  });

  it('looks at every line for a filter without literals, which is told when it is compiled', () => {
    expect(createScanner([unsearchable, sshd]).scan('x\ny\n', NOW, () => {}).candidates).toBe(2);
    expect(createScanner([]).scan('x\ny\n', NOW, () => {})).toEqual({ candidates: 0, unframed: 0 });
  });

  it('reads fields of a match after the scan has gone on', () => {
    const line = (user: string): string =>
      `192.0.2.7 - ${user} [05/Jan/2026:10:11:12 +0100] "POST /login HTTP/1.1" 401 12 "-" "-"\n`;
    expect(scan([login], line('ann') + line('bob')).map(({ match }) => match.fields.user)).toEqual([
      'ann',
      'bob',
    ]);
  });

  it('visits filters in their order, line by line', () => {
    const both = '192.0.2.7 - - [05/Jan/2026:10:11:12 +0100] "POST /login HTTP/1.1" 401 12 "-" "nikto"\n';
    expect(scan([agents, login], both + both).map(({ filter }) => filter)).toEqual([0, 1, 0, 1]);
  });
});
