// A program: how long a banned address gets through once its ban was taken out of the kernel, measured by its packets. A real
// daemon with a thousand bans more, an attacker who sends a packet every two milliseconds, and somebody who flushes: with and
// without other tables beside ours. The floor: how long it takes to start nft and have it put the same thousand back.
// `node bench/rearm.ts [flushes, 100] [nftables|iptables]`; needs root.
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Daemon, startDaemon } from '../test/support/daemon.ts';
import { type Client, createInternet, type Host } from '../test/support/namespaces.ts';
import { program } from '../test/support/programs.ts';
import { eventually } from '../test/support/run.ts';

const PORT = 9_000;
/** Milliseconds between two packets: what is measured is accurate to so much. */
const BETWEEN = 2;
/** Milliseconds without a packet after which none will come. */
const SILENCE = 300;
const LONGEST = 30_000;
const OTHERS = 1_000;

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

// ── the two ends of the wire: this file, started in a namespace ──

function send(to: string): void {
  const socket = createSocket('udp4');
  setInterval(() => socket.send('x', PORT, to), BETWEEN);
}

/** Says when each packet came, by the clock that all processes share. */
function receive(): void {
  const socket = createSocket('udp4');
  socket.on('message', () => console.log(now()));
  socket.bind(PORT, () => console.log(0));
}

type Command = readonly ['nft' | 'iptables', ...string[]];

interface Scene {
  readonly name: string;
  readonly kind: 'nftables' | 'iptables';
  /** Other rules on the host. */
  readonly beside?: readonly Command[];
  readonly takeOut: Command;
}

const FLUSH: Command = ['nft', 'flush', 'ruleset'];
const BESIDE: readonly Command[] = [
  ['nft', 'add table inet filter'],
  ['nft', 'add chain inet filter input { type filter hook input priority 0; policy accept; }'],
  ['nft', 'add rule inet filter input ct state established,related accept'],
  ['iptables', '-t', 'nat', '-N', 'DOCKER'],
  ['iptables', '-t', 'nat', '-A', 'PREROUTING', '-m', 'addrtype', '--dst-type', 'LOCAL', '-j', 'DOCKER'],
];
const scenes = (attacker: string): Scene[] => [
  { name: 'the ruleset flushed, no other tables', kind: 'nftables', takeOut: FLUSH },
  { name: 'the ruleset flushed, other tables beside', kind: 'nftables', beside: BESIDE, takeOut: FLUSH },
  {
    name: 'one element deleted',
    kind: 'nftables',
    takeOut: ['nft', `delete element inet bailiff ban4_32_any { ${attacker} }`],
  },
  { name: 'the ruleset flushed', kind: 'iptables', beside: BESIDE, takeOut: FLUSH },
  { name: 'the raw table flushed', kind: 'iptables', takeOut: ['iptables', '-t', 'raw', '-F'] },
];

async function measure(
  scene: Scene,
  flushes: number,
  server: Host,
  attacker: Client,
  arrivals: number[],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-rearm-'));
  const nft = async (...args: readonly string[]): Promise<string> => server.runOk(program('nft'), args);
  let daemon: Daemon | undefined;
  try {
    daemon = await startDaemon({
      folder: join(folder, 'bailiff'),
      config: {},
      host: server,
      args: ['--firewall', scene.kind],
    });
    const others = Array.from({ length: OTHERS }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    await daemon.verb('ban', '--for', '1h', attacker.ipv4, ...others);
    await eventually('it is in force', async () => (await daemon!.status()).firewall.blocked === OTHERS + 1);
    const lay = async (): Promise<void> => {
      for (const [name, ...args] of scene.beside ?? []) await server.runOk(program(name), args);
    };
    const took: number[] = [];
    let packets = 0;
    for (let count = 0; count < flushes; count++) {
      if (scene.takeOut === FLUSH || count === 0) await lay();
      await silence(arrivals, 0);
      await sleep(Math.random() * 100);
      const from = now();
      const [name, ...args] = scene.takeOut;
      await server.runOk(program(name), args);
      await silence(arrivals, SILENCE);
      const through = arrivals.filter((at) => at >= from);
      packets += through.length;
      took.push(through.length === 0 ? 0 : through.at(-1)! - through[0]! + BETWEEN);
    }
    took.sort((a, b) => a - b);
    const part = (share: number): string =>
      took[Math.min(flushes - 1, Math.floor(share * flushes))]!.toFixed(0);
    const { firewall } = await daemon.status();
    console.log(
      `${scene.kind}, ${scene.name}: open for ms p50 ${part(0.5)}, p99 ${part(0.99)}, worst ${part(1)}; ` +
        `${(packets / flushes).toFixed(0)} packets got through each time; put back ${firewall.rearmed} times in ${flushes}`,
    );
    if (scene.kind === 'nftables') console.log(`  floor: ${await floor(nft, server)} ms`);
  } finally {
    await daemon?.verb('teardown');
    await daemon?.end();
    await server.run(program('nft'), ['flush', 'ruleset']);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until no packet has come for so long. */
async function silence(arrivals: number[], least: number): Promise<void> {
  const deadline = now() + LONGEST;
  // That nothing comes is no event.
  await sleep(least);
  while (now() - (arrivals.at(-1) ?? 0) < SILENCE) {
    if (now() > deadline) throw new Error('the attacker still gets through');
    await sleep(20);
  }
}

async function floor(nft: (...args: string[]) => Promise<string>, server: Host): Promise<string> {
  const table = await nft('list', 'table', 'inet', 'bailiff');
  const took: number[] = [];
  for (let count = 0; count < 11; count++) {
    const from = now();
    await server.runOk(program('nft'), ['-f', '-'], { input: table.replaceAll('bailiff', `floor${count}`) });
    took.push(now() - from);
  }
  for (let count = 0; count < 11; count++) await nft('delete', 'table', 'inet', `floor${count}`);
  return took.toSorted((a, b) => a - b)[5]!.toFixed(0);
}

async function main(flushes: number, kind: string | undefined): Promise<void> {
  const { server, clients, remove } = await createInternet('attacker');
  const self = fileURLToPath(import.meta.url);
  const arrivals: number[] = [];
  const receiver = server.spawn(process.execPath, [self, 'receive']);
  createInterface({ input: receiver.stdout! }).on('line', (line) => arrivals.push(Number(line)));
  await eventually('the receiver listens', () => arrivals.length > 0);
  const sender = clients.attacker.spawn(process.execPath, [self, 'send', server.ipv4]);
  await eventually('packets come', () => arrivals.length > 10);
  try {
    for (const scene of scenes(clients.attacker.ipv4))
      if (kind === undefined || kind === scene.kind)
        await measure(scene, flushes, server, clients.attacker, arrivals);
  } finally {
    for (const child of [sender, receiver]) child.kill('SIGKILL');
    await remove();
  }
}

const [, , first, second] = process.argv;
if (first === 'send') send(second!);
else if (first === 'receive') receive();
else await main(Number(first ?? 100), second);
