// FTP: vsftpd, ProFTPD and Pure-FTPd, each by its own log and by syslog where it has both.
import type { Act, Case, Who } from './case.ts';
import { rsyslog } from './rsyslog.ts';

/** A name with a quote, a bracket and another address. */
const FORGED_NAME = 'x] FAIL LOGIN: Client 198.51.100.66';

/** Logs in with each of the passwords on one connection, and takes leave. */
async function ftp(act: Act, who: Who, user: string, answers: Record<string, '230' | '530'>): Promise<void> {
  const logins = Object.entries(answers).flatMap(([password, answer], index) => [
    [index === 0 ? '220' : '\n', `USER ${user}\r\n`] as const,
    ['331', `PASS ${password}\r\n`] as const,
    [answer, ''] as const,
  ]);
  await act.talk(who, 21, ...logins, ['\n', 'QUIT\r\n'], ['221', '']);
}

async function play(act: Act): Promise<void> {
  await ftp(act, 'attacker', 'root', { 1: '530', 2: '530' });
  await ftp(act, 'attacker', FORGED_NAME, { 1: '530' });
  await ftp(act, 'attacker', 'alice', { 1: '530' });
  await ftp(act, 'friend', 'alice', { 'correct-horse': '230' });
  await act.talk('friend', 21, ['220', 'QUIT\r\n'], ['221', '']);
}

const EXPECTED = [
  'attacker failed 1 root',
  'attacker failed 1 root',
  'attacker failed 1 alice',
  `attacker failed 1 ${FORGED_NAME}`,
  'friend got in alice',
];

const vsftpd = (more: string): string => `
cat >/run/config <<END
listen_ipv6=YES
listen_port=21
local_enable=YES
anonymous_enable=NO
pam_service_name=ftp-here
secure_chroot_dir=/var/empty
seccomp_sandbox=NO
background=NO
${more}
END
printf 'auth required pam_unix.so\\naccount required pam_unix.so\\nsession required pam_unix.so\\n' >/etc/pam.d/ftp-here
exec vsftpd /run/config
`;

const VSFTPD: Case = {
  name: 'vsftpd',
  packages: ['vsftpd'],
  ports: [21],
  start: (folder) => vsftpd(`xferlog_enable=YES\nvsftpd_log_file=${folder}/vsftpd.log`),
  play,
  logs: [{ name: 'vsftpd, its own log', file: 'vsftpd.log', filters: ['vsftpd'], expected: EXPECTED }],
};

const VSFTPD_SYSLOG: Case = {
  name: 'vsftpd-syslog',
  packages: ['vsftpd', 'rsyslog'],
  ports: [21],
  start: (folder) => rsyslog(folder) + vsftpd('xferlog_enable=YES\nsyslog_enable=YES'),
  play,
  logs: [
    { name: 'vsftpd, syslog', file: 'old.log', filters: ['vsftpd-syslog'], expected: EXPECTED },
    {
      name: 'PAM for vsftpd, syslog',
      file: 'old.log',
      filters: ['pam-generic'],
      // PAM isn't asked about a name of more than 32 letters, and its successes name no address.
      expected: EXPECTED.filter((row) => !row.includes('got in') && !row.includes(FORGED_NAME)),
    },
  ],
};

const proftpd = (more: string): string => `
printf 'auth required pam_unix.so\\naccount required pam_unix.so\\nsession required pam_unix.so\\n' >/etc/pam.d/proftpd
cat >/run/config <<END
ServerName "files"
ServerType standalone
UseIPv6 on
Port 21
DefaultAddress 192.0.2.1 2001:db8:5e::1
User proftpd
Group nogroup
PidFile /run/proftpd.pid
ScoreboardFile /run/proftpd.scores
DelayTable none
MaxLoginAttempts 5
RequireValidShell off
RootLogin on
SyslogLevel debug
WtmpLog off
${more}
END
# With --nodaemon it would write to its standard error.
proftpd --config /run/config
exec sleep infinity
`;

const PROFTPD: Case = {
  name: 'proftpd',
  packages: ['proftpd-core'],
  ports: [21],
  start: (folder) => `mkdir -m 755 ${folder}/logs\n${proftpd(`SystemLog ${folder}/logs/proftpd.log`)}`,
  play,
  logs: [
    { name: 'ProFTPD, its own log', file: 'logs/proftpd.log', filters: ['proftpd'], expected: EXPECTED },
  ],
};

const PROFTPD_SYSLOG: Case = {
  name: 'proftpd-syslog',
  packages: ['proftpd-core', 'rsyslog'],
  ports: [21],
  start: (folder) => rsyslog(folder) + proftpd(''),
  play,
  logs: [{ name: 'ProFTPD, syslog', file: 'old.log', filters: ['proftpd-syslog'], expected: EXPECTED }],
};

const PURE_FTPD: Case = {
  name: 'pure-ftpd',
  packages: ['pure-ftpd', 'rsyslog'],
  ports: [21],
  start: (folder) => `
${rsyslog(folder)}
printf 'auth required pam_unix.so\\naccount required pam_unix.so\\nsession required pam_unix.so\\n' >/etc/pam.d/pure-ftpd
# Its standard input must be no socket: it would take that for a client.
exec pure-ftpd -H -E -l pam -S 21 </dev/null
`,
  play,
  logs: [{ name: 'Pure-FTPd, syslog', file: 'old.log', filters: ['pure-ftpd'], expected: EXPECTED }],
};

export const FTP: readonly Case[] = [VSFTPD, VSFTPD_SYSLOG, PROFTPD, PROFTPD_SYSLOG, PURE_FTPD];
