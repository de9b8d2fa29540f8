// The short way of a match that only counts: whoever takes it must be where he would be if he had gone the long one.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createWords, fillWords } from '../../src/address-words.ts';
import type { Ignoring, Jail } from '../../src/jails/contract.ts';
import type { Network } from '../../src/model.ts';
import { ROW, type ShortRun } from '../../src/short-run.ts';
import { LADDER, T0, jailWith, match, net } from './support.ts';

const FIND_TIME = 10;
const banTime = { ...LADDER, first: 8, factor: 2, max: 20, forget: 30 };
const PEOPLE = ['192.0.2.1', '192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', 'fe80::1'];
const words = createWords();

type Step =
  | { readonly do: 'match'; readonly who: string; readonly at: number; readonly session: string | undefined }
  | {
      readonly do: 'forgive' | 'log in' | 'convict' | 'ignore' | 'heed';
      readonly who: string;
      readonly at: number;
    }
  | { readonly do: 'restart' };

/** Lists that say when they change. */
function lists(): Ignoring & { ignore(text: string): void; heed(text: string): void } {
  const ignored = new Set<string>();
  let edition = 0;
  return {
    whyIgnored: ({ text }) => (ignored.has(text) ? 'listed' : undefined),
    isProtected: (network) => network.bits === 64 && [...ignored].some((text) => inside(net(text), network)),
    edition: () => edition,
    ignore(text) {
      ignored.add(text);
      edition++;
    },
    heed(text) {
      ignored.delete(text);
      edition++;
    },
  };
}

const inside = ({ bytes, family }: Network, network: Network): boolean =>
  family === network.family && bytes.startsWith(network.bytes.slice(0, 8));

/** What a jail says and holds. @param isShort do matches take the short way where there is one? */
function run(steps: readonly Step[], maxRetry: number, isShort: boolean, onShort = () => {}): unknown {
  const rules = { maxRetry, findTime: FIND_TIME, banTime, protectAfterSuccess: 15 };
  const ignoring = lists();
  const ledger = new Map<string, ReturnType<Jail['takeDirty']>[number]>();
  let jail = jailWith({ rules, ignoring });
  const commit = (): void => {
    for (const offender of jail.takeDirty()) ledger.set(offender.address.text, offender);
  };
  const said = steps.map((step) => {
    if (step.do === 'restart') {
      commit();
      const { stats } = jail;
      const options = { stats, welcomes: [...jail.welcomes.all()] };
      jail = jailWith({ rules, ignoring, remembered: ledger.values(), options });
      return step.do;
    }
    const [who, at] = [net(step.who), T0 + step.at];
    if (step.do === 'ignore') ignoring.ignore(step.who);
    if (step.do === 'heed') ignoring.heed(step.who);
    if (step.do === 'forgive') jail.forgive(who, at);
    if (step.do === 'log in') jail.welcome(who, at);
    if (step.do === 'convict') jail.convict(who, at, 5);
    if (step.do !== 'match') return step.do;
    fillWords(words, who);
    if (isShort && step.session === undefined && jail.countOnly(words, at)) {
      onShort();
      return 'counted';
    }
    const verdict = jail.decide(match(step.who, at, { session: step.session }));
    return verdict.outcome === 'counted' ? 'counted' : verdict;
  });
  commit();
  return { said, stats: jail.stats, size: jail.size, everyone: jail.offenders(), ledger: [...ledger] };
}

const step = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      do: fc.constant('match' as const),
      who: fc.constantFrom(...PEOPLE),
      at: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.integer({ min: -25, max: 0 })),
      session: fc.constantFrom(...Array.from({ length: 20 }, () => undefined), '812'),
      pause: fc.constantFrom(...Array.from({ length: 30 }, () => 0), 1, 2, 12),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('forgive', 'log in', 'convict', 'ignore', 'heed', 'heed', 'heed'),
      who: fc.constantFrom(...PEOPLE),
      at: fc.integer({ min: -3, max: 1 }),
      pause: fc.constantFrom(0, 1, 20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), pause: fc.constant(0) }) },
);
const steps = fc.array(step, { minLength: 100, maxLength: 300 }).map((list) => {
  let clock = 0;
  return list.map(({ pause, ...rest }): Step => {
    clock += pause;
    return rest.do === 'restart' ? rest : { ...rest, at: clock + rest.at };
  });
});

it('is as if it had gone the long way', () => {
  let short = 0;
  let bans = 0;
  fc.assert(
    fc.property(steps, fc.integer({ min: 11, max: 16 }), (list, maxRetry) => {
      const long = run(list, maxRetry, false) as { stats: { bans: number } };
      expect(run(list, maxRetry, true, () => short++)).toEqual(long);
      bans += long.stats.bans;
    }),
    { numRuns: 80 },
  );
  // The generator must reach what the property is about.
  expect(short).toBeGreaterThan(500);
  expect(bans).toBeGreaterThan(10);
});

it('many at a time are as if one after the other had gone the long way', () => {
  // A log is in order, mostly.
  const second = fc.oneof({ weight: 20, arbitrary: fc.constant(60) }, fc.nat(59));
  const one = fc.record({ who: fc.constantFrom(...PEOPLE), second });
  let short = 0;
  let bans = 0;
  fc.assert(
    fc.property(
      fc.array(fc.array(one, { minLength: 60, maxLength: 120 }), { minLength: 2, maxLength: 4 }),
      fc.integer({ min: 12, max: 26 }),
      (given, maxRetry) => {
        const minutes = given.map((matches) =>
          matches.map(({ who, second }, index) => ({
            who,
            second: second < 60 ? second : Math.floor(index / 2),
          })),
        );
        const rules = { maxRetry, findTime: 50_000, banTime };
        const [many, single] = [
          jailWith({ rules, ignoring: lists() }),
          jailWith({ rules, ignoring: lists() }),
        ];
        minutes.forEach((matches, index) => {
          const minute = T0 + index * 60_000;
          const run = runOf(matches, minute);
          for (const [row, { who, second }] of matches.entries()) {
            if (run.first === row) many.countRun(run);
            if (run.first === row) {
              many.decide(match(who, minute + second * 1_000));
              run.first++;
            } else short++;
            single.decide(match(who, minute + second * 1_000));
          }
          expect([many.stats, many.takeDirty()]).toEqual([single.stats, single.takeDirty()]);
          bans = Math.max(bans, many.stats.bans);
        });
      },
    ),
    { numRuns: 30 },
  );
  expect(short).toBeGreaterThan(500);
  expect(bans).toBeGreaterThan(2);
});

function runOf(
  matches: readonly { readonly who: string; readonly second: number }[],
  minute: number,
): ShortRun {
  const numbers = new Int32Array(matches.length * ROW);
  matches.forEach(({ who, second }, row) => {
    fillWords(words, net(who));
    const { family, first, second: next, third, fourth } = words;
    numbers.set([row * 10, family, first, next, third, fourth, second], row * ROW);
  });
  return { numbers, first: 0, end: matches.length, shift: 0, minute };
}

it('whoever goes it makes room in the order in which he was heard of last, as whoever goes the long one', () => {
  const options = { bounds: () => ({ offenders: 1_000, evidence: Infinity }) };
  const jail = jailWith({ rules: { maxRetry: 100 }, ignoring: { edition: () => 1 }, options });
  const one = (i: number): string => `10.0.${i >> 8}.${i & 255}`;
  for (let i = 0; i < 1_000; i++) jail.decide(match(one(i), T0));
  // Often enough that notes of it must be tidied up, each time in another order.
  let order: number[] = [];
  for (const step of [7, 13, 77, 331, 457]) {
    order = Array.from({ length: 1_000 }, (_, i) => (i * step) % 1_000);
    for (const i of order) {
      fillWords(words, net(one(i)));
      expect(jail.countOnly(words, T0)).toBe(true);
    }
  }
  for (let i = 0; i < 100; i++) jail.decide(match(`192.0.2.${i}`, T0));
  const gone = jail.takeForgotten().map(({ text }) => text);
  expect(gone).toEqual(order.slice(0, 100).map(one));
});

it('is closed to jails that keep a line of each match, and to strangers', () => {
  fillWords(words, net('192.0.2.7'));
  const strict = jailWith({ ignoring: { edition: () => 1 } });
  strict.decide(match('192.0.2.7', T0));
  expect([strict.countsOnly, strict.countOnly(words, T0)]).toEqual([false, false]);
  const loose = jailWith({ rules: { maxRetry: 100 }, ignoring: { edition: () => 1 } });
  expect([loose.countsOnly, loose.countOnly(words, T0), loose.size]).toEqual([true, false, 0]);
});
