// Run by crash.test.ts: counts in two tables at once until it is killed. It says each number once it is committed.
import { writeSync } from 'node:fs';
import { openLedger } from '../../src/ledger/index.ts';
import { commitOf, offender, offsetIn, position } from './nouns.ts';

const ledger = openLedger(process.argv[2]!);
const from = offsetIn(ledger.load()) ?? 0;
writeSync(1, `open\n`);
for (let count = from + 1; ; count++) {
  // Enough offenders that a commit spans many pages of the log.
  const offenders = Array.from({ length: 40 }, (_, i) => offender(`192.0.2.${i}`, { nth: count }));
  await ledger.commit(commitOf({ positions: [position({ offset: count })], offenders }), count % 5 === 0);
  writeSync(1, `${count}\n`);
}
