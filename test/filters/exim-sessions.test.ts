// The shipped filters for Exim and a jail behind them: one attempt counts once, by the pid that the lines of a connection
// have in common.
import { describe, expect, test } from 'vitest';
import { createScanner } from '../../src/filters/index.ts';
import type { Match } from '../../src/model.ts';
import { jailWith } from '../jails/support.ts';
import { shippedFilter } from './shipped.ts';

const NOW = Date.UTC(2026, 0, 6);

/** What becomes of each line: `-` where it is no match, the count where it counts, else what the jail says. */
function replay(...lines: readonly string[]): (string | number)[] {
  const scanner = createScanner([shippedFilter('exim'), shippedFilter('exim-rejects')]);
  const jail = jailWith({ rules: { maxRetry: 100 } });
  return lines.map((line) => {
    let told: string | number = '-';
    const visit = (_: number, match: Match): void => {
      const { address, counts, oncePerSession, session, outcome } = match;
      const at = match.at!;
      const evidence = () => ({ file: 'mainlog', line: 1, at, text: line });
      const verdict = jail.decide({ address, at, counts, oncePerSession, session, outcome, evidence });
      if (verdict.outcome === 'recorded') told = verdict.why;
      else told = verdict.outcome === 'counted' ? verdict.count : verdict.outcome;
    };
    scanner.scan(`${line}\n`, NOW, visit);
    return told;
  });
}

const own = (pid: string, message: string): string => `2026-01-05 10:11:12 ${pid}${message}`;
const CLIENT = '(x) [192.0.2.7]:40022 I=[198.51.100.1]:25';
const FAILED = `login authenticator failed for ${CLIENT}: 535 Incorrect authentication data (set_id=x)`;
const UNOFFERED = `SMTP protocol error in "AUTH LOGIN" H=${CLIENT} AUTH command used when not advertised`;
const DENIED = `H=${CLIENT} rejected AUTH LOGIN: not from there`;
const ENDED = `no MAIL in SMTP connection from ${CLIENT} D=3s C=EHLO,AUTH`;

describe('a connection that breaks off behind AUTH', () => {
  test('counts once, where nothing else of it has', () => {
    expect(replay(own('[812] ', ENDED), own('[813] ', ENDED))).toEqual([1, 2]);
    const syslog = (message: string): string => `Jan  5 10:11:12 mx exim[812]: ${message}`;
    expect(replay(syslog(FAILED), syslog(ENDED))).toEqual([1, 'counted-already']);
  });

  test.each([FAILED, UNOFFERED, DENIED])('is evidence after %s', (line) => {
    expect(replay(own('[812] ', line), own('[812] ', ENDED), own('[813] ', ENDED))).toEqual([
      1,
      'counted-already',
      2,
    ]);
  });

  test('is evidence where nothing tells one connection from another', () => {
    expect(replay(own('', FAILED), own('', ENDED))).toEqual([1, 'counts-nothing']);
  });
});
