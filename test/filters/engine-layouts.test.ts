import { describe, expect, it } from 'vitest';
import { NOW, bytes, filterOf, pattern, plain } from './engine.ts';

const syslog = filterOf({
  layout: 'syslog',
  program: ['sshd', 'sshd-session'],
  match: [pattern('^fail <ip>$')],
});
const AT = Date.UTC(2026, 0, 5, 10, 11, 12);

describe('the syslog layout', () => {
  it.each([
    ['Jan  5 10:11:12 web sshd[812]: fail 192.0.2.7', AT],
    ['Jan  5 10:11:12 web sshd: fail 192.0.2.7', AT],
    ['Jan  5 10:11:12 web sshd-session[1]: fail 192.0.2.7', AT],
    ['Jan  5 10:11:12 sshd[812]: fail 192.0.2.7', AT],
    ['<34>Jan  5 10:11:12 web sshd[812]: fail 192.0.2.7', AT],
    ['2026-01-05T11:11:12.123456+01:00 web sshd[812]: fail 192.0.2.7', AT + 123],
    ['<34>2026-01-05T10:11:12Z web.example.net sshd[812]: fail 192.0.2.7', AT],
    ['<34>1 2026-01-05T10:11:12.5Z web sshd 812 - - fail 192.0.2.7', AT + 500],
    ['<34>1 2026-01-05T10:11:12Z - sshd - ID47 [x@1 a="b\\"]" c="d"][y] \ufefffail 192.0.2.7', AT],
    ['<34>1 - web sshd - - - fail 192.0.2.7', undefined],
    ['<34>1 2026-01-05T10:11:12Z web sshd 812 - -  fail 192.0.2.7', AT],
    ['Jan  5 10:11:12 [sshd] fail 192.0.2.7', AT],
    ['Jan  5 10:11:12 [sshd]: fail 192.0.2.7', AT],
    ['Jan  5 10:11:12 web sshd[812]: [ID 800047 auth.info] fail 192.0.2.7', AT],
    ['Jan  5 10:11:12 web sshd[812]: kernel: [  970.699396] fail 192.0.2.7', AT],
    ['Jan  5 10:11:12 web sshd[812]: kernel:[12970.699396]: fail 192.0.2.7', AT],
    ['Jan  5 10:11:12 [192.0.2.1] sshd[812]: fail 192.0.2.7', AT],
    ['Jan  5 10:11:12 [2001:db8::1] sshd[812]: fail 192.0.2.7', AT],
  ])('frames %s', (line, at) => {
    expect(syslog.judge(bytes(line), NOW)).toMatchObject({
      outcome: 'match',
      match: { at, address: { text: '192.0.2.7' } },
    });
  });

  it.each([
    ['Jan  5 10:11:12 web sshd[812]: fail 192.0.2.7', '812'],
    ['<34>Jan  5 10:11:12 sshd[1]: fail 192.0.2.7', '1'],
    ['<34>1 2026-01-05T10:11:12Z web sshd 812 - - fail 192.0.2.7', '812'],
    ['<34>1 2026-01-05T10:11:12Z web sshd - - - fail 192.0.2.7', undefined],
    ['Jan  5 10:11:12 web sshd: fail 192.0.2.7', undefined],
    ['Jan  5 10:11:12 web sshd[]: fail 192.0.2.7', undefined],
    ['Jan  5 10:11:12 web sshd[8x2]: fail 192.0.2.7', undefined],
    ['Jan  5 10:11:12 web sshd[12345678901]: fail 192.0.2.7', undefined],
  ])('reads the session of %s: %s', (line, session) => {
    expect(syslog.judge(bytes(line), NOW)).toMatchObject({ outcome: 'match', match: { session } });
  });

  it.each([
    ['message repeated 3 times: [ fail 192.0.2.7]', 3],
    ['message repeated 1 times: [fail 192.0.2.7]', 1],
    ['fail 192.0.2.7', 1],
  ])('counts %s for so many: %i', (message, counts) => {
    for (const head of ['Jan  5 10:11:12 web sshd[812]: ', '<34>1 2026-01-05T10:11:12Z web sshd 812 - - '])
      expect(syslog.judge(head + message, NOW)).toMatchObject({ outcome: 'match', match: { counts } });
  });

  it('fits no end to a line that a syslog daemon may have cut off', () => {
    const closed = filterOf({ layout: 'syslog', match: [pattern('^fail <user> from <ip>$')] });
    const open = filterOf({ layout: 'syslog', match: [pattern('^fail from <ip>')] });
    const head = 'Jan  5 10:11:12 web sshd[812]: ';
    const judged = (filter: typeof closed, begin: string, length: number): string => {
      const end = ' from 192.0.2.7';
      const fill = 'x'.repeat(length - head.length - begin.length - end.length);
      return filter.judge(head + begin + fill + end, NOW).outcome;
    };
    for (const length of [100, 999, 1_101, 2_019, 2_131, 4_069, 4_181, 7_999])
      expect(judged(closed, 'fail ', length), `${length}`).toBe('match');
    for (const length of [1_000, 1_024, 1_100, 2_048, 4_096, 8_000, 8_192, 20_000]) {
      expect(judged(closed, 'fail ', length), `${length}`).toBe('no-match');
      expect(judged(open, 'fail from 192.0.2.9 ', length), `${length}`).toBe('match');
    }
  });

  it.each([
    'message repeated 3 times: [ x]',
    'message repeated x times: [ fail 192.0.2.7]',
    'message repeated 3 times: [ fail 192.0.2.7',
    'x message repeated 3 times: [ fail 192.0.2.7]',
  ])('takes nothing of %s', (message) => {
    expect(syslog.judge(`Jan  5 10:11:12 web sshd[812]: ${message}`, NOW).outcome).toBe('no-match');
  });

  it.each([
    ['Jan  5 10:11:12 web cron[812]: fail 192.0.2.7', 'no-match'],
    ['Jan  5 10:11:12 web xsshd[812]: fail 192.0.2.7', 'no-match'],
    ['<34>1 2026-01-05T10:11:12Z web cron 812 - - fail 192.0.2.7', 'no-match'],
    ['Jan  5 10:11:12 web sshd[812]:  fail 192.0.2.7', 'no-match'],
    ['Jan  5 10:11:12 web sshd[812]:', 'no-match'],
    ['Jan  5 10:11:12 web', 'no-layout'],
    ['Jan  5 10:11:12 web sshd fail 192.0.2.7', 'no-layout'],
    ['Jan  5 10:11:12 [sshd fail 192.0.2.7', 'no-layout'],
    ['Jan  5 10:11:12 [info] fail 192.0.2.7', 'no-layout'],
    ['Jan  5 10:11:12 web [sshd] fail 192.0.2.7', 'no-layout'],
    // The tag is metalog's, whatever the message looks like.
    ['Jan  5 10:11:12 [door] sshd[812]: fail 192.0.2.7', 'no-match'],
    ['Jan  5 10:11:12 web sshd[812]: kernel: [970] fail 192.0.2.7', 'no-match'],
    ['Jan  5 10:11:12 web sshd[812]: kernel: [1.2] kernel: [1.2] fail 192.0.2.7', 'no-match'],
    ['Jan  5 10:11:12 web door[812]: kernel: [1.2] sshd[812]: fail 192.0.2.7', 'no-match'],
    ['Jan  5 10:11:12 web sshd[812 fail 192.0.2.7', 'no-layout'],
    ['Jan  5 10:11:12', 'no-layout'],
    ['sshd[812]: fail 192.0.2.7', 'no-layout'],
    ['<34>1 2026-01-05T10:11:12Z web sshd 812 -', 'no-layout'],
    ['<34>1 yesterday web sshd 812 - - fail 192.0.2.7', 'no-layout'],
    ['<34>1 2026-01-05T10:11:12Z web sshd 812 - [x a="b fail 192.0.2.7', 'no-layout'],
    ['<3x>Jan  5 10:11:12 web sshd[812]: fail 192.0.2.7', 'no-layout'],
    ['\0\0\0', 'no-layout'],
    ['', 'no-layout'],
  ])('says of "%s": %s', (line, outcome) => {
    expect(syslog.judge(bytes(line), NOW).outcome).toBe(outcome);
  });
});

describe('the plain layout', () => {
  const filter = plain('^fail <ip>$');
  it.each([
    ['2026-01-05 10:11:12 fail 192.0.2.7', AT],
    ['[2026-01-05T10:11:12Z] fail 192.0.2.7', AT],
    ['2026/01/05 10:11:12   fail 192.0.2.7', AT],
    ['1767607872 fail 192.0.2.7', AT],
    ['fail 192.0.2.7', undefined],
    ['  fail 192.0.2.7', undefined],
  ])('frames "%s"', (line, at) => {
    expect(filter.judge(line, NOW)).toMatchObject({ outcome: 'match', match: { at } });
  });

  it('takes no number for a stamp that goes on as a word', () => {
    expect(plain('^1767607872x <ip>').judge('1767607872x 192.0.2.7', NOW)).toMatchObject({
      match: { at: undefined },
    });
  });
});
