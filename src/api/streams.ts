// Server-sent events to the readers of one socket. A reader who doesn't keep up is cut off: nobody waits for him, and
// what waits for him is bounded.
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
   * @param cutOff ends the connection at once, whatever is still on its way.
   * @throws BailiffError E_TOO_MANY_READERS, and what `subscribe` throws.
   */
  open(subscribe: Subscribe, cutOff: (() => void) | undefined): Response;
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
    open(subscribe, cutOff) {
      if (closers.size >= limits.readers)
        throw new BailiffError(
          'E_TOO_MANY_READERS',
          `${limits.readers} readers of events are connected to ${role}.sock already; end one of them first`,
          { limit: limits.readers },
        );
      const reader = createReader(subscribe, write, limits, {
        cutOff,
        onSlow: () =>
          log.warn({ socket: role, backlog: limits.backlog }, 'reader of events cut off: too slow'),
        onEnd: () => closers.delete(reader.close),
      });
      closers.add(reader.close);
      return new Response(reader.stream, {
        headers: {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          // Said outright, or the server would wait for the first event before it sends the headers.
          'transfer-encoding': 'chunked',
        },
      });
    },
    close() {
      for (const close of closers) close();
    },
  };
}

interface ReaderHooks {
  readonly cutOff: (() => void) | undefined;
  onSlow(): void;
  onEnd(): void;
}

function createReader(
  subscribe: Subscribe,
  write: (event: LiveEvent) => string,
  limits: StreamLimits,
  hooks: ReaderHooks,
): { stream: ReadableStream<Uint8Array>; close: () => void } {
  /** Shared with the other readers: an event is put into words only when the reader can take it. */
  let waiting: (LiveEvent | string)[] = [];
  let isHungry = false;
  let isOver = false;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  function feed(): void {
    if (!isHungry || !controller || waiting.length === 0) return;
    isHungry = false;
    const some = waiting.slice(0, BATCH);
    waiting = waiting.slice(BATCH);
    const text = some.map((each) => (typeof each === 'string' ? each : write(each))).join('');
    controller.enqueue(Buffer.from(text));
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
      if (hooks.cutOff) hooks.cutOff();
      else controller?.error(new Error('too slow'));
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

  const stream = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
    pull() {
      isHungry = true;
      feed();
    },
    cancel: end,
  });
  return {
    stream,
    close() {
      if (isOver) return;
      end();
      controller?.close();
    },
  };
}

function withoutHostileText(event: LiveEvent): LiveEvent {
  if (event.kind === 'ban') return { ...event, reason: '' };
  if (event.kind !== 'match') return event;
  const { fields: _fields, text: _text, ...facts } = event;
  return facts;
}
