// A log that a program has written, before our shipped filters and a jail: what counts, of whom, how often.
import type { Match } from '../../src/model.ts';
import { createScanner } from '../../src/filters/index.ts';
import { shippedFilter } from '../filters/shipped.ts';
import { jailWith } from '../jails/support.ts';
import type { LogCase, Who } from './case.ts';

const MINUTES = 60_000;

/** What the filters make of a log, in the words of {@link LogCase.expected}, sorted. */
export function verdictsOf(text: string, log: LogCase, nameOf: (address: string) => string): string[] {
  const filters = log.filters.map((name) => shippedFilter(name, log.options));
  const now = Date.now();
  const jail = jailWith({ rules: { maxRetry: 1_000 } });
  const verdicts: string[] = [];
  const seen = new Set<number>();
  createScanner(filters).scan(text, now, (_filter, match) => {
    // A line that several filters of a jail take counts once.
    if (seen.has(match.start)) return;
    const verdict = decide(jail, match, now);
    if (verdict === undefined) return;
    seen.add(match.start);
    const time = match.at === undefined || Math.abs(match.at - now) < 10 * MINUTES ? '' : ' AT A WRONG TIME';
    const user = match.fields['user'] ?? match.fields['remote_user'] ?? '';
    verdicts.push(`${nameOf(match.address.text)} ${verdict} ${user}`.trim() + time);
  });
  return verdicts.sort();
}

function decide(jail: ReturnType<typeof jailWith>, match: Match, now: number): string | undefined {
  const { address, counts, oncePerSession, session, outcome } = match;
  const evidence = () => ({ file: '', line: 1, at: now, text: '' });
  const verdict = jail.decide({ address, at: now, counts, oncePerSession, session, outcome, evidence });
  if (verdict.outcome === 'success') return 'got in';
  return verdict.outcome === 'counted' ? `failed ${counts}` : undefined;
}

/** What is expected, over both families, sorted. */
export function expectedOf(log: LogCase): string[] {
  return [4, 6]
    .flatMap((family) => log.expected.map((row) => row.replace(/^\w+/, (who) => `${who}/${family}`)))
    .sort();
}

/** Names an address that one of the clients has: `attacker/4`. */
export function namer(addresses: Readonly<Record<Who, { ipv4: string; ipv6: string }>>) {
  const names = new Map(
    Object.entries(addresses).flatMap(([who, { ipv4, ipv6 }]) => [
      [ipv4, `${who}/4`] as const,
      [ipv6, `${who}/6`] as const,
    ]),
  );
  return (address: string): string => names.get(address) ?? address;
}
