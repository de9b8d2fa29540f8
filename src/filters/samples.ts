// A filter's own samples and forged lines: does it say of them what its file says?
import type { Instant } from '../model.ts';
import { formatInstant } from '../time.ts';
import type { Filter, LineVerdict, Refutation, Sample } from './contract.ts';
import { createSessionMemory } from './sessions.ts';
import type { Modes } from './trials.ts';

/** @param arrivedAt tells the year of stamps that have none. */
export function refuteSample(
  filters: Modes,
  sample: Sample,
  kind: 'sample' | 'forged',
  arrivedAt: Instant,
): Refutation[] {
  const { text, yields, line, column } = sample;
  const judge = (filter: Filter): LineVerdict =>
    judgeLast(filter, Buffer.from(text, 'utf8').toString('latin1'), arrivedAt);
  const refute = (expected: string, got: string): Refutation[] => [
    { kind, text, expected, got, line, column },
  ];
  if (yields === 'none') {
    const match = [filters.normal, filters.aggressive].map(judge).find(({ outcome }) => outcome === 'match');
    return match ? refute('no match', described(match, undefined)) : [];
  }
  const { mode = 'normal', ...expected } = yields;
  const verdict = judge(mode === 'aggressive' ? filters.aggressive : filters.normal);
  if (mode === 'aggressive' && judge(filters.normal).outcome === 'match' && expected['counts'] === undefined)
    return refute('no match in mode normal', described(judge(filters.normal), undefined));
  const got = valuesOf(verdict);
  const wanted: Record<string, string> = { outcome: 'match', ...expected };
  const differs = Object.entries(wanted).some(([name, value]) => got[name] !== value);
  return differs ? refute(written(wanted), described(verdict, Object.keys(wanted))) : [];
}

/**
 * What a filter says of the last of some lines, parted by \n, once it has read those before it.
 * @param onEarlier what it says of each of those.
 */
export function judgeLast(
  filter: Filter,
  text: string,
  arrivedAt: Instant,
  onEarlier: (verdict: LineVerdict) => void = () => {},
): LineVerdict {
  const sessions = createSessionMemory();
  const lines = text.split('\n');
  for (const line of lines.slice(0, -1)) onEarlier(filter.judge(line, arrivedAt, sessions));
  return filter.judge(lines.at(-1)!, arrivedAt, sessions);
}

/** What `yields` may name. A pattern's own fields go before ours. */
function valuesOf(verdict: LineVerdict): Record<string, string> {
  if (verdict.outcome === 'opened') return { ip: verdict.address.text, outcome: verdict.outcome };
  const match = 'match' in verdict ? verdict.match : undefined;
  if (!match) return { outcome: verdict.outcome };
  return {
    ip: match.address.text,
    counts: match.oncePerSession ? 'session' : String(match.counts),
    ...(match.at === undefined ? {} : { time: formatInstant(match.at) }),
    ...match.fields,
    outcome: verdict.outcome,
  };
}

function described(verdict: LineVerdict, names: readonly string[] | undefined): string {
  const values = valuesOf(verdict);
  if (verdict.outcome === 'no-layout' || verdict.outcome === 'no-match')
    return `${verdict.outcome} (${verdict.why})`;
  return written(
    Object.fromEntries(Object.entries(values).filter(([name]) => !names || names.includes(name))),
  );
}

function written(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(', ');
}
