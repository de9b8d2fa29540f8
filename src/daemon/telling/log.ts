// The daemon's own log: pino, JSON a line; pretty where a person watches.
import { pino } from 'pino';
import type { Logger } from 'pino';
import { LOG_LEVELS } from '../../api/contract.ts';
import type { Duration } from '../../model.ts';
import type { Clock, Log } from '../../ports.ts';
import { createOutlet } from './outlet.ts';
import { coalesce } from './repeats.ts';
import type { CoalescingLog } from './repeats.ts';
import { remember } from './recent.ts';
import type { Recent } from './recent.ts';

/** After lines were written the next ones wait so long: whoever reads them is woken by each write, on our processors. */
const PAUSE: Duration = 50;

export interface LogOptions {
  readonly pretty: boolean;
  readonly color: boolean;
  readonly verbose: boolean;
}

/**
 * Writes to standard output. Fields that quote log lines are escaped by JSON, and by `printable` where it is pretty.
 * Complaints that repeat themselves are counted (`repeats.ts`). The latest lines are kept (`recent.ts`).
 */
export async function createLog(
  options: LogOptions,
  clock: Clock,
): Promise<{ readonly log: CoalescingLog; readonly recent: Recent }> {
  const levels = LOG_LEVELS.filter((level) => options.verbose || level !== 'debug');
  const { log, recent } = remember(await createPlainLog(options, clock), clock, levels);
  return { log: coalesce(log, clock), recent };
}

async function createPlainLog(options: LogOptions, clock: Clock): Promise<Log> {
  const level = options.verbose ? 'debug' : 'info';
  const settings = { level, base: { pid: process.pid }, timestamp: createTimeOfLine(clock) };
  if (!options.pretty) {
    const outlet = createOutlet(1, clock, (lines) =>
      log.warn({ lines }, 'lines of this log were left out: whoever reads it was too slow'),
    );
    const log = inBatches(plain(pino(settings, outlet)), outlet.flush, clock);
    // Whoever breaks down says why, and what led to it.
    process.once('exit', outlet.end);
    return log;
  }
  const { default: pretty } = await import('pino-pretty');
  const stream = pretty({
    colorize: options.color,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
    sync: true,
    singleLine: true,
  });
  return plain(pino(settings, stream));
}

/** As pino's own: a field of JSON. In a flood many lines have the same. */
function createTimeOfLine({ now }: Clock): () => string {
  let at = NaN;
  let field = '';
  return () => {
    const next = now();
    if (next !== at) field = `,"time":"${new Date((at = next)).toISOString()}"`;
    return field;
  };
}

/** The four doors of Log, and nothing else of pino's. */
function plain(logger: Logger): Log {
  return {
    debug: (facts, message) => logger.debug(facts, message),
    info: (facts, message) => logger.info(facts, message),
    warn: (facts, message) => logger.warn(facts, message),
    error: (facts, message) => logger.error(facts, message),
  };
}

/** What is said within one turn of the event loop is written at its end; while more and more is said, a moment later. */
function inBatches(log: Log, flush: () => void, clock: Clock): Log {
  let isDue = false;
  let nextAt = -Infinity;
  const write = (): void => {
    isDue = false;
    nextAt = clock.monotonic() + PAUSE;
    flush();
  };
  const soon = (): void => {
    if (isDue) return;
    isDue = true;
    const wait = nextAt - clock.monotonic();
    if (wait > 0) clock.schedule(wait, write);
    else queueMicrotask(write);
  };
  const say = (level: keyof Log) => (facts: object, message: string) => {
    log[level](facts, message);
    soon();
  };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
