// A log whose stamps lag or lead the clock by a constant bans nobody, and nobody would notice: a lagging sentence is over
// before it begins. Live lines tell: they were written just now, so their stamps should say "now".
import type { Duration, Instant } from '../../model.ts';
import { formatDuration } from '../../time.ts';

const SAMPLES = 20;
const ENOUGH = 3;
/** Less than this is a slow writer or a buffered log, not a wrong clock. */
const LEAST = 4.5 * 60_000;
/** How far apart the differences of one constant may lie: a log is written with delays. */
const SPREAD = 90_000;
/** Zones differ by multiples of a quarter of an hour. */
const QUARTER = 15 * 60_000;

export interface Skew {
  /** How far behind (positive) or ahead (negative) of the clock a live line's stamp is. */
  observe(arrivedAt: Instant, stampedAt: Instant): void;
  /** A sentence for status, with the setting that mends it, where the stamps are off by a constant. */
  fault(): string | undefined;
}

export function createSkew(): Skew {
  let lags: Duration[] = [];
  return {
    observe(arrivedAt, stampedAt) {
      lags.push(arrivedAt - stampedAt);
      if (lags.length > SAMPLES) lags = lags.slice(-SAMPLES);
    },
    fault() {
      // A file that was just filled with old lines has some lags that differ: only the newest must agree.
      const recent = lags.slice(-Math.max(ENOUGH, Math.ceil(lags.length / 2)));
      if (recent.length < ENOUGH) return undefined;
      const least = Math.min(...recent);
      const most = Math.max(...recent);
      if (most - least > SPREAD || Math.min(Math.abs(least), Math.abs(most)) < LEAST) return undefined;
      const lag = (least + most) / 2;
      const by = formatDuration(Math.round(Math.abs(lag) / 60_000) * 60_000);
      const offZone = Math.abs(lag) % QUARTER;
      const isZone = Math.min(offZone, QUARTER - offZone) < SPREAD && Math.abs(lag) <= 26 * 3_600_000;
      const mend = isZone
        ? 'set "zone" in the jails of this log to the zone that its writer uses (such as "UTC" or "Europe/Berlin")'
        : "set the clock of the log's writer, or of this host";
      return `The stamps of lines written just now ${lag > 0 ? 'lag' : 'lead'} the clock by ${by}, so sentences ${lag > 0 ? 'are over before they begin' : 'run from the arrival'}: ${mend}.`;
    },
  };
}
