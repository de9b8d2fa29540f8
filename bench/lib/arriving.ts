// Lines that arrive at a steady rate, written by a process of its own. This file is its program.
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { commonStamp } from '../inputs/access.ts';
import { ended } from '../../test/support/run.ts';
import { either } from './addresses.ts';

/** Milliseconds between two writes. */
const BETWEEN = 10;

export interface Arriving {
  /** Ends it. @returns how many lines it wrote, and for how many seconds. */
  end(): Promise<{ lines: number; seconds: number }>;
}

/** Appends `rate` lines a second to `log`, none of which matches, for `seconds` at most. */
export function startArriving(log: string, rate: number, seconds: number): Arriving {
  const self = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [self, log, String(rate), String(seconds)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  createInterface({ input: child.stdout }).on('line', (line) => (said = line));
  return {
    async end() {
      child.stdin.end();
      await ended(child);
      const [lines, took] = said.split(' ').map(Number);
      return { lines: lines ?? 0, seconds: took ?? 0 };
    },
  };
}

function write(log: string, rate: number, seconds: number): void {
  const file = openSync(log, 'a');
  const began = performance.now();
  let lines = 0;
  const stop = (): void => {
    clearInterval(timer);
    closeSync(file);
    console.log(`${lines} ${(performance.now() - began) / 1_000}`);
    process.exit();
  };
  const timer = setInterval(() => {
    const passed = performance.now() - began;
    if (passed > seconds * 1_000) return stop();
    const stamp = commonStamp(Date.now() / 1_000);
    let text = '';
    // What the timer missed is made up for, so that the rate holds.
    for (const due = Math.floor((passed * rate) / 1_000); lines < due; lines++)
      text += `${either(2_000_000 + (lines % 20_000))} - - [${stamp}] "GET /api/items?n=${lines} HTTP/1.1" 200 5120 "https://www.example.org/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/127.0"\n`;
    writeSync(file, text, null, 'latin1');
  }, BETWEEN);
  process.stdin.resume().once('end', stop);
}

const [, file, log, rate, seconds] = process.argv;
if (file === fileURLToPath(import.meta.url)) write(log!, Number(rate), Number(seconds));
