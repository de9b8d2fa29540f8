// What the tests of the jails share: rules, matches and a court with nobody to ignore.
import { parseAddress, parseNetwork } from '../../src/address.ts';
import type { Count, Ignoring, Jail, JailOptions } from '../../src/jails/contract.ts';
import { createJail } from '../../src/jails/index.ts';
import type { JailRules, Network, Offender, Sentence } from '../../src/model.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** Some midnight. */
export const T0 = Date.UTC(2026, 0, 5);

export const LADDER: Sentence = {
  first: 10 * MINUTE,
  factor: 4,
  max: 7 * DAY,
  forget: 30 * DAY,
  scope: 'jail',
};

export const RULES: JailRules = {
  name: 'sshd',
  maxRetry: 5,
  findTime: 10 * MINUTE,
  banTime: LADDER,
  ipv6Prefix: 64,
  resetOnSuccess: false,
  protectAfterSuccess: DAY,
};

export const NOBODY: Ignoring = { whyIgnored: () => undefined, isProtected: () => false };

export interface Setting {
  readonly rules?: Partial<JailRules>;
  readonly ignoring?: Partial<Ignoring>;
  readonly remembered?: Iterable<Offender>;
  readonly options?: JailOptions;
}

export function jailWith({ rules, ignoring, remembered = [], options }: Setting = {}): Jail {
  return createJail({ ...RULES, ...rules }, { ...NOBODY, ...ignoring }, remembered, T0, options);
}

export function net(text: string): Network {
  return (parseAddress(text) ?? parseNetwork(text)?.network)!;
}

export function match(text: string, at: number, rest: Partial<Count> = {}): Count {
  const evidence = () => ({ file: '/var/log/auth.log', line: at - T0, at, text: `line at ${at - T0}` });
  return { address: net(text), at, counts: 1, outcome: 'failure', evidence, ...rest };
}

/** One match at each instant (milliseconds after T0); the outcomes in order. */
export function outcomes(jail: Jail, text: string, offsets: readonly number[]): string[] {
  return offsets.map((offset) => jail.decide(match(text, T0 + offset)).outcome);
}

/** Matches enough to ban. @returns the last verdict. */
export function offend(jail: Jail, text: string, at: number): ReturnType<Jail['decide']> {
  let verdict = jail.decide(match(text, at));
  for (let i = 1; i < jail.rules.maxRetry; i++) verdict = jail.decide(match(text, at));
  return verdict;
}
