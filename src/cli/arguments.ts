// Arguments checked before the daemon is asked, so that a slip is told even where none runs.
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseNetwork } from '../address.ts';
import { BailiffError, reasonOf } from '../errors.ts';
import { nearest } from '../text.ts';
import { parseDuration } from '../time.ts';

/** @throws BailiffError E_ADDRESS naming the first that is neither an address nor a network. */
export function checkAddresses(addresses: readonly string[]): void {
  const wrong = addresses.find((address) => parseNetwork(address) === undefined);
  if (wrong === undefined) return;
  throw new BailiffError(
    'E_ADDRESS',
    `"${wrong}" is not an address or a network; write it as 192.0.2.7, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/64`,
    { address: wrong },
  );
}

/** @throws BailiffError E_DURATION unless it is a duration longer than nothing. */
export function checkDuration(text: string | undefined): void {
  if (text === undefined || (parseDuration(text) ?? 0) > 0) return;
  throw new BailiffError(
    'E_DURATION',
    `"${text}" is not a duration; write it as 90s, 10m, 1h30m, 1d, 1w or forever`,
    { duration: text },
  );
}

/** @param what the words are, for the message. @throws BailiffError E_USAGE naming the nearest word, or all of them. */
export function oneOf<Word extends string>(words: readonly Word[], written: string, what: string): Word {
  const found = words.find((each) => each === written);
  if (found !== undefined) return found;
  const near = nearest(written, words);
  const hint = near === undefined ? `there are ${words.join(', ')}` : `did you mean "${near}"?`;
  throw new BailiffError('E_USAGE', `There is no ${what} "${written}"; ${hint}`, { written });
}

const WHY_UNREADABLE = new Map([
  ['ENOENT', 'there is no such file'],
  ['ENOTDIR', 'a part of the path is no folder'],
  ['EACCES', 'you may not; try again as root'],
  ['EISDIR', 'it is a folder; name the files in it'],
]);

/**
 * The absolute path of a log that the command line names.
 * @throws BailiffError E_USAGE, or E_NOT_PERMITTED, where it is no file that can be read.
 */
export function readableFile(written: string): string {
  const file = resolve(written);
  const reason = obstacleTo(file);
  if (reason === undefined) return file;
  const code = reason === 'EACCES' ? 'E_NOT_PERMITTED' : 'E_USAGE';
  throw new BailiffError(code, `${file} can't be read: ${WHY_UNREADABLE.get(reason) ?? reason}`, { file });
}

function obstacleTo(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    return statSync(file).isDirectory() ? 'EISDIR' : undefined;
  } catch (error) {
    return reasonOf(error);
  }
}
