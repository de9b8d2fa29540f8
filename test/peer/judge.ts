// Our side: shipped filters behind a jail, as the daemon runs them, over the lines of a sample log.
import { createScanner, createSessionMemory } from '../../src/filters/index.ts';
import type { Filter } from '../../src/filters/contract.ts';
import type { Match } from '../../src/model.ts';
import { jailWith, T0 } from '../jails/support.ts';
import type { Told } from './compare.ts';

/** The tests of fail2ban take place on 14 August 2005 at noon in Zurich: stamps without a year are read as of then. */
export const THAT_DAY = Date.UTC(2005, 7, 14, 10);
export const THERE = 'Europe/Zurich';

/**
 * Judges lines one after another. The samples of a log are no log: their stamps jump back and forth over years, and pids
 * come again. So each run of lines of one process stands before a jail of its own, at one instant, and is joined with no
 * line before it.
 * @param attempts which run each line belongs to.
 */
export function judge(
  filters: readonly Filter[],
  lines: readonly string[],
  attempts: readonly (number | undefined)[],
): Told[] {
  const scanner = createScanner(filters);
  let sitting = newSitting();
  return lines.map((line, index) => {
    const attempt = attempts[index];
    if (attempt === undefined || attempt !== attempts[index - 1]) sitting = newSitting();
    const { jail, sessions } = sitting;
    let told: Told = { says: 'nothing', address: undefined, at: undefined };
    const visit = (_filter: number, match: Match): void => {
      // A line that several filters of a jail take counts once.
      if (told.says !== 'counts') told = toldBy(match, jail.decide(countOf(match)).outcome);
    };
    scanner.scan(`${line}\n`, THAT_DAY, visit, 'sample', sessions);
    return told;
  });
}

function newSitting() {
  return { jail: jailWith({ rules: { maxRetry: 1_000 } }), sessions: createSessionMemory() };
}

function countOf(match: Match) {
  const { address, counts, oncePerSession, session, outcome } = match;
  const evidence = () => ({ file: '', line: 1, at: T0, text: '' });
  return { address, at: T0, counts, oncePerSession, session, outcome, evidence };
}

function toldBy(match: Match, outcome: string): Told {
  if (match.outcome === 'success') return { says: 'nothing', address: undefined, at: undefined };
  const says = outcome === 'counted' ? 'counts' : 'evidence';
  return { says, address: match.address.text, at: match.at };
}
