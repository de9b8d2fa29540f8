// Mail: Dovecot (IMAP and POP3), Postfix and Exim (SMTP AUTH).
import type { Act, Case, Who } from './case.ts';
import { rsyslog } from './rsyslog.ts';

/** A name that ends like a line of Dovecot's. */
const FORGED_NAME = 'x>, rip=198.51.100.66, lip=192.0.2.1';

async function imap(
  act: Act,
  who: Who,
  logins: readonly (readonly [string, string, 'OK' | 'NO'])[],
): Promise<void> {
  const steps = logins.flatMap(
    ([user, password, answer], index) =>
      [
        [index === 0 ? 'ready.' : '\r\n', `a${index} LOGIN "${user}" "${password}"\r\n`],
        [`a${index} ${answer}`, ''],
      ] as const,
  );
  await act.talk(who, 143, ...steps, ['\r\n', 'z LOGOUT\r\n'], ['BYE', '']);
}

const dovecot = (log: string): string => `
mkdir -p /etc/dovecot /var/mail /run/dovecot
printf 'alice:{PLAIN}correct-horse:1000:1000::/var/alice::\\n' >/etc/dovecot/here
cat >/etc/dovecot/dovecot.conf <<END
protocols = imap pop3
listen = *, ::
ssl = no
disable_plaintext_auth = no
auth_verbose = yes
auth_failure_delay = 1 s
mail_location = maildir:~/mail
first_valid_uid = 1000
default_internal_user = dovecot
default_login_user = dovenull
passdb {
  driver = passwd-file
  args = username_format=%u /etc/dovecot/here
}
userdb {
  driver = passwd-file
  args = username_format=%u /etc/dovecot/here
}
service imap-login {
  chroot =
}
service pop3-login {
  chroot =
}
service anvil {
  chroot =
  # No waiting longer and longer after each guess.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
${log}
END
exec dovecot -F
`;

async function playDovecot(act: Act): Promise<void> {
  await imap(act, 'attacker', [
    ['root', '1', 'NO'],
    ['root', '2', 'NO'],
  ]);
  await imap(act, 'attacker', [[FORGED_NAME, '1', 'NO']]);
  const guess = ['USER alice\r\n', 'PASS 1\r\n', 'QUIT\r\n'];
  await act.talk('attacker', 110, ['+OK', guess[0]!], ['+OK', guess[1]!], ['-ERR', guess[2]!], ['+OK', '']);
  await imap(act, 'friend', [['alice', 'correct-horse', 'OK']]);
  // Monitoring.
  await act.talk('friend', 143, ['ready.', 'a LOGOUT\r\n'], ['BYE', '']);
}

const DOVECOT_EXPECTED = [
  'attacker failed 2 root',
  `attacker failed 1 ${FORGED_NAME}`,
  'attacker failed 1 alice',
  'friend got in alice',
];
/** The auth process has a line of another kind for names with characters that none may have. */
const DOVECOT_AUTH_EXPECTED = ['attacker failed 1 root', 'attacker failed 1 root', 'attacker failed 1 alice'];

const DOVECOT: Case = {
  name: 'dovecot',
  packages: ['dovecot-imapd', 'dovecot-pop3d', 'rsyslog'],
  ports: [143, 110],
  start: (folder) => rsyslog(folder) + dovecot(''),
  play: playDovecot,
  logs: [
    { name: 'Dovecot, syslog', file: 'old.log', filters: ['dovecot'], expected: DOVECOT_EXPECTED },
    {
      name: 'Dovecot, syslog with ISO stamps',
      file: 'iso.log',
      filters: ['dovecot-auth'],
      expected: DOVECOT_AUTH_EXPECTED,
    },
  ],
};

const DOVECOT_FILE: Case = {
  name: 'dovecot-file',
  packages: ['dovecot-imapd', 'dovecot-pop3d'],
  ports: [143, 110],
  start: (folder) => dovecot(`log_path = ${folder}/dovecot.log`),
  play: playDovecot,
  logs: [
    { name: 'Dovecot, its own log', file: 'dovecot.log', filters: ['dovecot'], expected: DOVECOT_EXPECTED },
    {
      name: 'Dovecot, its own log',
      file: 'dovecot.log',
      filters: ['dovecot-auth'],
      expected: DOVECOT_AUTH_EXPECTED,
    },
  ],
};

/** One SMTP session with a log-in: who, with which password, and the answer's code. */
async function smtp(act: Act, who: Who, user: string, password: string, answer: string): Promise<void> {
  const word = Buffer.from(`\0${user}\0${password}`).toString('base64');
  const steps = ['EHLO client.example.net\r\n', `AUTH PLAIN ${word}\r\n`, 'QUIT\r\n'];
  await act.talk(who, 25, ['220 ', steps[0]!], ['250 ', steps[1]!], [answer, steps[2]!], ['221', '']);
}

/** A session with a message. */
async function send(act: Act, who: Who, user: string, password: string): Promise<void> {
  const word = Buffer.from(`\0${user}\0${password}`).toString('base64');
  await act.talk(
    who,
    25,
    ['220 ', 'EHLO client.example.net\r\n'],
    ['250 ', `AUTH PLAIN ${word}\r\n`],
    ['235', 'MAIL FROM:<alice@example.net>\r\n'],
    ['250', 'RCPT TO:<alice@example.net>\r\n'],
    ['250', 'DATA\r\n'],
    ['354', 'Subject: hello\r\n\r\nhello\r\n.\r\n'],
    ['250', 'QUIT\r\n'],
    ['221', ''],
  );
}

async function playSmtp(act: Act): Promise<void> {
  await smtp(act, 'attacker', 'root', '1', '535');
  await smtp(act, 'attacker', 'x [198.51.100.66]: 535', '1', '535');
  await smtp(act, 'attacker', 'alice', '1', '535');
  await smtp(act, 'friend', 'alice', 'correct-horse', '235');
  await send(act, 'friend', 'alice', 'correct-horse');
  await act.talk('friend', 25, ['220 ', 'QUIT\r\n'], ['221', '']);
}

const POSTFIX: Case = {
  name: 'postfix',
  packages: ['postfix', 'dovecot-core', 'rsyslog'],
  ports: [25],
  start: (folder) => `
${rsyslog(folder)}
mkdir -p /etc/dovecot /run/dovecot /var/spool/postfix/private /var/lib/postfix
printf 'alice:{PLAIN}correct-horse:1000:1000::/var/alice::\\n' >/etc/dovecot/here
cat >/etc/dovecot/dovecot.conf <<END
protocols =
ssl = no
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = username_format=%u /etc/dovecot/here
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0666
  }
}
END
dovecot
cat >/etc/postfix/main.cf <<END
compatibility_level = 3.6
myhostname = mail.example.net
mydestination = example.net
alias_maps =
inet_protocols = all
mynetworks = 127.0.0.0/8
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_auth_enable = yes
smtpd_tls_security_level = none
local_recipient_maps =
END
printf '%s\n' 'smtp inet n - n - - smtpd' 'rewrite unix - - n - - trivial-rewrite' 'cleanup unix n - n - 0 cleanup' \
  'qmgr unix n - n 300 1 qmgr' 'anvil unix - - n - 1 anvil' 'proxymap unix - - n - - proxymap' \
  'defer unix - - n - 0 bounce' 'bounce unix - - n - 0 bounce' 'error unix - - n - - error' >/etc/postfix/master.cf
mkdir -p /var/lib/postfix
postfix set-permissions 2>/dev/null || true
chown postfix /var/lib/postfix /var/spool/postfix/private
exec postfix start-fg
`,
  play: playSmtp,
  logs: [
    {
      name: 'Postfix, syslog',
      file: 'old.log',
      filters: ['postfix'],
      expected: [
        'attacker failed 1 root',
        'attacker failed 1 x [198.51.100.66]: 535',
        'attacker failed 1 alice',
        'friend got in alice',
      ],
    },
  ],
};

const EXIM: Case = {
  name: 'exim',
  packages: ['exim4-daemon-light'],
  ports: [25],
  start: (folder) => `
mkdir -p /var/spool/exim-here ${folder}/logs
chown Debian-exim:Debian-exim /var/spool/exim-here ${folder}/logs
cat >/run/config <<'END'
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = mail.example.net
domainlist local_domains = example.net
spool_directory = /var/spool/exim-here
log_file_path = ${folder}/logs/%slog
host_lookup =
tls_advertise_hosts =
acl_smtp_rcpt = accept_all
acl_smtp_data = accept_all
queue_only
never_users =
begin acl
accept_all:
  accept
begin routers
here:
  driver = accept
  transport = nowhere
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
  user = Debian-exim
begin authenticators
plain_server:
  driver = plaintext
  public_name = PLAIN
  server_condition = "\${if and{{eq{$auth2}{alice}}{eq{$auth3}{correct-horse}}}}"
  server_set_id = $auth2
END
exec exim4 -bdf -oX 25 -oP /run/exim.pid -C /run/config
`,
  play: playSmtp,
  logs: [
    {
      name: 'Exim, main log',
      file: 'logs/mainlog',
      filters: ['exim'],
      // A name with a blank or a bracket is left alone, as the filter says.
      expected: ['attacker failed 1 root', 'attacker failed 1 alice', 'friend got in'],
    },
  ],
};

export const MAIL: readonly Case[] = [DOVECOT, DOVECOT_FILE, POSTFIX, EXIM];
