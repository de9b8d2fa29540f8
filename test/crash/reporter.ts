// Applications that report while the daemon is killed: what has no answer is sent again under the same id, until it has one.
import { join } from 'node:path';
import { createClient } from '../../src/api/index.ts';
import type { Report } from '../../src/api/contract.ts';
import { pause } from './process.ts';
import { createRandom } from './random.ts';

const CLIENTS = 4;
/** Each has offenders of his own: what one of them is accused of comes in the same order in each run. */
const OFFENDERS = 3;
const BATCH = 5;
/** So long a client waits that has no answer. */
const AGAIN = 80;

export interface Reporter {
  /** So many steps of the script were written: so many more reports of each client may go. */
  allow(steps: number): void;
  /** Resolves when all that may go is answered. @throws where an answer contradicts itself. */
  settled(): Promise<void>;
  /** Sends everything once more. @returns what was answered to each report, first and again. */
  repeat(): Promise<string[]>;
  stop(): void;
}

/** @param start the stamp of the first report. */
export function createReporter(folder: string, seed: number, start: number): Reporter {
  const clients = Array.from({ length: CLIENTS }, (_, n) => createApplication(folder, seed, n, start));
  return {
    allow: (steps) => clients.forEach((client) => client.allow(steps)),
    settled: async () => void (await Promise.all(clients.map((client) => client.settled()))),
    repeat: async () => (await Promise.all(clients.map((client) => client.repeat()))).flat().toSorted(),
    stop: () => clients.forEach((client) => client.stop()),
  };
}

function createApplication(folder: string, seed: number, number: number, start: number) {
  const client = createClient(join(folder, 'run'), 'report');
  const random = createRandom(seed ^ (0xa99 + number));
  /** Its own: how many go together hangs on when they are answered. */
  const sizes = createRandom(seed ^ (0x512e + number));
  const reports: Report[] = [];
  const answers: string[] = [];
  let now = start;
  let stopped = false;
  let working: Promise<void> | undefined;

  function nextReport(): Report {
    now += random.below(20_000);
    return {
      jail: random.pick(['app', 'app', 'court']),
      address: `198.51.100.${number * OFFENDERS + random.below(OFFENDERS) + 1}`,
      outcome: random.pick([
        'failure',
        'failure',
        'failure',
        'failure',
        'failure',
        'failure',
        'success',
        'abuse',
      ]),
      // Some are late, as those of requests that took long.
      at: now - (random.below(8) === 0 ? random.below(400_000) : 0),
      id: `${number}-${reports.length}`,
    };
  }

  /** Asks until it is answered. */
  async function insist(batch: readonly Report[]): Promise<string[]> {
    while (!stopped) {
      try {
        const outcomes = await client.report({ reports: [...batch] });
        return outcomes.map(({ outcome, why = '' }) => `${outcome} ${why}`);
      } catch {
        await pause(AGAIN);
      }
    }
    return [];
  }

  async function work(): Promise<void> {
    while (answers.length < reports.length && !stopped) {
      const batch = reports.slice(answers.length, answers.length + 1 + sizes.below(BATCH));
      answers.push(...(await insist(batch)));
    }
  }

  return {
    allow(steps: number): void {
      for (let n = 0; n < steps; n++) reports.push(nextReport());
      working ??= work().finally(() => (working = undefined));
    },
    async settled(): Promise<void> {
      while (answers.length < reports.length && !stopped) await (working ??= work());
    },
    async repeat(): Promise<string[]> {
      const again: string[] = [];
      for (let from = 0; from < reports.length; from += 100)
        again.push(...(await insist(reports.slice(from, from + 100))));
      return reports.map(({ id }, n) => `${id} ${answers[n]}, again ${again[n]}`);
    },
    stop: () => void (stopped = true),
  };
}
