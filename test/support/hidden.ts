// Bailiff on a host that lacks a program.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BAILIFF } from './built.ts';
import { program } from './programs.ts';

/** Writes a launcher that a program is hidden from. Needs root and unshare. */
export function launcherWithout(folder: string, hidden: Parameters<typeof program>[0]): string {
  const path = join(folder, `without-${hidden}`);
  const hide = `mount --bind /dev/null '${program(hidden)}'`;
  const text = `#!/bin/sh\nexec unshare --mount /bin/sh -c "${hide} && exec '${BAILIFF}' \\"\\$@\\"" sh "$@"\n`;
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}
