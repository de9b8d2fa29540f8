// Counts the packets of one network at two places of the kernel's way, by protocol and port: ahead of every other chain, and
// just behind Bailiff's own. What is seen at the first and not at the second was dropped; what is seen at neither does not
// come to this host. Two chains of our own table that decide nothing, and are taken away again.
import { widthOf } from '../address.ts';
import type { Network } from '../model.ts';
import type { Exec } from '../ports.ts';
import { PRIORITY, TABLE } from './nft-script.ts';

/** Packets to one port. */
export interface Seen {
  readonly protocol: string;
  readonly port: number;
  readonly packets: number;
}

export interface Glimpse {
  /** Seen ahead of every other chain … */
  readonly before: readonly Seen[];
  /** … and behind Bailiff's. */
  readonly behind: readonly Seen[];
}

export interface Probe {
  /** What has come since the probe was placed. @returns undefined where somebody took it away. */
  read(): Promise<Glimpse | undefined>;
  remove(): Promise<void>;
}

const PLACES = { before: PRIORITY - 1_000, behind: PRIORITY + 1 } as const;
/** So many ports are told apart: a scan of all of them must not cost memory. */
const MOST = 128;
const PATIENCE = 10_000;
const ELEMENT =
  /\{"concat": \["?(\w+)"?, (\d+)\]\}(?:, "\w+": (?:\d+|"[^"]*"))*, "counter": \{"packets": (\d+)/g;

/** @returns undefined where nft can't place it. */
export async function placeProbe(exec: Exec, network: Network): Promise<Probe | undefined> {
  if (!(await tell(exec, [...removal(), ...placement(network)]))) return undefined;
  return {
    async read() {
      const before = await readSet(exec, 'before');
      const behind = await readSet(exec, 'behind');
      return before && behind && { before, behind };
    },
    remove: () => removeProbe(exec),
  };
}

/** Takes away what a daemon that was killed may have left. Harmless where there is none. */
export async function removeProbe(exec: Exec): Promise<void> {
  await tell(exec, removal());
}

function placement({ family, bits, text }: Network): string[] {
  const source = `${family === 4 ? 'ip' : 'ip6'} saddr ${bits === widthOf(family) ? text.replace(/\/\d+$/, '') : text}`;
  return Object.entries(PLACES).flatMap(([place, priority]) => [
    `add set ${TABLE} probe_${place} { type inet_proto . inet_service; size ${MOST}; flags dynamic; }`,
    `add chain ${TABLE} probe_${place} { type filter hook prerouting priority ${priority}; policy accept; }`,
    `add rule ${TABLE} probe_${place} ${source} meta l4proto { tcp, udp } update @probe_${place} { meta l4proto . th dport counter }`,
  ]);
}

/** Adding first makes sure of the deletion; and the table is not made by it: without one nothing is in force. */
function removal(): string[] {
  return Object.entries(PLACES).flatMap(([place, priority]) => [
    `add chain ${TABLE} probe_${place} { type filter hook prerouting priority ${priority}; policy accept; }`,
    `flush chain ${TABLE} probe_${place}`,
    `delete chain ${TABLE} probe_${place}`,
    `add set ${TABLE} probe_${place} { type inet_proto . inet_service; size ${MOST}; flags dynamic; }`,
    `delete set ${TABLE} probe_${place}`,
  ]);
}

/** One transaction. */
async function tell(exec: Exec, statements: readonly string[]): Promise<boolean> {
  const file = exec.find('nft');
  if (file === undefined) return false;
  const input = `${statements.join('\n')}\n`;
  return (await exec.run({ file, args: ['-f', '-'], input, timeout: PATIENCE })).code === 0;
}

async function readSet(exec: Exec, place: string): Promise<Seen[] | undefined> {
  const args = ['-j', 'list', 'set', ...TABLE.split(' '), `probe_${place}`];
  const { code, stdout } = await exec.run({ file: exec.find('nft') ?? '', args, timeout: PATIENCE });
  if (code !== 0) return undefined;
  return Array.from(stdout.matchAll(ELEMENT), ([, protocol, port, packets]) => ({
    ...{ protocol: protocol!, port: Number(port), packets: Number(packets) },
  }));
}
