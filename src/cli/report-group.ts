// Which group may open report.sock.
import { readFileSync } from 'node:fs';
import { BailiffError } from '../errors.ts';

/** Taken unasked where it exists and this process may give it away. */
const USUAL = 'bailiff-report';

/**
 * @param named a group's name or number, as `--report-group` says it; undefined: the usual one, if there is one.
 * @returns its number; undefined where nobody named one and there is no usual one.
 * @throws BailiffError E_USAGE where there is no group of that name.
 */
export function findReportGroup(named: string | undefined): number | undefined {
  const number = numberOf(named ?? USUAL);
  if (named === undefined) {
    const mayGive = process.geteuid!() === 0 || process.getgroups!().includes(number ?? -1);
    return mayGive ? number : undefined;
  }
  if (number !== undefined) return number;
  throw new BailiffError(
    'E_USAGE',
    `there is no group "${named}"; make it, or name another: --report-group`,
    {
      group: named,
    },
  );
}

function numberOf(name: string): number | undefined {
  if (/^\d{1,9}$/.test(name)) return Number(name);
  const row = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`));
  const number = row?.split(':')[2];
  return number !== undefined && /^\d+$/.test(number) ? Number(number) : undefined;
}
