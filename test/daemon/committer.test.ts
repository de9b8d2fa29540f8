// What waits for a ledger that can't be written is bounded, and what is let go of it is counted.
import { expect, onTestFinished, test } from 'vitest';
import { createBans } from '../../src/daemon/bans.ts';
import { createBrakes } from '../../src/daemon/brakes.ts';
import { createCommitter, GONE } from '../../src/daemon/committer.ts';
import { createRegulars } from '../../src/daemon/intake/regulars.ts';
import { createSessions } from '../../src/daemon/intake/sessions.ts';
import { createReportMemory } from '../../src/daemon/reports/report-memory.ts';
import { createFaults } from '../../src/daemon/telling/faults.ts';
import { BailiffError } from '../../src/errors.ts';
import type { Ledger } from '../../src/ledger/contract.ts';
import { openLedger } from '../../src/ledger/index.ts';
import { silentLog } from '../../src/ports.ts';
import { commitOf, net, offender, T0 } from '../ledger/nouns.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { createTestClock } from './clock.ts';
import { rememberedBy } from '../support/remembered.ts';

const stranger = (i: number) => net(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);

test('so many forgotten offenders wait to be taken out of the ledger; rows of those beyond stay, and are counted', async () => {
  const folder = temporaryFolder('committer');
  const ledger = openLedger(folder.path);
  onTestFinished(() => {
    ledger.close();
    folder.remove();
  });
  await ledger.commit(commitOf({ offenders: [0, GONE].map((i) => offender(stranger(i).text)) }), false);
  let isFull = true;
  const commit: Ledger['commit'] = (...what) =>
    isFull ? Promise.reject(new BailiffError('E_LEDGER_UNAVAILABLE', 'full')) : ledger.commit(...what);
  const clock = createTestClock(T0);
  const committer = createCommitter(
    { ...ledger, commit },
    () => [],
    createSessions([]),
    createBans([], 1),
    createReportMemory(ledger),
    {
      regulars: createRegulars(),
      brakes: createBrakes({ ruleOf: () => undefined, hasBehaved: () => false, log: silentLog }),
    },
    { clock, log: silentLog, faults: createFaults(clock), at() {} },
  );
  committer.forgetOffenders(
    'sshd',
    Array.from({ length: GONE + 7 }, (_, i) => stranger(i)),
  );
  expect(await committer.commit(false)).toBe(false);
  expect([committer.unforgotten, committer.keptTooLong]).toEqual([GONE, 7]);
  isFull = false;
  expect(await committer.commit(false)).toBe(true);
  expect([committer.unforgotten, committer.keptTooLong]).toEqual([0, 7]);
  // The last one's row outlives him until the next daemon prunes it.
  expect(rememberedBy(ledger).offenders.map(({ address }) => address.text)).toEqual([stranger(GONE).text]);
});
