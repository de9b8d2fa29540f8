// What is done about a chunk besides deciding: who heeds what it led to at once, and who is told of it a moment later.
import type { Ban, Chunk } from '../model.ts';
import type { Clock, Log } from '../ports.ts';
import type { Effect } from './effect/effect.ts';
import type { FaultPoint } from './fault-points.ts';
import type { SourceWatch } from './intake/source-watch.ts';
import { applyChunk } from './pipeline.ts';
import type { Pressure } from './pressure.ts';
import type { Recalled } from './recall.ts';
import type { Newsroom } from './telling/news.ts';

export interface Afterwards {
  /** Looks at its lines: to be called before the next chunk is asked for. */
  readonly look: () => void;
  /** Tells of its bans in the log; undefined where it led to none. */
  readonly tell: (() => void) | undefined;
}

export interface Applying {
  /** Applies a chunk. @returns what can wait until the kernel knows. */
  apply(chunk: Chunk): Afterwards;
  /** Heeds bans that no chunk led to, and tells of them. */
  announce(decided: readonly Ban[]): void;
}

export function createApplying(
  recalled: Recalled,
  parts: {
    readonly effect: Pick<Effect, 'listen'>;
    readonly news: Pick<Newsroom, 'applied' | 'onVerdict'>;
    readonly pressure: Pick<Pressure, 'makeRoom'>;
    readonly sourceWatch: Pick<SourceWatch, 'observe'>;
    /** Another ban may end first now. */
    readonly reschedule: () => void;
    /** A ban may come of the next lines. */
    readonly expectBans: () => void;
    /** What sentences run by. */
    readonly sentences: Clock;
    readonly clock: Clock;
    readonly log: Log;
    readonly at: FaultPoint;
  },
): Applying {
  const { inForce, sessions, bans, regulars, committer, brakes, sittings } = recalled;
  const { effect, news, pressure, sourceWatch, reschedule, expectBans, sentences, clock, log, at } = parts;

  function heed(decided: readonly Ban[]): void {
    brakes.settle({ bans, sittings }, clock.now());
    if (decided.length === 0) return;
    pressure.makeRoom();
    reschedule();
  }

  function tell(decided: readonly Ban[]): void {
    for (const { address, jail, since, until, nth, reason } of decided)
      log.info({ address: address.text, jail, since, until, nth, why: reason }, 'ban');
  }

  return {
    apply(chunk) {
      const plan = inForce.plans.of(chunk.patterns);
      const onVerdict = effect.listen(chunk.live, chunk.arrivedAt, news.onVerdict());
      const journey = applyChunk(chunk, plan, sessions, bans, sentences.now(), onVerdict, regulars);
      news.applied(chunk, journey);
      committer.moved(chunk.position);
      at('after-apply');
      heed(journey.bans);
      if (journey.matches > 0) expectBans();
      const { bans: decided } = journey;
      return {
        look: () => sourceWatch.observe(chunk, journey),
        tell: decided.length > 0 ? () => tell(decided) : undefined,
      };
    },
    announce(decided) {
      heed(decided);
      tell(decided);
    },
  };
}
