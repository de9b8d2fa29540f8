// Bans that have no effect, as users get to see them: a fault in status, an event and a log line each, and with the ban itself.
import type { IneffectiveView } from '../../api/contract.ts';
import type { Ban, Instant, Network } from '../../model.ts';
import type { Log } from '../../ports.ts';
import { formatInstant } from '../../time.ts';
import type { Events } from '../telling/events.ts';
import type { Faults } from '../telling/faults.ts';
import { MENDS } from './causes.ts';
import type { Finding } from './causes.ts';

export const INEFFECTIVE = 'E_BAN_INEFFECTIVE';
/** So many are told one by one. */
const MOST = 1_000;

export interface Alarm {
  readonly jail: string;
  readonly network: Network;
  readonly finding: Finding;
  lines: number;
  readonly since: Instant;
  last: Instant;
}

export interface Alarms {
  raise(about: Pick<Alarm, 'jail' | 'network' | 'lines'>, finding: Finding, now: Instant): void;
  /** One more line. @returns whether there is an alarm about it. */
  count(jail: string, network: Network, at: Instant): boolean;
  drop(isOver: (alarm: Alarm) => boolean): void;
  of(ban: Pick<Ban, 'jail' | 'address'>): IneffectiveView | undefined;
}

export function createAlarms(ports: { faults: Faults; log: Log; events: Events }): Alarms {
  const { faults, log, events } = ports;
  const all = new Map<string, Alarm>();
  const keyOf = (jail: string, network: Network): string => `${jail}\0${network.text}`;
  /** What status tells stays the same while the alarms do. */
  let told = '';

  function tell(): void {
    const [first] = [...all.values()].toReversed();
    const message = first === undefined ? '' : sentenceOf(first, all.size - 1);
    if (message === told) return;
    told = message;
    if (message === '') faults.clear(INEFFECTIVE);
    else faults.raise(INEFFECTIVE, message);
  }

  return {
    raise({ jail, network, lines }, finding, now) {
      const key = keyOf(jail, network);
      const known = all.get(key);
      if (known?.finding.cause === finding.cause) return;
      if (!known && all.size >= MOST) return;
      const isFirst = all.size === 0;
      const alarm: Alarm = { jail, network, finding, lines, since: now, last: now };
      all.delete(key);
      all.set(key, alarm);
      const { cause, seen } = finding;
      log.warn({ address: network.text, jail, cause, seen, lines }, 'a ban has no effect');
      tell();
      // The first one is told as the fault that it raises.
      if (!isFirst)
        events.emit({ kind: 'fault', what: 'raised', code: INEFFECTIVE, message: sentenceOf(alarm, 0) });
    },
    count(jail, network, at) {
      const alarm = all.get(keyOf(jail, network));
      if (!alarm) return false;
      alarm.lines++;
      alarm.last = Math.max(alarm.last, at);
      return true;
    },
    drop(isOver) {
      const before = all.size;
      for (const [key, alarm] of all) if (isOver(alarm)) all.delete(key);
      if (all.size < before) tell();
    },
    of({ jail, address }) {
      const alarm = all.get(keyOf(jail, address));
      if (!alarm) return undefined;
      const { finding, lines, since, last } = alarm;
      const { cause, seen } = finding;
      const mend = MENDS[cause];
      return { cause, seen, mend, lines, since: formatInstant(since), last: formatInstant(last) };
    },
  };
}

function sentenceOf({ network, jail, finding }: Alarm, others: number): string {
  const more = others === 0 ? '' : ` ${others} more bans have no effect.`;
  return `${network.text} is banned in ${jail}, and lines from it keep arriving: ${finding.seen}. ${MENDS[finding.cause]}${more}`;
}
