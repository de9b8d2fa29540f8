// Many at once: offenders in one write, and bans that a start puts back.
import { createInternet } from '../../test/support/namespaces.ts';
import { program } from '../../test/support/programs.ts';
import type { Bench, Stage } from '../lib/bench.ts';
import { ipv4 } from '../lib/addresses.ts';
import { enforcing, failedLogin, type Enforcing } from '../lib/enforcing.ts';
import { digits, median, type Figure } from '../lib/figures.ts';
import { now, watchFor } from '../lib/kernel.ts';
import { LEAST_SET, watchedByLeast } from '../lib/least.ts';

const crowd = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => ipv4(1_000 + from + n));

/** Writes them all in one go. @returns seconds until all are in the kernel. */
async function burst(
  scene: Pick<Enforcing, 'server' | 'set' | 'append'>,
  addresses: readonly string[],
): Promise<number> {
  const { server, set, append } = scene;
  const text = addresses.map(failedLogin).join('');
  const allHeld = await watchFor(server, set, addresses);
  const began = now();
  append(text);
  return ((await allHeld()) - began) / 1_000;
}

/** The same with the least program in Node, which has read nothing before. */
const leastBurst = (stage: Stage, scene: Enforcing, addresses: readonly string[]): Promise<number> =>
  watchedByLeast(stage, scene, (least) => burst({ ...scene, ...least, set: LEAST_SET }, addresses));

/**
 * Seconds that `nft -f` takes for as many in one set of its own, in a namespace of its own: beside sets of ours it would read
 * them first.
 */
async function floorOf(addresses: readonly string[]): Promise<number> {
  const elements: string[] = [];
  for (let at = 0; at < addresses.length; at += 1_000)
    elements.push(`add element ip floor crowd { ${addresses.slice(at, at + 1_000).join(', ')} }`);
  const head = 'add table ip floor\nadd set ip floor crowd { type ipv4_addr; flags timeout; timeout 1h; }\n';
  const { server, remove } = await createInternet();
  try {
    const began = now();
    await server.runOk(program('nft'), ['-f', '-'], { input: `${head}${elements.join('\n')}\n` });
    return (now() - began) / 1_000;
  } finally {
    await remove();
  }
}

export const bursts: Bench = {
  name: 'burst',
  what: '1 000 and 10 000 offenders in one write, until all are in the kernel',
  run: (stage) =>
    enforcing(stage, async (scene) => {
      const figures: Figure[] = [];
      const sizes = stage.small ? [100, 200] : [1_000, 10_000];
      let from = 0;
      for (const [index, size] of sizes.entries()) {
        const took: number[] = [];
        for (let round = 0; round < stage.rounds; round++) {
          took.push(await burst(scene, crowd(from, size)));
          from += size;
        }
        const least: number[] = [];
        for (let round = 0; round < stage.rounds; round++)
          least.push(await leastBurst(stage, scene, crowd(0, size)));
        const floor = await floorOf(crowd(0, size));
        figures.push({
          ...{ what: `${size} offenders in one write, all in the kernel`, value: median(took), unit: 's' },
          ...{ atMost: [0.15, 0.5][index]! },
          detail: `rounds ${took.map(digits).join(', ')} s, the first one cold; the least program in Node, each time cold, ${least.map(digits).join(', ')} s; nft -f of as many ${digits(floor)} s`,
        });
      }
      return figures;
    }),
};

export const restart: Bench = {
  name: 'restart',
  what: 'a start with 10 000 and 100 000 bans and an empty kernel, until all are in force',
  async run(stage) {
    const figures: Figure[] = [];
    for (const count of stage.small ? [200] : [10_000, 100_000])
      figures.push(await restartWith(stage, count));
    return figures;
  },
};

const restartWith = (stage: Stage, count: number): Promise<Figure> =>
  enforcing(stage, async (scene) => {
    const addresses = crowd(0, count);
    stage.say(`banning ${count}`);
    await burst(scene, addresses);
    const took: number[] = [];
    const answers: number[] = [];
    for (let round = 0; round < stage.rounds; round++) {
      await scene.daemon().end();
      // As after a boot: the kernel holds nothing.
      await scene.server.runOk(program('nft'), ['flush', 'ruleset']);
      const allHeld = await watchFor(scene.server, scene.set, addresses);
      const began = now();
      const answering = scene.start().then(() => answers.push((now() - began) / 1_000));
      took.push(((await allHeld()) - began) / 1_000);
      await answering;
    }
    // It has just started, and would take its share of the processors.
    await scene.daemon().end();
    const floor = await floorOf(addresses);
    return {
      ...{ what: `restart with ${count} bans, all in force`, value: median(took), unit: 's' },
      ...(count === 100_000 && { atMost: 1.2 }),
      detail: `rounds ${took.map(digits).join(', ')} s; the socket answered after ${digits(median(answers))} s; nft -f of as many ${digits(floor)} s`,
    };
  });
