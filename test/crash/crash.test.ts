// Killed by SIGKILL at random instants and at named points, the daemon ends where an uninterrupted one does.
// BAILIFF_CRASH_KILLS asks for more kills, or fewer: with fewer than 120 some points may not be died at.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { needs } from '../support/programs.ts';
import { bundle } from './bundle.ts';
import { difference } from './outcome.ts';
import { POINTS } from './points.ts';
import { crashRun } from './run.ts';

/** In all. */
const KILLS = Number(process.env['BAILIFF_CRASH_KILLS'] ?? 120);
/** Of a run. Longer runs would show nothing more, and what they leave would be larger. */
const KILLS_A_RUN = 100;
/** Where so many are asked for, nothing may have been left out by chance. */
const MANY = 120;
const STEPS = KILLS < MANY ? 250 : 320;
const RUNS = Math.ceil(KILLS / KILLS_A_RUN);
const SEEDS = Array.from({ length: RUNS }, (_, run) => 11 + run);

let folder: string;
let main: string;
/** What happened, in all runs together. */
const met: Record<string, number> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-bundle-'));
  main = await bundle(join(import.meta.dirname, '..', '..'), folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

needs(
  'root',
  'ip',
  'nft',
  'journalctl',
  'systemd-journal-remote',
)('after any crash', () => {
  test.concurrent.each(SEEDS)(
    'bans, counts, positions and kernel sets are those of a run without one (seed %i)',
    // A limit against hanging: many such runs share two cores.
    { timeout: 1_200_000 * RUNS },
    async (seed) => {
      const start = Date.now() - 2 * 86_400_000;
      const kills = Math.ceil(KILLS / RUNS);
      const calm = await crashRun({ seed, kills: 0, steps: STEPS, start, main });
      const killed = await crashRun({ seed, kills, steps: STEPS, start, main });
      for (const [what, times] of Object.entries(killed.met)) met[what] = (met[what] ?? 0) + times;
      expect(killed.kills).toBe(kills);
      // Said in full at once: another run at another time of day may not show it again.
      expect(difference(calm.outcome, killed.outcome)).toBeUndefined();
      // An outcome without bans, counts or blocks would be equal, and prove nothing.
      expect(calm.outcome.bans.length).toBeGreaterThan(20);
      for (const jail of ['joined', 'waiting', 'worker'])
        expect(calm.outcome.bans.some((ban) => ban.startsWith(`${jail} `))).toBe(true);
      expect(calm.outcome.offenders.length).toBeGreaterThan(15);
      expect(calm.outcome.logIns.length).toBeGreaterThan(5);
      expect(calm.outcome.kernel.length).toBeGreaterThan(3);
      expect(calm.outcome.positions).toHaveLength(3);
      expect(calm.outcome.brakes).toEqual([expect.stringMatching(/^rash tripped at /)]);
      const rash = calm.outcome.bans.filter((ban) => ban.startsWith('rash '));
      const enforced = calm.outcome.kernel.filter((block) => block.split(' ')[0]!.endsWith('_80'));
      expect(rash.length).toBeGreaterThan(enforced.length + 3);
      expect(calm.outcome.bans.some((ban) => ban.startsWith('unit '))).toBe(true);
      expect(calm.outcome.bans.filter((ban) => ban.startsWith('app ')).length).toBeGreaterThan(10);
      expect(calm.outcome.answers.length).toBeGreaterThan(STEPS);
      // A report that comes again is answered as it was.
      for (const answer of calm.outcome.answers) expect(answer).toMatch(/^\S+ (.*), again \1$/);
    },
  );

  test('each point was died at, and each kind of weather met', () => {
    const weather = ['random', 'reload', 'clock', 'child killed', 'commit failed'];
    // Fewer kills need not come to each point.
    const wanted = KILLS < MANY ? weather : [...Object.keys(POINTS), ...weather];
    expect(wanted.filter((what) => !(what in met))).toEqual([]);
  });
});
