// A program: how much longer the same code takes when it ran a while ago. `node bench/rests.ts` decides on one failed log-in
// after another, each of which is a ban, with a rest before each, and walks over memory as a comparison that has nothing of
// ours. No file, ledger or kernel. A daemon that bans somebody once in a while always comes from a rest.
import '../src/cli/linear-regexes.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBans } from '../src/daemon/bans.ts';
import { applyChunk } from '../src/daemon/pipeline.ts';
import { createClock } from '../src/daemon/system.ts';
import type { Chunk } from '../src/model.ts';
import { temporaryFolder } from '../test/support/leftovers.ts';
import { ipv4 } from './lib/addresses.ts';
import { failedLogin, LIMITS, LOGIN } from './lib/enforcing.ts';
import { rank } from './lib/figures.ts';
import { now } from './lib/kernel.ts';
import { readySetup, seat } from './lib/seated.ts';

const LOG = '/var/log/nginx/access.log';
const RESTS = [0, 1, 5, 20, 60, 200];
/** Enough for V8 to compile everything in full. */
const WARM = 50_000;
const COUNT = 100;
const WALKED = 256 * 1024;
const LINE = 64;

const clock = createClock();
const folder = temporaryFolder('bench-rests');
try {
  const setup = readySetup(folder.path, { limits: LIMITS, jails: { login: { ...LOGIN, logs: [LOG] } } });
  const { plan, sessions, regulars } = seat(setup, clock);
  const bans = createBans([], 1);
  let attackers = 0;
  const decide = (): void => {
    applyChunk(
      chunkOf(failedLogin(ipv4(attackers++))),
      plan,
      sessions,
      bans,
      clock.now(),
      undefined,
      regulars,
    );
    if (bans.size !== attackers) throw new Error(`${bans.size} bans of ${attackers}`);
  };
  const memory = new Uint8Array(WALKED);
  const walk = (): void => {
    for (let at = 0; at < WALKED; at += LINE) memory[at]!++;
  };
  for (let n = 0; n < WARM; n++) {
    decide();
    walk();
    // As the ledger would.
    if (n % 1_000 === 0) bans.takeDirty();
  }
  console.log(`p50 of ${COUNT} each, after ${WARM} without a rest`);
  for (const rest of RESTS) {
    const [decided, walked] = [await timed(decide, rest), await timed(walk, rest)];
    console.log(
      `${String(rest).padStart(4)} ms of rest: a ban decided in ${decided.toFixed(3)} ms, ${WALKED >> 10} KiB walked over in ${walked.toFixed(3)} ms`,
    );
  }
} finally {
  folder.remove();
}

/** @returns milliseconds, the one in the middle. */
async function timed(work: () => void, rest: number): Promise<number> {
  const took: number[] = [];
  for (let n = 0; n < COUNT; n++) {
    if (rest > 0) await sleep(rest);
    const began = now();
    work();
    took.push(now() - began);
  }
  return rank(took, 0.5);
}

function chunkOf(text: string): Chunk {
  return {
    ...{ source: LOG, patterns: [LOG], file: LOG, text, bytes: Buffer.from(text, 'latin1') },
    ...{
      firstLine: 1,
      lines: 1,
      position: undefined,
      arrivedAt: clock.now(),
      live: true,
      commitFirst: false,
    },
  };
}
