// Server-sent events to the readers of one socket. A reader who doesn't keep up is cut off: nobody waits for him, and
// what waits for him is bounded.
import type { ServerResponse } from 'node:http';
import { BailiffError } from '../errors.ts';
import type { Log } from '../ports.ts';
import type { LiveEvent, Role, Subscription } from './contract.ts';

export interface StreamLimits {
  /** Readers of one socket; one more is refused. */
  readonly readers: number;
  /** Events that may wait for a reader. More than the daemon remembers and one chunk of a log can hold. */
  readonly backlog: number;
  /** Milliseconds between signs of life. */
  readonly heartbeat: number;
}

export const STREAM_LIMITS: StreamLimits = { readers: 16, backlog: 5_000, heartbeat: 15_000 };

/** Events that are put into one piece of the answer. */
const BATCH = 200;

export type Subscribe = (tell: (event: LiveEvent) => void) => Subscription;

export interface Streams {
  /**
   * Begins an answer that goes on until its reader goes, or doesn't keep up: then he is cut off, whatever is on its way.
   * @throws BailiffError E_TOO_MANY_READERS, and what `subscribe` throws.
   */
  open(subscribe: Subscribe, outgoing: ServerResponse): void;
  /** Ends every stream. */
  close(): void;
}

/** @param role status.sock shows no hostile text. */
export function createStreams(role: Role, log: Log, limits: StreamLimits = STREAM_LIMITS): Streams {
  const closers = new Set<() => void>();
  const write = (event: LiveEvent): string => {
    const told = role === 'control' ? event : withoutHostileText(event);
    return `id: ${told.id}\nevent: ${told.kind}\ndata: ${JSON.stringify(told)}\n\n`;
  };

  return {
    open(subscribe, outgoing) {
      if (closers.size >= limits.readers)
        throw new BailiffError(
          'E_TOO_MANY_READERS',
          `${limits.readers} readers of events are connected to ${role}.sock already; end one of them first`,
          { limit: limits.readers },
        );
      const reader = createReader(subscribe, outgoing, write, limits, {
        onSlow: () =>
          log.warn({ socket: role, backlog: limits.backlog }, 'reader of events cut off: too slow'),
        onEnd: () => closers.delete(reader.close),
      });
      closers.add(reader.close);
    },
    close() {
      for (const close of closers) close();
    },
  };
}

interface ReaderHooks {
  onSlow(): void;
  onEnd(): void;
}

function createReader(
  subscribe: Subscribe,
  outgoing: ServerResponse,
  write: (event: LiveEvent) => string,
  limits: StreamLimits,
  hooks: ReaderHooks,
): { close: () => void } {
  /** Shared with the other readers: an event is put into words only when the reader can take it. */
  let waiting: (LiveEvent | string)[] = [];
  /** Not before the head is written: remembered events may be told at once. */
  let isHungry = false;
  let isOver = false;

  function feed(): void {
    while (isHungry && waiting.length > 0) {
      const some = waiting.slice(0, BATCH);
      waiting = waiting.slice(BATCH);
      isHungry = outgoing.write(some.map((each) => (typeof each === 'string' ? each : write(each))).join(''));
    }
  }

  function end(): void {
    if (isOver) return;
    isOver = true;
    waiting = [];
    clearInterval(heart);
    subscription.stop();
    hooks.onEnd();
  }

  function tell(event: LiveEvent): void {
    if (isOver) return;
    waiting.push(event);
    if (waiting.length > limits.backlog) {
      end();
      hooks.onSlow();
      outgoing.destroy();
      return;
    }
    feed();
  }

  const subscription = subscribe(tell);
  // An id without data: whoever is cut off before the first event still knows his place.
  waiting.push(`id: ${subscription.at}\n\n`);
  // Also tells us when nobody is there any more. It is passed over while anything else is still on its way.
  const heart = setInterval(() => {
    if (waiting.length > 0) return;
    waiting.push(': still here\n\n');
    feed();
  }, limits.heartbeat).unref();

  outgoing.on('drain', () => {
    isHungry = true;
    feed();
  });
  outgoing.once('close', end);
  outgoing.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  // Before the first event: he knows that he is connected.
  outgoing.flushHeaders();
  isHungry = true;
  feed();
  return {
    close() {
      if (isOver) return;
      end();
      outgoing.end();
    },
  };
}

function withoutHostileText(event: LiveEvent): LiveEvent {
  if (event.kind === 'ban') return { ...event, reason: '' };
  if (event.kind !== 'match') return event;
  const { fields: _fields, text: _text, ...facts } = event;
  return facts;
}
