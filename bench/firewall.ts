// A program: how long a ban, a large batch and a listing take in the real kernel, in a namespace of its own, and for how
// long the event loop is held meanwhile; by nftables, by iptables with ipset, and the second as a multiple of the first.
// `node bench/firewall.ts [nftables|iptables]`; needs root.
import { createFirewall } from '../src/firewall/index.ts';
import { block } from '../test/firewall/conformance.ts';
import { onThisKernel, type RealKind } from '../test/firewall/worlds.ts';

const KINDS = ['nftables', 'iptables'] as const;

/** Milliseconds by what was done. */
type Figures = Map<string, number>;

/**
 * Says how long a task took, and the longest turn of the event loop meanwhile: by the thread's own processor time, so
 * that other programs on a busy machine don't count.
 */
async function timed(figures: Figures, name: string, task: () => Promise<unknown>): Promise<void> {
  let isOver = false;
  let longest = 0;
  let last = processorTime();
  const watch = (): void => {
    const now = processorTime();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(watch);
  };
  setImmediate(watch);
  const start = performance.now();
  await task();
  const took = performance.now() - start;
  await new Promise((resolve) => setImmediate(resolve));
  isOver = true;
  figures.set(name, took);
  console.log(`${name}: ${took.toFixed(1)} ms, longest turn ${longest.toFixed(1)} ms`);
}

function processorTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

const many = (count: number, second: number, until: number) =>
  Array.from({ length: count }, (_, index) =>
    block(`10.${second + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`, until),
  );

async function measure(kind: RealKind): Promise<Figures> {
  const figures: Figures = new Map();
  const world = await onThisKernel(kind);
  const { clock } = world.ports;
  const firewall = createFirewall(kind, world.ports);
  const until = clock.now() + 3_600_000;
  console.log(`── ${kind}`);
  await firewall.prepare([]);
  // As in a daemon: where it would be announced that rules are gone nobody looks for them beside each batch.
  firewall.announcements?.heard(true);
  await firewall.apply([block('192.0.2.1', until)], clock.now());
  const single: number[] = [];
  for (let index = 0; index < 500; index++) {
    const start = performance.now();
    await firewall.apply([block(`192.0.${index >> 8}.${index & 255}`, until)], clock.now());
    single.push(performance.now() - start);
  }
  single.sort((a, b) => a - b);
  for (const [name, index] of [
    ['one ban, p50', 250],
    ['one ban, p99', 495],
    ['one ban, worst', 499],
  ] as const) {
    figures.set(name, single[index]!);
    console.log(`${name}: ${single[index]!.toFixed(2)} ms`);
  }
  for (const count of [10, 18, 30, 100, 1_000, 10_000, 100_000]) {
    const changes = many(count, count < 10_000 ? 0 : count / 10_000, until);
    await timed(figures, `${count} bans in one call`, () => firewall.apply(changes, clock.now()));
  }
  const one = [block('192.0.2.99', until)];
  await timed(figures, 'one more ban at 110 000', () => firewall.apply(one, clock.now()));
  await timed(figures, 'a listing of 110 000', () => firewall.list());
  await timed(figures, 'the counters at 110 000', () => firewall.dropped());
  await timed(figures, 'prepare at 110 000', () => firewall.prepare([]));
  await timed(figures, 'teardown at 110 000', () => firewall.teardown());
  await firewall.close();
  await world.remove();
  return figures;
}

const asked = KINDS.filter((kind) => process.argv[2] === undefined || process.argv[2] === kind);
const all: Figures[] = [];
for (const kind of asked) all.push(await measure(kind));
const [first, second] = all;
if (first && second) {
  console.log('── iptables as a multiple of nftables');
  for (const [name, took] of first) console.log(`${name}: ${(second.get(name)! / took).toFixed(1)}`);
}
