// Forwarding headers in lines of text: whom a pattern names where the service logs them.
import { describe, expect, it, test } from 'vitest';
import { parseNetwork } from '../../src/address.ts';
import { proveFilter } from '../../src/filters/index.ts';
import type { FilterDefinition, FilterOptions } from '../../src/filters/contract.ts';
import { NOW, faultsOf, filterOf, pattern } from './engine.ts';
import { shippedFilter } from './shipped.ts';

const PROXIES = { trustedProxies: [parseNetwork('10.0.0.0/8')!.network] };
/** The web server in front of it has added who connected to the list. */
const LIST = { match: [pattern("^refused '(?<x_forwarded_for>[^']*)' as '(?<user>[^']*)'$")] };
/** It writes who connected, and the headers as they came. */
const APART = {
  match: [
    pattern('^refused <ip>(?: \\(for (?<x_forwarded_for>[^()]*)\\))?(?: \\(by (?<x_real_ip>[^()]*)\\))?$'),
  ],
};

function told(more: Partial<FilterDefinition>, options: Partial<FilterOptions>, line: string): string {
  const verdict = filterOf(more, options).judge(line, NOW);
  if (verdict.outcome !== 'match') return verdict.outcome;
  const { address, via } = verdict.match;
  return via ? `${address.text} via ${via.text}` : address.text;
}

describe('a list to which who connected was added', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['203.0.113.9, 192.0.2.7', '192.0.2.7'],
    ['203.0.113.9,2001:db8::7', '2001:db8::7'],
    ['x" y, unknown, [2001:db8::7]:4711', '2001:db8::7'],
    ['203.0.113.9, 192.0.2.7x', 'no-match'],
    ['203.0.113.9,', 'no-match'],
    ['', 'no-match'],
    // On its own it is the client's; behind others it is that of a proxy that nobody has named.
    ['10.0.0.1', '10.0.0.1'],
    ['203.0.113.9, 10.0.0.1', 'no-match'],
    ['203.0.113.9, fd00::1', 'no-match'],
  ])('without trusted proxies %s is %s', (list, expected) => {
    expect(told(LIST, {}, `refused '${list}' as 'x'`)).toBe(expected);
  });

  it.each([
    ['192.0.2.7, 10.0.0.1', '192.0.2.7 via 10.0.0.1'],
    ['203.0.113.9, 192.0.2.7, 10.0.0.2, 10.0.0.1', '192.0.2.7 via 10.0.0.1'],
    ['203.0.113.9, 192.0.2.7', '192.0.2.7'],
    ['203.0.113.9, 192.168.0.5', '192.168.0.5'],
    ['203.0.113.9, unknown, 10.0.0.1', 'no-match'],
    ['10.0.0.1', 'no-match'],
    ['10.0.0.2, 10.0.0.1', 'no-match'],
  ])('behind trusted proxies %s is %s', (list, expected) => {
    expect(told(LIST, PROXIES, `refused '${list}' as 'x'`)).toBe(expected);
  });
});

describe('headers beside who connected', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7 (for 203.0.113.9)', '192.0.2.7'],
    ['10.0.0.1', '10.0.0.1'],
    ['10.0.0.1 (for 203.0.113.9, 192.0.2.7)', '192.0.2.7 via 10.0.0.1'],
    ['10.0.0.1 (for 203.0.113.9, 192.0.2.7) (by 192.0.2.7)', '192.0.2.7 via 10.0.0.1'],
    ['10.0.0.1 (for 192.0.2.7) (by 203.0.113.9)', 'no-match'],
    ['10.0.0.1 (for x)', 'no-match'],
  ])('behind trusted proxies %s is %s', (line, expected) => {
    expect(told(APART, PROXIES, `refused ${line}`)).toBe(expected);
  });

  it('are read of nobody else', () => {
    expect(told(APART, {}, 'refused 10.0.0.1 (for 192.0.2.7)')).toBe('10.0.0.1');
  });
});

it('a header is as good as an address for saying whom a line is about, and may be in place of none', () => {
  expect(faultsOf({ match: [pattern('^refused <forward>$')] })).toHaveLength(1);
  expect(
    told({ match: [pattern('^refused <forwarded> twice$')] }, {}, 'refused for=x, for=192.0.2.7 twice'),
  ).toBe('192.0.2.7');
});

describe('forgeries', () => {
  const refuted = (regex: string): string[] =>
    proveFilter(filterOf({ match: [pattern(regex)] })).map(({ got }) => got);

  test('are made of what a client writes into the header', () => {
    expect(proveFilter(filterOf(LIST))).toEqual([]);
    expect(proveFilter(filterOf(APART))).toEqual([]);
    // Behind the list a client's name goes on as the list ends.
    expect(refuted("^refused '(?<x_forwarded_for>[^']*)' as <user>$")).toContain('203.0.113.66');
    // Nothing tells an address from a header that stands in the same place.
    expect(refuted('^refused (?:<ip>|\\[<x_forwarded_for>\\])$')).toContain('203.0.113.66');
  });

  test('come through a trusted proxy too', () => {
    // Whoever connects himself can't bend it; through the proxy, what he writes is repeated behind the list.
    const [found] = proveFilter(
      filterOf({ match: [pattern('^refused <ip> \\(for (?<x_forwarded_for>[^()]*)\\).*$')] }),
    );
    expect(found).toMatchObject({ got: '203.0.113.66', text: expect.stringContaining('198.51.100.2') });
  });
});

describe('shipped filters', () => {
  it.each([
    [
      'sogo-auth',
      "Jan  5 10:11:12 sogod [812]: SOGoRootPage Login from '203.0.113.9, 192.0.2.7, 10.0.0.1' for user 'x' might not have worked",
    ],
    [
      'guacamole',
      'WARNING: Authentication attempt from [203.0.113.9, 192.0.2.7, 10.0.0.1] for user "x" failed.',
    ],
    [
      'horde',
      'Jan  5 10:11:12 web HORDE: [imp] FAILED LOGIN for x (10.0.0.1) (forwarded for [203.0.113.9, 192.0.2.7]) to Horde',
    ],
    [
      'roundcube-auth',
      'Failed login for x from 10.0.0.1 (X-Real-IP: 192.0.2.7,X-Forwarded-For: 203.0.113.9, 192.0.2.7) in session a (error: 0)',
    ],
  ])('%s names who is behind the trusted proxies', (name, line) => {
    expect(shippedFilter(name, PROXIES).judge(line, NOW)).toMatchObject({
      outcome: 'match',
      match: { address: { text: '192.0.2.7' }, via: { text: '10.0.0.1' } },
    });
  });
});
