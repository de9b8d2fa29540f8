// Which sources feed which jail, decided by what is there.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JailConfig } from '../../../src/config/contract.ts';
import { chooseSources } from '../../../src/daemon/intake/watches.ts';
import type { ReadyJail } from '../../../src/setup/index.ts';
import { temporaryFolder } from '../../support/leftovers.ts';
import type { TemporaryFolder } from '../../support/leftovers.ts';

const NOW = Date.parse('2026-01-05T10:00:00Z');
const SSH = ['_SYSTEMD_UNIT=ssh.service'];
const SSH_ID = 'journal:_SYSTEMD_UNIT=ssh.service';

let folder: TemporaryFolder;
let there: string;
let gone: string;
beforeEach(() => {
  folder = temporaryFolder('watches');
  there = join(folder.path, 'there.log');
  gone = join(folder.path, 'gone.log');
  writeFileSync(there, '');
});
afterEach(() => folder.remove());

function jail(name: string, config: Partial<JailConfig>, findTime = 600_000): ReadyJail {
  const whole = { filters: ['sshd'], logs: [], journal: [], sources: undefined, start: undefined, ...config };
  return { rules: { name, findTime }, config: whole } as unknown as ReadyJail;
}

/** @param journal does the host keep one? */
function choose(jails: readonly ReadyJail[], { journal = true, asksForInput = false } = {}) {
  const directory = join(folder.path, 'journal');
  mkdirSync(join(directory, 'machine'), { recursive: true });
  if (journal) writeFileSync(join(directory, 'machine', 'system.journal'), '');
  const feeding = chooseSources(jails, NOW, { asksForInput, directory });
  return { ...feeding, fed: jails.map((one) => feeding.patternsOf(one)) };
}

test('the journal is used where none of the logs exists, and then no log is waited for', () => {
  const glob = join(folder.path, 'gone*.log');
  expect(choose([jail('a', { logs: [gone, there], journal: SSH })]).fed).toEqual([[gone, there]]);
  const { fed, watches, journals } = choose([jail('a', { logs: [gone, glob], journal: SSH })]);
  expect(fed).toEqual([[SSH_ID]]);
  expect(watches).toEqual([]);
  expect(journals).toEqual([{ id: SSH_ID, terms: SSH, start: { since: NOW - 600_000 } }]);
});

test('where there is no journal the logs are waited for; a jail without logs waits for the journal', () => {
  const jails = [jail('a', { logs: [gone], journal: SSH }), jail('b', { journal: SSH })];
  expect(choose(jails, { journal: false }).fed).toEqual([[gone], [SSH_ID]]);
});

test('with "all" both are followed, whatever exists', () => {
  const all = { journal: SSH, sources: 'all' } as const;
  const jails = [jail('a', { ...all, logs: [there] }), jail('b', { ...all, logs: [gone] })];
  expect(choose(jails, { journal: false }).fed).toEqual([
    [there, SSH_ID],
    [gone, SSH_ID],
  ]);
});

test('jails with the same terms share the source; the longest findTime, or who says where, decides its start', () => {
  const two = [jail('a', { journal: SSH }), jail('b', { journal: SSH }, 900_000)];
  expect(choose(two).journals).toMatchObject([{ start: { since: NOW - 900_000 } }]);
  expect(choose([...two, jail('c', { journal: SSH, start: 'end' })]).journals).toMatchObject([
    { start: 'end' },
  ]);
});

test('a term with a blank is told from two terms', () => {
  const jails = [jail('a', { journal: ['_EXE=/a _PID=1'] }), jail('b', { journal: ['_EXE=/a', '_PID=1'] })];
  expect(choose(jails).fed).toEqual([['journal:"_EXE=/a _PID=1"'], ['journal:_EXE=/a _PID=1']]);
});

test('standard input is read by who names it', () => {
  const jails = [
    jail('a', { logs: ['-'] }),
    jail('b', { logs: [gone] }),
    jail('c', { logs: [there, '-'], journal: SSH }),
  ];
  for (const asksForInput of [false, true]) {
    const { fed, input, watches } = choose(jails, { asksForInput });
    expect(fed).toEqual([['-'], [gone], [there, '-']]);
    expect(input).toBe(true);
    expect(watches.map(({ pattern }) => pattern)).toEqual([gone, there]);
  }
});

test('`run -` feeds the jails without a log where none names it; their logs and journal are left alone', () => {
  const jails = [
    jail('a', { logs: [gone], journal: SSH }),
    jail('b', { logs: [there] }),
    jail('c', { filters: ['recidive'] }),
  ];
  const { fed, input, watches, journals } = choose(jails, { asksForInput: true });
  expect(fed).toEqual([['-'], [there], []]);
  expect([input, journals]).toEqual([true, []]);
  expect(watches.map(({ pattern }) => pattern)).toEqual([there]);
  expect(choose(jails.slice(1), { asksForInput: true }).input).toBe(false);
});
