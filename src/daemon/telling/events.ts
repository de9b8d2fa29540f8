// In: what happened. Out: the same to everyone who listens, and a bounded memory of it for those who come back.
// It never waits for a listener, and while nobody listens a match costs nothing: it is not even put into words.
import { EVENTS_REMEMBERED } from '../../api/contract.ts';
import type { EventsQuery, LiveEvent, News, Subscription } from '../../api/contract.ts';
import { contains, parseNetwork } from '../../address.ts';
import type { Duration, Instant, Network } from '../../model.ts';
import type { Clock } from '../../ports.ts';
import { formatInstant } from '../../time.ts';

/** So long after the last reader of matches has gone they are still told, so that he who comes back misses none. */
const LINGER: Duration = 60_000;

/** {@link EventsQuery} with its addresses read. */
export type Wanted = Omit<EventsQuery, 'address'> & { readonly networks?: readonly Network[] };

export interface Events {
  /** Should matches be told? Asked once a chunk. */
  readonly wantsMatches: boolean;
  emit(news: News): void;
  /** How many are remembered, how many there may be, and how many are not any more. */
  readonly held: number;
  readonly most: number;
  readonly overrun: number;
  subscribe(wanted: Wanted, tell: (event: LiveEvent) => void): Subscription;
}

interface Kept {
  readonly news: News;
  readonly at: Instant;
}

interface Listener {
  readonly wants: (event: LiveEvent) => boolean;
  readonly wantsMatches: boolean;
  readonly tell: (event: LiveEvent) => void;
}

/** @param boot sets this daemon's ids apart from those of an earlier one. */
export function createEvents(clock: Clock, boot: string): Events {
  const listeners = new Set<Listener>();
  /**
   * The event with number n stands at n modulo its length. One is a few kilobytes at most: its text comes here cut. It gets
   * its id and its time in words when it is told: in a flood of bans nobody listens.
   */
  const ring: (Kept | undefined)[] = [];
  let next = 1;
  let matchListeners = 0;
  let lingersUntil = -Infinity;
  /** Up to this number matches may be missing: nobody wanted them. No event bears the number itself. */
  let unwatched = 0;

  const wantsMatches = (): boolean => matchListeners > 0 || clock.monotonic() < lingersUntil;
  const idOf = (number: number): string => `${boot}-${number}`;
  const put = ({ news, at }: Kept, number: number): LiveEvent => ({
    ...{ id: idOf(number), at: formatInstant(at) },
    ...news,
  });
  const oldest = (): number => Math.max(1, next - EVENTS_REMEMBERED);

  function* remembered(from: number): Generator<LiveEvent> {
    for (let number = Math.max(from, oldest()); number < next; number++) {
      const event = ring[number % EVENTS_REMEMBERED];
      if (event) yield put(event, number);
    }
  }

  /** What of the past a reader is told first. */
  function past({ after, last }: Wanted, listener: Listener): LiveEvent[] {
    const tellable = (from: number): LiveEvent[] => [...remembered(from)].filter(listener.wants);
    if (after === undefined) return last === undefined || last === 0 ? [] : tellable(0).slice(-last);
    const dash = after.lastIndexOf('-');
    const number = Number(after.slice(dash + 1));
    const isOurs = after.slice(0, dash) === boot && Number.isSafeInteger(number) && number < next;
    const from = isOurs ? number + 1 : 0;
    const why = !isOurs
      ? 'restarted'
      : from < oldest()
        ? 'overrun'
        : listener.wantsMatches && from <= unwatched
          ? 'unwatched'
          : undefined;
    const gap =
      why === undefined
        ? []
        : [put({ news: { kind: 'gap', why }, at: clock.now() }, Math.max(from, oldest()) - 1)];
    return [...gap, ...tellable(from)];
  }

  return {
    get wantsMatches() {
      return wantsMatches();
    },
    get held() {
      return next - oldest();
    },
    most: EVENTS_REMEMBERED,
    get overrun() {
      return oldest() - 1;
    },
    emit(news) {
      const kept = { news, at: clock.now() };
      const number = next++;
      ring[number % EVENTS_REMEMBERED] = kept;
      if (listeners.size === 0) return;
      const event = put(kept, number);
      for (const listener of listeners) if (listener.wants(event)) listener.tell(event);
    },
    subscribe(wanted, tell) {
      const isForMatches = wanted.kind === undefined || wanted.kind.includes('match');
      const listener: Listener = { wants: createFilter(wanted), wantsMatches: isForMatches, tell };
      if (isForMatches && !wantsMatches()) {
        unwatched = next++;
        ring[unwatched % EVENTS_REMEMBERED] = undefined;
      }
      for (const event of past(wanted, listener)) tell(event);
      listeners.add(listener);
      if (isForMatches) matchListeners++;
      return {
        at: idOf(next - 1),
        stop() {
          if (!listeners.delete(listener) || !isForMatches) return;
          matchListeners--;
          if (matchListeners === 0) lingersUntil = clock.monotonic() + LINGER;
        },
      };
    },
  };
}

function createFilter({ jail, kind, networks }: Wanted): (event: LiveEvent) => boolean {
  const jails = jail && new Set(jail);
  const kinds = kind && new Set(kind);
  return (event) => {
    if (kinds && !kinds.has(event.kind)) return false;
    if (jails && !('jail' in event && jails.has(event.jail))) return false;
    return !networks || ('address' in event && touches(event.address, networks));
  };
}

function touches(text: string, networks: readonly Network[]): boolean {
  const network = parseNetwork(text)?.network;
  return network !== undefined && networks.some((one) => contains(one, network) || contains(network, one));
}
