// A program: how long a ban, a large batch and a listing take in the real kernel, in a namespace of its own, and for how
// long the event loop is held meanwhile. `node bench/firewall.ts`; needs root.
import { createFirewall } from '../src/firewall/index.ts';
import { block } from '../test/firewall/conformance.ts';
import { onThisKernel } from '../test/firewall/worlds.ts';

const world = await onThisKernel('nftables');
const { clock } = world.ports;
const firewall = createFirewall('nftables', world.ports);
const until = clock.now() + 3_600_000;

/**
 * Says how long a task took, and the longest turn of the event loop meanwhile: by the thread's own processor time, so
 * that other programs on a busy machine don't count.
 */
async function timed(name: string, task: () => Promise<unknown>): Promise<void> {
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
  console.log(`${name}: ${took.toFixed(1)} ms, longest turn ${longest.toFixed(1)} ms`);
}

function processorTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

const many = (count: number, second: number) =>
  Array.from({ length: count }, (_, index) =>
    block(`10.${second + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`, until),
  );

await firewall.prepare([]);
await firewall.apply([block('192.0.2.1', until)], clock.now());
const single: number[] = [];
for (let index = 0; index < 500; index++) {
  const start = performance.now();
  await firewall.apply([block(`192.0.${index >> 8}.${index & 255}`, until)], clock.now());
  single.push(performance.now() - start);
}
single.sort((a, b) => a - b);
console.log(
  `one ban: p50 ${single[250]!.toFixed(2)} ms, p99 ${single[495]!.toFixed(2)} ms, worst ${single[499]!.toFixed(2)} ms`,
);
for (const count of [10, 18, 30, 100, 1_000, 10_000, 100_000]) {
  const changes = many(count, count < 10_000 ? 0 : count / 10_000);
  await timed(`${count} bans in one call`, () => firewall.apply(changes, clock.now()));
}
await timed('one more ban at 110 000', () => firewall.apply([block('192.0.2.99', until)], clock.now()));
await timed('a listing of 110 000', () => firewall.list());
await timed('the counters at 110 000', () => firewall.dropped());
await timed('prepare at 110 000', () => firewall.prepare([]));
await timed('teardown at 110 000', () => firewall.teardown());
await firewall.close();
await world.remove();
