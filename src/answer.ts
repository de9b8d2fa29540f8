// What is done with the traffic of a banned address, as a key and in words. Pure.
import { formatDuration } from './time.ts';
import type { Gentle, Rate, Scope, Step } from './model.ts';

/** The units that a rate may be in, in milliseconds. */
export const RATE_UNITS: Readonly<Record<Rate['per'], number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** From the gentlest to the severest: where several hold for a packet, the severest is what happens to it. */
const SEVERITY = ['throttle', 'reject', 'drop'] as const;

export function severityOf(answer: Gentle | undefined): number {
  return SEVERITY.indexOf(answer?.do ?? 'drop');
}

/** `drop`, `reject`, `throttle 10/1m`: equal for equal answers. */
export function answerText(answer: Gentle | undefined): string {
  if (answer?.do !== 'throttle') return answer?.do ?? 'drop';
  return `throttle ${rateText(answer.rate)}`;
}

/** As it is written in the config: `10/1m`. */
export function rateText({ packets, per }: Rate): string {
  return `${packets}/1${per[0]}`;
}

/** `throttle 10/1m`, `drop on all ports for good`, `drop, with its /24 from 8 on`. */
export function stepText({ answer, ports, duration, wider }: Step): string {
  const where = !ports ? '' : ports.length === 0 ? ' on all ports' : ` on ${ports.join(', ')}`;
  const long =
    duration === undefined ? '' : duration === Infinity ? ' for good' : ` for ${formatDuration(duration)}`;
  const widths = [wider?.ipv4, wider?.ipv6].filter((bits) => bits !== undefined).map((bits) => `/${bits}`);
  const wide = wider ? `, with its ${widths.join(' or ')} from ${wider.when} on` : '';
  return `${answerText(answer)}${where}${long}${wide}`;
}

/** The step of the nth offence, from 1; the last one repeats. */
export function stepAt(steps: readonly Step[] | undefined, nth: number): Step | undefined {
  return steps?.[Math.min(Math.max(nth, 1), steps.length) - 1];
}

/** What a sentence covers where its jail covers `base`. */
export function scopeAt(base: Scope, steps: readonly Step[] | undefined, nth: number): Scope {
  const step = stepAt(steps, nth);
  if (!step || (!step.answer && !step.ports)) return base;
  const { protocol, ports } = base;
  const traffic: Scope = !step.ports
    ? { protocol, ports }
    : step.ports.length === 0
      ? { protocol: 'any', ports: [] }
      : { protocol, ports: step.ports };
  return step.answer ? { ...traffic, answer: step.answer } : traffic;
}
