// What the doctor says: one finding a fact, each with what mends it where something is to be mended.
import type { DoctorFinding } from '../../api/contract.ts';

export type Finding = DoctorFinding;
export type CheckName = Finding['check'];

export function fine(check: CheckName, message: string): Finding {
  return { check, outcome: 'ok', message };
}

/** Worth knowing; nothing has to be done. */
export function note(check: CheckName, message: string, mend?: string): Finding {
  return { check, outcome: 'note', message, ...(mend !== undefined && { mend }) };
}

export function fault(check: CheckName, code: string, message: string, mend: string): Finding {
  return { check, outcome: 'fault', code, message, mend };
}

/** It could not be looked at. */
export function unknown(check: CheckName, message: string, mend?: string): Finding {
  return { check, outcome: 'unknown', message, ...(mend !== undefined && { mend }) };
}

/** `a, b, c and 4 more`. */
export function some(names: readonly string[], most = 5): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** `1 jail`, `2 jails`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}
