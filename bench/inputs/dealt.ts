// An access log in which three lines of a hundred ask for one of a hundred paths that are not there, and jails among which
// these paths are dealt out: one that watches all of them, ten that share them, a hundred with one each. Whoever asks keeps to
// one path, so that each match counts once, and each offender is banned once, however many jails there are.
import { counted, either } from '../lib/addresses.ts';
import type { Input, Maker } from '../lib/inputs.ts';
import { randomFrom } from '../lib/random.ts';
import type { Reading } from '../lib/reading.ts';
import { reckon, type Verdict } from '../lib/verdicts.ts';
import { commonStamp, visit } from './access.ts';
import { FIND_TIME, MAX_RETRY } from './rules.ts';

const WHAT = ['admin', 'backup', 'config', 'database', 'export', 'ftp', 'install', 'mysql', 'server', 'user'];
const WHICH = ['-old', '-new', '-test', '-dev', '.bak', '.save', '_v1', '_2', '-panel', '-shell'];
const PATHS = WHAT.flatMap((what) => WHICH.map((which) => `/${what}${which}.php`));
/** Lines that an offender writes, and how far apart they stand. */
const [EACH, STRIDE] = [20, 50];
/** Of all lines. */
const SHARE = 0.03;
const PER_SECOND = 50;
const BEGIN = Date.UTC(2026, 0, 5) / 1_000;

/** What a jail must say that watches one path only; by path. */
export type DealtTruth = readonly Verdict[];

export const dealtLog: Maker<DealtTruth> = (lines, write) => {
  const random = randomFrom(20_260_106);
  /** 0 is a visitor's, n that of the nth offender. */
  const whose = new Int32Array(lines);
  const offenders = Math.max(PATHS.length, Math.round((lines * SHARE) / EACH));
  for (let n = 1; n <= offenders; n++) {
    let at = random(lines);
    for (let line = 0; line < EACH; line++, at += STRIDE) {
      while (whose[at % lines] !== 0) at++;
      whose[at % lines] = n;
    }
  }
  const truth = PATHS.map(() => reckon(MAX_RETRY, FIND_TIME));
  const visitors = Math.max(100, Math.floor(lines / 100));
  for (let n = 0; n < lines; n++) {
    const at = BEGIN + Math.floor(n / PER_SECOND);
    const offender = whose[n]!;
    if (offender === 0) {
      write(visit(either(1_000_000 + random(visitors)), commonStamp(at), random));
      continue;
    }
    const [address, path] = [either(offender), offender % PATHS.length];
    truth[path]!.match(counted(address), at);
    write(
      `${address} - - [${commonStamp(at)}] "GET ${PATHS[path]} HTTP/1.1" 404 ${100 + random(80)} "-" "-"`,
    );
  }
  return truth.map((one) => one.verdict());
};

/** So many jails over it, each with a filter of its own; all of them together always find the same lines. */
export function dealtReading(input: Input<DealtTruth>, count: number): Reading {
  const jails = Array.from({ length: count }, (_, n) => {
    const own = PATHS.map((_path, at) => at).filter((at) => at % count === n);
    return {
      name: `dealt-${n}`,
      where: { method: 'GET', status: 404, path: own.map((at) => PATHS[at]!) },
      verdict: {
        matches: own.reduce((sum, at) => sum + input.truth[at]!.matches, 0),
        banned: own.flatMap((at) => input.truth[at]!.banned),
      },
    };
  });
  const limits = { maxRetry: MAX_RETRY, findTime: FIND_TIME };
  return {
    input,
    jails: Object.fromEntries(jails.map(({ name }) => [name, { filter: name, ...limits }])),
    filters: Object.fromEntries(
      jails.map(({ name, where }) => [
        name,
        { service: 'bench', description: name, layout: 'access', where, samples: [] },
      ]),
    ),
    verdicts: Object.fromEntries(jails.map(({ name, verdict }) => [name, verdict])),
  };
}
