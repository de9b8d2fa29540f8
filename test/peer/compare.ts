// What fail2ban expects of the lines of a log beside what our filters say of them. Pure.
import { parseAddress } from '../../src/address.ts';
import type { Instant } from '../../src/model.ts';

/** The rule, as the program prints it. */
export const RULE = `A line agrees where both count it for the same address, or neither does.
Where a service writes several lines about one attempt, the attempt is compared: consecutive lines of one process
(the same pid) about one address. It agrees where each counts it by a line of its own choice. Where fail2ban counts a line
that we take for evidence (counts: 0, or counts: session after one that has counted), it agrees if another line of its
attempt counts. Samples often have that one line only: then it is "elsewhere", with the reason naming the line that
counts instead, and agrees as well if the address does. How often an attempt counts is not compared. A line that is read
in several modes counts once here, by the worst that it comes to in any of them.
Stamps are looked at besides, where both read one. Whom a line is about and whether it counts is the verdict, and a line on
which both say the same there agrees; a stamp that differs is shown as "other time", and needs a reason like any difference:
without one the comparison fails.`;

/** What our filters and a jail say of one line. */
export interface Told {
  /** `evidence`: recognised, without counting. A successful log-in is `nothing`. */
  readonly says: 'counts' | 'evidence' | 'nothing';
  readonly address: string | undefined;
  readonly at: Instant | undefined;
}

/** One line, with what both make of it. */
export interface Compared {
  readonly told: Told;
  readonly expected: {
    readonly match: boolean;
    readonly host: string | undefined;
    readonly at: Instant | undefined;
  };
  /** Lines that follow one another with the same number were written by one process; undefined: that can't be told. */
  readonly attempt: number | undefined;
}

/**
 * `elsewhere`: we take the line for evidence of an attempt that counts by a line that the sample doesn't have.
 * `other time`: both count it for the same address, as of different instants; it agrees, if there is a reason.
 * `host name`: fail2ban looks a name up, where our filters take addresses only. Neither agreed nor different.
 */
export type Outcome =
  'agreed' | 'elsewhere' | 'missed' | 'ours only' | 'other address' | 'other time' | 'host name';

/** @returns the outcome of each line, in order. */
export function compare(lines: readonly Compared[]): Outcome[] {
  return lines.map((line) => {
    const outcome = outcomeOf(line);
    const isOpen = outcome === 'missed' || outcome === 'elsewhere' || outcome === 'ours only';
    return isOpen && isMadeUp(line, lines) ? 'agreed' : outcome;
  });
}

function outcomeOf({ told, expected }: Compared): Outcome {
  const isOurs = told.says === 'counts';
  if (!expected.match) return isOurs ? 'ours only' : 'agreed';
  const address = canonical(expected.host);
  if (told.says !== 'nothing' && address !== undefined && told.address !== address) return 'other address';
  if (!isOurs && isName(expected.host)) return 'host name';
  if (!isOurs) return told.says === 'evidence' ? 'elsewhere' : 'missed';
  const { at } = expected;
  const isSameTime = at === undefined || told.at === undefined || Math.floor(told.at / 1_000) * 1_000 === at;
  return isSameTime ? 'agreed' : 'other time';
}

/** Does another line of the same attempt make up for a line that one of both counts? */
function isMadeUp(line: Compared, lines: readonly Compared[]): boolean {
  const { attempt, told, expected } = line;
  if (attempt === undefined) return false;
  const address = addressOf(line);
  const others = lines.filter(
    (other) =>
      other !== line &&
      other.attempt === attempt &&
      (address === undefined || addressOf(other) === undefined || addressOf(other) === address),
  );
  if (!expected.match) return others.some((other) => other.expected.match && other.told.says !== 'counts');
  return others.some(
    (other) => other.told.says === 'counts' && (told.says === 'evidence' || !other.expected.match),
  );
}

function addressOf({ told, expected }: Compared): string | undefined {
  return told.address ?? canonical(expected.host);
}

function canonical(host: string | undefined): string | undefined {
  return host === undefined || isName(host) ? undefined : (parseAddress(host)?.text ?? host);
}

/** `192.0.2.010` is no name, though no address of ours either. */
function isName(host: string | undefined): boolean {
  return host !== undefined && parseAddress(host) === undefined && /[^\d.]/.test(host);
}
