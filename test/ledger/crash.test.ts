import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { openLedger } from '../../src/ledger/index.ts';
import { offsetIn } from './nouns.ts';
import { ledgerIn, stateFolder } from './support.ts';
import { rememberedBy } from '../support/remembered.ts';

const CHILD = fileURLToPath(new URL('./counting-child.ts', import.meta.url));

/** Starts a counting daemon. Its lines are read one at a time, and it is killed without notice. */
function startCounter(folder: string) {
  const child = spawn(process.execPath, [CHILD, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    /** @returns undefined once it is dead and everything that it said was read. */
    say: async (): Promise<string | undefined> => {
      const { value, done } = await lines.next();
      return done ? undefined : value;
    },
    kill: async (): Promise<void> => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

it(
  'kill -9 in the middle of commits: positions and counts always agree, and nothing that was said is lost',
  { timeout: 60_000 },
  async () => {
    const folder = stateFolder();
    let last = 0;
    for (let round = 0; round < 8; round++) {
      const counter = startCounter(folder);
      expect(await counter.say()).toBe('open');
      // A different number of commits each time, so that the kill falls on a different part of one.
      for (let heard = 0; heard < 3 + round * 2; heard++) last = Number(await counter.say());
      const dead = counter.kill();
      for (let line = await counter.say(); line !== undefined; line = await counter.say())
        last = Number(line);
      await dead;

      const ledger = openLedger(folder);
      const loaded = rememberedBy(ledger);
      const { offenders, damaged } = loaded;
      ledger.close();
      const counts = new Set([offsetIn(loaded), ...offenders.map((offender) => offender.nth)]);
      expect(counts.size).toBe(1);
      // Dead between its commit and its word, the ledger is one ahead.
      expect([last, last + 1]).toContain(offsetIn(loaded));
      expect([offenders.length, damaged]).toEqual([40, 0]);
    }
  },
);

it('the state belongs to one process, and to nobody once that was killed', async () => {
  const folder = stateFolder();
  const counter = startCounter(folder);
  expect(await counter.say()).toBe('open');
  expect(() => openLedger(folder)).toThrow(expect.objectContaining({ code: 'E_ALREADY_RUNNING' }));
  await counter.kill();
  ledgerIn(folder);
});

it('a daemon that was refused leaves the first one’s lock in force', async () => {
  const folder = stateFolder();
  ledgerIn(folder);
  // In this process a second look at the lock could loosen it: another process must still be kept out.
  expect(() => openLedger(folder)).toThrow();
  const other = spawn(process.execPath, [CHILD, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  other.stderr.on('data', (data) => (complaint += String(data)));
  const [status] = await once(other, 'close');
  expect(status).not.toBe(0);
  expect(complaint).toContain('E_ALREADY_RUNNING');
});
