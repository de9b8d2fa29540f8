// `counts: session` by an id that stands in a record.
import { describe, expect, test } from 'vitest';
import { parseFilter, proveFilter } from '../../src/filters/index.ts';
import type { Filter } from '../../src/filters/contract.ts';
import { jailWith } from '../jails/support.ts';
import { NOW, filterOf, scan } from './engine.ts';

const filter = (
  layout: 'json' | 'logfmt',
  session = 'session: [reqId, request_id]\n',
): string => `service: shop
layout: ${layout}
address: ip
${session}match:
  - msg: login failed
  - { where: { msg: request refused }, counts: session }
samples:
  - line: ${
    layout === 'json'
      ? `'{"time":"2026-01-05T10:11:12Z","msg":"request refused","ip":"192.0.2.7","reqId":"a-1"}'`
      : `'time=2026-01-05T10:11:12Z msg="request refused" ip=192.0.2.7 reqId=a-1'`
  }
    yields: { ip: 192.0.2.7, counts: session }
`;
const compiled = (text: string): Filter => {
  const { definition, faults } = parseFilter(text, 'shop.yaml');
  expect(faults).toEqual([]);
  return filterOf(definition!);
};

/** How often the lines count for their address. */
function counted(lines: readonly object[], text = filter('json')): number {
  const jail = jailWith({ rules: { maxRetry: 1_000 } });
  const log = lines.map((line) => `${JSON.stringify({ ip: '192.0.2.7', ...line })}\n`).join('');
  for (const { match } of scan([compiled(text)], log)) {
    const { address, counts, oncePerSession, session, outcome } = match;
    const evidence = () => ({ file: '', line: 1, at: NOW, text: '' });
    jail.decide({ address, at: NOW, counts, oncePerSession, session, outcome, evidence });
  }
  const stamps = jail.takeDirty().flatMap((offender) => offender.stamps);
  return stamps.reduce((sum, [, count]) => sum + count, 0);
}

describe('a line that counts once for its request', () => {
  test.each(['json', 'logfmt'] as const)('is proven with layout %s', (layout) => {
    expect(proveFilter(compiled(filter(layout)))).toEqual([]);
  });

  test('counts where no other line of the request has, whichever field names it', () => {
    const [failed, refused] = [{ msg: 'login failed' }, { msg: 'request refused' }];
    expect(
      counted([
        { ...failed, reqId: 'a' },
        { ...refused, reqId: 'a' },
      ]),
    ).toBe(1);
    expect(
      counted([
        { ...failed, reqId: 'a' },
        { ...refused, request_id: 'a' },
      ]),
    ).toBe(1);
    expect(
      counted([
        { ...failed, reqId: 'a' },
        { ...refused, reqId: 'b' },
      ]),
    ).toBe(2);
    expect(
      counted([
        { ...refused, reqId: 7 },
        { ...refused, reqId: 7 },
      ]),
    ).toBe(1);
    // One that counts by itself is never held back.
    expect(
      counted([
        { ...failed, reqId: 'a' },
        { ...failed, reqId: 'a' },
      ]),
    ).toBe(2);
  });

  test('counts each time where it names none, or one that is no id', () => {
    const refused = { msg: 'request refused' };
    expect(counted([refused, refused])).toBe(2);
    for (const reqId of ['', null, 'with blank', 'x'.repeat(65), 'ä'])
      expect(
        counted([
          { ...refused, reqId },
          { ...refused, reqId },
        ]),
      ).toBe(2);
  });

  test('holds on to no more than the id', () => {
    const [{ match }] = scan(
      [compiled(filter('json'))],
      '{"msg":"request refused","ip":"192.0.2.7","reqId":"a"}\n',
    ) as [ReturnType<typeof scan>[number]];
    expect(match).toMatchObject({ session: 'a', oncePerSession: true, counts: 1 });
  });

  test.each([
    ['json', 'name the field: session: reqId'],
    ['logfmt', 'name the field: session: reqId'],
  ] as const)('is refused with layout %s where no field is named', (layout, hint) => {
    expect(parseFilter(filter(layout, ''), 'shop.yaml').faults).toMatchObject([
      { code: 'E_FILTER_VALUE', hint },
    ]);
  });
});
