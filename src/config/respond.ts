// What may stand in `respond`, and what it comes to: one step for each offence of an address.
import * as v from 'valibot';
import { RATE_UNITS } from '../answer.ts';
import type { Fault } from '../errors.ts';
import type { Gentle, Rate, Step, Wider } from '../model.ts';
import { parseDuration } from '../time.ts';
import { labelOf } from './keys.ts';
import { faultAt } from './place.ts';
import type { Path, Tree } from './tree.ts';
import { keyAt, valueAt } from './tree.ts';
import { key, listOf, oneOf, positive, says, text, whole } from './values.ts';

const MOST_STEPS = 100;
const MOST_PACKETS = 10_000;
const WHEN = 8;

const RATE = 'packets in one unit of time, such as "10/1s", "100/1m", "50/1h" or "50/1d"';
const RATE_FORM = /^(\d{1,5})\/(.+)$/;
const PORT = 'a port from 1 to 65535';
const STEPS = 'a list of steps';

function readRate(written: string): Rate | undefined {
  const [, count, window] = RATE_FORM.exec(written) ?? [];
  const packets = Number(count);
  const length = parseDuration(window ?? '');
  const per = (Object.keys(RATE_UNITS) as Rate['per'][]).find((unit) => RATE_UNITS[unit] === length);
  return per && packets >= 1 && packets <= MOST_PACKETS ? { packets, per } : undefined;
}

const rate = v.pipe(
  text(RATE),
  v.check(
    (written) => readRate(written) !== undefined,
    says('E_CONFIG_VALUE', `${RATE}, at most ${MOST_PACKETS}`),
  ),
  v.transform((written) => readRate(written)!),
);

export const widerObject = v.strictObject({
  ipv4: key(whole('a prefix length from 8 to 31', 8, 31), {
    says: 'The length of the prefix that is banned in IPv4.',
    otherwise: 'none: IPv4 is banned by address',
    unit: 'bits',
  }),
  ipv6: key(whole('a prefix length from 16 to 127', 16, 127), {
    says: 'The length of the prefix that is banned in IPv6; shorter than `ipv6Prefix`.',
    otherwise: 'none: IPv6 is banned as it is counted',
    unit: 'bits',
  }),
  when: key(whole('a whole number from 2 to 65536', 2, 65_536), {
    says: 'How many offenders of the prefix the jail must hold at once, the new one among them.',
    default: WHEN,
    unit: 'addresses; in IPv6 what `ipv6Prefix` counts as one',
  }),
});

export const stepObject = v.strictObject({
  do: key(oneOf(['drop', 'reject', 'throttle']), {
    says: '`drop` answers nothing; `reject` answers TCP with a reset and all else with an ICMP error; `throttle` lets through what `rate` says and drops the rest, and whoever is throttled is counted on: `maxRetry` more matches are his next offence.',
    default: 'drop',
  }),
  rate: key(rate, {
    says: 'With `throttle`: how many packets of the address, or of the prefix that is banned, pass in a second, a minute, an hour or a day. So many may come at once. A TCP connection takes half a dozen and more.',
    otherwise: 'none: `throttle` needs one',
    unit: 'packets',
  }),
  ports: key(
    v.union(
      [
        oneOf(['all']),
        v.pipe(
          listOf(whole(PORT, 1, 65_535), 'a list of ports'),
          v.minLength(1, says('E_CONFIG_VALUE', 'at least one port, or "all"')),
        ),
      ],
      says('E_CONFIG_TYPE', '"all" or a list of ports'),
    ),
    {
      says: 'The ports that this step covers instead of those of the jail; `"all"` is every port and protocol.',
      otherwise: "the jail's `ports`",
      unit: 'port numbers',
    },
  ),
  for: key(positive, {
    says: 'How long a sentence of this step lasts, whatever `banTime` says; `"forever"` is for good.',
    otherwise: 'what `banTime` says of that offence',
    unit: 'seconds where it is a bare number',
  }),
  wider: key(widerObject, {
    says: 'From so many offenders on the prefix around them is banned instead of the address: an object with the keys below. Never one that holds an address that is allowed, ignored or protected, or from which someone has logged in; the ban then says whom it spared.',
    otherwise: 'none: nobody is banned for his neighbours',
  }),
});

const short = oneOf(['drop', 'reject']);
/** The form of `respond`. */
export const respond = v.union(
  [
    short,
    v.pipe(
      listOf(
        v.union([short, stepObject], says('E_CONFIG_TYPE', '"drop", "reject" or an object with a step')),
        STEPS,
      ),
      v.minLength(1, says('E_CONFIG_VALUE', 'at least one step')),
      v.maxLength(MOST_STEPS, says('E_CONFIG_VALUE', `at most ${MOST_STEPS} steps`)),
    ),
  ],
  says('E_CONFIG_TYPE', '"drop", "reject" or a list of steps'),
);

export type RespondInput = v.InferOutput<typeof respond>;

/** One step for the first offence, the second, …; the last one repeats. */
export function stepsOf(input: RespondInput): Step[] {
  return [input].flat().map((written): Step => {
    const step = typeof written === 'string' ? { do: written } : written;
    const { ports, wider } = step;
    return {
      answer: answerOf(step),
      ports: ports === undefined ? undefined : ports === 'all' ? [] : sortedPorts(ports),
      duration: step.for,
      wider: wider && widerOf(wider),
    };
  });
}

function answerOf(step: {
  readonly do?: string | undefined;
  readonly rate?: Rate | undefined;
}): Gentle | undefined {
  if (step.do === 'reject') return { do: 'reject' };
  return step.do === 'throttle' && step.rate ? { do: 'throttle', rate: step.rate } : undefined;
}

function widerOf({ when, ipv4, ipv6 }: v.InferOutput<typeof widerObject>): Wider {
  return { when: when ?? WHEN, ipv4, ipv6 };
}

function sortedPorts(ports: readonly number[]): number[] {
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

/**
 * What contradicts itself in the steps of one level.
 * @param path where its `respond` stands.
 * @param isTold is there a fault already that explains why a key is missing?
 */
export function respondConflicts(
  input: RespondInput | undefined,
  ipv6Prefix: number,
  tree: Tree,
  path: Path,
  isTold: (path: Path) => boolean,
): Fault[] {
  const faults: Fault[] = [];
  for (const [i, step] of [input ?? []].flat().entries()) {
    if (typeof step === 'string') continue;
    const at = [...path, i];
    const conflict = (inner: Path, message: string, hint: string): void => {
      const place = keyAt(tree, [...at, ...inner]);
      faults.push(faultAt(place, 'E_CONFIG_CONFLICT', `${labelOf(at)}: ${message}`, hint));
    };
    if (step.do === 'throttle' && !step.rate && !isTold([...at, 'rate'])) {
      const message = `${labelOf(at)}: "throttle" needs a rate`;
      faults.push(faultAt(valueAt(tree, at).at, 'E_CONFIG_MISSING', message, 'add "rate": "10/1s"'));
    }
    if (step.rate && step.do !== 'throttle')
      conflict(['rate'], '"rate" goes with "do": "throttle" alone', 'take it away, or throttle');
    const { wider } = step;
    if (!wider) continue;
    const isSaid = (['ipv4', 'ipv6'] as const).some(
      (family) => wider[family] !== undefined || isTold([...at, 'wider', family]),
    );
    if (!isSaid) conflict(['wider'], '"wider" does not say how wide', 'add "ipv4": 24 or "ipv6": 48');
    if (wider.ipv6 !== undefined && wider.ipv6 >= ipv6Prefix)
      conflict(
        ['wider', 'ipv6'],
        `a prefix of ${wider.ipv6} bits is no wider than "ipv6Prefix", which is ${ipv6Prefix}`,
        'make it smaller',
      );
  }
  return faults;
}
