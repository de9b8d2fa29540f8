// Which programs of the host the tests may drive. Where one is missing, the tests that need it are left out and
// counted by test/run.ts; with CI=true they run all the same, and fail.
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';

/** Where programs are looked for: never PATH, which may name anything. */
const FOLDERS = [
  ...['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'],
  '/usr/lib/systemd',
];

/** The programs that tests drive, each with the Debian package that brings it. */
export const PACKAGE_OF = {
  nft: 'nftables',
  iptables: 'iptables',
  ipset: 'ipset',
  ip: 'iproute2',
  nginx: 'nginx-light',
  curl: 'curl',
  ps: 'procps',
  perl: 'perl-base',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  script: 'bsdutils',
  'systemd-notify': 'systemd',
  'systemd-analyze': 'systemd',
  'systemd-sysusers': 'systemd',
  scmp_sys_resolver: 'seccomp',
  nsenter: 'util-linux',
  logger: 'bsdutils',
  journalctl: 'systemd',
  'systemd-cat': 'systemd',
  'systemd-journald': 'systemd',
  'systemd-journal-remote': 'systemd-journal-remote',
  python3: 'python3',
  php: 'php-cli',
  bash: 'bash',
  zsh: 'zsh',
  fish: 'fish',
  groff: 'groff-base',
  man: 'man-db',
} as const;

/** A program that tests drive, or `root`: the right to make network namespaces. */
export type Need = keyof typeof PACKAGE_OF | 'root';

/** The absolute path of a program, or undefined where the host doesn't have it. */
export function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
}

/** The absolute path of a program. @throws where the host doesn't have it. */
export function program(name: keyof typeof PACKAGE_OF): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is missing: install the package ${PACKAGE_OF[name]}`);
  return path;
}

/** Those of `needs` that this host doesn't give. */
export function missing(needs: readonly Need[]): Need[] {
  return needs.filter((need) =>
    need === 'root' ? process.geteuid?.() !== 0 : findProgram(need) === undefined,
  );
}

/**
 * `describe` for tests that drive programs: `needs('root', 'ip', 'nft')('bans in the kernel', () => …)`.
 * Left out where something is missing, and counted as left out; with CI=true nothing is, and they fail instead.
 */
export function needs(...wanted: Need[]): typeof describe | typeof describe.skip {
  const leaveOut = missing(wanted).length > 0 && process.env['CI'] !== 'true';
  return leaveOut ? describe.skip : describe;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
