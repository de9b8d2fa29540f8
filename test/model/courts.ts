// The configs between which the daemon is reloaded, and the courts of the reference that each of them stands for.
import { join } from 'node:path';
import { ALLOWED } from './life.ts';
import type { Court } from './reference.ts';
import { DAY, FIND_TIME, HOUR, MINUTE } from './steps.ts';
import type { Offender } from './steps.ts';

const LADDER = { findTime: FIND_TIME, first: 10 * MINUTE, factor: 3, max: HOUR, forget: DAY };

const LOGIN: Court = { name: 'login', log: 'access.log', maxRetry: 3, protect: 0, ...LADDER };
const LIMIT: Court = {
  ...{ name: 'limit', log: 'access.log', maxRetry: 6, protect: HOUR },
  ...{ ...LADDER, first: 40 * MINUTE, factor: 1 },
};
const SSHD: Court = { name: 'sshd', log: 'auth.log', maxRetry: 4, protect: 20 * MINUTE, ...LADDER };
/** So strict that a log-in's patience can be seen to end. */
const STRICT: Court = { name: 'strict', log: 'auth.log', maxRetry: 1, protect: 2 * HOUR, ...LADDER };
const GUARD: Court = { name: 'guard', log: 'auth.log', maxRetry: 2, protect: 5 * MINUTE, ...LADDER };

/** The first is in force at the start. Each jail is in the first, or comes and goes; the rules of some differ. */
export const VARIANTS: readonly (readonly Court[])[] = [
  [LOGIN, LIMIT, SSHD, STRICT],
  [{ ...LOGIN, maxRetry: 5, first: 20 * MINUTE }, SSHD, { ...STRICT, protect: 0 }, GUARD],
  [
    LOGIN,
    { ...LIMIT, maxRetry: 4 },
    { ...SSHD, maxRetry: 3, protect: 3 * MINUTE, first: MINUTE, factor: 10 },
    GUARD,
  ],
];

/** What the bans of each jail drop. */
export const SCOPES: Readonly<Record<string, string>> = {
  login: 'any ',
  limit: 'tcp 443',
  sshd: 'any 22',
  strict: 'any 2222',
  guard: 'any 22',
  manual: 'any ',
};

export const OFFENDERS: readonly Offender[] = [
  { log: 'access.log', from: ['192.0.2.7'], who: '192.0.2.7' },
  { log: 'access.log', from: ['2001:db8:1:2::3', '2001:db8:1:2:f::9'], who: '2001:db8:1:2::/64' },
  { log: 'auth.log', from: ['192.0.2.9'], who: '192.0.2.9' },
  { log: 'auth.log', from: ['198.18.0.1'], who: '198.18.0.1' },
  { log: 'access.log', from: [ALLOWED], who: ALLOWED },
];

/** The config that the courts stand for. */
export function configOf(logs: string, courts: readonly Court[]): object {
  return {
    defaults: { findTime: '6h' },
    allow: [ALLOWED],
    jails: Object.fromEntries(courts.map((court) => [court.name, jailOf(logs, court)])),
  };
}

function jailOf(logs: string, { name, log, maxRetry, protect, first, factor }: Court): object {
  const [protocol, ports] = SCOPES[name]!.split(' ');
  const isAccess = log === 'access.log';
  return {
    filter: isAccess ? 'nginx-login' : 'sshd',
    logs: [join(logs, isAccess ? log : `*${log}`)],
    ...(isAccess ? {} : { zone: 'UTC' }),
    // Two ways to say the same.
    ...(name === 'limit' ? { limit: `${maxRetry - 1}/6h` } : { maxRetry }),
    banTime: { first: `${first / MINUTE}m`, factor, max: '1h', forget: '1d' },
    protectAfterSuccess: protect === 0 ? 0 : `${protect / MINUTE}m`,
    ...(ports === '' ? {} : { ports: [Number(ports)] }),
    protocol,
  };
}
