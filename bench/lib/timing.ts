// How long programs take, and how much of the processor.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { run } from '../../test/support/run.ts';

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
/** Milliseconds after which a program hangs. */
const LONGEST = 600_000;

export interface Timed {
  /** From start to end, by the clock. */
  readonly seconds: number;
  /** Of the processor, all threads and children. */
  readonly cpu: number;
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Its processor time is accurate to some 10 ms. */
export async function timed(file: string, args: readonly string[], cwd?: string): Promise<Timed> {
  const began = performance.now();
  // The shell says what its children took, on a line of its own behind what they said.
  const script = '"$@"; code=$?; times >&2; exit $code';
  const ran = await run('/bin/sh', ['-c', script, 'sh', file, ...args], {
    timeout: LONGEST,
    ...(cwd !== undefined && { cwd }),
  });
  const seconds = (performance.now() - began) / 1_000;
  const said = ran.stderr.trimEnd().split('\n');
  const children = said.pop() ?? '';
  said.pop();
  const cpu = [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest),
    0,
  );
  return { seconds, cpu, code: ran.code, stdout: ran.stdout, stderr: said.join('\n') };
}

/** Seconds of the processor that a process has had, its threads included, its living children not. */
export function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Bytes that a process has read from wherever, its threads included. */
export function bytesRead(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))![1]);
}

/** A process and all below it. */
export function familyOf(pid: number): number[] {
  const family = [pid];
  for (const one of family) {
    let threads: string[] = [];
    try {
      threads = readdirSync(`/proc/${one}/task`);
    } catch {
      // It has just ended.
    }
    for (const thread of threads) {
      try {
        const children = readFileSync(`/proc/${one}/task/${thread}/children`, 'utf8').trim();
        if (children !== '') family.push(...children.split(' ').map(Number));
      } catch {
        // It has just ended.
      }
    }
  }
  return family;
}

/** MiB in memory of a process and all below it: what is theirs alone and their part of what is shared, and the whole. */
export function memoryOf(pid: number): { pss: number; rss: number; processes: number } {
  const total = { pss: 0, rss: 0, processes: 0 };
  for (const one of familyOf(pid)) {
    let text = '';
    try {
      text = readFileSync(`/proc/${one}/smaps_rollup`, 'utf8');
    } catch {
      continue;
    }
    const of = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1_024;
    total.pss += of('Pss');
    total.rss += of('Rss');
    total.processes++;
  }
  return total;
}
