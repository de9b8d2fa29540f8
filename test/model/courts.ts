// The configs between which the daemon is reloaded, and the courts of the reference that each of them stands for.
import { join } from 'node:path';
import { ALLOWED } from './life.ts';
import { answerOf } from './reference.ts';
import type { Answer, Court, Sentence } from './reference.ts';
import { DAY, FIND_TIME, HOUR, MINUTE } from './steps.ts';
import type { Offender } from './steps.ts';

const LADDER = { findTime: FIND_TIME, first: 10 * MINUTE, factor: 3, max: HOUR, forget: DAY };

const GENTLY: readonly Answer[] = [
  { do: 'throttle' },
  { do: 'reject', everything: true },
  { do: 'drop', length: 25 * MINUTE },
];

const LOGIN: Court = {
  respond: GENTLY,
  name: 'login',
  log: 'access.log',
  maxRetry: 3,
  protect: 0,
  ...LADDER,
};
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
  [
    { ...LOGIN, respond: [{ do: 'reject' }], maxRetry: 5, first: 20 * MINUTE },
    { ...SSHD, respond: GENTLY },
    { ...STRICT, protect: 0 },
    GUARD,
  ],
  [
    LOGIN,
    { ...LIMIT, maxRetry: 4 },
    { ...SSHD, maxRetry: 3, protect: 3 * MINUTE, first: MINUTE, factor: 10 },
    GUARD,
  ],
];

/** What the bans of each jail cover. */
const SCOPES: Readonly<Record<string, string>> = {
  login: 'any ',
  limit: 'tcp 443',
  sshd: 'any 22',
  strict: 'any 2222',
  guard: 'any 22',
  manual: 'any ',
};

/** What becomes of whom by a ban: told by the rules that are in force now. Bans by hand drop. */
export function effectOf({ jail, nth, by }: Sentence, courts: readonly Court[]): string {
  const court = courts.find(({ name }) => name === jail);
  const answer = court && by === 'jail' ? answerOf(court, nth) : undefined;
  return `${answer?.everything ? 'any ' : SCOPES[jail]} ${answer?.do ?? 'drop'}`;
}

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

function jailOf(logs: string, { name, log, maxRetry, protect, first, factor, respond }: Court): object {
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
    ...(respond && { respond: respond.map(stepOf) }),
    ...(ports === '' ? {} : { ports: [Number(ports)] }),
    protocol,
  };
}

function stepOf({ do: what, everything, length }: Answer): object {
  return {
    do: what,
    ...(what === 'throttle' && { rate: '10/1m' }),
    ...(everything && { ports: 'all' }),
    ...(length && { for: `${length / MINUTE}m` }),
  };
}
