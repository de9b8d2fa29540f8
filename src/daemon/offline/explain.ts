// What each stage says about one line: layout, pattern, exception, address, ignore list, count. The pipeline's own parts,
// asked one line at a time, with jails that remember nobody.
import type { Filter, LineVerdict } from '../../filters/contract.ts';
import { judgeLast } from '../../filters/index.ts';
import type { Instant, Match } from '../../model.ts';
import { answerText, scopeAt } from '../../answer.ts';
import type { ReadyJail, Setup } from '../../setup/index.ts';
import { formatDuration } from '../../time.ts';
import type { Host } from '../host/host.ts';
import type { OpenSession } from '../host/logged-in.ts';
import { lookUpNames } from '../host/names.ts';
import type { SittingJail } from '../pipeline.ts';
import { createProtection } from '../host/protection.ts';
import { NOTHING_KNOWN, seatJails } from '../sitting.ts';

export interface Explanation {
  readonly jail: string;
  readonly filter: string;
  readonly outcome:
    | 'no-layout'
    | 'no-match'
    | 'opened'
    | 'closed'
    | 'excepted'
    | 'ignored'
    | 'success'
    | 'late'
    | 'counted'
    | 'recorded'
    | 'ban';
  /** In our own words; may quote the line: hostile text. */
  readonly why: string;
  readonly match: Match | undefined;
}

/**
 * Asks each filter of each jail about the line.
 * @param line one byte one character (latin1), without its end. Of several lines, parted by \n, the last one: those before
 *   it tell whose session it is, and who logged in.
 */
export async function explain(
  setup: Setup,
  line: string,
  options: { jail: string | undefined; now: Instant; loggedIn?: readonly OpenSession[] | undefined },
  host: Host,
): Promise<Explanation[]> {
  const protection = createProtection(
    setup.allow,
    setup.jails.map((jail) => jail.ignore),
    host,
  );
  await lookUpNames(protection, host.resolver);
  const sittings = seatJails(setup, protection, () => NOTHING_KNOWN, options.now);
  for (const { address, since } of options.loggedIn ?? [])
    for (const { jail } of sittings.all)
      jail.welcome(address, options.now, { by: 'session', ...(since !== undefined && { since }) });
  return sittings.all
    .filter(({ ready }) => options.jail === undefined || ready.rules.name === options.jail)
    .flatMap((sitting) =>
      sitting.ready.filters.map((filter): Explanation => {
        const verdict = judgeLast(filter, line, options.now, (earlier) =>
          welcome(earlier, filter, sitting, options.now),
        );
        const names = { jail: sitting.ready.rules.name, filter: filter.definition.name };
        return { ...names, ...explainVerdict(sitting, filter, verdict, options.now) };
      }),
    );
}

/** A log-in in an earlier line protects whoever the last line is about. */
function welcome(verdict: LineVerdict, { definition }: Filter, { jail }: SittingJail, now: Instant): void {
  if (verdict.outcome !== 'success' || definition.protects === 'nobody') return;
  jail.welcome(verdict.match.address, verdict.match.at ?? now);
}

function explainVerdict(
  sitting: SittingJail,
  filter: Filter,
  verdict: LineVerdict,
  now: Instant,
): Pick<Explanation, 'outcome' | 'why' | 'match'> {
  switch (verdict.outcome) {
    case 'no-layout':
    case 'no-match':
    case 'opened':
    case 'closed':
      return { outcome: verdict.outcome, why: verdict.why, match: undefined };
    case 'excepted':
      return { outcome: 'excepted', why: verdict.why, match: verdict.match };
    case 'match':
    case 'success':
      return { ...sentenceOn(sitting, filter, verdict.match, now), match: verdict.match };
  }
}

function sentenceOn(
  { ready, jail }: SittingJail,
  { definition }: Filter,
  match: Match,
  now: Instant,
): Pick<Explanation, 'outcome' | 'why'> {
  const { address, counts, outcome, session, oncePerSession } = match;
  const at = match.at ?? now;
  const evidence = { file: '', line: 1, at, text: '' };
  const verdict = jail.decide({
    ...{ address, at, counts, outcome, session, oncePerSession },
    evidence: () => evidence,
  });
  const window = `within ${formatDuration(ready.rules.findTime)}`;
  switch (verdict.outcome) {
    case 'ignored':
    case 'late':
      return { outcome: verdict.outcome, why: verdict.why };
    case 'success':
      return {
        outcome: 'success',
        why: `a log-in that succeeded: it never counts${protectionBy(definition, ready)}`,
      };
    case 'recorded':
      // These jails remember nobody, so it can't be that he is banned, forgiven or counted already.
      return { outcome: 'recorded', why: 'evidence only: it counts nothing by itself' };
    case 'counted':
      return {
        outcome: 'counted',
        why: `counts ${counts}; number ${verdict.of} ${window} bans${firstAnswer(ready)}`,
      };
    case 'ban':
      return {
        outcome: 'ban',
        why: `number ${ready.rules.maxRetry} ${window} bans${firstAnswer(ready)}, and this is it`,
      };
  }
}

/** What the first ban does, where that is not to drop. */
function firstAnswer({ scope, rules }: ReadyJail): string {
  const { answer } = scopeAt(scope, rules.respond, 1);
  return answer ? ` (${answerText(answer)})` : '';
}

function protectionBy({ protects }: Filter['definition'], { rules }: ReadyJail): string {
  if (protects === 'nobody' || rules.protectAfterSuccess === 0) return '';
  const where = protects === 'host' ? 'here and in the other jails' : 'here';
  return `, and protects its address ${where} for ${formatDuration(rules.protectAfterSuccess)}`;
}
