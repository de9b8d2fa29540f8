// Which files the sources follow for a set of jails, and from where a file is read at first sight.
import type { Instant } from '../model.ts';
import { createStamps, findStamp } from '../stamps.ts';
import type { Stamps } from '../stamps.ts';
import type { ReadyJail } from '../setup/index.ts';
import type { Watch } from '../sources/contract.ts';

/** One watch a pattern. Without `start`, reading begins where the longest findTime of the pattern's jails begins. */
export function watchesOf(jails: readonly ReadyJail[], now: Instant): Watch[] {
  const byPattern = new Map<string, ReadyJail[]>();
  for (const jail of jails)
    for (const pattern of jail.config.logs) byPattern.set(pattern, [...(byPattern.get(pattern) ?? []), jail]);
  return [...byPattern].map(([pattern, users]) => {
    // Jails that disagree about `start` are a fault of the config; one that is silent agrees with any.
    const start = users.find((jail) => jail.config.start !== undefined)?.config.start;
    const window = Math.max(...users.map((jail) => jail.rules.findTime));
    return { pattern, start: start ?? { since: now - window } };
  });
}

/** @returns a function that reads the stamp of any line (latin1) of a file that these patterns name. */
export function createStampFinder(
  jails: readonly ReadyJail[],
  now: () => Instant,
): (patterns: readonly string[], line: string) => Instant | undefined {
  const readers = new Map<string, Stamps>();
  const readerOf = (patterns: readonly string[]): Stamps => {
    const key = patterns.join('\0');
    let stamps = readers.get(key);
    if (!stamps) {
      // Jails that disagree about the zone of a log are a fault of the config: the first one speaks for all.
      const user = jails.find((jail) => jail.config.logs.some((log) => patterns.includes(log)));
      stamps = createStamps(user?.config.zone);
      readers.set(key, stamps);
    }
    return stamps;
  };
  return (patterns, line) => findStamp(line, readerOf(patterns), now());
}
