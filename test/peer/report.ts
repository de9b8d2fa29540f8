// One sample log through our filters, in each mode that both have.
import { createHash } from 'node:crypto';
import { parseNetwork } from '../../src/address.ts';
import { createStamps } from '../../src/time.ts';
import { shippedFilter } from '../filters/shipped.ts';
import { compare, type Outcome, type Told } from './compare.ts';
import type { Sample } from './expectations.ts';
import { judge, THAT_DAY, THERE } from './judge.ts';
import type { Reason } from './reasons.ts';
import { MODES, PID, type Mode, type Service } from './services.ts';

/** What a line came to in one mode. */
interface Reading {
  readonly sample: Sample;
  readonly mode: Mode;
  readonly told: Told;
  readonly outcome: Outcome;
}

export interface Difference extends Reading {
  readonly digest: string;
  /** undefined: nobody has written one. */
  readonly why: string | undefined;
}

export interface Report {
  readonly lines: number;
  /** Each line once, by the worst that it came to in any mode. */
  readonly counts: Readonly<Record<Outcome, number>>;
  /** Lines that are read in modes or from kinds of logs only that ours doesn't have. */
  readonly leftOut: number;
  /** Lines that count for us although their stamp is in no form that we read. */
  readonly unstamped: number;
  readonly differences: readonly Difference[];
  /** Digests that have a reason although nothing differs. */
  readonly stale: readonly string[];
}

/** From the worst to the best. */
const OUTCOMES: readonly Outcome[] = [
  'other address',
  'ours only',
  'missed',
  'other time',
  'elsewhere',
  'host name',
  'agreed',
];

const HOST_NAME =
  'fail2ban looks the name of a host up; we take addresses only: who owns the name may point it at anybody';

/** Lines of a journal come without a stamp, which it keeps apart. */
const JOURNAL_STAMP = 'Aug 14 11:00:00 ';

/** Names a line without telling it. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 10);
}

export function reportOn(service: Service, samples: readonly Sample[], reasons: readonly Reason[]): Report {
  const whyOf = new Map(reasons.flatMap(({ why, lines }) => lines.map((line) => [line, why] as const)));
  const readings = (['normal', 'aggressive'] as const).flatMap((mode) => readingsOf(service, mode, samples));
  const lines = [...Map.groupBy(readings, ({ sample }) => sample).values()];
  const counts = countsOf(lines);
  const differences = readings
    .filter(({ outcome }) => outcome !== 'agreed')
    .map((reading): Difference => {
      const digest = digestOf(reading.sample.text);
      return { ...reading, digest, why: reading.outcome === 'host name' ? HOST_NAME : whyOf.get(digest) };
    });
  const used = new Set(differences.map(({ digest }) => digest));
  return {
    lines: lines.length,
    counts,
    leftOut: samples.length - lines.length,
    unstamped: lines.filter((of) => of.some(isUnstamped)).length,
    differences,
    stale: [...whyOf.keys()].filter((digest) => !used.has(digest)),
  };
}

function countsOf(lines: readonly (readonly Reading[])[]): Record<Outcome, number> {
  const outcomes = lines.map((readings) =>
    OUTCOMES.find((outcome) => readings.some((reading) => reading.outcome === outcome)),
  );
  const count = (of: Outcome): number => outcomes.filter((outcome) => outcome === of).length;
  return Object.fromEntries(OUTCOMES.map((of) => [of, count(of)])) as Record<Outcome, number>;
}

function isUnstamped({ told, sample }: Reading): boolean {
  return told.says === 'counts' && told.at === undefined && sample.expected.time !== undefined;
}

function readingsOf(service: Service, mode: Mode, samples: readonly Sample[]): Reading[] {
  const chosen = samples.filter((sample) => modesOf(sample, service).has(mode));
  const told = judgeAll(service, mode, chosen);
  const outcomes = compare(toCompare(service, chosen, told));
  return chosen.map((sample, index) => ({ sample, mode, told: told[index]!, outcome: outcomes[index]! }));
}

/** The modes of ours in which a line is to be read. */
function modesOf({ options }: Sample, { modes = MODES, without }: Service): Set<Mode> {
  const wanted = options
    .filter((set) => !without?.(set))
    .map(({ mode = 'default' }) => (typeof mode === 'string' ? modes[mode] : undefined));
  return new Set(wanted.filter((mode) => mode !== undefined));
}

function judgeAll(
  { filters, logFormat, zone = THERE, process, trustedProxies = [] }: Service,
  mode: Mode,
  samples: readonly Sample[],
): Told[] {
  const proxies = trustedProxies.map((text) => parseNetwork(text)!.network);
  const compiled = filters.map((name) =>
    shippedFilter(name, { logFormat, zone, mode, trustedProxies: proxies }),
  );
  return judge(
    compiled,
    samples.map(({ text, options }) =>
      options[0]!['logtype'] === 'journal' ? `${JOURNAL_STAMP}${text}` : text,
    ),
    attemptsOf(samples, process),
  );
}

function toCompare({ process }: Service, samples: readonly Sample[], told: readonly Told[]) {
  const stamps = createStamps(THERE);
  const attempts = attemptsOf(samples, process);
  return samples.map(({ expected: { match, host, time }, options }, index) => {
    const isJournal = options[0]!['logtype'] === 'journal';
    const at = time === undefined || isJournal ? undefined : stamps.field(time, THAT_DAY);
    return { told: told[index]!, expected: { match, host, at }, attempt: attempts[index] };
  });
}

/** A number for each run of lines of one process. */
function attemptsOf(samples: readonly Sample[], process: RegExp = PID): (number | undefined)[] {
  let last: string | undefined;
  let number = 0;
  return samples.map(({ text, file }) => {
    const id = process.exec(text)?.[1];
    const who = id === undefined ? undefined : `${file} ${id}`;
    if (who !== last) number++;
    last = who;
    return who === undefined ? undefined : number;
  });
}
