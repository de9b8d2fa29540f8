// Several kinds of sources as one: whichever has a chunk is next, each in its turn.
import { setImmediate as breathe } from 'node:timers/promises';
import type { Chunk } from '../model.ts';
import type { Sources } from './contract.ts';

export interface JoinedSources extends Sources {
  /**
   * The chunks that wait here, which now count as handed out. They name the patterns of when they were read: whoever is about
   * to change what is followed applies them first, after a turn of the event loop, so that none is still on its way here.
   */
  takeHeld(): Chunk[];
}

/**
 * At most one chunk of each part is held, so that a backlog stays where it is. A part is asked for its next chunk only when
 * the one before was applied.
 * Ends when it is closed; and when a part has ended by itself and no other has anything to follow.
 */
export function joinSources(parts: readonly Sources[]): JoinedSources {
  const idle = new Set(parts);
  const over = new Set<Sources>();
  const ready: { part: Sources; chunk: Chunk }[] = [];
  /** Whose chunk was handed out last: it is asked again once that is applied. */
  let served: Sources | undefined;
  let failure: { readonly error: unknown } | undefined;
  let closed = false;
  let wake: (() => void) | undefined;

  function ask(part: Sources): void {
    idle.delete(part);
    part
      .next()
      .then(
        (chunk) => void (chunk ? ready.push({ part, chunk }) : over.add(part)),
        (error: unknown) => (failure = { error }),
      )
      .finally(() => wake?.());
  }

  const isOver = (): boolean =>
    over.size > 0 && parts.every((part) => over.has(part) || part.status().length === 0);

  return {
    async next() {
      if (served) idle.add(served);
      served = undefined;
      for (const part of idle) ask(part);
      for (;;) {
        if (failure) throw failure.error;
        const first = ready.shift();
        if (closed) return undefined;
        if (first) {
          served = first.part;
          return first.chunk;
        }
        if (isOver()) return undefined;
        await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
      }
    },
    takeHeld() {
      const held = ready.splice(0);
      for (const { part } of held) idle.add(part);
      return held.map(({ chunk }) => chunk);
    },
    async caughtUp() {
      const answers = await Promise.all(parts.map((part) => part.caughtUp()));
      // What a part has just handed over is held here a moment later.
      await breathe();
      return answers.every(Boolean) && ready.length === 0;
    },
    status: () => parts.flatMap((part) => part.status()),
    takeForgotten: () => parts.flatMap((part) => part.takeForgotten()),
    async close() {
      closed = true;
      await Promise.all(parts.map((part) => part.close()));
      wake?.();
    },
  };
}
