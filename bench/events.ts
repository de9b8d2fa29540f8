// A program: what telling events costs the pipeline. `node bench/events.ts` prints lines a second with nobody there, with
// a reader of bans, and with a reader of everything, as ratios to a pipeline that knows of no events at all.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LiveEvent } from '../src/api/contract.ts';
import { createBans } from '../src/daemon/bans.ts';
import { createNewsroom } from '../src/daemon/telling/news.ts';
import type { Newsroom } from '../src/daemon/telling/news.ts';
import { applyChunk } from '../src/daemon/pipeline.ts';
import { createProtection } from '../src/daemon/host/protection.ts';
import { createSessions } from '../src/daemon/intake/sessions.ts';
import { NOTHING_KNOWN, seatJails } from '../src/daemon/sitting.ts';
import { createClock } from '../src/daemon/system.ts';
import type { Chunk } from '../src/model.ts';
import { createPlans, prepareSetup, takenAsProven } from '../src/setup/index.ts';
import { readWhole } from '../src/sources/index.ts';

const LINES = 100_000;
const ROUNDS = 15;
const clock = createClock();
const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-'));
const log = join(folder, 'access.log');
/** Every second line is a match, of ten thousand addresses: far more than any log has. */
const line = (index: number): string => {
  const [method, status] = index % 2 === 0 ? ['POST', 401] : ['GET', 200];
  const address = `10.0.${(index >> 8) % 40}.${index & 255}`;
  return `${address} - - [05/Jan/2026:10:11:12 +0000] "${method} /login HTTP/1.1" ${status} 12 "-" "curl/8"\n`;
};
writeFileSync(log, Array.from({ length: LINES }, (_, index) => line(index)).join(''));
const config = join(folder, 'jails.json');
writeFileSync(
  config,
  JSON.stringify({ jails: { login: { filter: 'nginx-login', logs: [log], maxRetry: 1000 } } }),
  {
    mode: 0o600,
  },
);
const result = prepareSetup({
  ...{ configFile: config, shippedFilters: join(import.meta.dirname, '..', 'filters') },
  ...{ trusted: { uid: process.geteuid!() }, proofs: takenAsProven, version: 'bench', everyFilter: false },
});
if (!result.ok) throw new Error(JSON.stringify(result.faults));
const { setup } = result;
const chunks: Chunk[] = [];
for await (const chunk of readWhole(log, clock)) chunks.push(chunk);

let told = 0;

/** One run through the pipeline. @returns milliseconds of the thread's own processor time. */
function pass(news: Newsroom | undefined): number {
  const ignores = setup.jails.map((jail) => jail.ignore);
  const protection = createProtection(setup.allow, ignores, { protectedNetworks: () => [] });
  const sittings = seatJails(setup, protection, () => NOTHING_KNOWN, clock.now());
  const plan = createPlans(
    sittings.all,
    ({ ready }) => ready,
    ({ ready }) => ready.config.logs,
  ).for(sittings.all);
  const [sessions, bans] = [createSessions([]), createBans([], 1, news?.onBan)];
  const { user, system } = process.threadCpuUsage();
  for (const chunk of chunks) {
    const journey = applyChunk(chunk, plan, sessions, bans, chunk.arrivedAt, news?.onVerdict());
    news?.applied(chunk, journey);
    // A line on which something broke would be measured as well, and mean nothing.
    if (journey.broken > 0) throw new Error('a line broke');
  }
  const after = process.threadCpuUsage();
  return (after.user - user + after.system - system) / 1_000;
}

function room(subscribe: boolean, kind?: LiveEvent['kind'][]): Newsroom {
  const news = createNewsroom(clock, true);
  if (subscribe)
    news.events.subscribe(kind ? { kind } : {}, (event) => (told += JSON.stringify(event).length));
  return news;
}

const ways: Record<string, () => number> = {
  'no events at all': () => pass(undefined),
  'nobody there': () => pass(room(false)),
  'a reader of bans': () => pass(room(true, ['ban'])),
  'a reader of everything': () => pass(room(true)),
};
const times = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
for (let round = 0; round <= ROUNDS; round++)
  for (const [name, run] of Object.entries(ways)) {
    const took = run();
    if (round > 0) times.get(name)!.push(took); // The first round is for the compiler.
  }
// The least of all rounds: whatever else the machine does only adds.
const least = (name: string): number => Math.min(...times.get(name)!);
const base = least('no events at all');
for (const name of Object.keys(ways))
  console.log(
    `${name}: ${(LINES / least(name)).toFixed(0)} thousand lines/s, ratio ${(base / least(name)).toFixed(3)}`,
  );
console.log(`${(told / 1e6).toFixed(0)} MB were told`);
rmSync(folder, { recursive: true });
