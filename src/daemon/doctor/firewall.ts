// Can this host block at all, and what else stands in its kernel?
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { isUsable } from '../../firewall/index.ts';
import type { Surroundings } from '../../firewall/index.ts';
import type { Exec } from '../../ports.ts';
import { earlierChains } from '../effect/diagnosis.ts';
import { fault, fine, note, some, unknown } from './findings.ts';
import type { Finding } from './findings.ts';

/** Bit 12 of `CapEff` (capabilities(7)). */
const NET_ADMIN = 1n << 12n;

/** @param pid the daemon's; undefined: this process stands for it. */
export function checkPrivileges(pid: number | undefined): Finding[] {
  const who = pid === undefined ? 'this user' : `the daemon (pid ${pid})`;
  const may = mayChangeFirewall(pid ?? process.pid);
  if (may === undefined) return [unknown('privileges', `the capabilities of ${who} can't be read`)];
  if (may) return [fine('privileges', `${who} may change the firewall`)];
  const mend = 'Start it as root, or give the service the capability CAP_NET_ADMIN.';
  if (pid === undefined)
    return [unknown('privileges', 'this user may not look at the firewall', 'Run "bailiff doctor" as root.')];
  return [fault('privileges', 'E_NOT_PERMITTED', `${who} may not change the firewall`, mend)];
}

export function mayChangeFirewall(pid: number): boolean | undefined {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return effective === undefined ? undefined : (BigInt(`0x${effective}`) & NET_ADMIN) !== 0n;
  } catch {
    return undefined;
  }
}

/** Has that process another network, with a firewall of its own, than this one? false, too, where it can't be seen. */
export function isInOtherNetwork(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync('/proc/self/ns/net');
  } catch {
    return false;
  }
}

export async function checkFirewall(exec: Exec): Promise<Finding[]> {
  const nft = exec.find('nft');
  const [byNft, byIptables] = [await isUsable('nftables', exec), await isUsable('iptables', exec)];
  const mend =
    'Install nftables (Debian, Ubuntu: apt-get install nftables), and see that the kernel has the module nf_tables.';
  if (nft !== undefined && byNft) {
    const { stdout } = await exec.run({ file: nft, args: ['--version'], timeout: 5_000 });
    return [
      fine('firewall', `${stdout.trim().split('\n')[0]!.slice(0, 60)} is there, and the kernel answers it`),
    ];
  }
  const what = nft === undefined ? 'nft is not installed' : 'the kernel does not answer nft';
  if (byIptables) return [note('firewall', `${what}; iptables with ipset is used instead`, mend)];
  return [fault('firewall', 'E_FIREWALL_UNAVAILABLE', `${what}, nor can iptables with ipset be used`, mend)];
}

/** @param ahead a rule of somebody else that accepts before Bailiff is asked. */
export function checkHooks(surroundings: Surroundings | undefined, ahead: string | undefined): Finding[] {
  if (!surroundings) return [unknown('hooks', 'the ruleset of this host could not be listed')];
  const others = surroundings.tables.filter((table) => table !== 'inet bailiff');
  const found: Finding[] = [];
  if (ahead !== undefined)
    found.push(
      fault(
        'hooks',
        'W_ACCEPTED_FIRST',
        `ahead of the bans stands: ${ahead}`,
        'Take that rule out, or put it behind the jump to bailiff-prerouting.',
      ),
    );
  const earlier = earlierChains(surroundings).map(
    ({ family, table, name, hook, priority, does }) =>
      `${family} ${table} ${name} (${hook}, priority ${priority}: ${does.join(', ')})`,
  );
  if (earlier.length > 0)
    found.push(
      note(
        'hooks',
        `these chains change packets before a ban is asked: ${some(earlier)}`,
        'See that they change no source address.',
      ),
    );
  if (found.length === 0) {
    const named = others.length === 0 ? 'there are no other tables' : `other tables: ${some(others, 8)}`;
    found.push(fine('hooks', `nothing passes ahead of the bans; ${named}`));
  }
  return [...found, ...checkFlowtables(surroundings), ...checkManagers(surroundings)];
}

function checkFlowtables({ flowtables }: Surroundings): Finding[] {
  const active = flowtables.filter(({ devices }) => devices.length > 0);
  if (active.length === 0) return [];
  const names = active.map(
    ({ family, table, name, devices }) => `${family} ${table} ${name} (${devices.join(', ')})`,
  );
  return [
    fault(
      'flowtables',
      'W_FLOWTABLE',
      `connections in a flowtable bypass every ban until they end: ${some(names)}`,
      'Leave the connections to what the jails protect out of "flow add", or end those of a banned address: conntrack -D -s ADDRESS.',
    ),
  ];
}

function checkManagers({ tables, published }: Surroundings): Finding[] {
  const found: Finding[] = [];
  if (tables.includes('inet firewalld') || existsSync('/run/firewalld'))
    found.push(note('managers', 'firewalld is here; its reloads leave the table of Bailiff alone'));
  if (isUfwOn())
    found.push(note('managers', 'ufw is here; its rules come after the bans, also those that allow a port'));
  if (tables.some((table) => /f2b|fail2ban/.test(table)))
    found.push(
      note(
        'managers',
        'fail2ban blocks here as well: an address may be banned by both',
        'Stop the jails of fail2ban that Bailiff has taken over.',
      ),
    );
  if (flushesAtReload())
    found.push(
      note(
        'managers',
        '/etc/nftables.conf begins with "flush ruleset": each reload of nftables.service takes the bans out, and the daemon puts them back',
      ),
    );
  const isDocker = existsSync('/sys/class/net/docker0') || existsSync('/var/run/docker.sock');
  if (isDocker || published.length > 0) {
    const ports = published.map(({ protocol, port, to }) => `${protocol} ${port} to ${to}`);
    const handed = ports.length === 0 ? '' : `; handed on: ${some([...new Set(ports)], 8)}`;
    found.push(
      note(
        'docker',
        `${isDocker ? 'Docker is here' : 'ports are handed on'}: bans cover its published ports, as "ports" of a jail must${handed}`,
      ),
    );
  }
  return found;
}

function isUfwOn(): boolean {
  return /^ENABLED=yes$/m.test(textOf('/etc/ufw/ufw.conf'));
}

function flushesAtReload(): boolean {
  return /^\s*flush ruleset/m.test(textOf('/etc/nftables.conf'));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
