// What it costs when little happens, and whether it still answers when much does: memory, idle processor, status under backlog.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon } from '../../test/support/daemon.ts';
import { temporaryFolder } from '../../test/support/leftovers.ts';
import { accessLog } from '../inputs/access.ts';
import type { Bench } from '../lib/bench.ts';
import { ipv4 } from '../lib/addresses.ts';
import { enforcing, failedLogin, type Enforcing } from '../lib/enforcing.ts';
import { digits, rank, type Figure } from '../lib/figures.ts';
import { inputOf } from '../lib/inputs.ts';
import { watchFor } from '../lib/kernel.ts';
import { FOREVER, place, writeConfig } from '../lib/reading.ts';
import { familyOf, memoryOf, processorTime } from '../lib/timing.ts';
import { mustEqual } from '../lib/verdicts.ts';

/** Bytes of backlog while which `status` is asked. */
const BACKLOG = Number(process.env['BENCH_BACKLOG'] ?? 1_000_000_000);
/** Of a line, on average. */
const BYTES = 200;

export const status: Bench = {
  name: 'status',
  what: '`status` asked over its socket while a gigabyte of backlog is read',
  async run(stage) {
    const lines = stage.small ? 20_000 : Math.ceil(BACKLOG / BYTES);
    const input = inputOf('access', lines, accessLog());
    const folder = temporaryFolder('bench-status');
    const log = join(folder.path, 'access.log');
    place(input.path, log);
    const jail = { filter: 'nginx-login', logs: [log], start: 'beginning' };
    writeConfig(folder.path, { defaults: FOREVER, jails: { login: jail } });
    const daemon = await startDaemon({
      ...{ folder: folder.path, bailiff: stage.built.bailiff, args: ['--firewall', 'memory'] },
    });
    try {
      const took: number[] = [];
      /** The answer that all is read is none of those: it commits what was counted, and waits for that. */
      let last = 0;
      const began = performance.now();
      let isOver = false;
      while (!isOver && performance.now() - began < 180_000) {
        const from = performance.now();
        isOver = (await daemon.status()).caughtUp;
        if (isOver) last = performance.now() - from;
        else took.push(performance.now() - from);
        await sleep(50);
      }
      const seconds = (performance.now() - began) / 1_000;
      const most = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1];
      const view = await daemon.status();
      const read = view.sources[0]!.lines;
      if (isOver) mustEqual('lines read', read, lines);
      const size = `${digits(input.bytes / 1e6)} MB of backlog`;
      const detail = `p50 ${digits(rank(took, 0.5))}, worst ${digits(rank(took, 1))} ms of ${took.length} answers within ${digits(seconds)} s, ${isOver ? `until all was read; the answer that says so, which commits, took ${digits(last)} ms` : `when ${read} of ${lines} lines were read`}`;
      return [
        {
          what: `status while ${size} is read, p99`,
          value: rank(took, 0.99),
          unit: 'ms',
          atMost: 50,
          detail,
        },
        { what: `most memory while ${size} is read`, value: Number(most) / 1_024, unit: 'MiB' },
      ];
    } finally {
      await daemon.end();
      folder.remove();
    }
  },
};

const FILES = 50;

export const idle: Bench = {
  name: 'idle',
  what: `the processor that a daemon with ${FILES} quiet files takes within a minute, with nft beside it`,
  run: (stage) =>
    enforcing(
      stage,
      async (scene) => {
        const { pid } = scene.daemon();
        const seconds = stage.small ? 3 : 60;
        await sleep(stage.small ? 1_000 : 15_000);
        const taken = (): number => familyOf(pid).reduce((sum, one) => sum + processorTime(one), 0);
        const from = taken();
        await sleep(seconds * 1_000);
        const cpu = taken() - from;
        return [
          {
            ...{ what: `idle processor with ${FILES} quiet files`, value: (cpu / seconds) * 100, unit: '%' },
            detail: `${digits(cpu * 1_000)} ms within ${seconds} s, daemon and children`,
          },
        ];
      },
      (log) =>
        Object.fromEntries(
          Array.from({ length: FILES }, (_, n) => {
            writeFileSync(`${log}.${n}`, '');
            return [`quiet-${n}`, { filter: 'nginx-login', logs: [`${log}.${n}`] }];
          }),
        ),
    ),
};

export const memory: Bench = {
  name: 'memory',
  what: 'resident memory of daemon and children: idle, with 100 000 bans, with 100 000 offenders',
  async run(stage) {
    const count = stage.small ? 500 : 100_000;
    const addresses = Array.from({ length: count }, (_, n) => ipv4(1_000 + n));
    const lines = addresses.map(failedLogin).join('');
    const settled = async (scene: Enforcing): Promise<ReturnType<typeof memoryOf>> => {
      await scene.daemon().caughtUp();
      await sleep(stage.small ? 500 : 15_000);
      return memoryOf(scene.daemon().pid);
    };
    const figures: Figure[] = [];
    const tell = (what: string, atMost: number, { rss, pss, processes }: ReturnType<typeof memoryOf>): void =>
      void figures.push({
        ...{ what: `resident, ${what}`, value: rss, unit: 'MiB', atMost },
        detail: `RSS of ${processes} processes; what is shared counted once (PSS) ${digits(pss)} MiB`,
      });
    await enforcing(stage, async (scene) => tell('idle', 80, await settled(scene)));
    await enforcing(stage, async (scene) => {
      const allHeld = await watchFor(scene.server, scene.set, addresses);
      scene.append(lines);
      await allHeld();
      tell(`${count} bans`, 150, await settled(scene));
    });
    await enforcing(
      stage,
      async (scene) => {
        scene.append(lines);
        const after = await settled(scene);
        const jail = (await scene.daemon().status()).jails.find(({ name }) => name === 'patient');
        mustEqual('offenders', jail!.offenders, count + 1);
        tell(`${count} offenders`, 150, after);
      },
      (log) => ({ patient: { filter: 'nginx-login', logs: [log], maxRetry: 5 } }),
    );
    return figures;
  },
};
