// What to do about each fault that status may show, and whether monitoring should call someone. docs/faults.md says more.

/**
 * `standing`: wrong for as long as it stands. `event`: has happened, and is news for an hour.
 * `oddity`: dealt with, or within the power of whoever writes a log line; never a reason to wake anyone.
 */
export type Weight = 'standing' | 'event' | 'oddity';

export interface Remedy {
  readonly weight: Weight;
  readonly hint: string;
}

export const REMEDIES: Readonly<Record<string, Remedy>> = {
  E_FIREWALL_UNAVAILABLE: {
    weight: 'standing',
    hint: 'Install nftables, or give the service CAP_NET_ADMIN; it is tried again by itself.',
  },
  E_FIREWALL_REFUSED: {
    weight: 'standing',
    hint: '"bailiff bans" shows which bans, with what the kernel said; a full set or memory for netlink are the usual causes.',
  },
  W_FIREWALL_POLLED: {
    weight: 'oddity',
    hint: 'Install perl (perl-base) or nftables, by which they are heard; it is tried again by itself.',
  },
  W_FIREWALL_CONTESTED: {
    weight: 'standing',
    hint: 'Find what flushes the ruleset (the log says by which program), and have it leave "inet bailiff" and "bailiff-…" alone.',
  },
  E_BAN_INEFFECTIVE: {
    weight: 'standing',
    hint: '"bailiff bans" shows which, and why; "bailiff doctor" looks at the whole host.',
  },
  E_LEDGER_UNAVAILABLE: {
    weight: 'standing',
    hint: 'Make room on the disk, or mend the mode of the state folder; it is tried again every second.',
  },
  E_INTERNAL: { weight: 'standing', hint: 'A defect in Bailiff: please report it, with this message.' },
  W_LEDGER_DAMAGED: {
    weight: 'event',
    hint: 'Look at the disk; if it happens again, restore a copy of ledger.sqlite.',
  },
  W_LEDGER_SET_ASIDE: {
    weight: 'event',
    hint: 'Look at the disk, and at "bailiff bans"; a copy of ledger.sqlite can be put back while the daemon is stopped.',
  },
  W_LEDGER_LARGE: {
    weight: 'oddity',
    hint: 'Raise "history.maxSize"; see which jail has so many offenders or bans.',
  },
  W_OFFENDERS_EVICTED: {
    weight: 'event',
    hint: '"bailiff status --json" has the networks under "crowds": ban one by hand where it is one attacker\'s, and raise "limits.offendersPerJail" where there is memory.',
  },
  W_BANS_DISPLACED: {
    weight: 'event',
    hint: 'Raise "limits.bans" where there is memory, or ban for less long.',
  },
  W_HISTORY_LOST: {
    weight: 'event',
    hint: 'See what kept the ledger from being written, in the log.',
  },
  W_FIREWALL_BEHIND: {
    weight: 'standing',
    hint: 'Usually nothing: it catches up when the flood ends. Else see what keeps nft or ipset busy.',
  },
  W_BRAKE_TRIPPED: {
    weight: 'standing',
    hint: 'Mend the filter and reload; "bailiff unban --jail JAIL" lifts what else it banned, "bailiff enable JAIL" puts it back in force.',
  },
  E_RELOAD_REFUSED: { weight: 'standing', hint: '"bailiff check" tells every fault; mend them and reload.' },
  W_RELOAD_UNCONFIRMED: { weight: 'oddity', hint: '"bailiff confirm" keeps the config.' },
  W_RELOAD_ROLLED_BACK: {
    weight: 'standing',
    hint: 'Mend the files and reload; a restart would read them as they are.',
  },
  W_NAME_UNRESOLVED: {
    weight: 'standing',
    hint: 'Correct the name, mend name resolution, or write the address itself into "allow".',
  },
  W_HOST_UNKNOWN: {
    weight: 'standing',
    hint: 'Put the addresses of this host into "allow" until it is mended.',
  },
  W_HOST_POLLED: { weight: 'standing', hint: 'Install iproute2, whose "ip" hears changes of addresses.' },
  W_SESSIONS_EVICTED: {
    weight: 'oddity',
    hint: 'Write "closes" patterns into the filter that has "opens", so that sessions leave by themselves.',
  },
  E_SOURCE_NOT_A_FILE: { weight: 'event', hint: 'Name the file itself in "logs".' },
  E_SOURCE_PERMISSION: {
    weight: 'event',
    hint: 'Give the service read access: the group adm, or an ACL.',
  },
  E_SOURCE_SYMLINK: {
    weight: 'event',
    hint: 'Name the file that the link leads to, or have both belong to the same user.',
  },
  E_SOURCE_VANISHED: {
    weight: 'event',
    hint: 'Nothing if that was meant; else look at the service that writes it, and at its rotation.',
  },
  E_SOURCE_READ: { weight: 'event', hint: 'See the kernel log: a disk or a network share that fails.' },
  E_SOURCE_BROKEN_LINE: { weight: 'oddity', hint: 'Usually nothing: the journal breaks very long lines.' },
  E_JOURNAL_MISSING: { weight: 'standing', hint: 'Install systemd, or name log files in "logs".' },
  E_JOURNAL_ENDED: {
    weight: 'event',
    hint: 'Nothing if it is rare; else see the kernel log: short memory ends programs.',
  },
  E_JOURNAL_LOST: { weight: 'event', hint: 'Let the journal keep more: SystemMaxUse= in journald.conf.' },
  E_INPUT_ENDED: { weight: 'event', hint: 'Start what writes to it again, and the daemon with it.' },
  E_SOURCE_LONG_LINE: { weight: 'oddity', hint: 'Usually nothing: look at such a line.' },
  E_SOURCE_BINARY: { weight: 'oddity', hint: 'See that "logs" names a text file.' },
  E_SOURCE_ENCODING: { weight: 'oddity', hint: 'Usually nothing: clients send such names.' },
  E_SOURCE_SHRUNK: {
    weight: 'event',
    hint: 'Nothing after a power cut; else find out who cuts the log.',
  },
  E_SOURCE_LOST: {
    weight: 'event',
    hint: 'Let the rotation rename ("create") instead of "copytruncate", or keep one copy ("delaycompress").',
  },
  E_SOURCE_UNPLACED: {
    weight: 'event',
    hint: 'Hand the file to "bailiff replay" if it may hold unread lines; see what touches rotated files.',
  },
  E_SOURCE_COMPRESSED: { weight: 'event', hint: 'Use "delaycompress" in logrotate, and gzip.' },
  E_SOURCE_WATCH: {
    weight: 'oddity',
    hint: 'Raise fs.inotify.max_user_watches and fs.inotify.max_user_instances.',
  },
  E_SOURCE_UNFRAMED: {
    weight: 'standing',
    hint: 'Set "logFormat" as the log is written, or name a filter that reads it; "bailiff explain LINE" helps.',
  },
  E_LINE_DEFECT: {
    weight: 'event',
    hint: 'A defect in Bailiff: please report it, with the line if you may.',
  },
  W_STAMP_FUTURE: {
    weight: 'oddity',
    hint: 'Set "zone" for this log to its writer\'s zone, or mend the clock of one of the two.',
  },
  W_REPORT_REFUSED: {
    weight: 'event',
    hint: 'Give the jail "reports": true, or correct the jail\'s name in the application.',
  },
  W_CLOCK_PARTED: {
    weight: 'standing',
    hint: 'Set the clock right; where it is right now, restart the daemon or wait an hour.',
  },
  W_CLOCK_SKEW: { weight: 'standing', hint: 'Set "zone" for this log, or mend the clock.' },
};

const NEWS = 3_600_000;

/** Should monitoring take this fault for a problem? One that the table doesn't know counts while it stands. */
export function isProblem(fault: { code: string; last?: number; since: number }, now: number): boolean {
  const weight = REMEDIES[fault.code]?.weight ?? 'standing';
  return weight === 'standing' || (weight === 'event' && now - (fault.last ?? fault.since) < NEWS);
}
