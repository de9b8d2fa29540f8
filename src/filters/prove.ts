// Does a filter keep what it promises? Its samples, its forged lines, and forgeries made from each of its patterns.
import type { Instant, Match } from '../model.ts';
import { formatInstant } from '../time.ts';
import { compileFilter } from './compile.ts';
import type { Filter, LineVerdict, Refutation } from './contract.ts';
import { CLIENTS, forge, honestLine } from './forgeries.ts';
import { refuteSample } from './samples.ts';
import { bothModes, trials } from './trials.ts';
import type { Trial } from './trials.ts';

/** When the lines arrive: samples bear stamps of about this day. */
const ARRIVAL: Instant = Date.UTC(2026, 0, 6);

/**
 * Tries a filter. Samples and forged lines are judged as the file means them: in both modes, UTC, `combined`, without
 * what a jail narrows. `yields` may name the fields, and `ip`, `time` (ISO 8601 in UTC), `counts` (a number or
 * `session`), `outcome: success`, and `mode: aggressive` for a line that is a match in that mode only. Forgeries are made
 * for the log format of the filter's options; each must yield the address of who sent it, or no match.
 * Deterministic. Fifty patterns take about a second: remember what passed, by the file's hash and the log format.
 * @returns what was refuted, at most one forgery a pattern; empty for a filter that holds.
 */
export function proveFilter(filter: Filter): Refutation[] {
  const { definition, options } = filter;
  // Samples are written as `combined` is; a filter on a field that it lacks can only be tried with the jail's format.
  const isReadable = compileFilter(definition, {
    ...options,
    logFormat: undefined,
    where: undefined,
    except: undefined,
  }).ok;
  const samples = bothModes(definition, isReadable ? undefined : options.logFormat);
  const refuted = [
    ...definition.samples.flatMap((sample) => refuteSample(samples, sample, 'sample', ARRIVAL)),
    ...definition.forged.flatMap((sample) => refuteSample(samples, sample, 'forged', ARRIVAL)),
  ];
  const byForgery = trials(filter).flatMap((trial) => refuteTrial(trial) ?? []);
  return [...refuted, ...byForgery];
}

/** The first forgery that bends the filter. */
function refuteTrial({
  filter,
  pattern,
  outcome,
  skeletons,
  others,
  frame,
  mustMatch,
}: Trial): Refutation | undefined {
  const place = { line: pattern?.line ?? 0, column: pattern?.column ?? 0 };
  let tried = false;
  for (const [index, skeleton] of skeletons.entries()) {
    for (const client of CLIENTS) {
      const text = honestLine(skeleton, frame, client.honest);
      const honest = matchOf(filter.judge(text, ARRIVAL));
      if (honest && honest.address.text !== client.honest)
        return { kind: 'forgery', text, expected: client.honest, got: honest.address.text, ...place };
      tried ||= honest !== undefined;
    }
    const at = matchOf(filter.judge(honestLine(skeleton, frame, CLIENTS[0].honest), ARRIVAL))?.at;
    for (const { line, honest } of forge(skeleton, index === 0 ? others : undefined, frame)) {
      const verdict = filter.judge(line, ARRIVAL);
      const got = bentTo(verdict, honest, at, outcome, mustMatch);
      if (got !== undefined)
        return {
          kind: 'forgery',
          text: line,
          expected: mustMatch ? honest : `${honest} or no match`,
          got,
          ...place,
        };
    }
  }
  if (tried) return undefined;
  const text = skeletons[0] ? honestLine(skeletons[0], frame, CLIENTS[0].honest) : '';
  const expected = 'a match, so that forgeries can be made of it: write the pattern more plainly';
  return { kind: 'forgery', text, expected, got: 'no match', ...place };
}

/** What a forged line got that its sender must not get; undefined where all is well. */
function bentTo(
  verdict: LineVerdict,
  honest: string,
  at: Instant | undefined,
  outcome: 'failure' | 'success',
  mustMatch: boolean,
): string | undefined {
  const match = matchOf(verdict);
  if (!match) return mustMatch ? `no match (${verdict.outcome})` : undefined;
  // A success that speaks for somebody else blocks nobody, and only who was let in can have it written.
  if (match.address.text !== honest)
    return match.outcome === 'success' && outcome === 'success' ? undefined : match.address.text;
  if (match.at !== at && at !== undefined)
    return `the stamp ${match.at === undefined ? 'none' : formatInstant(match.at)}`;
  return outcome === 'failure' && match.outcome === 'success' ? 'a success' : undefined;
}

function matchOf(verdict: LineVerdict): Match | undefined {
  return 'match' in verdict ? verdict.match : undefined;
}
