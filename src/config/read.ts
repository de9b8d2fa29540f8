// A text file, read whole, with a bound: a fault instead of an exception, and never a hang on a FIFO.
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import type { Fault } from '../errors.ts';
import { reasonOf } from '../errors.ts';
import type { ConfigCode } from './codes.ts';
import { placeIn } from './place.ts';

export type TextFile =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: Fault };

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'a part of the path is not a folder',
  EACCES: 'not permitted to read it',
  EPERM: 'not permitted to read it',
  ELOOP: 'symbolic links that lead in a circle',
};

/** Reads a UTF-8 file of at most `limit` bytes; a byte order mark is dropped. */
export function readText(file: string, limit: number): TextFile {
  const refuse = (
    code: ConfigCode,
    message: string,
    hint?: string,
    place = { line: 0, column: 0 },
  ): TextFile => ({
    ok: false,
    fault: { code, file, ...place, message, ...(hint === undefined ? {} : { hint }) },
  });
  let bytes: Buffer;
  try {
    // Without O_NONBLOCK the open of a FIFO waits for a writer, for ever.
    const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(handle);
      if (!stat.isFile()) return refuse('E_CONFIG_UNREADABLE', 'this is not a regular file');
      if (stat.size > limit) return refuse('E_CONFIG_UNREADABLE', `the file is larger than ${limit} bytes`);
      bytes = readFileSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    const reason = reasonOf(error);
    return refuse('E_CONFIG_UNREADABLE', `can't be read: ${WHY[reason] ?? reason}`);
  }
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (isUtf8(bytes)) return { ok: true, text };
  const place = placeIn(file, text)(text.indexOf('\uFFFD'));
  return refuse('E_CONFIG_SYNTAX', 'a byte here is not UTF-8', 'save the file as UTF-8', place);
}
