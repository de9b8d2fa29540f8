// Whoever changes what is in force over ssh must be able to change it back: the daemon is told where he is, so that no jail
// locks him out.
import type { Client } from '../api/index.ts';
import { BailiffError } from '../errors.ts';
import type { Context } from './verb.ts';
import { findOperator } from './paths.ts';

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
