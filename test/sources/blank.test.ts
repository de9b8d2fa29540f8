// An empty log is not looked for elsewhere as long as nobody has touched it; once somebody has, it is.
import { appendFileSync, copyFileSync, truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { glance, noteBlank, type Blank } from '../../src/sources/glance.ts';
import { stage } from './kit.ts';

test('its lines are found in the copy, however long it was empty before', async () => {
  const { file, begin } = stage();
  const [log, copy] = [file('app.log'), file('app.log.1')];
  writeFileSync(log, '');
  const reader = begin(log);
  for (let second = 0; second < 5; second++) {
    await reader.take();
    reader.clock.advance(1_000);
  }
  appendFileSync(log, 'one\n');
  copyFileSync(log, copy);
  truncateSync(log);
  await reader.take();
  expect(reader.lines()).toEqual(['one']);
});

test('it is taken for untouched from the third look on, where its stamp is the same and not a fresh one', () => {
  const log = stage().file('app.log');
  writeFileSync(log, '');
  const at = glance(log);
  if (at.outcome !== 'file') throw new Error('it is there');
  let known: Blank | undefined;
  const looks: boolean[] = [];
  const look = (now: number, changed = at.changed): void => {
    const noted = noteBlank(known, { ...at, changed }, now);
    known = noted.blank;
    looks.push(noted.isUntouched);
  };
  look(0);
  look(50); // perhaps within the same tick of the kernel's clock
  look(1_000);
  look(2_000);
  look(3_000, at.changed + 1n);
  look(4_000, at.changed + 1n);
  look(5_000, at.changed + 1n);
  expect(looks).toEqual([false, false, false, true, false, false, true]);
});
