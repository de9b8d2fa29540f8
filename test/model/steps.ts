// What can happen to a daemon, as fast-check draws it.
import fc from 'fast-check';
import type { Fate } from './life.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Longer than all the time that passes in a run, far jumps aside; see {@link step}. */
export const FIND_TIME = 6 * HOUR;

/** Ten times the patience of the strictest jails. */
const STUBBORN = 21;

export type LogName = 'access.log' | 'auth.log';

/** An offender keeps to one log: order between logs is not promised. */
export interface Offender {
  readonly log: LogName;
  /** The addresses that it comes from, as they stand in the log. */
  readonly from: readonly string[];
  /** The network under which it is counted. */
  readonly who: string;
}

/** A failure, a success, or what speaks neither for nor against anybody. */
export type Said = 'failure' | 'success' | 'nothing';

export interface Line {
  readonly offender: number;
  readonly said: Said;
  /** How far the stamp lies behind the clock; ahead where negative. */
  readonly lag: number;
}

export type Step =
  | { readonly do: 'append'; readonly log: LogName; readonly lines: readonly Line[]; readonly cut: number }
  | {
      readonly do: 'rename';
      readonly log: LogName;
      readonly lines: readonly Line[];
      readonly late: readonly Line[];
    }
  | { readonly do: 'copytruncate'; readonly log: LogName; readonly lines: readonly Line[] }
  | {
      readonly do: 'ban';
      readonly offender: number;
      readonly jail: string | undefined;
      readonly length: number | undefined;
      /** Also where the address is protected. */
      readonly force: boolean;
    }
  | { readonly do: 'unban'; readonly offender: number | undefined; readonly jail: string | undefined }
  /** Another config; where no daemon runs, the next one starts with it. `dies`: as soon as it is in force. */
  | { readonly do: 'reload'; readonly config: number; readonly dies: boolean }
  | { readonly do: 'pass'; readonly by: number }
  | { readonly do: 'jump'; readonly by: number }
  /** What is asked of the daemon later, starts it again. */
  | { readonly do: 'stop' | 'kill' | 'start' }
  /** Killed while it reads, started again at once. */
  | {
      readonly do: 'crash';
      readonly at: Fate | { readonly turns: number };
      readonly log: LogName;
      readonly lines: readonly Line[];
      readonly rotation: 'rename' | 'copytruncate' | 'none';
      readonly unread: readonly Line[];
      /** The next life ends while it boots, too. */
      readonly again: boolean;
    };

/** One who logs in, and then fails more often than any protection bears. */
function stubborn(offender: number): Step {
  const line = (said: Said): Line => ({ offender, said, lag: 0 });
  const failures = Array.from({ length: STUBBORN }, () => line('failure'));
  return { do: 'append', log: 'auth.log', lines: [line('success'), ...failures], cut: 0 };
}

/** One who logs in, and that is all. */
function visitor(offender: number): Step {
  return { do: 'append', log: 'auth.log', lines: [{ offender, said: 'success', lag: 0 }], cut: 0 };
}

/**
 * The lengths of time keep out of the way of one thing that the reference doesn't do: to forget offenders. They are
 * forgotten when no line came for findTime, which with these lengths needs a far jump; and no way back is as long as that.
 */
export function step(
  offenders: readonly Offender[],
  jails: readonly string[],
  configs: number,
): fc.Arbitrary<Step> {
  const log = fc.constantFrom<LogName>('access.log', 'auth.log');
  const offender = fc.nat({ max: offenders.length - 1 });
  const jail = fc.constantFrom(undefined, ...jails);
  const lag = fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.constantFrom(SECOND, 7 * MINUTE, 20 * MINUTE) },
    { weight: 2, arbitrary: fc.constantFrom(FIND_TIME - SECOND, FIND_TIME, FIND_TIME + SECOND) },
    { weight: 1, arbitrary: fc.constantFrom(-4 * MINUTE, -40 * MINUTE) },
  );
  const said = fc.oneof(
    { weight: 9, arbitrary: fc.constant<Said>('failure') },
    { weight: 2, arbitrary: fc.constant<Said>('nothing') },
    { weight: 1, arbitrary: fc.constant<Said>('success') },
  );
  const lines = (minLength: number) =>
    fc.array(fc.record({ offender, said, lag }), {
      minLength,
      maxLength: 6,
    });
  const at: fc.Arbitrary<Fate | { turns: number }> = fc.oneof(
    fc.record({
      point: fc.constantFrom(
        'before-commit',
        'after-commit',
        'before-enforce',
        'after-enforce',
        'after-apply',
      ),
      after: fc.nat({ max: 1 }),
    }),
    fc.record({ turns: fc.nat({ max: 6 }) }),
  );
  return fc.oneof<fc.WeightedArbitrary<Step>[]>(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('append'),
        log,
        lines: lines(1),
        cut: fc.constantFrom(0, 0, 1, 25),
      }),
    },
    // Whoever has logged in has much patience, but not for ever.
    { weight: 1, arbitrary: offender.map(stubborn) },
    // Whom an administrator then doesn't ban by mistake.
    { weight: 2, arbitrary: offender.map(visitor) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('rename'), log, lines: lines(0), late: lines(0) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('copytruncate'), log, lines: lines(0) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('ban'),
        // Few, so that a ban in force is met often.
        offender: fc.constantFrom(0, 2, offenders.length - 1),
        jail: fc.constantFrom(undefined, jails[0]),
        length: fc.constantFrom(undefined, 5 * MINUTE, 2 * HOUR),
        force: fc.constantFrom(false, false, true),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('unban'),
        offender: fc.option(offender, { nil: undefined }),
        jail,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('pass'),
        by: fc.constantFrom(SECOND, 40 * SECOND, 5 * MINUTE, 11 * MINUTE),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('jump'),
        by: fc.constantFrom(2 * MINUTE, 3 * DAY, -MINUTE, -20 * MINUTE),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('stop', 'kill') }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('reload'),
        config: fc.nat({ max: configs - 1 }),
        dies: fc.constantFrom(false, false, true),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('start') }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('crash'),
        at,
        log,
        lines: lines(1),
        rotation: fc.constantFrom('rename', 'copytruncate', 'none', 'none'),
        unread: lines(0),
        again: fc.boolean(),
      }),
    },
  );
}
