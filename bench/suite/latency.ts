// From a line that is written to the kernel's element, and to the first packet that is dropped.
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../test/support/run.ts';
import type { Bench, Stage } from '../lib/bench.ts';
import { ipv4 } from '../lib/addresses.ts';
import { startArriving } from '../lib/arriving.ts';
import { enforcing, failedLogin, type Enforcing } from '../lib/enforcing.ts';
import { rank, type Figure } from '../lib/figures.ts';
import { holds, now, spread, startMonitor, type Monitor } from '../lib/kernel.ts';
import { watchedByLeast } from '../lib/least.ts';
import { BETWEEN, startWire } from '../lib/packets.ts';
import { mustEqual, WrongVerdict } from '../lib/verdicts.ts';

/** Milliseconds between two lines, so that they don't share a turn. */
const GAP = 60;
const RATE = 50_000;
/** Seconds that they arrive at most. */
const LONGEST = 300;

/** One offender after another. @returns milliseconds from the write to the element. */
async function elements(
  scene: Pick<Enforcing, 'append'>,
  monitor: Monitor,
  from: number,
  count: number,
): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < count; n++) {
    const address = ipv4(1_000 + from + n);
    const line = failedLogin(address);
    const seen = monitor.seen(address);
    const began = now();
    scene.append(line);
    took.push((await seen) - began);
    await sleep(GAP + (n % 7));
  }
  return took;
}

/** The same with the least program in Node. */
const leastElements = (stage: Stage, scene: Enforcing, monitor: Monitor, count: number): Promise<number[]> =>
  watchedByLeast(stage, scene, async (least) => {
    await elements(least, monitor, 40_000, 5);
    return elements(least, monitor, 30_000, count);
  });

/** The same attacker again and again. @returns milliseconds from the write to the first packet that did not arrive. */
async function drops({ append, attacker, server, set, daemon }: Enforcing, count: number): Promise<number[]> {
  const wire = await startWire(attacker, server);
  try {
    const took: number[] = [];
    for (let n = 0; n < count; n++) {
      await wire.flowing();
      await sleep(GAP + (n % 7));
      const line = failedLogin(attacker.ipv4);
      const began = now();
      append(line);
      // To start nft is a load that the measured path would have to bear.
      await sleep(GAP);
      await eventually('the attacker is in the kernel', () => holds(server, set, [attacker.ipv4]));
      await wire.silence(300);
      took.push(Math.max(0, (await wire.firstDropped()) - began));
      const ran = await daemon().verb('unban', attacker.ipv4);
      if (ran.code !== 0) throw new WrongVerdict(`unban ended with ${ran.code}: ${ran.stderr}`);
      // What was written before the unban never counts, and stamps have seconds.
      await sleep(1_010 - (Date.now() % 1_000));
    }
    return took;
  } finally {
    wire.end();
  }
}

export const latency: Bench = {
  name: 'latency',
  what: 'from a written line to the element in the kernel and to the first dropped packet, idle and with 50 000 lines/s arriving',
  run: (stage) => enforcing(stage, (scene) => measure(stage, scene)),
};

async function measure(stage: Stage, scene: Enforcing): Promise<Figure[]> {
  const [lines, packets] = stage.small ? [10, 3] : [200, 40];
  const monitor = await startMonitor(scene.server);
  try {
    const floor = await monitor.floor(lines);
    stage.say('idle');
    // The first few are those of a program that has just started.
    await elements(scene, monitor, 10_000, 5);
    const idle = await elements(scene, monitor, 0, lines);
    const bare = await leastElements(stage, scene, monitor, lines);
    const idleDrops = await drops(scene, packets);
    stage.say(`${RATE} lines/s arriving`);
    const arriving = startArriving(scene.log, RATE, LONGEST);
    await sleep(1_000);
    const busy = await elements(scene, monitor, 20_000, lines);
    const busyDrops = await drops(scene, packets);
    const wrote = await arriving.end();
    if (wrote.seconds >= LONGEST) throw new Error(`the lines stopped arriving after ${LONGEST} s`);
    const status = await scene.daemon().caughtUp();
    // The one that made the sets, those of each round, and the attacker's.
    mustEqual('matches', status.jails[0]!.matches, 1 + 5 + 2 * (lines + packets));
    mustEqual('lines read', status.sources[0]!.lines, wrote.lines + 1 + 5 + 2 * (lines + packets));
    const arrived = `${Math.round(wrote.lines / wrote.seconds)} lines/s arrived`;
    const least = `the least program in Node ${spread(bare)}; floor of the measuring ${spread(floor)}`;
    const packet = `a packet every ${BETWEEN} ms; the first that does not arrive was sent when the element was in force`;
    return [
      figure('line written → element, idle, p50', rank(idle, 0.5), 2, `${spread(idle)}; ${least}`),
      figure('line written → element, idle, p99', rank(idle, 0.99), 8, ''),
      figure('line written → element, busy, p99', rank(busy, 0.99), 50, `${spread(busy)}; ${arrived}`),
      // Without a second `nft monitor` beside the daemon's own, on the same processors: what the attacker meets.
      figure(
        'line written → first dropped packet, idle, p50',
        rank(idleDrops, 0.5),
        2,
        `${spread(idleDrops)}; ${packet}`,
      ),
      figure(
        'line written → first dropped packet, busy, p50',
        rank(busyDrops, 0.5),
        undefined,
        `${spread(busyDrops)}; ${packet}`,
      ),
    ];
  } finally {
    monitor.end();
  }
}

const figure = (what: string, value: number, atMost: number | undefined, detail: string): Figure => ({
  ...{ what, value, unit: 'ms' },
  ...(atMost !== undefined && { atMost }),
  ...(detail !== '' && { detail }),
});
