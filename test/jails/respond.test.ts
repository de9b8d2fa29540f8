import { describe, expect, test } from 'vitest';
import type { JailRules, Step, Wider } from '../../src/model.ts';
import {
  DAY,
  HOUR,
  jailWith,
  match,
  MINUTE,
  net,
  offend,
  outcomes,
  SECOND,
  T0,
  type Setting,
} from './support.ts';

const DROP: Step = { answer: undefined, ports: undefined, duration: undefined, wider: undefined };
const SLOW: Step = { ...DROP, answer: { do: 'throttle', rate: { packets: 10, per: 'minute' } } };
const FOR_GOOD: Step = { ...DROP, duration: Infinity };
const wide = (wider: Partial<Wider>): Step => ({
  ...DROP,
  wider: { when: 3, ipv4: undefined, ipv6: undefined, ...wider },
});
const NET = wide({ ipv4: 24, ipv6: 48 });

const responding = (respond: readonly Step[], rules: Partial<JailRules> = {}, setting: Setting = {}) =>
  jailWith({ ...setting, rules: { maxRetry: 2, respond, ...rules } });

describe('steps by the number of the offence', () => {
  test('a step says how long its sentence lasts, else banTime does; the last one repeats', () => {
    const jail = responding([{ ...DROP, duration: HOUR }, DROP, FOR_GOOD]);
    const first = offend(jail, '192.0.2.7', T0);
    expect(first).toMatchObject({ nth: 1, until: T0 + HOUR });
    expect(jail.next(net('192.0.2.7'), T0 + HOUR)).toMatchObject({ nth: 2, duration: 40 * MINUTE });
    expect(offend(jail, '192.0.2.7', T0 + HOUR)).toMatchObject({ nth: 2, until: T0 + HOUR + 40 * MINUTE });
    expect(jail.next(net('192.0.2.7'), T0 + 2 * HOUR)).toMatchObject({ nth: 3, duration: Infinity });
    expect(offend(jail, '192.0.2.7', T0 + 2 * HOUR)).toMatchObject({ nth: 3, until: undefined });
    // By hand it is as long as was typed.
    expect(jail.convict(net('192.0.2.8'), T0, MINUTE)).toEqual({ nth: 1, until: T0 + MINUTE });
    expect(jail.convict(net('192.0.2.9'), T0, undefined)).toEqual({ nth: 1, until: T0 + HOUR });
  });

  test('who is throttled is counted on, and comes to the next step before the first is over', () => {
    const jail = responding([SLOW, DROP]);
    expect(offend(jail, '192.0.2.7', T0)).toMatchObject({ outcome: 'ban', nth: 1 });
    expect(jail.decide(match('192.0.2.7', T0 + SECOND))).toEqual({ outcome: 'counted', count: 1, of: 2 });
    expect(jail.decide(match('192.0.2.7', T0 + 2 * SECOND))).toMatchObject({ outcome: 'ban', nth: 2 });
    expect(outcomes(jail, '192.0.2.7', [3 * SECOND, 4 * SECOND])).toEqual(['recorded', 'recorded']);
  });

  test('that he is only throttled is remembered', () => {
    const jail = responding([SLOW, DROP]);
    offend(jail, '192.0.2.7', T0);
    const [offender] = jail.takeDirty();
    expect(offender).toMatchObject({ throttled: true });
    const again = responding([SLOW, DROP], {}, { remembered: [structuredClone(offender!)] });
    expect(outcomes(again, '192.0.2.7', [SECOND, 2 * SECOND, 3 * SECOND])).toEqual([
      'counted',
      'ban',
      'recorded',
    ]);
    expect(again.takeDirty()[0]).not.toHaveProperty('throttled');
  });

  test('who is banned by hand is not throttled, whatever the step says', () => {
    const jail = responding([SLOW]);
    jail.convict(net('192.0.2.7'), T0, HOUR);
    expect(outcomes(jail, '192.0.2.7', [SECOND, 2 * SECOND])).toEqual(['recorded', 'recorded']);
  });
});

describe('the network around offenders', () => {
  const verdicts = (jail: ReturnType<typeof responding>, addresses: readonly string[]) =>
    addresses.map((address, index) => {
      const verdict = offend(jail, address, T0 + index * SECOND);
      return verdict.outcome === 'ban' ? `${verdict.offender.text} ${verdict.nth}` : verdict.outcome;
    });

  test('is banned when enough of it are, and no one of another network counts', () => {
    const jail = responding([NET]);
    expect(verdicts(jail, ['192.0.2.1', '198.51.100.1', '192.0.2.2', '192.0.3.3', '192.0.2.3'])).toEqual([
      '192.0.2.1 1',
      '198.51.100.1 1',
      '192.0.2.2 1',
      '192.0.3.3 1',
      '192.0.2.0/24 1',
    ]);
    // Whoever is of it is banned, and others are not.
    expect(outcomes(jail, '192.0.2.99', [6 * SECOND, 7 * SECOND])).toEqual(['recorded', 'recorded']);
    expect(outcomes(jail, '192.0.3.99', [6 * SECOND])).toEqual(['counted']);
    // It ends with the sentence of whoever was the last straw.
    expect(outcomes(jail, '192.0.2.99', [4 * SECOND + 10 * MINUTE])).toEqual(['counted']);
    expect(
      verdicts(responding([NET]), [
        '2001:db8:1:1::1',
        '2001:db8:1:2::1',
        '2001:db8:1:2::2',
        '2001:db8:1:3::1',
      ]),
    ).toEqual(['2001:db8:1:1::/64 1', '2001:db8:1:2::/64 1', 'recorded', '2001:db8:1::/48 1']);
  });

  test('is not banned by those whose sentence is over, nor by the same one again', () => {
    const jail = responding([NET]);
    const at = (minutes: number) => T0 + minutes * MINUTE;
    const ban = (address: string, minutes: number) => offend(jail, address, at(minutes));
    ban('192.0.2.1', 0);
    ban('192.0.2.2', 1);
    expect(ban('192.0.2.3', 11)).toMatchObject({ offender: net('192.0.2.3') });
    expect(ban('192.0.2.1', 12)).toMatchObject({ offender: net('192.0.2.1'), nth: 2 });
    expect(ban('192.0.2.4', 13)).toMatchObject({ offender: net('192.0.2.0/24'), widening: { offenders: 3 } });
  });

  test('is only banned at the step that says so', () => {
    const jail = responding([DROP, NET]);
    const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'];
    expect(verdicts(jail, addresses)).toEqual(addresses.map((address) => `${address} 1`));
    const later = T0 + 11 * MINUTE;
    expect(offend(jail, '192.0.2.1', later)).toMatchObject({ offender: net('192.0.2.1'), nth: 2 });
    offend(jail, '192.0.2.2', later);
    expect(offend(jail, '192.0.2.3', later)).toMatchObject({
      offender: net('192.0.2.0/24'),
      nth: 2,
      until: later + 40 * MINUTE,
    });
  });

  test('is spared where it holds somebody who must not be hit, and the address is banned all the same', () => {
    const asked: string[] = [];
    const whySpared = (network: { text: string }, at: number) => {
      asked.push(`${network.text} ${at - T0}`);
      return '192.0.2.9 is allowed by "office"';
    };
    const jail = responding([NET], {}, { ignoring: { whySpared } });
    expect(verdicts(jail, ['192.0.2.1', '192.0.2.2', '192.0.2.3'])).toEqual([
      '192.0.2.1 1',
      '192.0.2.2 1',
      '192.0.2.3 1',
    ]);
    expect(asked.at(-1)).toBe('192.0.2.0/24 2000');
    expect(offend(jail, '192.0.2.4', T0 + 3 * SECOND)).toMatchObject({
      offender: net('192.0.2.4'),
      widening: { network: net('192.0.2.0/24'), offenders: 4, spared: '192.0.2.9 is allowed by "office"' },
    });
    expect(outcomes(jail, '192.0.2.99', [6 * SECOND])).toEqual(['counted']);
  });

  test('whom it would hit can be asked beforehand', () => {
    const jail = responding([NET]);
    verdicts(jail, ['192.0.2.1', '192.0.2.2']);
    const next = (address: string) => jail.next(net(address), T0 + 3 * SECOND).wider;
    expect(next('192.0.2.3')).toEqual({
      network: net('192.0.2.0/24'),
      culprit: net('192.0.2.3'),
      ...{ offenders: 3, when: 3, spared: undefined },
    });
    expect(next('192.0.2.1')).toMatchObject({ offenders: 2 });
    expect(next('203.0.113.1')).toMatchObject({ offenders: 1 });
    expect(responding([DROP]).next(net('192.0.2.3'), T0)).not.toHaveProperty('wider');
  });

  test('is remembered, and so is who is banned beside whom; a pardon lifts it', () => {
    const jail = responding([NET]);
    verdicts(jail, ['192.0.2.1', '192.0.2.2', '203.0.113.1', '203.0.113.2', '203.0.113.3']);
    const again = responding([NET], {}, { remembered: structuredClone(jail.takeDirty()) });
    expect(outcomes(again, '203.0.113.99', [6 * SECOND])).toEqual(['recorded']);
    expect(offend(again, '192.0.2.3', T0 + 6 * SECOND)).toMatchObject({ offender: net('192.0.2.0/24') });
    again.forgive(net('203.0.113.0/24'), T0 + 7 * SECOND);
    expect(outcomes(again, '203.0.113.99', [8 * SECOND])).toEqual(['counted']);
  });

  test('that is throttled lets its addresses be counted on', () => {
    const jail = responding([{ ...SLOW, wider: NET.wider }, DROP]);
    verdicts(jail, ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
    expect(outcomes(jail, '192.0.2.99', [6 * SECOND, 7 * SECOND])).toEqual(['counted', 'ban']);
  });

  test('does not make anything grow once its offenders are forgotten', () => {
    const jail = responding([NET], {
      banTime: { first: MINUTE, factor: 1, max: MINUTE, forget: 0, scope: 'jail' },
    });
    verdicts(jail, ['192.0.2.1', '192.0.2.2']);
    jail.prune(T0 + DAY);
    jail.prune(T0 + 2 * DAY);
    expect(jail.size).toBe(0);
    // Had they been kept, these two would be three, out of order as they come.
    expect(offend(jail, '192.0.2.3', T0 + 3 * SECOND)).toMatchObject({ offender: net('192.0.2.3') });
  });
});
