// Names in `allow` and `ignore`: looked up at the start, and again when the time to live of what was found ends. A name
// that can't be resolved keeps the addresses that it had.
import type { Duration, Network } from '../../model.ts';
import type { Cancel, Clock, Log } from '../../ports.ts';
import { createDeadlines } from '../deadlines.ts';
import type { Faults } from '../telling/faults.ts';
import type { Protection } from './protection.ts';
import type { Answer, Resolver } from './resolver.ts';
import { createExpiry } from '../service/timers.ts';

/** However short or long its time to live, a name is asked for neither more nor less often. */
const SHORTEST = 30_000;
const LONGEST = 3_600_000;
/** Where nobody tells a time to live: /etc/hosts, mDNS. A name that can't be resolved is asked for as often at last. */
const UNTOLD = 300_000;
/** So long the start waits for the names: without them, whom they protect could be banned by his own backlog. */
const PATIENCE = 5_000;
/** So many names are asked for at once: each question takes a socket or two. */
const AT_ONCE = 16;
/** So many names stand in the fault's message. */
const TOLD = 10;
const FAULT = 'W_NAME_UNRESOLVED';

export interface Names {
  /** Resolves when every name was looked up once, or after five seconds. */
  readonly ready: Promise<void>;
  /** Looks up names that will be asked for and aren't yet. Resolves when each was looked up, or after five seconds. */
  learn(names: readonly string[]): Promise<void>;
  /** Other names may be asked for from now on. All of them are looked up anew, in the background. */
  restart(): void;
  readonly stop: Cancel;
}

export interface NamesParts {
  readonly protection: Protection;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly log: Log;
  readonly faults: Faults;
}

/** What is known of a name. */
interface Known {
  readonly 4: readonly Network[];
  readonly 6: readonly Network[];
  /** Looks since the last one that told everything. */
  readonly failures: number;
  readonly why: string | undefined;
  /** So long it holds. */
  readonly holds: Duration;
}

const NOTHING: Known = { 4: [], 6: [], failures: 0, why: undefined, holds: 0 };

function learned(before: Known, answer: Answer): Known {
  const failures = answer.why === undefined ? 0 : before.failures + 1;
  const told = answer.ttl ?? UNTOLD;
  return {
    4: answer[4] ?? before[4],
    6: answer[6] ?? before[6],
    failures,
    why: answer.why,
    holds:
      failures > 0
        ? Math.min(SHORTEST * 2 ** (failures - 1), UNTOLD)
        : Math.min(Math.max(told, SHORTEST), LONGEST),
  };
}

/**
 * Looks up each name of `protection` once.
 * @returns the names that can't be resolved, each with the reason.
 */
export async function lookUpNames(
  protection: Protection,
  resolver: Resolver,
): Promise<{ name: string; why: string }[]> {
  const unresolved: { name: string; why: string }[] = [];
  const names = protection.names.values();
  const lookUp = async (): Promise<void> => {
    for (const name of names) {
      const known = learned(NOTHING, await resolver.resolve(name));
      protection.resolved(name, [...known[4], ...known[6]]);
      if (known.why !== undefined) unresolved.push({ name, why: known.why });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lookUp));
  return unresolved;
}

/**
 * Follows every name of `protection`, in the background, until stopped.
 * @param onChange called when a name came to stand for other addresses, once {@link Names.ready} is through.
 */
/** Until then what is known of a name holds. */
interface Deadline {
  readonly name: string;
  readonly state: Known;
}

export function followNames(parts: NamesParts, onChange: () => void): Names {
  const { protection, resolver, clock, log, faults } = parts;
  const abort = new AbortController();
  const known = new Map<string, Known>();
  /** Those asked for or about to be. */
  const looks = new Map<string, PromiseWithResolvers<void>>();
  const queue: string[] = [];
  let busy = 0;
  let isReady = false;
  let wanted = new Set(protection.names);
  /** By the clock that doesn't jump. An entry is stale once more was learned. */
  const deadlines = createDeadlines<Deadline>();
  const isCurrent = ({ name, state }: Deadline): boolean => known.get(name) === state;
  const timer = createExpiry(
    { ...clock, now: () => clock.monotonic() },
    () => deadlines.next(isCurrent),
    () => {
      for (const { name } of deadlines.takeDue(clock.monotonic(), isCurrent)) {
        if (wanted.has(name)) void look(name);
        else known.delete(name);
      }
    },
  );

  /** Resolves when the name was looked up; who asks meanwhile shares the look. */
  function look(name: string): Promise<void> {
    const underWay = looks.get(name);
    if (underWay) return underWay.promise;
    const mine = Promise.withResolvers<void>();
    looks.set(name, mine);
    queue.push(name);
    work();
    return mine.promise;
  }

  function work(): void {
    while (busy < AT_ONCE && queue.length > 0) {
      const name = queue.shift()!;
      busy++;
      void resolver.resolve(name, abort.signal).then((answer) => {
        busy--;
        if (abort.signal.aborted) return;
        take(name, answer);
        looks.get(name)!.resolve();
        looks.delete(name);
        work();
      });
    }
  }

  function take(name: string, answer: Answer): void {
    const before = known.get(name) ?? NOTHING;
    const state = learned(before, answer);
    known.set(name, state);
    deadlines.add({ name, state }, clock.monotonic() + state.holds);
    timer.reschedule();
    if (before.failures > 0 || state.failures > 0) tellFailing();
    const addresses = [...state[4], ...state[6]];
    if (!protection.resolved(name, addresses)) return;
    log.info({ name, addresses: addresses.map(({ text }) => text) }, 'name');
    if (isReady) onChange();
  }

  function tellFailing(): void {
    const failing = [...known].filter(([name, { failures }]) => failures > 0 && wanted.has(name));
    if (failing.length === 0) return faults.clear(FAULT);
    const list = failing.slice(0, TOLD).map(([name, { why }]) => `${name} (${why})`);
    const more = failing.length > TOLD ? ` and ${failing.length - TOLD} more` : '';
    faults.raise(FAULT, `Names in the allow lists can't be resolved: ${list.join(', ')}${more}.`);
  }

  function patiently(looking: Promise<unknown>): Promise<void> {
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const giveUp = clock.schedule(PATIENCE, resolve);
    return Promise.race([looking.then(() => {}), enough]).finally(giveUp);
  }

  const lookAtAll = (names: Iterable<string>): Promise<unknown> => Promise.all(Array.from(names, look));
  const ready = patiently(lookAtAll(wanted));

  return {
    ready: ready.then(() => void (isReady = true)),
    learn: (names) => patiently(lookAtAll(names.filter((name) => !known.has(name)))),
    restart() {
      wanted = new Set(protection.names);
      tellFailing();
      void lookAtAll(wanted);
    },
    stop() {
      abort.abort();
      timer.stop();
    },
  };
}
