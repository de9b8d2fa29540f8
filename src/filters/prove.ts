// Does a filter keep what it promises? Its samples, its forged lines, and forgeries made from each of its patterns.
import type { Instant } from '../model.ts';
import { formatInstant } from '../time.ts';
import { compileFilter } from './compile.ts';
import type { Filter, LineVerdict, Refutation } from './contract.ts';
import { CLIENTS, forge, honestLine } from './forgeries.ts';
import { refuteSample } from './samples.ts';
import { bothModes, sessionsOf, trials } from './trials.ts';
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

const STATE_THE_LIMIT =
  'a field of the pattern was given more than its class takes: say what the service writes, up to the end of the line; ' +
  'where the service sees to it that nothing else can stand there, name the field and state that under "limits"';

/** The first forgery that bends the filter. */
function refuteTrial(trial: Trial): Refutation | undefined {
  const { filter, pattern, outcome, skeletons, others, frame, mustMatch } = trial;
  const speaksForAll = filter.definition.protects === 'host';
  const place = { line: pattern?.line ?? 0, column: pattern?.column ?? 0 };
  // Whoever is to be framed has a session too: only there could a line without an address find his.
  const known = CLIENTS.map((clients) => sessionsOf(trial, clients, ARRIVAL));
  let tried = false;
  for (const [index, skeleton] of skeletons.entries()) {
    const honest = CLIENTS.map((client, which) =>
      told(filter.judge(honestLine(skeleton, frame, client.honest), ARRIVAL, known[which])),
    );
    for (const [which, { honest: address }] of CLIENTS.entries()) {
      const got = honest[which]?.address;
      const text = honestLine(skeleton, frame, address);
      if (got !== undefined && got !== address)
        return { kind: 'forgery', text, expected: address, got, ...place };
      tried ||= honest[which] !== undefined;
    }
    for (const forgery of forge(skeleton, index === 0 ? others : undefined, frame)) {
      const which = CLIENTS.findIndex((client) => client.honest === forgery.honest);
      const verdict = filter.judge(forgery.line, ARRIVAL, known[which]);
      const own = honest[which] ?? honest[0];
      const got = bentTo(verdict, forgery.honest, own, outcome, mustMatch, speaksForAll);
      if (got !== undefined)
        return {
          kind: 'forgery',
          text: forgery.line,
          expected: mustMatch ? forgery.honest : `${forgery.honest} or no match`,
          got,
          ...(forgery.isBeyond ? { hint: STATE_THE_LIMIT } : {}),
          ...place,
        };
    }
  }
  if (tried) return undefined;
  const text = skeletons[0] ? honestLine(skeletons[0], frame, CLIENTS[0].honest) : '';
  const expected = 'a match, so that forgeries can be made of it: write the pattern more plainly';
  return { kind: 'forgery', text, expected, got: 'no match', ...place };
}

/** What a line tells: of whom, of which session, as of when. */
interface Told {
  readonly outcome: Trial['outcome'];
  readonly address: string | undefined;
  readonly session: string | undefined;
  readonly at: Instant | undefined;
}

function told(verdict: LineVerdict): Told | undefined {
  // What a pattern under `except` takes counts for nobody, whatever a jail says.
  if (verdict.outcome === 'excepted') return undefined;
  if ('match' in verdict) {
    const { outcome, address, session, at } = verdict.match;
    return { outcome, address: address.text, session, at };
  }
  if (verdict.outcome !== 'opened' && verdict.outcome !== 'closed') return undefined;
  return {
    outcome: verdict.outcome,
    address: verdict.address?.text,
    session: verdict.session,
    at: undefined,
  };
}

/**
 * What a forged line got that its sender must not get; undefined where all is well.
 * @param own what his honest line got.
 * @param speaksForAll does a success protect its address in every jail?
 */
function bentTo(
  verdict: LineVerdict,
  honest: string,
  own: Told | undefined,
  outcome: Trial['outcome'],
  mustMatch: boolean,
  speaksForAll: boolean,
): string | undefined {
  const got = told(verdict);
  if (!got) return mustMatch ? `no match (${verdict.outcome})` : undefined;
  // A success that speaks for somebody else blocks nobody, and only who was let in can have it written. But nobody may choose
  // whom all jails spare.
  if (got.address !== undefined && got.address !== honest)
    return got.outcome === 'success' && outcome === 'success' && !speaksForAll ? undefined : got.address;
  if (got.outcome === 'opened' || got.outcome === 'closed') {
    if (got.outcome !== outcome) return got.outcome === 'closed' ? 'the end of a session' : 'a session';
    return got.session === own?.session ? undefined : `the session ${got.session}`;
  }
  // A failure tells whose its session is as well.
  if (outcome === 'failure' && own?.session !== undefined && got.session !== own.session)
    return `the session ${got.session}`;
  if (own?.at !== undefined && got.at !== own.at)
    return `the stamp ${got.at === undefined ? 'none' : formatInstant(got.at)}`;
  return outcome === 'failure' && got.outcome === 'success' ? 'a success' : undefined;
}
