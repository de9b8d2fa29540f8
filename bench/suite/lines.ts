// Single lines that are made to take long, and a program that is to start fast.
import { join } from 'node:path';
import { startDaemon } from '../../test/support/daemon.ts';
import { temporaryFolder } from '../../test/support/leftovers.ts';
import { run } from '../../test/support/run.ts';
import type { Bench } from '../lib/bench.ts';
import { launcherFlags } from '../lib/built.ts';
import { digits, median } from '../lib/figures.ts';
import type { Hostility } from '../lib/hostile.ts';
import { ROOT } from '../lib/places.ts';
import { timed } from '../lib/timing.ts';
import { WrongVerdict } from '../lib/verdicts.ts';

export const hostile: Bench = {
  name: 'hostile',
  what: 'lines made to keep each shipped filter busy, of 9 000 and 262 144 bytes: the worst time for one',
  async run(stage) {
    const program = join(ROOT, 'bench/lib/hostile.ts');
    const args = [...launcherFlags(), program, ...(stage.small ? ['4'] : [])];
    const ran = await run(stage.built.node, args, { timeout: 900_000 });
    if (ran.code !== 0) throw new Error(`hostile.ts ended with ${ran.code ?? ran.signal}: ${ran.stderr}`);
    const { filters, lines, worst, first } = JSON.parse(ran.stdout) as Hostility;
    const told = worst.slice(0, 4).map(({ what, bytes, ms }) => `${digits(ms)} ms (${bytes} bytes): ${what}`);
    return [
      {
        ...{ what: 'worst line of the hostile set', value: worst[0]!.ms, unit: 'ms', atMost: 20 },
        detail: `${lines} lines over ${filters} filters; by processor time; at first sight, by the clock, ${digits(first)} ms; the slowest: ${told.join('; ')}`,
      },
    ];
  },
};

export const start: Bench = {
  name: 'start',
  what: '`bailiff status` of a daemon that idles, beside `node -e 0`',
  async run(stage) {
    const folder = temporaryFolder('bench-start');
    const daemon = await startDaemon({
      ...{ folder: folder.path, config: {}, bailiff: stage.built.bailiff, args: ['--firewall', 'memory'] },
    });
    try {
      const times = stage.small ? 3 : 25;
      const runtime = join(folder.path, 'run');
      const [ours, node] = [
        { seconds: [] as number[], cpu: [] as number[] },
        { seconds: [] as number[], cpu: [] as number[] },
      ];
      for (let n = 0; n <= times; n++) {
        const ran = await timed(stage.built.bailiff, ['--runtime', runtime, 'status']);
        if (ran.code !== 0) throw new WrongVerdict(`status ended with ${ran.code}: ${ran.stderr}`);
        const bare = await timed(stage.built.node, ['-e', '0']);
        // The first ones bring the files into the cache.
        if (n === 0) continue;
        ours.seconds.push(ran.seconds);
        ours.cpu.push(ran.cpu);
        node.seconds.push(bare.seconds);
        node.cpu.push(bare.cpu);
      }
      const [a, b] = [median(ours.seconds), median(node.seconds)];
      return [
        {
          ...{ what: 'bailiff status, time against node -e 0', value: a / b, unit: '×', atMost: 2 },
          detail: `${digits(a * 1_000)} and ${digits(b * 1_000)} ms of ${times} each; processor ${digits(median(ours.cpu) * 1_000)} and ${digits(median(node.cpu) * 1_000)} ms`,
        },
      ];
    } finally {
      await daemon.end();
      folder.remove();
    }
  },
};
