// Which groups may open status.sock and report.sock.
import { readFileSync } from 'node:fs';
import { BailiffError } from '../errors.ts';

/** What `run` says of each: the option, and the group that is taken unasked where it exists and this process may give it away. */
export const STATUS_GROUP = { option: '--status-group', usual: 'bailiff' } as const;
export const REPORT_GROUP = { option: '--report-group', usual: 'bailiff-report' } as const;

interface Groups {
  /** undefined: the process's own group. */
  readonly statusGroup: number | undefined;
  /** undefined: nobody but who may do anything. */
  readonly reportGroup: number | undefined;
}

/**
 * Finds both groups by what was said on the command line: names or numbers; undefined: the usual ones, if there are any.
 * @throws BailiffError E_USAGE where there is no group of that name, or where one group would have both sockets.
 */
export function findGroups(status: string | undefined, report: string | undefined): Groups {
  const statusGroup = find(STATUS_GROUP, status);
  const reportGroup = find(REPORT_GROUP, report);
  // Root's group may do anything in any case.
  if (reportGroup !== undefined && reportGroup !== 0 && reportGroup === (statusGroup ?? process.getegid!()))
    throw new BailiffError(
      'E_USAGE',
      `group ${reportGroup} can't have both status.sock and report.sock: who reports could see then; name another with --report-group or --status-group`,
      { group: reportGroup },
    );
  return { statusGroup, reportGroup };
}

function find(
  { option, usual }: { readonly option: string; readonly usual: string },
  named: string | undefined,
): number | undefined {
  const number = numberOf(named ?? usual);
  if (named === undefined) {
    const mayGive = process.geteuid!() === 0 || process.getgroups!().includes(number ?? -1);
    return mayGive ? number : undefined;
  }
  if (number !== undefined) return number;
  throw new BailiffError('E_USAGE', `there is no group "${named}"; make it, or name another: ${option}`, {
    group: named,
  });
}

function numberOf(name: string): number | undefined {
  if (/^\d{1,9}$/.test(name)) return Number(name);
  const row = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`));
  const number = row?.split(':')[2];
  return number !== undefined && /^\d+$/.test(number) ? Number(number) : undefined;
}
