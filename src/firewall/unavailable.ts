import { BailiffError } from '../errors.ts';

/** The firewall can't be reached at all. @param message what happened and what to do. */
export function unavailable(message: string): BailiffError {
  return new BailiffError('E_FIREWALL_UNAVAILABLE', message);
}

/** The same for want of a right, which the fact `forbidden` tells. @param needed who may. */
export function forbidden(what: string, needed: string): BailiffError {
  return new BailiffError(
    'E_FIREWALL_UNAVAILABLE',
    `not permitted to ${what}: run as root or with ${needed}, or with --detect-only`,
    { forbidden: true },
  );
}
