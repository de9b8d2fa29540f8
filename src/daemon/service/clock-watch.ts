// Tells what the host's clock does: that it jumped, that it is believed again, that the host has slept.
import { formatDuration } from '../../time.ts';
import type { Cancel, Clock, Log } from '../../ports.ts';
import type { Faults } from '../telling/faults.ts';
import type { Timekeeper } from './timekeeper.ts';
import { every } from './timers.ts';

const PERIOD = 1_000;
/** The time since boot is read in hundredths of a second; a sleep worth a word is longer than this. */
const NAP = 5_000;
const FAULT = 'W_CLOCK_PARTED';

/** @param onChange sentences may end sooner or later than was reckoned. @returns what ends it. */
export function watchClock(
  timekeeper: Timekeeper,
  onChange: () => void,
  ports: { clock: Clock; log: Log; faults: Faults; fail: (error: unknown) => void },
): Cancel {
  const { clock, log, faults } = ports;
  const slept = (): number => (clock.sinceBoot?.() ?? clock.monotonic()) - clock.monotonic();
  let asleep = slept();
  let told: number | undefined;

  function look(): void {
    const { parted } = timekeeper;
    if (parted?.by !== told) {
      if (parted) {
        faults.raise(FAULT, describe(parted));
        log.warn({ by: parted.by }, 'the clock jumped; releases and pruning pause');
      } else {
        faults.clear(FAULT);
        const why = timekeeper.hasGivenIn ? 'its new time has stood for an hour' : 'it was set back';
        log.warn({ why }, 'the clock is believed again');
      }
      told = parted?.by;
      onChange();
    }
    // Timers stood still meanwhile, and so did the kernel's timeouts.
    const now = slept();
    if (now - asleep > NAP) {
      log.info({ slept: now - asleep }, 'the host has slept');
      onChange();
    }
    asleep = now;
  }
  return every(clock, PERIOD, look, ports.fail);
}

function describe({ by }: { by: number }): string {
  const how = `${formatDuration(Math.round(Math.abs(by) / 1_000) * 1_000)} ${by > 0 ? 'forward' : 'back'}`;
  return `The clock jumped ${how}: nobody is released by it and nothing is forgotten, until it is set right, has stood for an hour, or the daemon is started again.`;
}
