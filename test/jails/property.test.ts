// The jail against a counter that keeps every match and looks at all of them each time: slow, and plain to see through.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Jail } from '../../src/jails/contract.ts';
import { LADDER, RULES, T0, jailWith, match, net } from './support.ts';

const FIND_TIME = 10;
const banTime = { ...LADDER, first: 8, factor: 2, max: 20, forget: 30 };

type Step =
  | {
      readonly do: 'match';
      readonly who: number;
      readonly at: number;
      readonly counts: number;
      readonly session: string | undefined;
      readonly oncePerSession: boolean;
    }
  | { readonly do: 'forgive'; readonly who: number; readonly at: number }
  | { readonly do: 'restart' };

interface Suspect {
  matches: { at: number; counts: number }[];
  nth: number;
  since: number;
  until: number;
  forgiven: number;
  /** Who has counted since somebody's count was last at nothing. */
  sessions: Set<string>;
}

/** @returns one word for each step. */
function naive(steps: readonly Step[], maxRetry: number): string[] {
  const suspects = new Map<number, Suspect>();
  return steps.map((step) => {
    if (step.do === 'restart') return 'restart';
    const never = { since: -Infinity, until: -Infinity, forgiven: -Infinity };
    const fresh: Suspect = { matches: [], nth: 0, ...never, sessions: new Set() };
    const suspect = suspects.get(step.who) ?? fresh;
    suspects.set(step.who, suspect);
    if (step.do === 'forgive') {
      suspect.matches = [];
      suspect.forgiven = Math.max(suspect.forgiven, step.at);
      suspect.until = Math.min(suspect.until, step.at);
      return 'forgiven';
    }
    const { at, counts, session, oncePerSession } = step;
    if (at <= suspect.forgiven) return 'recorded forgiven';
    if (counts === 0) return 'recorded counts-nothing';
    if (suspect.since <= at && at < suspect.until) return 'recorded banned';
    const newest = Math.max(suspect.since, ...suspect.matches.map((each) => each.at));
    if (at < newest - FIND_TIME) return 'late';
    if (at > newest + FIND_TIME) suspect.sessions.clear();
    if (session !== undefined) {
      if (oncePerSession && suspect.sessions.has(session)) return 'recorded counted-already';
      suspect.sessions.add(session);
    }
    suspect.matches.push({ at, counts });
    // Every window that begins at some match and holds this one.
    const sums = suspect.matches
      .filter((first) => first.at <= at && at <= first.at + FIND_TIME)
      .map((first) =>
        suspect.matches
          .filter((each) => each.at >= first.at && each.at <= first.at + FIND_TIME)
          .reduce((sum, each) => sum + each.counts, 0),
      );
    const count = Math.max(...sums);
    if (count < maxRetry) return `counted ${count}`;
    suspect.matches = [];
    suspect.nth = at > suspect.until + banTime.forget ? 1 : suspect.nth + 1;
    const end = at + Math.min(banTime.first * banTime.factor ** (suspect.nth - 1), banTime.max);
    const overlaps = at < suspect.until && end >= suspect.since;
    if (at >= suspect.until) suspect.since = at;
    else if (overlaps) suspect.since = Math.min(at, suspect.since);
    suspect.until = Math.max(suspect.until, end);
    return `ban ${count} nth ${suspect.nth} ${at}-${end}`;
  });
}

function real(steps: readonly Step[], maxRetry: number): string[] {
  const rules = { ...RULES, maxRetry, findTime: FIND_TIME, banTime };
  const ledger = new Map<string, ReturnType<Jail['takeDirty']>[number]>();
  let jail = jailWith({ rules });
  return steps.map((step) => {
    if (step.do === 'restart') {
      for (const offender of jail.takeDirty()) ledger.set(offender.address.text, offender);
      jail = jailWith({ rules, remembered: ledger.values() });
      return 'restart';
    }
    const who = `192.0.2.${step.who}`;
    if (step.do === 'forgive') {
      jail.forgive(net(who), T0 + step.at);
      return 'forgiven';
    }
    const { counts, session, oncePerSession } = step;
    const verdict = jail.decide(match(who, T0 + step.at, { counts, session, oncePerSession }));
    if (verdict.outcome === 'recorded') return `recorded ${verdict.why}`;
    if (verdict.outcome === 'counted') return `counted ${verdict.count}`;
    if (verdict.outcome === 'ban')
      return `ban ${verdict.count} nth ${verdict.nth} ${verdict.since - T0}-${verdict.until! - T0}`;
    return verdict.outcome;
  });
}

const who = fc.integer({ min: 1, max: 2 });
/** Time goes on, and lines lag behind it now and then. */
const steps = fc
  .array(
    fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({
          do: fc.constant('match' as const),
          who,
          at: fc.oneof(fc.integer({ min: -6, max: 0 }), fc.integer({ min: -25, max: 0 })),
          counts: fc.constantFrom(1, 1, 1, 1, 2, 0),
          session: fc.constantFrom(undefined, undefined, '812', '813', '814'),
          oncePerSession: fc.boolean(),
          pause: fc.constantFrom(0, 0, 1, 1, 2, 5, 12, 45),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant('forgive' as const),
          who,
          at: fc.integer({ min: -3, max: 1 }),
          pause: fc.constant(1),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), pause: fc.constant(0) }) },
    ),
    { minLength: 10, maxLength: 120 },
  )
  .map((list) => {
    let clock = 0;
    return list.map(({ pause, ...step }): Step => {
      clock += pause;
      return step.do === 'restart' ? step : { ...step, at: clock + step.at };
    });
  });

it('decides as a counter that keeps everything would, in whatever order lines come and restarts fall', () => {
  let banned = 0;
  let late = 0;
  let already = 0;
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 6 }), (list, maxRetry) => {
      const verdicts = real(list, maxRetry);
      banned += verdicts.filter((verdict) => verdict.startsWith('ban')).length;
      late += verdicts.filter((verdict) => verdict === 'late').length;
      already += verdicts.filter((verdict) => verdict.endsWith('already')).length;
      expect(verdicts).toEqual(naive(list, maxRetry));
    }),
    { numRuns: 1_000 },
  );
  // The generator must reach what the property is about.
  expect(banned).toBeGreaterThan(100);
  expect(late).toBeGreaterThan(100);
  expect(already).toBeGreaterThan(100);
});
