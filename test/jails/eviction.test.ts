// Who makes room when more come than can be remembered, and what is still told of him.
import { describe, expect, it } from 'vitest';
import type { Bounds } from '../../src/jails/contract.ts';
import { HOUR, MINUTE, SECOND, T0, jailWith, match, net, offend, outcomes } from './support.ts';

const stranger = (i: number): string => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
const bounded = (bounds: Partial<Bounds>) => ({
  options: { bounds: () => ({ offenders: 1_000, evidence: Infinity, ...bounds }) },
});

describe('whoever comes back before the memory has gone round', () => {
  /** Strangers between two of his matches: one less than the share of his rank, and what was there before. */
  it.each([
    ['faint', 1, 240],
    ['near', 4, 240],
  ])('is remembered while %s', (_, matches, between) => {
    const jail = jailWith(bounded({}));
    for (let i = 0; i < 2_000; i++) outcomes(jail, stranger(i), matches === 1 ? [0] : [0, 1, 2]);
    for (let i = 0; i < matches; i++) outcomes(jail, '192.0.2.7', [i]);
    for (let i = 0; i < between; i++) outcomes(jail, stranger(9_000 + i), matches === 1 ? [9] : [9, 9, 9]);
    expect(jail.offender(net('192.0.2.7'))?.stamps).toHaveLength(matches);
    for (let i = 0; i < 2_000; i++) outcomes(jail, stranger(20_000 + i), matches === 1 ? [9] : [9, 9, 9]);
    expect(jail.offender(net('192.0.2.7'))).toBeUndefined();
  });

  it('is banned, however many others come once, and however many come almost often enough', () => {
    const jail = jailWith(bounded({}));
    for (let i = 0; i < 1_500; i++) outcomes(jail, stranger(i), [0, 1, 2, 3]);
    let verdict = '';
    for (let i = 0; i < 5; i++) {
      verdict = outcomes(jail, '192.0.2.7', [10 + i])[0]!;
      for (let other = 0; other < 200; other++) outcomes(jail, stranger(50_000 + i * 200 + other), [10 + i]);
    }
    expect([verdict, jail.size]).toEqual(['ban', 1_000]);
  });

  it('does not hang on those who were near a ban long ago: nothing of theirs counts any more', () => {
    const jail = jailWith(bounded({ offenders: 100 }));
    for (let i = 0; i < 100; i++) outcomes(jail, stranger(i), [0, 1, 2, 3]);
    for (let i = 0; i < 100; i++) outcomes(jail, stranger(500 + i), [HOUR]);
    expect(Array.from({ length: 100 }, (_, i) => jail.offender(net(stranger(i)))).every((one) => !one)).toBe(
      true,
    );
  });
});

it('those who are banned stay, and leave room for others', () => {
  const jail = jailWith(bounded({ offenders: 100 }));
  for (let i = 0; i < 300; i++) offend(jail, stranger(i), T0);
  for (let i = 0; i < 1_000; i++) outcomes(jail, stranger(5_000 + i), [MINUTE]);
  for (let i = 0; i < 300; i++) expect(jail.decide(match(stranger(i), T0 + MINUTE)).outcome).toBe('recorded');
  // A quarter each for the two ranks of those without a sentence, at the most.
  expect(jail.size).toBeLessThanOrEqual(300 + 100);
  expect(outcomes(jail, '192.0.2.7', [1, 2, 3, 4, 5]).at(-1)).toBe('ban');
});

it('a limit that was lowered is reached by and by', () => {
  let offenders = 1_000;
  const jail = jailWith({ options: { bounds: () => ({ offenders, evidence: Infinity }) } });
  for (let i = 0; i < 1_000; i++) outcomes(jail, stranger(i), [0]);
  offenders = 100;
  for (let i = 0; i < 900; i++) outcomes(jail, stranger(5_000 + i), [1]);
  expect(jail.size).toBe(100);
});

describe('where they came from', () => {
  it('is told by network: IPv4 by /24, IPv6 by /48, the busiest first', () => {
    const jail = jailWith(bounded({ offenders: 10 }));
    for (let i = 0; i < 40; i++) outcomes(jail, `198.51.100.${i}`, [i]);
    for (let i = 0; i < 100; i++) outcomes(jail, `2001:db8:7:${i.toString(16)}::1`, [50, 51]);
    for (let i = 0; i < 20; i++) outcomes(jail, `203.0.113.${i}`, [60]);
    const [first, second, third] = jail.crowds.largest(10);
    expect([first?.network.text, second?.network.text, third?.network.text]).toEqual([
      '2001:db8:7::/48',
      '198.51.100.0/24',
      '203.0.113.0/24',
    ]);
    expect(first).toMatchObject({ forgotten: 100, matches: 200, last: T0 + 51 });
    expect(second).toMatchObject({ forgotten: 40, matches: 40, last: T0 + 39 });
  });

  it('counts for nobody: an innocent in the busiest network is as far from a ban as ever', () => {
    const jail = jailWith(bounded({ offenders: 10 }));
    for (let i = 0; i < 200; i++) outcomes(jail, `198.51.100.${i}`, [i, i + 1]);
    expect(jail.crowds.largest(1)[0]?.matches).toBeGreaterThan(300);
    expect(jail.decide(match('198.51.100.250', T0 + SECOND))).toEqual({
      ...{ outcome: 'counted', count: 1, of: 5 },
    });
    expect(jail.stats.bans).toBe(0);
  });

  it('is bounded itself, and the busiest stay', () => {
    const jail = jailWith(bounded({ offenders: 10 }));
    for (let i = 0; i < 255; i++) outcomes(jail, `198.51.100.${i}`, [0, 1]);
    for (let i = 0; i < 5_000; i++) outcomes(jail, `10.${i >> 8}.${i & 255}.1`, [2]);
    expect(jail.crowds.size).toBe(1_000);
    expect(jail.crowds.largest(1)[0]).toMatchObject({ network: net('198.51.100.0/24'), forgotten: 255 });
  });

  it('is forgotten once nobody has made room for findTime', () => {
    const jail = jailWith(bounded({ offenders: 10 }));
    for (let i = 0; i < 20; i++) outcomes(jail, stranger(i), [0]);
    jail.prune(T0);
    jail.prune(T0 + 10 * MINUTE);
    expect(jail.crowds.size).toBe(1);
    jail.prune(T0 + 10 * MINUTE + 1);
    expect(jail.crowds.size).toBe(0);
  });
});

it('evidence is bounded in bytes; whoever is judged keeps his, and the counts stay', () => {
  const jail = jailWith(bounded({ evidence: 100_000 }));
  const evidence = () => ({ file: '/var/log/auth.log', line: 1, at: T0, text: 'x'.repeat(1_000) });
  for (let i = 0; i < 900; i++)
    for (let n = 0; n < 4; n++) jail.decide(match(stranger(i), T0 + n, { evidence }));
  expect(jail.weight).toBeLessThanOrEqual(100_000);
  expect(jail.stats.thinned).toBeGreaterThan(3_000);
  const verdict = jail.decide(match(stranger(3), T0 + 5, { evidence }));
  expect(verdict).toMatchObject({ outcome: 'ban', count: 5, evidence: [{ text: 'x'.repeat(1_000) }] });
});
