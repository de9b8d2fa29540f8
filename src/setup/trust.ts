// May a file be believed? Asked after it was read, so that what is missing is told once.
import { checkOwnership } from '../config/index.ts';
import type { Trusted } from '../config/index.ts';
import type { Fault } from '../errors.ts';

/** Adds a fault where somebody who isn't trusted could change the file or folder; none where it is told as unreadable already. */
export function checkTrust(path: string, { trusted }: { readonly trusted: Trusted }, faults: Fault[]): void {
  const fault = checkOwnership(path, trusted);
  const isUnreadable = ({ file, code }: Fault): boolean => file === path && code.endsWith('_UNREADABLE');
  if (fault && !(isUnreadable(fault) && faults.some(isUnreadable))) faults.push(fault);
}
