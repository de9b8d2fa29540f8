import { BailiffError } from '../errors.ts';

/** The firewall can't be reached at all. @param message what happened and what to do. */
export function unavailable(message: string): BailiffError {
  return new BailiffError('E_FIREWALL_UNAVAILABLE', message);
}
