// Who could change a file? Config, filters and lists are believed only where nobody but trusted users could.
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Fault } from '../errors.ts';
import { reasonOf } from '../errors.ts';
import { isOwnGroup } from './groups.ts';
import { faultAt } from './place.ts';

export interface Trusted {
  /** The user who runs this; root is trusted in any case. */
  readonly uid: number;
  /** Started from a checkout: whoever owns that is as good as root. */
  readonly checkoutOwner?: number;
}

/** As many symbolic links as Linux follows. */
const MAX_LINKS = 40;

/**
 * Walks to the file as the kernel does, every folder and symbolic link on the way, and looks at the owner and mode of
 * each. Sticky folders such as /tmp may be writable by others: what lies in them can't be replaced by them.
 * @returns the first thing on the way that an untrusted user owns or can write, or undefined.
 */
export function checkOwnership(path: string, trusted: Trusted): Fault | undefined {
  const owners = new Set([0, trusted.uid, trusted.checkoutOwner ?? 0]);
  const file = { file: path, line: 0, column: 0 };
  const pending = resolve(path).split('/').filter(Boolean);
  let here = '/';
  let links = 0;
  try {
    for (;;) {
      const stat = lstatSync(here);
      const why = whyUntrusted(here, stat, owners);
      if (why) return faultAt(file, 'E_CONFIG_UNTRUSTED', why.message, why.hint);
      if (stat.isSymbolicLink()) {
        if (++links > MAX_LINKS)
          return faultAt(file, 'E_CONFIG_UNREADABLE', 'symbolic links lead in a circle');
        const target = readlinkSync(here);
        pending.unshift(...target.split('/').filter(Boolean));
        here = isAbsolute(target) ? '/' : dirname(here);
      }
      const next = pending.shift();
      if (next === undefined) return undefined;
      here = join(here, next);
    }
  } catch (error) {
    return faultAt(file, 'E_CONFIG_UNREADABLE', `its owner can't be found out: ${reasonOf(error)}`);
  }
}

function whyUntrusted(
  path: string,
  stat: Stats,
  owners: ReadonlySet<number>,
): { message: string; hint: string } | undefined {
  if (!owners.has(stat.uid))
    return {
      message: `${path} belongs to user ${stat.uid}, who is neither root nor the user who runs Bailiff`,
      hint: `chown root ${path}`,
    };
  // The mode of a symbolic link means nothing.
  if (stat.isSymbolicLink() || (stat.isDirectory() && (stat.mode & 0o1000) !== 0)) return undefined;
  if ((stat.mode & 0o002) !== 0)
    return { message: `${path} can be written by everyone`, hint: `chmod o-w ${path}` };
  if ((stat.mode & 0o020) !== 0 && !isOwnGroup(stat, textOf('/etc/passwd'), textOf('/etc/group')))
    return { message: `${path} can be written by group ${stat.gid}`, hint: `chmod g-w ${path}` };
  return undefined;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
