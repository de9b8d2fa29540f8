// How nft is asked for structure, without elements: the cheap way, and one for hosts on which nft can't say it so.
//
// Of a table with flags nft 1.0.6 (Debian 12) writes broken JSON, and ends with 0: whatever stands in memory there comes instead
// of the flags, or nothing more at all. `flags owner` is what firewalld 2.1 gives its table, `flags dormant` puts one to sleep.
import { TABLE } from './nft-script.ts';

/** `list table` would fetch every element first: 0.7 s where there are 100 000, and this takes 5 ms. */
const ALL_OF_INET = ['-j', '-t', 'list', 'ruleset', 'inet'];
const OURS = ['-j', '-t', 'list', 'table', ...TABLE.split(' ')];

/**
 * Our table at least, perhaps with others of its family.
 * @param list runs nft; undefined where there is nothing to list.
 * @returns what may still be unreadable, where our own table has flags: see {@link isReadable}.
 */
export async function listStructure(
  list: (args: readonly string[]) => Promise<string | undefined>,
): Promise<string | undefined> {
  const json = await list(ALL_OF_INET);
  return json === undefined || isReadable(json) ? json : list(OURS);
}

export function isReadable(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
