// A journalctl that goes on running and says nothing more: the folder that it watches is gone, or it was stopped.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createClock, createExec } from '../../src/daemon/system.ts';
import { silentLog, type Clock, type FeedExec } from '../../src/ports.ts';
import { createJournals, type Journals } from '../../src/sources/journals.ts';
import { appendToJournal } from '../support/journal.ts';
import { needs } from '../support/programs.ts';
import { eventually } from '../support/run.ts';
import { temporaryFolder } from './kit.ts';

const T0 = Date.parse('2026-01-05T10:00:00Z');
/** A minute takes 0.3 s. */
const HASTE = 200;
const hasty: Clock = {
  ...createClock(),
  schedule: (after, task) => createClock().schedule(after / HASTE, task),
};

/** Reads for ever; `messages` are those that have come so far. */
function follow(exec: FeedExec = createExec()) {
  const folder = temporaryFolder();
  const directory = folder.file('journal');
  mkdirSync(directory);
  const terms = ['_SYSTEMD_UNIT=ssh.service'];
  const messages: string[] = [];
  let journals: Journals | undefined;
  onTestFinished(async () => {
    await journals?.close();
    folder.remove();
  });
  return {
    directory,
    messages,
    write: (...numbers: number[]) =>
      appendToJournal(
        join(directory, 'live.journal'),
        numbers.map((n) => ({ at: T0 + n * 1_000, message: `n${n}` })),
      ),
    start() {
      const watches = [{ id: 'journal:ssh', terms, start: 'beginning' as const }];
      journals = createJournals(
        { watches, positions: [], directory },
        { clock: hasty, log: silentLog, exec },
      );
      void (async () => {
        for (let chunk = await journals.next(); chunk; chunk = await journals.next())
          messages.push(...(chunk.text.match(/n\d+$/gm) ?? []));
      })();
    },
    status: () => journals!.status()[0]!,
  };
}

needs('journalctl', 'systemd-journal-remote')('a deaf journalctl', () => {
  test('whose folder vanishes is told of, and what comes after it is read', async () => {
    const reader = follow();
    await reader.write(0, 1);
    reader.start();
    await eventually('all is read', () => reader.messages.length === 2);
    rmSync(reader.directory, { recursive: true });
    await eventually('it is told', () => reader.status().state === 'failed');
    expect(reader.status().faults.map(({ code }) => code)).toContain('E_JOURNAL_ENDED');
    mkdirSync(reader.directory);
    await reader.write(2, 3, 4);
    await eventually('the rest is read', () => reader.messages.length === 5);
    expect(reader.messages).toEqual(['n0', 'n1', 'n2', 'n3', 'n4']);
  });

  test('that says nothing of what has come is started anew, and each entry comes once', async () => {
    let isDeaf = true;
    let started = 0;
    const exec = createExec();
    const reader = follow({
      ...exec,
      follow(program, args) {
        started++;
        const feed = exec.follow(program, args);
        if (!feed || !isDeaf) return feed;
        return { ...feed, onReadable() {}, take: () => undefined };
      },
    });
    await reader.write(0, 1);
    reader.start();
    await eventually('it was started once more', () => started > 1);
    expect(reader.messages).toEqual([]);
    isDeaf = false;
    await eventually('all is read', () => reader.messages.length > 0);
    await reader.write(2);
    await eventually('what came later is read', () => reader.messages.length >= 3);
    expect(reader.messages).toEqual(['n0', 'n1', 'n2']);
  });
});
