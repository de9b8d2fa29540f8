// How throughput and memory go with the number of jails, files and offenders: as numbers and as a picture.
import { appendFileSync, mkdirSync, closeSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon } from '../../test/support/daemon.ts';
import { temporaryFolder } from '../../test/support/leftovers.ts';
import { accessLog, type AccessTruth } from '../inputs/access.ts';
import { dealtLog, dealtReading } from '../inputs/dealt.ts';
import { RULES } from '../inputs/rules.ts';
import { ipv4 } from '../lib/addresses.ts';
import type { Bench, Stage } from '../lib/bench.ts';
import { failedLogin, LIMITS } from '../lib/enforcing.ts';
import { digits, rate, type Figure } from '../lib/figures.ts';
import { inputOf, type Input } from '../lib/inputs.ts';
import { FOREVER, middle, readByDaemon, untilRead, writeConfig } from '../lib/reading.ts';
import type { Reading, Took } from '../lib/reading.ts';
import { picture } from '../lib/svg.ts';
import { bytesRead, memoryOf } from '../lib/timing.ts';
import { mustEqual } from '../lib/verdicts.ts';
import { ruleFilters, ruleJails } from './access.ts';

type Points = [x: number, y: number][];

export const growth: Bench = {
  name: 'growth',
  what: 'throughput with 1, 10 and 100 jails on one file and with as many files, memory with 1 000 to 1 000 000 offenders',
  async run(stage) {
    const input = inputOf('access', stage.small ? 20_000 : 500_000, accessLog());
    const dealt = inputOf('dealt', stage.small ? 20_000 : 500_000, dealtLog);
    const [jails, same, files]: [Points, Points, Points] = [[], [], []];
    const processor: Points = [];
    const counts = stage.small ? [1, 10] : [1, 10, 100];
    for (const count of counts) {
      stage.say(`${count} jails`);
      const { seconds, cpu } = await readOften(stage, dealtReading(dealt, count));
      jails.push([count, dealt.lines / seconds]);
      processor.push([count, dealt.lines / cpu]);
      stage.say(`${count} jails with the same rules`);
      same.push([count, input.lines / (await readOften(stage, sameRules(input, count))).seconds]);
      stage.say(`${count} files`);
      files.push([count, await withFiles(stage, input, count)]);
    }
    const held: Points = [];
    for (const count of stage.small ? [1_000, 3_000] : [1_000, 10_000, 100_000, 1_000_000]) {
      stage.say(`${count} offenders`);
      held.push([count, await withOffenders(stage, count)]);
    }
    stage.draw(
      'growth',
      picture([
        {
          ...{ title: 'Throughput of the daemon', x: 'jails on one file; files', y: 'lines a second' },
          curves: [
            { name: 'jails', points: jails },
            { name: 'jails with the same rules', points: same },
            { name: 'files', points: files },
          ],
        },
        {
          ...{ title: 'Memory of the daemon', x: 'offenders', y: 'MiB resident' },
          curves: [{ name: 'offenders', points: held }],
        },
      ]),
    );
    const ratio = (points: Points): number => points.at(-1)![1] / points[0]![1];
    const told = (points: Points): string => points.map(([x, y]) => `${x}: ${rate(y, 1)}`).join(', ');
    const most = held.at(-1)!;
    const perOffender = ((most[1] - held[0]![1]) * 2 ** 20) / (most[0] - held[0]![0]);
    const figures: Figure[] = [
      {
        ...{ what: `throughput with ${counts.at(-1)} jails on one file, against one`, value: ratio(jails) },
        ...{
          unit: '×',
          atLeast: 0.5,
          detail: `each with a filter of its own, all together the same lines; ${told(jails)}; by processor time ${digits(ratio(processor))} × (${told(processor)})`,
        },
      },
      {
        ...{ what: `the same with six rules in ${counts.at(-1)} jails`, value: ratio(same), unit: '×' },
        detail: `${told(same)}; each match counts, and bans, in each jail that has its rule: in ${Math.ceil(counts.at(-1)! / RULES.length)} of the most`,
      },
      {
        ...{ what: `throughput with ${counts.at(-1)} files, against one`, value: ratio(files), unit: '×' },
        detail: `${told(files)}; the same lines, dealt out`,
      },
      {
        ...{ what: 'memory for each offender', value: perOffender, unit: 'bytes' },
        detail: held.map(([x, y]) => `${x}: ${digits(y)} MiB`).join(', '),
      },
    ];
    return figures;
  },
};

/** So many jails, which have the six rules in turn. */
function sameRules(input: Input<AccessTruth>, count: number): Reading {
  const each = Object.entries(ruleJails());
  const all = Array.from({ length: count }, (_, n) => {
    const [rule, jail] = each[n % each.length]!;
    return { name: `${rule}-${n}`, jail, verdict: input.truth.rules[rule]! };
  });
  return {
    ...{ input, filters: ruleFilters() },
    jails: Object.fromEntries(all.map(({ name, jail }) => [name, jail])),
    verdicts: Object.fromEntries(all.map(({ name, verdict }) => [name, verdict])),
  };
}

async function readOften(stage: Stage, reading: Reading): Promise<Took> {
  const took: Took[] = [];
  for (let round = 0; round < stage.rounds; round++) took.push(await readByDaemon(stage, reading));
  return middle(took);
}

/** Lines a second where they stand in so many files, all there at the start of the reading. */
async function withFiles(stage: Stage, input: Input<AccessTruth>, count: number): Promise<number> {
  const folder = temporaryFolder('bench-files');
  const [logs, aside] = [join(folder.path, 'logs'), join(folder.path, 'aside')];
  for (const one of [logs, aside]) mkdirSync(one);
  const jails = Object.fromEntries(
    Object.entries(ruleJails()).map(([name, jail]) => [
      name,
      { ...jail, logs: [join(logs, '*.log')], start: 'beginning' },
    ]),
  );
  writeConfig(folder.path, { defaults: FOREVER, jails }, ruleFilters());
  const paths = deal(input.path, aside, count);
  const daemon = await startDaemon({
    ...{ folder: folder.path, bailiff: stage.built.bailiff, args: ['--firewall', 'memory'] },
  });
  try {
    await daemon.caughtUp();
    const readBefore = bytesRead(daemon.pid);
    const began = performance.now();
    for (const path of paths) renameSync(join(aside, path), join(logs, path));
    await untilRead(daemon, input.lines, readBefore + input.bytes);
    const seconds = (performance.now() - began) / 1_000;
    const status = await daemon.status();
    // In which order files are read is nobody's business, so who is banned is not told beforehand.
    for (const { name } of RULES)
      mustEqual(
        `matches of ${name} in ${count} files`,
        status.jails.find((jail) => jail.name === name)!.matches,
        input.truth.rules[name]!.matches,
      );
    return input.lines / seconds;
  } finally {
    await daemon.end();
    folder.remove();
  }
}

/** Cuts a file into so many, at line ends. @returns their names. */
function deal(path: string, folder: string, count: number): string[] {
  const names = Array.from({ length: count }, (_, n) => `${n}.log`);
  const [from, buffer] = [openSync(path, 'r'), Buffer.alloc(1 << 16)];
  let [index, kept] = [0, 0];
  for (;;) {
    const read = readSync(from, buffer, kept, buffer.length - kept, null);
    if (read === 0) break;
    const end = buffer.subarray(0, kept + read).lastIndexOf(10) + 1;
    const to = openSync(join(folder, names[index++ % count]!), 'a');
    writeSync(to, buffer, 0, end);
    closeSync(to);
    buffer.copy(buffer, 0, end, kept + read);
    kept += read - end;
  }
  closeSync(from);
  return names.slice(0, Math.min(count, index));
}

/** MiB of the daemon alone when it holds so many, each with one line. */
async function withOffenders(stage: Stage, count: number): Promise<number> {
  const folder = temporaryFolder('bench-offenders');
  const log = join(folder.path, 'access.log');
  const jail = { filter: 'nginx-login', logs: [log], start: 'beginning' };
  writeConfig(folder.path, { limits: LIMITS, jails: { login: jail } });
  for (let from = 0; from < count; from += 10_000) {
    const many = Array.from({ length: Math.min(10_000, count - from) }, (_, n) =>
      failedLogin(ipv4(from + n)),
    );
    appendFileSync(log, many.join(''), 'latin1');
  }
  const daemon = await startDaemon({
    ...{ folder: folder.path, bailiff: stage.built.bailiff, args: ['--firewall', 'memory'] },
  });
  try {
    await untilRead(daemon, count);
    // What reading needed is given back when there is time.
    await sleep(stage.small ? 500 : 10_000);
    const status = await daemon.status();
    mustEqual('offenders', status.jails[0]!.offenders, count);
    return memoryOf(daemon.pid).rss;
  } finally {
    await daemon.end();
    folder.remove();
  }
}
