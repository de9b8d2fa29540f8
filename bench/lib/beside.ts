// Ours and the others on one input, in turns within one run: machine, cache and neighbours are the same for all.
import { join } from 'node:path';
import { findProgram } from '../../test/support/programs.ts';
import type { Stage } from './bench.ts';
import { digits, rate, type Figure } from './figures.ts';
import { ROOT } from './places.ts';
import { middle, readByDaemon, replayed, type Reading, type Took } from './reading.ts';
import { timed } from './timing.ts';
import { mustBe, mustEqual, type Verdict } from './verdicts.ts';

export interface Peer {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** The number that it must print. */
  readonly prints?: number;
  /** @throws WrongVerdict where it printed another verdict. */
  readonly check?: (printed: string) => void;
}

/** A program of the host as a peer; undefined, and said, where it is missing. */
export function peer(
  stage: Stage,
  file: string,
  args: readonly string[],
  prints?: number,
  name = file,
): Peer | undefined {
  const path = findProgram(file);
  if (path === undefined) {
    stage.leaveOut(`against ${name}`, `${file} is not installed`);
    return undefined;
  }
  return { name, file: path, args, ...(prints !== undefined && { prints }) };
}

async function once(one: Peer): Promise<Took> {
  const took = await timed(one.file, one.args);
  if (took.code !== 0) throw new Error(`${one.name} ended with ${took.code}: ${took.stderr}`);
  if (one.prints !== undefined) mustEqual(`what ${one.name} counts`, Number(took.stdout), one.prints);
  one.check?.(took.stdout);
  return took;
}

const BARE = 'the least program in Node';

/** `bench/bare.ts` over a reading's log: what any program in Node pays that counts what it finds. */
export function bare(stage: Stage, kind: string, { input, verdicts }: Reading): Peer {
  return {
    ...{ name: BARE, file: stage.built.node, args: [join(ROOT, 'bench/bare.ts'), kind, input.path] },
    check(printed) {
      const said = JSON.parse(printed) as { lines: number; verdicts: Record<string, Verdict> };
      mustEqual(`lines that ${BARE} reads`, said.lines, input.lines);
      for (const [jail, { matches, banned }] of Object.entries(verdicts)) {
        mustEqual(`matches of ${jail} by ${BARE}`, said.verdicts[jail]!.matches, matches);
        mustBe(`bans of ${jail} by ${BARE}`, said.verdicts[jail]!.banned, banned);
      }
    },
  };
}

/** Node that reads a file as text and looks for a literal in it, without lines: a script's least. To search bytes can be quicker. */
const READS = `
const { openSync, readSync } = require('node:fs');
const [file, buffer] = [openSync(process.argv[1], 'r'), Buffer.alloc(1 << 18)];
let n = 0;
for (let read; (read = readSync(file, buffer)) > 0; ) {
  const text = buffer.latin1Slice(0, read);
  for (let at = text.indexOf(process.argv[2]); at >= 0; at = text.indexOf(process.argv[2], at + 1)) n++;
}
if (n < 1) process.exit(1);`;
export const readsOnly = (stage: Stage, path: string, literal: string): Peer => ({
  ...{ name: 'Node alone, reading and one literal', file: stage.built.node },
  args: ['-e', READS, path, literal],
});

const told = (name: string, { seconds, cpu }: Took, lines: number): string =>
  `${name} ${digits(seconds)} s (${rate(lines, seconds)}, processor ${digits(cpu)} s)`;

/**
 * Reads `reading` by the daemon and by `replay` and compares each with the first peer.
 * @param others their figures stand beside it.
 */
export async function beside(
  stage: Stage,
  name: string,
  reading: Reading,
  against: Peer | undefined,
  others: readonly (Peer | undefined)[],
  atMost: number,
): Promise<Figure[]> {
  const peers = [against, ...others].filter((one) => one !== undefined);
  const [daemon, replay]: [Took[], Took[]] = [[], []];
  const theirs = peers.map((): Took[] => []);
  // The first look brings the file into the cache.
  if (peers[0]) await once(peers[0]);
  for (let round = 0; round < stage.rounds; round++) {
    for (const [index, one] of peers.entries()) theirs[index]!.push(await once(one));
    stage.say(`${name}: the daemon reads`);
    daemon.push(await readByDaemon(stage, reading));
    stage.say(`${name}: replay`);
    replay.push(await replayed(stage, reading));
  }
  const { lines } = reading.input;
  const sides = peers.map((one, index) => told(one.name, middle(theirs[index]!), lines));
  const figures = (
    [
      ['daemon', daemon],
      ['replay', replay],
    ] as const
  ).map(([way, all]): Figure => {
    const ours = middle(all);
    const detail = [told('ours', ours, lines), ...sides].join('; ');
    if (!against) return { what: `${name}, ${way}`, value: ours.seconds, unit: 's', detail };
    const first = middle(theirs[0]!);
    const ratio = ours.seconds / first.seconds;
    const byProcessor = `by processor time ${digits(ours.cpu / first.cpu)} ×`;
    return {
      what: `${name}, ${way}, time against ${against.name}`,
      value: ratio,
      unit: '×',
      atMost,
      detail: `${byProcessor}; ${detail}`,
    };
  });
  return figures;
}
