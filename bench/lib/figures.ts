// What a benchmark finds, and how it is told.

/** One number that stands beside a target, if there is one. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  /** `×` for ratios. */
  readonly unit: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  /** What the number is made of: both sides of a ratio, the floor, how often it was measured. */
  readonly detail?: string;
}

export const isMet = ({ value, atMost, atLeast }: Figure): boolean | undefined => {
  if (atMost !== undefined) return value <= atMost;
  if (atLeast !== undefined) return value >= atLeast;
  return undefined;
};

/** Three digits that count. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(4, Math.max(0, 2 - size)));
}

const spaced = (text: string, unit: string): string => (unit === '' ? text : `${text} ${unit}`);
export const measuredOf = ({ value, unit }: Figure): string => spaced(digits(value), unit);
export function targetOf({ unit, atMost, atLeast }: Figure): string {
  if (atMost !== undefined) return spaced(`≤ ${atMost}`, unit);
  return atLeast === undefined ? '' : spaced(`≥ ${atLeast}`, unit);
}
/** How much of the target is used: 1 is just met, less is better. */
export function shareOf({ value, atMost, atLeast }: Figure): string {
  if (atMost !== undefined) return digits(value / atMost);
  return atLeast === undefined ? '' : digits(atLeast / value);
}
export function metOf(figure: Figure): string {
  const met = isMet(figure);
  return met === undefined ? '' : met ? 'met' : 'missed';
}

export const median = (values: readonly number[]): number => rank(values, 0.5);

/** The value below which `share` of them lie. */
export function rank(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** `0.95 M lines/s`. */
export const rate = (lines: number, seconds: number): string => `${digits(lines / seconds / 1e6)} M lines/s`;
