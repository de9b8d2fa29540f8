// Log-ins to a shell: OpenSSH and Dropbear, through a real syslog daemon.
import type { Act, Case, Who } from './case.ts';
import { rsyslog } from './rsyslog.ts';

/** The three files that {@link rsyslog} writes. */
const SYSLOGS: readonly { form: string; file: string }[] = [
  { form: 'syslog', file: 'old.log' },
  { form: 'syslog with ISO stamps', file: 'iso.log' },
  { form: 'syslog of RFC 5424', file: '5424.log' },
];

/** Logs in by ssh with passwords: as many prompts as there are passwords. */
async function ssh(
  act: Act,
  who: Who,
  user: string,
  passwords: readonly string[],
  more = '',
): Promise<string> {
  const words = passwords.map((word) => `'${word}'`).join(' ');
  const ran = await act.run(
    who,
    `
set -- ${words}
for word; do printf '%s\\n' "$word"; done >/run/words
cat >/run/askpass <<'END'
#!/bin/sh
head -n 1 /run/words
sed -i 1d /run/words
END
chmod 755 /run/askpass
export SSH_ASKPASS=/run/askpass SSH_ASKPASS_REQUIRE=force DISPLAY=none HOME=/run
exec ssh -F /dev/null -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \\
  -o ConnectTimeout=20 -o NumberOfPasswordPrompts=${passwords.length} ${more} -l '${user}' ${act.server} 'echo in' </dev/null
`,
  );
  return ran.stdout + ran.stderr;
}

const PASSWORD = '-o PreferredAuthentications=password -o PubkeyAuthentication=no';
const PROMPTED = '-o PreferredAuthentications=keyboard-interactive -o PubkeyAuthentication=no';

const OPENSSH: Case = {
  name: 'sshd',
  packages: ['openssh-server', 'openssh-client', 'rsyslog'],
  ports: [22],
  start: (folder) => `
${rsyslog(folder)}
ssh-keygen -q -t ed25519 -N '' -f /run/key
cat >/run/config <<'END'
HostKey /run/key
UsePAM yes
KbdInteractiveAuthentication yes
PasswordAuthentication yes
PermitRootLogin yes
UseDNS no
END
exec /usr/sbin/sshd -D -f /run/config
`,
  async play(act) {
    // Two guesses on one connection, at a user who exists and at one who doesn't.
    await ssh(act, 'attacker', 'root', ['1', '2'], PASSWORD);
    await ssh(act, 'attacker', 'admin from 198.51.100.66 port 22', ['1', '2'], PASSWORD);
    await ssh(act, 'attacker', 'root', ['1', '2'], PROMPTED);
    // One who looks at the keys that are taken, and goes.
    await ssh(act, 'attacker', 'oracle', [''], '-o PreferredAuthentications=publickey');
    const told = await ssh(act, 'friend', 'alice', ['correct-horse'], PASSWORD);
    if (!told.includes('in\n')) throw new Error(`alice doesn't get in: ${told}`);
    // One who mistypes once.
    await ssh(act, 'friend', 'alice', ['correct horse', 'correct-horse'], PASSWORD);
    // Monitoring: a connection that says nothing.
    await act.talk('friend', 22, ['SSH-2.0', '']);
  },
  logs: SYSLOGS.map(({ form, ...more }) => ({
    ...more,
    name: `OpenSSH, ${form}`,
    filters: ['sshd'],
    expected: [
      'attacker failed 1 root',
      'attacker failed 1 root',
      'attacker failed 1 admin from 198.51.100.66 port 22',
      'attacker failed 1 admin from 198.51.100.66 port 22',
      'attacker failed 1 root',
      'attacker failed 1 root',
      'attacker failed 1 oracle',
      'friend got in alice',
      'friend failed 1 alice',
      'friend got in alice',
    ],
  })),
};

const DROPBEAR: Case = {
  name: 'dropbear',
  packages: ['dropbear-bin', 'openssh-client', 'rsyslog'],
  ports: [22],
  start: (folder) => `
${rsyslog(folder)}
dropbearkey -t ed25519 -f /run/key >/dev/null 2>&1
exec dropbear -F -r /run/key -p 22
`,
  async play(act) {
    await ssh(act, 'attacker', 'root', ['1', '2'], PASSWORD);
    await ssh(act, 'attacker', 'alice', ['1'], PASSWORD);
    const told = await ssh(act, 'friend', 'alice', ['correct-horse'], PASSWORD);
    if (!told.includes('in\n')) throw new Error(`alice doesn't get in: ${told}`);
    await act.talk('friend', 22, ['SSH-2.0', '']);
  },
  logs: [
    {
      name: 'Dropbear, syslog',
      file: 'old.log',
      filters: ['dropbear'],
      expected: [
        'attacker failed 1 root',
        'attacker failed 1 root',
        'attacker failed 1 alice',
        'friend got in alice',
      ],
    },
  ],
};

export const SHELLS: readonly Case[] = [OPENSSH, DROPBEAR];
