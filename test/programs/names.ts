// Name servers: BIND, by its own log and by syslog.
import type { Act, Case, Who } from './case.ts';
import { rsyslog } from './rsyslog.ts';

/** A query over TCP for the name's address (A), or for its whole zone (AXFR). */
function query(name: string, type: 'A' | 'AXFR'): string {
  const labels = name.split('.').map((label) => String.fromCharCode(label.length) + label);
  const body = `\x12\x34\x01\0\0\x01\0\0\0\0\0\0${labels.join('')}\0\0${type === 'A' ? '\x01' : '\xfc'}\0\x01`;
  return `\0${String.fromCharCode(body.length)}${body}`;
}

/** Asks, and waits for the answer: it begins with the query's number. */
async function ask(act: Act, who: Who, name: string, type: 'A' | 'AXFR' = 'A'): Promise<void> {
  await act.talk(who, 53, ['', query(name, type)], ['\x12\x34', '']);
}

const named = (log: string): string => `
cat >/run/zone <<'END'
$TTL 60
@ SOA ns.example.net. admin.example.net. 1 60 60 60 60
@ NS ns.example.net.
ns A 192.0.2.1
END
mkdir /run/named /run/cache
cat >/run/config <<END
options {
  directory "/run/cache";
  pid-file none;
  session-keyfile none;
  listen-on { any; };
  listen-on-v6 { any; };
  recursion yes;
  allow-recursion { none; };
  allow-transfer { none; };
  dnssec-validation no;
};
controls { };
zone "example.net" { type primary; file "/run/zone"; };
${log}
END
exec named -f -c /run/config
`;

async function play(act: Act): Promise<void> {
  await ask(act, 'attacker', 'example.net', 'AXFR');
  await ask(act, 'attacker', 'example.org');
  await ask(act, 'friend', 'ns.example.net');
}

const EXPECTED = ['attacker failed 1', 'attacker failed 1'];

const BIND: Case = {
  name: 'bind',
  packages: ['bind9', 'rsyslog'],
  ports: [53],
  start: (folder) =>
    rsyslog(folder) +
    named(`
logging {
  channel file { file "${folder}/named.log"; severity info; print-time yes; print-category yes; print-severity yes; };
  channel daemon { syslog daemon; severity info; };
  category default { file; daemon; };
};`),
  play,
  logs: [
    { name: 'BIND, its own log', file: 'named.log', filters: ['named-refused-file'], expected: EXPECTED },
    { name: 'BIND, syslog', file: 'old.log', filters: ['named-refused'], expected: EXPECTED },
  ],
};

export const NAMES: readonly Case[] = [BIND];
