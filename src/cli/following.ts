// Events without an end: where the daemon cuts the stream off, or is started anew, it is taken up where it broke off.
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../api/index.ts';
import type { EventsQuery, LiveEvent } from '../api/contract.ts';
import { BailiffError } from '../errors.ts';

/** A daemon that is restarted is waited for so often, so many milliseconds each. */
export const TRIES = 60;
export const AGAIN = 500;

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** How often in a row it is tried to find the daemon again. */
  readonly tries: number;
  /** The daemon is gone, or there again. */
  onConnection(isThere: boolean): void;
}

/** @throws what the client throws at the first call, or once the daemon stays away. */
export async function* followEvents(
  client: Client,
  query: EventsQuery,
  { signal, tries, onConnection }: FollowOptions,
): AsyncGenerator<LiveEvent> {
  let { after } = query;
  let isFirst = true;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const asked = after === undefined ? query : { ...query, after };
      const reader = await client.events(asked, signal);
      if (failures > 0) onConnection(true);
      [isFirst, failures] = [false, 0];
      for await (const event of reader.events) {
        after = reader.at;
        yield event;
      }
      after = reader.at;
    } catch (error) {
      if (signal.aborted) return;
      const isGone = error instanceof BailiffError && error.code === 'E_NOT_RUNNING';
      if (isFirst || !isGone || ++failures > tries) throw error;
      if (failures === 1) onConnection(false);
    }
    await pause(AGAIN, undefined, { signal }).catch(() => undefined);
  }
}
