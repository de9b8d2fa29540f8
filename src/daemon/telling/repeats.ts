// The daemon's own log doesn't fill the disk that it complains of: what is said again within a minute is counted, and the
// count is told once a minute. What happened to an address, and whatever is no complaint, always stands there in full.
import type { Duration } from '../../model.ts';
import type { Cancel, Clock, Log } from '../../ports.ts';

const WINDOW: Duration = 60_000;
/** So many different complaints are counted at a time; what exceeds this lets the oldest one go. */
const MOST_KEPT = 200;
/** A complaint longer than this is written each time. */
const LONGEST_KEY = 2_000;

type Level = 'debug' | 'warn' | 'error';

interface Said {
  readonly level: Level;
  readonly facts: object;
  readonly message: string;
  count: number;
  cancel: Cancel;
}

export interface CoalescingLog extends Log {
  /** Tells the counts that have not been told yet: for the end. */
  flush(): void;
}

/**
 * The first time a line is written at once, in full. The same message with the same facts within a minute is counted
 * only, and told at its end as one line with `repeated`; and so on each minute until one passes without it.
 */
export function coalesce(log: Log, clock: Clock): CoalescingLog {
  /** In the order in which their minutes began. */
  const known = new Map<string, Said>();

  function tell({ level, facts, message, count }: Said): void {
    if (count === 0) return;
    const times = count === 1 ? 'once' : `${count} times`;
    log[level]({ ...facts, repeated: count }, `${message} (repeated ${times})`);
  }

  function begin(key: string, said: Omit<Said, 'cancel'>): void {
    const cancel = clock.schedule(WINDOW, () => {
      const ended = known.get(key)!;
      known.delete(key);
      tell(ended);
      // It may go on: then the next one is told with its minute.
      if (ended.count > 0) begin(key, { ...ended, count: 0 });
    });
    known.set(key, { ...said, cancel });
  }

  function letGo(key: string, said: Said): void {
    said.cancel();
    known.delete(key);
    tell(said);
  }

  function say(level: Level, facts: object, message: string): void {
    const key = 'address' in facts ? undefined : `${level} ${message} ${JSON.stringify(facts)}`;
    if (key === undefined || key.length > LONGEST_KEY) return log[level](facts, message);
    const before = known.get(key);
    if (before) return void before.count++;
    const [oldest] = known;
    if (oldest && known.size >= MOST_KEPT) letGo(...oldest);
    log[level](facts, message);
    begin(key, { level, facts, message, count: 0 });
  }

  return {
    debug: (facts, message) => say('debug', facts, message),
    info: (facts, message) => log.info(facts, message),
    warn: (facts, message) => say('warn', facts, message),
    error: (facts, message) => say('error', facts, message),
    flush() {
      for (const [key, said] of known) letGo(key, said);
    },
  };
}
