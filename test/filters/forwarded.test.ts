import { describe, expect, it } from 'vitest';
import { parseAddress, parseNetwork } from '../../src/address.ts';
import { createAddressReader } from '../../src/filters/addresses.ts';
import { createForwarding } from '../../src/filters/forwarded.ts';
import { faultsOf, filterOf, NOW } from './engine.ts';

const PROXIES = ['10.0.0.0/8', '2001:db8:ff::/48'].map((text) => parseNetwork(text)!.network);
const forwarding = createForwarding(PROXIES, createAddressReader())!;

describe('the client behind trusted proxies', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7, 10.0.0.2', '192.0.2.7'],
    ['192.0.2.7,10.0.0.2,\t10.1.2.3 ', '192.0.2.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['[2001:db8::7]:4711, 2001:db8:ff::1', '2001:db8::7'],
    ['192.0.2.7:4711', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['for=192.0.2.7', '192.0.2.7'],
    ['For="[2001:db8::7]:4711";proto=https;by=10.0.0.1', '2001:db8::7'],
    ['for=203.0.113.66, for=192.0.2.7;by=10.0.0.1, for=10.0.0.2', '192.0.2.7'],
  ])('%s is %s', (header, expected) => {
    expect(forwarding.clientOf([header])?.text).toBe(expected);
  });

  it.each([
    '203.0.113.66, 192.0.2.7',
    'x, 203.0.113.66, 192.0.2.7, 10.0.0.2',
    'for="x, 192.0.2.7',
    'for=203.0.113.66;by="x, for=192.0.2.7',
    '"203.0.113.66, 192.0.2.7',
    `${'203.0.113.66, '.repeat(5_000)}192.0.2.7`,
  ])('is nobody that the client wrote himself: %.60s', (header) => {
    expect(forwarding.clientOf([header])?.text).toBe('192.0.2.7');
  });

  it.each([
    undefined,
    '',
    '-',
    '10.0.0.2',
    '203.0.113.66, unknown',
    '203.0.113.66, 192.0.2.7x',
    '203.0.113.66,',
    'for=_hidden',
    'by=192.0.2.7',
    `203.0.113.66${', 10.0.0.2'.repeat(5_000)}`,
  ])('is nobody where the header names none: %.60s', (header) => {
    expect(forwarding.clientOf([header])).toBeUndefined();
  });

  it('is whom all headers name, and nobody where two of them disagree', () => {
    expect(forwarding.clientOf([undefined, '192.0.2.7', '10.0.0.2', '203.0.113.66, 192.0.2.7'])?.text).toBe(
      '192.0.2.7',
    );
    expect(forwarding.clientOf(['203.0.113.66', '192.0.2.7'])).toBeUndefined();
    expect(forwarding.clientOf([])).toBeUndefined();
  });

  it('without trusted proxies, no header is read', () => {
    expect(createForwarding([], createAddressReader())).toBeUndefined();
  });
});

describe('an access log behind trusted proxies', () => {
  const format = '$remote_addr - $remote_user [$time_local] "$request" $status "$http_x_forwarded_for"';
  const line = (from: string, header: string): string =>
    `${from} - - [05/Jan/2026:10:11:12 +0000] "POST /login HTTP/1.1" 401 "${header}"`;
  const filter = (logFormat: string | undefined) =>
    filterOf({ layout: 'access', where: { status: 401 } }, { logFormat, trustedProxies: PROXIES });
  const judged = (logFormat: string | undefined, text: string) => filter(logFormat).judge(text, NOW);

  it('names the client that a trusted proxy names, and the proxy', () => {
    expect(judged(format, line('10.0.0.1', '203.0.113.66, 192.0.2.7'))).toMatchObject({
      outcome: 'match',
      match: { address: parseAddress('192.0.2.7'), via: parseAddress('10.0.0.1') },
    });
  });

  it('believes nobody else: whoever connects by himself is the client', () => {
    const verdict = judged(format, line('192.0.2.7', '203.0.113.66'));
    expect(verdict).toMatchObject({ outcome: 'match', match: { address: parseAddress('192.0.2.7') } });
    expect(verdict).toMatchObject({ match: { via: undefined } });
  });

  it('names nobody where the proxy named nobody, and never the proxy', () => {
    expect(judged(format, line('10.0.0.1', '-'))).toMatchObject({ outcome: 'no-match' });
    expect(judged(format, line('10.0.0.1', 'unknown'))).toMatchObject({ outcome: 'no-match' });
    const combined =
      '10.0.0.1 - - [05/Jan/2026:10:11:12 +0000] "POST /login HTTP/1.1" 401 1 "-" "203.0.113.66"';
    expect(judged(undefined, combined)).toMatchObject({
      outcome: 'no-layout',
      why: expect.stringContaining('no forwarding header'),
    });
  });

  it('refuses a format in which a client could move the header', () => {
    const bare = '$remote_addr $http_user_agent $http_x_forwarded_for $status';
    expect(
      faultsOf({ layout: 'access', where: {} }, { logFormat: bare, trustedProxies: PROXIES }).map(
        ({ code }) => code,
      ),
    ).toEqual(['E_FILTER_LOG_FORMAT']);
  });
});
