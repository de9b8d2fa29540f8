// Packages that a case needs, fetched by apt-get and unpacked into a folder: nothing is installed, no service of theirs is
// set up or started.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../support/programs.ts';
import { run } from '../support/run.ts';

/** Can packages be fetched here: as root on Debian or the like? */
export function canFetch(): boolean {
  return ['apt-get', 'dpkg-deb', 'tar'].every((name) => findProgram(name) !== undefined);
}

/**
 * Fetches what this host lacks of the packages and of what they depend on, once: the second time it is there.
 * @returns the folder that it is unpacked in, or what apt-get said where it couldn't.
 */
export async function provide(
  packages: readonly string[],
  home: string,
): Promise<{ unpacked: string } | { failed: string }> {
  const unpacked = join(home, packages.join('+'));
  if (existsSync(unpacked)) return { unpacked };
  const making = `${unpacked}.part`;
  const archives = join(making, 'archives');
  rmSync(making, { recursive: true, force: true });
  mkdirSync(join(archives, 'partial'), { recursive: true });
  console.log(`fetching  ${packages.join(', ')}, and what they depend on, into ${unpacked}`);
  const fetched = await fetch(packages, archives);
  if (fetched !== undefined) return { failed: fetched };

  // As on the host, where /lib is /usr/lib: else what is unpacked into /lib would hide it.
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(making, 'usr', folder), { recursive: true });
    symlinkSync(`usr/${folder}`, join(making, folder));
  }
  for (const folder of ['etc', 'var']) mkdirSync(join(making, folder));
  for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
    const unpack = '"$1" --fsys-tarfile "$2" | "$3" -x --keep-directory-symlink -C "$4"';
    const programs = { dpkg: findProgram('dpkg-deb')!, tar: findProgram('tar')! };
    const args = [programs.dpkg, join(archives, file), programs.tar, making];
    const ran = await run('/bin/sh', ['-c', unpack, 'unpack', ...args], { timeout: 300_000 });
    if (ran.code !== 0) return { failed: ran.stderr };
  }
  rmSync(archives, { recursive: true });
  renameSync(making, unpacked);
  return { unpacked };
}

async function fetch(packages: readonly string[], archives: string): Promise<string | undefined> {
  const apt = findProgram('apt-get')!;
  const args = ['install', '--download-only', '-y', '-qq', '--no-install-recommends'];
  const get = () =>
    run(apt, [...args, '-o', `Dir::Cache::archives=${archives}`, ...packages], { timeout: 600_000 });
  let ran = await get();
  if (ran.code !== 0) {
    await run(apt, ['update', '-qq'], { timeout: 600_000 });
    ran = await get();
  }
  return ran.code === 0 ? undefined : ran.stderr.trim() || 'apt-get failed';
}
