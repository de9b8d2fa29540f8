// Killed by SIGKILL at random instants and at named points, the daemon ends where an uninterrupted one does.
import { expect, test } from 'vitest';
import { needs } from '../support/programs.ts';
import { crashRun } from './run.ts';

const KILLS = 24;
const STEPS = 500;

needs(
  'root',
  'ip',
  'nft',
  'journalctl',
  'systemd-journal-remote',
)('after any crash', () => {
  test.concurrent.each([11, 12])(
    'bans, counts, positions and kernel sets are those of a run without one (seed %i)',
    // Alone on two cores it takes a minute and a half; this is a limit against hanging.
    { timeout: 1_200_000 },
    async (seed) => {
      const start = Date.now() - 2 * 86_400_000;
      const calm = await crashRun({ seed, kills: 0, steps: STEPS, start });
      const killed = await crashRun({ seed, kills: KILLS, steps: STEPS, start });
      expect(killed.kills).toBe(KILLS);
      expect(killed.outcome).toEqual(calm.outcome);
      // An outcome without bans, counts or blocks would be equal, and prove nothing.
      expect(calm.outcome.bans.length).toBeGreaterThan(20);
      for (const jail of ['joined', 'waiting'])
        expect(calm.outcome.bans.some((ban) => ban.startsWith(`${jail} `))).toBe(true);
      expect(calm.outcome.offenders.length).toBeGreaterThan(15);
      expect(calm.outcome.logIns.length).toBeGreaterThan(5);
      expect(calm.outcome.kernel.length).toBeGreaterThan(3);
      expect(calm.outcome.positions).toHaveLength(3);
      expect(calm.outcome.bans.some((ban) => ban.startsWith('unit '))).toBe(true);
      expect(calm.outcome.bans.filter((ban) => ban.startsWith('app ')).length).toBeGreaterThan(10);
      expect(calm.outcome.answers.length).toBeGreaterThan(STEPS);
      // A report that comes again is answered as it was.
      for (const answer of calm.outcome.answers) expect(answer).toMatch(/^\S+ (.*), again \1$/);
    },
  );
});
