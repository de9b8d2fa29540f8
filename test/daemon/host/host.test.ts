import { describe, expect, test } from 'vitest';
import { createHost, gatewaysIn4, gatewaysIn6 } from '../../../src/daemon/host/host.ts';

describe('what this host must never lose', () => {
  test('the default gateway is read from the IPv4 routing table, byte order included', () => {
    const table = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    ].join('\n');
    expect(gatewaysIn4(table).map((network) => network.text)).toEqual(['192.0.2.1']);
  });

  test('and from the IPv6 one; a route without next hop is no gateway', () => {
    const zero = '0'.repeat(32);
    const table = [
      `${zero} 00 ${zero} 00 20010db8000000000000000000000001 00000400 00000001 00000000 00000003     eth0`,
      `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo`,
      `20010db8000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0`,
    ].join('\n');
    expect(gatewaysIn6(table).map((network) => network.text)).toEqual(['2001:db8::1']);
  });

  test('the loopback is always among them, and the address of who has none', () => {
    const texts = createHost()
      .protectedNetworks()
      .map(({ network }) => network.text);
    expect(texts).toContain('127.0.0.0/8');
    expect(texts).toContain('::1');
    // A log that names no client was once enough to have them dropped.
    expect(texts).toEqual(expect.arrayContaining(['0.0.0.0', '::']));
  });
});
