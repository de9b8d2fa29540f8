// A host's auth.log under attack: a third of the lines are failed passwords, the others what sshd, cron and systemd say else.
import { counted, either, ipv4 } from '../lib/addresses.ts';
import type { Maker } from '../lib/inputs.ts';
import { randomFrom } from '../lib/random.ts';
import { reckon, type Verdict } from '../lib/verdicts.ts';
import { FIND_TIME, MAX_RETRY } from './rules.ts';

const PER_SECOND = 20;
const BEGIN = Date.UTC(2026, 0, 5) / 1_000;
const USERS = [
  'root',
  'invalid user admin',
  'invalid user test',
  'invalid user oracle',
  'ubuntu',
  'invalid user git',
];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function syslogStamp(seconds: number): string {
  const date = new Date(seconds * 1_000);
  return `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${date.toISOString().slice(11, 19)}`;
}

/** @param begin the instant of the first line, in seconds since 1970. */
export function sshdLog(begin = BEGIN): Maker<Verdict> {
  return (lines, write) => {
    const random = randomFrom(812);
    const jail = reckon(MAX_RETRY, FIND_TIME);
    // Each guesses some eighty times in a row; every tenth who fails is somebody who mistyped once.
    const attackers = Math.max(20, Math.floor(lines / 300));
    let once = 10_000_000;
    let [stamp, stamped] = ['', -1];
    for (let n = 0; n < lines; n++) {
      const at = begin + Math.floor(n / PER_SECOND);
      if (at !== stamped) [stamp, stamped] = [syslogStamp(at), at];
      const pid = 1_000 + (n % 30_000);
      const say = (program: string, words: string): void =>
        write(`${stamp} web ${program}[${pid}]: ${words}`);
      if (n % 3 === 0) {
        const mistyped = n % 30 === 0;
        const window = Math.floor((n * attackers) / lines);
        const address = mistyped ? ipv4(once++) : either(window + random(10));
        jail.match(counted(address), at);
        const user = mistyped ? 'ann' : USERS[random(USERS.length)]!;
        say('sshd', `Failed password for ${user} from ${address} port ${1_024 + random(60_000)} ssh2`);
        continue;
      }
      const friend = ipv4(12_000_000 + random(50));
      const port = 1_024 + random(60_000);
      switch (random(7)) {
        case 0:
          say(
            'sshd',
            `Accepted publickey for ann from ${friend} port ${port} ssh2: ED25519 SHA256:m0n9rXpT4kqY1d`,
          );
          break;
        case 1:
          say('sshd', 'pam_unix(sshd:session): session opened for user ann(uid=1000) by (uid=0)');
          break;
        case 2:
          say('sshd', `Received disconnect from ${friend} port ${port}:11: disconnected by user`);
          break;
        case 3:
          say('sshd', `Disconnected from user ann ${friend} port ${port}`);
          break;
        case 4:
          say('CRON', 'pam_unix(cron:session): session closed for user root');
          break;
        case 5:
          say('systemd-logind', `New session ${random(9_000)} of user ann.`);
          break;
        default:
          say('sshd', 'pam_unix(sshd:session): session closed for user ann');
      }
    }
    return jail.verdict();
  };
}
