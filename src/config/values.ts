// The kinds of values that keys hold, as valibot schemas. Every message is a fault's code and what was expected.
import * as v from 'valibot';
import type { BrakeRule } from '../model.ts';
import { parseDuration } from '../time.ts';
import { ALLOW_EXPECTED, readAllowEntry } from './allow.ts';
import type { ConfigCode } from './codes.ts';

/** A century; what is longer is meant to be for good, and instants beyond the calendar can't be written. */
const LONGEST = 100 * 365 * 86_400_000;

const DURATION = 'a duration such as 90, "10m", "1h30m" or "forever"';
const DURATION_WITH_END = 'a duration with an end, such as 90, "10m" or "1h30m"';
const DURATION_TEXT = /^(?:\d+(?:\.\d+)?|(?:\d+(?:ms|[smhdw]))+|forever)$/;
const LIMIT = /^(\d{1,9})\/(.+)$/;

/** A message for check.ts, which splits it again: the code, and what was expected. The reference shows the latter. */
export function says(code: ConfigCode, expected: string): string {
  return `${code} ${expected}`;
}

/** What is said of a key besides what it may hold. */
export interface About {
  readonly says: string;
  readonly default?: unknown;
  /** How the default is written where it is no value: "the host's zone". */
  readonly otherwise?: string;
  readonly unit?: string;
}

/** One key: what it may hold, and what the reference says of it. */
export function key<const S extends v.GenericSchema>(schema: S, about: About) {
  const { says: sentence, ...rest } = about;
  return v.optional(v.pipe(schema, v.description(sentence), v.metadata(rest)));
}

export const text = (expected: string) =>
  v.pipe(v.string(says('E_CONFIG_TYPE', expected)), v.minLength(1, says('E_CONFIG_VALUE', expected)));
export const yesOrNo = v.boolean(says('E_CONFIG_TYPE', 'true or false'));
export const oneOf = <const T extends readonly string[]>(options: T) =>
  v.picklist(options, says('E_CONFIG_VALUE', options.map((option) => `"${option}"`).join(' or ')));
export const listOf = <S extends v.GenericSchema>(item: S, expected: string) =>
  v.array(item, says('E_CONFIG_TYPE', expected));
export const number = (expected: string, least: number, most: number) =>
  v.pipe(
    v.number(says('E_CONFIG_TYPE', expected)),
    v.minValue(least, says('E_CONFIG_VALUE', expected)),
    v.maxValue(most, says('E_CONFIG_VALUE', expected)),
  );
export const whole = (expected: string, least: number, most: number) =>
  v.pipe(number(expected, least, most), v.integer(says('E_CONFIG_TYPE', expected)));

/** Milliseconds. */
const durationOf = (expected: string, tooLong: string) =>
  v.pipe(
    v.union(
      [
        v.pipe(v.string(), v.metadata({ pattern: DURATION_TEXT.source })),
        v.pipe(v.number(), v.metadata({ minimum: 0 })),
      ],
      says('E_CONFIG_TYPE', expected),
    ),
    v.check((value) => parseDuration(value) !== undefined, says('E_CONFIG_DURATION', expected)),
    v.transform((value) => parseDuration(value)!),
    v.check((ms) => ms === Infinity || ms <= LONGEST, says('E_CONFIG_DURATION', tooLong)),
  );
const isSomething = v.check(
  (ms: number) => ms > 0,
  says('E_CONFIG_DURATION', 'a duration longer than nothing'),
);
/** Anything that can be written. */
export const duration = durationOf(DURATION, 'at most 100 years; for longer write "forever"');
/** Longer than nothing. */
export const positive = v.pipe(duration, isSomething);
/** Nothing, or longer, and not for ever. */
export const ending = v.pipe(
  durationOf(DURATION_WITH_END, 'at most 100 years'),
  v.check((ms) => ms !== Infinity, says('E_CONFIG_DURATION', DURATION_WITH_END)),
);
/** Longer than nothing, and not for ever. */
export const finite = v.pipe(ending, isSomething);

const allowEntry = v.pipe(
  v.string(says('E_CONFIG_TYPE', ALLOW_EXPECTED)),
  v.check((written) => readAllowEntry(written).kind !== 'bad', says('E_CONFIG_ADDRESS', ALLOW_EXPECTED)),
);
/** The form of `allow`, `ignore` and `trustedProxies`. */
export const allowList = listOf(allowEntry, 'a list of addresses, networks, names and file: entries');

const RATE = 'a count and a duration such as "100/1m"';
/** Is it a count and a duration with an end? */
export const isRate = (written: string) => {
  const window = parseDuration(LIMIT.exec(written)?.[2] ?? '');
  return window !== undefined && window > 0 && window <= LONGEST;
};
const readRate = (written: string) => {
  const [, count, window] = LIMIT.exec(written)!;
  return { count: Number(count), window: parseDuration(window!)! };
};
/** `"100/1m"`: how many pass, and within which time. */
export const rate = v.pipe(text(RATE), v.check(isRate, says('E_CONFIG_VALUE', RATE)), v.transform(readRate));
/** What was found to be `"behaving"`, `"off"` or a rate. */
export const readBrake = (written: string): BrakeRule =>
  written === 'behaving' || written === 'off' ? { kind: written } : { kind: 'number', ...readRate(written) };

const words = v.union(
  [
    v.string(),
    v.pipe(
      v.array(v.string(says('E_CONFIG_TYPE', 'a text'))),
      v.minLength(1, says('E_CONFIG_VALUE', 'at least one text')),
    ),
  ],
  says('E_CONFIG_TYPE', 'a text or a list of texts'),
);
const TESTS = 'at least one of prefix, suffix, contains, glob, regex, in and present';
const tests = v.pipe(
  v.strictObject({
    prefix: key(words, { says: 'The field begins with it.' }),
    suffix: key(words, { says: 'The field ends with it.' }),
    contains: key(words, { says: 'It stands somewhere in the field.' }),
    glob: key(words, {
      says: 'The whole field fits the pattern; `*` stands for any characters, `?` for one.',
    }),
    regex: key(words, {
      says: 'The regular expression matches somewhere in the field; it must run in linear time.',
    }),
    in: key(words, { says: 'The field is an address in this network.' }),
    present: key(yesOrNo, { says: 'Whether the line has the field at all.' }),
  }),
  v.check((object) => Object.keys(object).length > 0, says('E_CONFIG_VALUE', TESTS)),
);
const CONDITION = 'a text, a number, true or false, a list of texts and numbers, or an object with tests';
const condition = v.union(
  [
    v.string(),
    v.number(),
    v.boolean(),
    v.pipe(
      v.array(v.union([v.string(), v.number()], says('E_CONFIG_TYPE', 'a text or a number'))),
      v.minLength(1, says('E_CONFIG_VALUE', 'at least one value')),
    ),
    tests,
  ],
  says('E_CONFIG_TYPE', CONDITION),
);
/** The form of `where` and `except`. */
export const conditions = v.record(
  v.string(),
  condition,
  says('E_CONFIG_TYPE', 'an object of fields and what they must hold'),
);

/** Is it a time zone's IANA name? (An offset such as +02:00 is none.) */
export const isZone = (zone: string): boolean => {
  // The usual one, without what Node needs megabytes for.
  if (zone === 'UTC') return true;
  if (!/^[a-z]/i.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
};
