// Whoever changes what is in force over ssh must be able to change it back: the daemon is told where he is, so that no jail
// locks him out.
import { parseAddress } from '../address.ts';
import type { Client } from '../api/index.ts';
import { BailiffError } from '../errors.ts';
import { findSshClient } from './paths.ts';
import type { Surroundings } from './paths.ts';
import type { Context } from './verb.ts';

/** The address from where whoever runs this came in over ssh; undefined where nobody did, or sshd knew none. */
export function findOperator(around?: Surroundings): string | undefined {
  return parseAddress(findSshClient(around) ?? '')?.text;
}

/** A client of the daemon, which knows from here on from where it is spoken to. */
export async function clientInPerson(context: Context): Promise<Client> {
  const client = await context.client();
  const address = findOperator();
  if (address === undefined) return client;
  try {
    await client.present({ address });
  } catch (error) {
    // A daemon that is older than this command line knows no such thing; whatever else is wrong the verb itself will tell.
    if (!(error instanceof BailiffError)) throw error;
  }
  return client;
}
