// What of a log format must be read to know whose a line is and of when; whether a program can. Pure.
import type { LogFormat, Section, Step } from '../logformat.ts';

/** Sections of a line up to the last one that is needed. */
export interface ReadingPlan {
  readonly sections: readonly PlainSection[];
  /** Is the line over behind them? */
  readonly isWhole: boolean;
  readonly hasEscapes: boolean;
  readonly addressSlot: number;
  readonly timeSlot: number;
}

/** A step whose length is known before the line is. */
export type Extent = Exclude<Step, { readonly kind: 'run' }>;

export interface PlainSection extends Section {
  readonly right: readonly Extent[];
}

/** Stamps in which only the seconds differ from those of the line before, mostly. */
const TIMES: ReadonlySet<string | undefined> = new Set(['time_local', 'time_iso8601']);
const RETURN = 13;

/**
 * @param depth the last section that is needed.
 * @returns undefined where lines of the format are left to access.ts, which reads whatever can be read.
 */
export function planReading(
  format: LogFormat,
  depth: number,
  addressSlot: number,
  timeSlot: number,
): ReadingPlan | undefined {
  const sections = format.sections.slice(0, depth + 1);
  if (!TIMES.has(format.variables[timeSlot]) || !sections.every(isPlain)) return undefined;
  const isWhole = sections.length === format.sections.length;
  return { sections, isWhole, hasEscapes: format.hasEscapes, addressSlot, timeSlot };
}

/** What ends a line ends nothing within it, so that whatever is found in a line lies in it as a whole. */
function isPlain(section: Section): section is PlainSection {
  const { left, right, guard } = section;
  return guard !== RETURN && left.every(isPlainStep) && right.every((step) => step.kind !== 'run');
}

/** A run of ASCII that ends where it ends. */
function isPlainStep(step: Step): boolean {
  if (step.kind !== 'run') return true;
  return step.until.length === 0 && step.characters[RETURN] === 0 && !step.characters.includes(1, 128);
}
