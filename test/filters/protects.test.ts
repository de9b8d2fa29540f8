// Whom a success protects in every jail, nobody may choose.
import { expect, test } from 'vitest';
import { proveFilter } from '../../src/filters/index.ts';
import type { FilterDefinition } from '../../src/filters/contract.ts';
import { filterOf, pattern } from './engine.ts';

const refuted = (protects: FilterDefinition['protects'], success: string): (string | undefined)[] =>
  proveFilter(
    filterOf({
      ...{ layout: 'syslog', program: ['door'], protects },
      match: [pattern('^refused (?<user>\\S+) from <ip>$')],
      success: [pattern(success)],
    }),
  ).map(({ got }) => got);

test('a success that a client can bend is refused where it would speak in every jail', () => {
  const open = '^let in <user> from <ip>: .*$';
  expect(refuted('host', open)).toEqual(['203.0.113.66']);
  // Elsewhere only who was let in could have it written, and it spares one address in one jail.
  expect(refuted('jail', open)).toEqual([]);
  expect(refuted('host', '^let in (?<user>\\S+) from <ip>$')).toEqual([]);
});
