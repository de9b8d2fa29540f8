// Nouns to fill a ledger with.
import { parseNetwork } from '../../src/address.ts';
import type { Commit, Remembered } from '../../src/ledger/contract.ts';
import type { Ban, BanEvent, FilePosition, JournalPosition, Network, Offender } from '../../src/model.ts';

export const T0 = Date.UTC(2026, 0, 5);

export function commitOf(parts: Partial<Commit>): Commit {
  return {
    positions: [],
    forgottenPositions: [],
    offenders: [],
    forgottenOffenders: [],
    sessions: [],
    forgottenSessions: [],
    wholeSessions: [],
    lastLines: [],
    forgottenLastLines: [],
    welcomes: [],
    forgottenWelcomes: [],
    bans: [],
    events: [],
    reports: [],
    brakes: [],
    regulars: [],
    forgottenRegulars: [],
    ...parts,
  };
}

export function net(text: string): Network {
  return parseNetwork(text)!.network;
}

export function position(rest: Partial<FilePosition> = {}): FilePosition {
  return {
    kind: 'file',
    id: 'one',
    path: '/var/log/auth.log',
    inode: '18446744073709551615',
    headLength: 64,
    headHash: 'aa',
    offset: 5_000_000_000,
    tailHash: 'bb',
    lines: 12,
    skipping: false,
    finished: false,
    ...rest,
  };
}

export function journal(rest: Partial<JournalPosition> = {}): JournalPosition {
  return {
    kind: 'journal',
    id: 'journal:_SYSTEMD_UNIT=ssh.service',
    cursor: 's=1;i=2',
    since: T0,
    lines: 7,
    broken: ['stream 1'],
    ...rest,
  };
}

/** How far the first of the files is read. */
export function offsetIn({ positions }: Pick<Remembered, 'positions'>): number | undefined {
  return positions.find((each) => each.kind === 'file')?.offset;
}

export function offender(text: string, rest: Partial<Offender> = {}): Offender {
  return {
    jail: 'sshd',
    address: net(text),
    stamps: [
      [T0, 1],
      [T0 + 7, 3],
    ],
    evidence: [{ file: '/var/log/auth.log', line: 12, at: T0, text: 'Failed password for root' }],
    nth: 1,
    lastSince: T0 - 9,
    lastUntil: T0 - 1,
    forgivenUntil: undefined,
    ...rest,
  };
}

export function ban(id: number, text: string, rest: Partial<Ban> = {}): Ban {
  return {
    id,
    address: net(text),
    jail: 'sshd',
    since: T0,
    until: T0 + 600_000,
    nth: 1,
    reason: '5 matches of sshd within 10m',
    by: 'jail',
    evidence: [{ file: '/var/log/auth.log', line: 12, at: T0, text: 'Failed password for root' }],
    scope: { protocol: 'tcp', ports: [22] },
    endedAt: undefined,
    endedBy: undefined,
    ...rest,
  };
}

export function event(id: number, rest: Partial<BanEvent> = {}): BanEvent {
  return { ban: id, at: T0, what: 'banned', by: 'jail', why: '5 matches of sshd within 10m', ...rest };
}
