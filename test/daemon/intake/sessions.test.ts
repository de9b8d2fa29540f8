// What is remembered of sessions is part of the commit: a daemon that starts again knows what the last one knew.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseAddress } from '../../../src/address.ts';
import { createBans } from '../../../src/daemon/bans.ts';
import { createCommitter } from '../../../src/daemon/committer.ts';
import { createFaults } from '../../../src/daemon/telling/faults.ts';
import { createRegulars } from '../../../src/daemon/intake/regulars.ts';
import { createReportMemory } from '../../../src/daemon/reports/report-memory.ts';
import { createSessions } from '../../../src/daemon/intake/sessions.ts';
import type { Sessions } from '../../../src/daemon/intake/sessions.ts';
import { createScanner } from '../../../src/filters/index.ts';
import { sessionId } from '../../../src/filters/session-index.ts';
import type { Ledger } from '../../../src/ledger/contract.ts';
import { openLedger } from '../../../src/ledger/index.ts';
import { silentLog } from '../../../src/ports.ts';
import { createStandingClock } from '../../firewall/worlds.ts';
import { NOW, filterOf, pattern } from '../../filters/engine.ts';

const filter = filterOf({
  opens: [pattern('^conn <session> from <ip>$')],
  closes: [pattern('^conn <session> gone$'), pattern('^conn <session> gone from <ip>$')],
  match: [pattern('^conn <session> refused$')],
});

/** Scans lines of a log; whom they are about. */
function read(sessions: Sessions, lines: readonly string[], source = 'a.log'): string[] {
  const found: string[] = [];
  const text = lines.map((line) => `${line}\n`).join('');
  createScanner([filter]).scan(
    text,
    NOW,
    (_, match) => found.push(match.address.text),
    source,
    sessions.of(source),
  );
  return found;
}

function committerOf(ledger: Ledger, sessions: Sessions) {
  const clock = createStandingClock(NOW);
  const ports = { clock, log: silentLog, faults: createFaults(clock), at() {} };
  const hints = {
    regulars: createRegulars(),
    brakes: { takeDirty: () => ({ brakes: [] }), restore() {}, rewrite() {} },
  };
  const reports = createReportMemory(ledger);
  return createCommitter(ledger, () => [], sessions, createBans([], 1), reports, hints, ports);
}

function ledgerHere(): { ledger: Ledger; reopen: () => Ledger } {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-sessions-'));
  let ledger = openLedger(folder);
  onTestFinished(() => {
    ledger.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const reopen = (): Ledger => {
    ledger.close();
    return (ledger = openLedger(folder));
  };
  return { ledger, reopen };
}

describe('sessions', () => {
  test('outlive the daemon: what it committed, the next one knows', async () => {
    const { ledger, reopen } = ledgerHere();
    const sessions = createSessions([]);
    const committer = committerOf(ledger, sessions);
    read(sessions, ['conn 1 from 192.0.2.7', 'conn 2 from 192.0.2.8']);
    read(sessions, ['conn 1 from 192.0.2.9'], 'b.log');
    expect(await committer.commit(false)).toBe(true);
    read(sessions, ['conn 2 gone', 'conn 3 from 2001:db8::7', 'conn 4 from 192.0.2.6', 'conn 4 gone']);
    expect(await committer.commit(false)).toBe(true);
    // What is not committed belongs to lines that will be read again.
    read(sessions, ['conn 1 gone']);

    const next = createSessions(reopen().load().sessions);
    const refused = ['conn 1 refused', 'conn 2 refused', 'conn 3 refused', 'conn 4 refused'];
    expect(read(next, refused)).toEqual(['192.0.2.7', '2001:db8::7']);
    expect(read(next, refused, 'b.log')).toEqual(['192.0.2.9']);
  });

  test('keep what waits for their address', async () => {
    const { ledger, reopen } = ledgerHere();
    const sessions = createSessions([]);
    const committer = committerOf(ledger, sessions);
    read(sessions, ['conn 1 refused', 'conn 2 refused', 'conn 2 refused', 'conn 3 refused']);
    expect(await committer.commit(false)).toBe(true);
    expect(read(sessions, ['conn 3 gone from 192.0.2.9'])).toEqual(['192.0.2.9']);
    expect(await committer.commit(false)).toBe(true);
    // Not committed: the line will be read again.
    expect(read(sessions, ['conn 1 gone from 192.0.2.7'])).toEqual(['192.0.2.7']);

    const next = createSessions(reopen().load().sessions);
    const ends = ['conn 1 gone from 192.0.2.7', 'conn 2 gone from 2001:db8::7', 'conn 3 gone from 192.0.2.9'];
    expect(read(next, ends)).toEqual(['192.0.2.7', '2001:db8::7']);
    expect(read(next, ends)).toEqual([]);
  });

  test('are tried again when they can’t be written, and what came meanwhile wins', async () => {
    const { ledger, reopen } = ledgerHere();
    const sessions = createSessions([]);
    let isFull = true;
    const commit: Ledger['commit'] = (...what) => {
      if (!isFull) return ledger.commit(...what);
      // While the disk is asked, lines go on.
      read(sessions, ['conn 1 gone', 'conn 2 from 192.0.2.8', 'conn 4 from 192.0.2.6']);
      return Promise.reject(new Error('full'));
    };
    const committer = committerOf({ ...ledger, commit }, sessions);
    read(sessions, ['conn 1 from 192.0.2.7', 'conn 2 from 192.0.2.7', 'conn 3 from 192.0.2.7']);
    expect(await committer.commit(false)).toBe(false);
    isFull = false;
    expect(await committer.commit(false)).toBe(true);
    expect(sessions.dirty).toBe(0);

    const kept = reopen().load().sessions;
    expect(kept.map(({ session, address }) => [session, address?.text])).toEqual([
      ['3', '192.0.2.7'],
      ['2', '192.0.2.8'],
      ['4', '192.0.2.6'],
    ]);
  });

  test('make a commit due, once there are many', () => {
    const sessions = createSessions([]);
    const committer = committerOf(ledgerHere().ledger, sessions);
    expect(committer.isDue()).toBe(false);
    const address = parseAddress('192.0.2.7')!;
    for (let n = 0; n < 50_000; n++)
      sessions.of(`${n % 10}.log`).open('f', sessionId(String(n)), address, 0, 1);
    expect(committer.isDue()).toBe(true);
  });

  test('that no line is joined with any more leave memory and ledger', async () => {
    const { ledger, reopen } = ledgerHere();
    const sessions = createSessions([]);
    const committer = committerOf(ledger, sessions);
    read(sessions, ['conn 1 from 192.0.2.7']);
    await committer.commit(false);
    sessions.prune(NOW + 86_400_000);
    expect(sessions.dirty).toBe(0);
    sessions.prune(NOW + 86_400_001);
    await committer.commit(false);
    expect(reopen().load().sessions).toEqual([]);
  });

  test('go with the last line of a log that has been silent for as long: it will not be said to have come again', async () => {
    const { ledger, reopen } = ledgerHere();
    const sessions = createSessions([]);
    const committer = committerOf(ledger, sessions);
    sessions.of('a.log').keepLast('one', NOW);
    sessions.of('b.log').keepLast('two', NOW + 1);
    sessions.prune(NOW);
    await committer.commit(false);
    const both = reopen();
    expect(both.load().lastLines.map(({ line }) => line)).toEqual(['one', 'two']);

    // The next daemon forgets it as this one would have.
    const { sessions: known, lastLines } = both.load();
    const next = createSessions(known, lastLines);
    next.prune(NOW + 1);
    expect([next.of('a.log').lastLine, next.of('b.log').lastLine]).toEqual([undefined, 'two']);
    await committerOf(both, next).commit(false);
    expect(reopen().load().lastLines).toEqual([{ source: 'b.log', line: 'two', at: NOW + 1 }]);
  });
});
