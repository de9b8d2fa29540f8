// What the engine's tests share: definitions without a file, and both ways of asking a filter.
import { expect } from 'vitest';
import { compileFilter } from '../../src/filters/compile.ts';
import type {
  Compiled,
  Filter,
  FilterDefinition,
  FilterOptions,
  LineVerdict,
  PatternDefinition,
} from '../../src/filters/contract.ts';
import type { Match } from '../../src/model.ts';
import { createScanner } from '../../src/filters/scanner.ts';

export const NOW = Date.UTC(2026, 0, 6);

const OPTIONS: FilterOptions = {
  logFormat: undefined,
  zone: 'UTC',
  mode: 'normal',
  where: undefined,
  except: undefined,
};

export function pattern(regex: string, more: Partial<PatternDefinition> = {}): PatternDefinition {
  return { regex, counts: 1, mode: 'normal', line: 4, column: 5, ...more };
}

export function definition(more: Partial<FilterDefinition>): FilterDefinition {
  return {
    name: 'sample',
    file: 'filters/sample.yaml',
    hash: 'none',
    service: 'sample',
    description: '',
    layout: 'plain',
    layoutAt: { line: 2, column: 9 },
    program: [],
    match: [],
    success: [],
    protects: 'jail',
    opens: [],
    closes: [],
    except: [],
    limits: [],
    where: undefined,
    exceptWhere: undefined,
    matchWhere: [],
    successWhere: [],
    address: [],
    time: [],
    session: [],
    samples: [],
    forged: [],
    ...more,
  };
}

export function compile(more: Partial<FilterDefinition>, options: Partial<FilterOptions> = {}): Compiled {
  return compileFilter(definition(more), { ...OPTIONS, ...options });
}

/** A compiled filter; a fault fails the test. */
export function filterOf(more: Partial<FilterDefinition>, options: Partial<FilterOptions> = {}): Filter {
  const compiled = compile(more, options);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.filter;
}

/** The faults of a filter that must not compile. */
export function faultsOf(
  more: Partial<FilterDefinition>,
  options: Partial<FilterOptions> = {},
): { code: string; text: string }[] {
  const compiled = compile(more, options);
  if (compiled.ok) throw new Error('it compiled');
  return compiled.faults.map(({ code, message, hint }) => ({ code, text: `${message}; ${hint ?? ''}` }));
}

/** A plain filter of one pattern. */
export function plain(regex: string, options: Partial<FilterOptions> = {}): Filter {
  return filterOf({ match: [pattern(regex)] }, options);
}

export function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** What a filter makes of a line of UTF-8 text: address and fields, or the outcome. */
export function verdict(filter: Filter, line: string): string | Record<string, string> {
  return told(filter.judge(bytes(line), NOW));
}

function told(verdict: LineVerdict): string | Record<string, string> {
  return verdict.outcome === 'match'
    ? { ip: verdict.match.address.text, ...verdict.match.fields }
    : verdict.outcome;
}

/** All matches of a scan, by the index of their filter. Of bytes, of which few become text, the same must be found. */
export function scan(filters: readonly Filter[], text: string): { filter: number; match: Match }[] {
  const found: { filter: number; match: Match }[] = [];
  const scanner = createScanner(filters);
  scanner.scan(text, NOW, (filter, match) => found.push({ filter, match }), 'text');
  const again: unknown[] = [];
  const lines = { text, bytes: Buffer.from(text, 'latin1') };
  scanner.scan(lines, NOW, (filter, match, base) => again.push(placed(filter, match, base)), 'bytes');
  expect(again).toEqual(found.map(({ filter, match }) => placed(filter, match, 0)));
  return found;
}

/** A match with where it stands among all lines. */
function placed(filter: number, match: Match, base: number): unknown {
  const { outcome, address, via, at, counts, session, fields, start, end } = match;
  return { filter, outcome, address, via, at, counts, session, fields, start: base + start, end: base + end };
}
