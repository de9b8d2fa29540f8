// Why nothing can be done in a jail: nobody configured it, or it is out of session.
import { BailiffError } from '../errors.ts';
import { nearest } from '../text.ts';
import type { Sittings } from './sitting.ts';

/** @param name of a jail that isn't in session. */
export function noJail(name: string, sittings: Pick<Sittings, 'all' | 'isConfigured'>): BailiffError {
  if (sittings.isConfigured(name))
    return new BailiffError(
      'E_UNKNOWN_JAIL',
      `The jail "${name}" is disabled; "bailiff enable ${name}" puts it in session until the next reload.`,
      { jail: name },
    );
  const near = nearest(
    name,
    sittings.all.map(({ ready }) => ready.rules.name),
  );
  const hint = near === undefined ? 'bailiff status lists them.' : `did you mean "${near}"?`;
  return new BailiffError('E_UNKNOWN_JAIL', `There is no jail "${name}"; ${hint}`, { jail: name });
}
