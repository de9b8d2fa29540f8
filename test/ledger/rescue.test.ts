// A daemon is not to be kept from blocking by its ledger: damaged, without room, or on a disk that may only be read.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Ledger } from '../../src/ledger/contract.ts';
import { openInAnyWeather } from '../../src/ledger/index.ts';
import { damage } from '../support/damage.ts';
import { T0, ban, commitOf, ledgerIn, offender, position, stateFolder } from './support.ts';
import { rememberedBy } from '../support/remembered.ts';

const UNAVAILABLE = { code: 'E_LEDGER_UNAVAILABLE' };

/** Opened as a daemon does; its shelter is beside the state. */
function rescueIn(folder: string): Ledger & { readonly shelter: string } {
  const shelter = join(folder, '..', 'run', 'ledger');
  const ledger = openInAnyWeather(folder, shelter, () => T0);
  onTestFinished(() => ledger.close());
  return { ...ledger, shelter };
}

/** A state folder on a file system of its own. */
function smallDisk(): string {
  const folder = join(stateFolder(), 'small');
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return folder;
}

function fill(folder: string): () => void {
  const ballast = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(ballast, Buffer.alloc(Number(bavail) * Number(bsize)));
  return () => rmSync(ballast);
}

/** In order; by a signal, with its log and the index of that beside it; by a power cut, without the index. */
const ENDS = ['closed', 'killed', 'cut'] as const;

async function somethingIn(folder: string, end: (typeof ENDS)[number]): Promise<void> {
  const ledger = ledgerIn(folder);
  const commit = { positions: [position()], offenders: [offender('192.0.2.7')], bans: [ban(1, '192.0.2.8')] };
  await ledger.commit(commitOf(commit), true);
  const parts = ['ledger.sqlite', 'ledger.sqlite-wal', 'ledger.sqlite-shm'].map((name) => join(folder, name));
  const bytes = parts.map((file) => readFileSync(file));
  ledger.close();
  const left = { closed: 0, cut: 2, killed: 3 }[end];
  parts.slice(0, left).forEach((file, index) => writeFileSync(file, bytes[index]!, { mode: 0o600 }));
}

/** What a second daemon that starts on it knows. */
function knownIn(ledger: Ledger): object {
  const { positions, offenders, openBans, nextBanId } = rememberedBy(ledger);
  return {
    positions: positions.length,
    offenders: offenders.length,
    bans: openBans.map(({ id }) => id),
    nextBanId,
  };
}
const SOMETHING = { positions: 1, offenders: 1, bans: [1], nextBanId: 2 };

describe.runIf(process.getuid?.() === 0)('a disk that is full, or read-only, at the start', () => {
  const FAULTS: Record<string, (folder: string) => () => void> = {
    full: fill,
    'read-only'(folder) {
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      return () => execFileSync('mount', ['-o', 'remount,rw', folder]);
    },
  };
  const rows = Object.keys(FAULTS).flatMap((fault) => ENDS.map((end) => ({ fault, end })));

  it.each(rows)(
    '($fault, $end before) keeps nothing from being known, and takes all once it is over',
    async ({ fault, end }) => {
      const folder = smallDisk();
      await somethingIn(folder, end);
      const mend = FAULTS[fault]!(folder);
      const ledger = rescueIn(folder);
      // On a full disk the files that were there are enough, if they are all there.
      const isSheltered = fault === 'read-only' || end !== 'killed';
      const why = expect.stringMatching(/full|written|opened|failed/);
      expect(ledger.rescue).toEqual(isSheltered ? { kind: 'sheltered', why } : undefined);
      expect(knownIn(ledger)).toEqual(SOMETHING);
      const more = commitOf({ positions: [position({ id: 'two' })], bans: [ban(2, '192.0.2.9')] });
      await expect(ledger.commit(more, true)).rejects.toMatchObject(UNAVAILABLE);
      expect(() => ledger.remember('abc', 1)).toThrow(expect.objectContaining(UNAVAILABLE));
      expect(knownIn(ledger)).toEqual(SOMETHING);
      mend();
      await ledger.commit(more, true);
      expect(existsSync(ledger.shelter)).toBe(false);
      ledger.close();
      const after = rescueIn(folder);
      expect(after.rescue).toBeUndefined();
      expect(knownIn(after)).toEqual({ positions: 2, offenders: 1, bans: [1, 2], nextBanId: 3 });
    },
  );

  it.each(Object.keys(FAULTS))(
    '(%s) before there was any ledger begins with nothing, and one is made when it is over',
    async (fault) => {
      const folder = smallDisk();
      const mend = FAULTS[fault]!(folder);
      const ledger = rescueIn(folder);
      expect(knownIn(ledger)).toEqual({ positions: 0, offenders: 0, bans: [], nextBanId: 1 });
      const first = commitOf({ bans: [ban(1, '192.0.2.8')] });
      await expect(ledger.commit(first, true)).rejects.toMatchObject(UNAVAILABLE);
      expect(() => ledger.remember('abc', 1)).toThrow(expect.objectContaining(UNAVAILABLE));
      mend();
      await ledger.commit(first, true);
      ledger.close();
      expect(knownIn(rescueIn(folder))).toMatchObject({ bans: [1] });
    },
  );

  it('is no reason to go on beside a ledger that has become another', async () => {
    const folder = smallDisk();
    await somethingIn(folder, 'closed');
    FAULTS['read-only']!(folder);
    const ledger = rescueIn(folder);
    execFileSync('mount', ['-o', 'remount,rw', folder]);
    const other = new Database(join(folder, 'ledger.sqlite'));
    other.exec(
      `INSERT INTO reports (jail, id, at, address, outcome) VALUES ('app', 'r', 1, '192.0.2.1', 'counted')`,
    );
    other.close();
    const mine = commitOf({ bans: [ban(2, '192.0.2.9')] });
    await expect(ledger.commit(mine, false)).rejects.toMatchObject({
      message: expect.stringContaining('restart'),
    });
    ledger.close();
    expect(knownIn(rescueIn(folder))).toEqual(SOMETHING);
  });
});

describe('a ledger that is damaged', () => {
  it.each([
    ['is no database at all', (bytes: Buffer) => void bytes.fill('x', 0, 100)],
    ['has lost its tables', (bytes: Buffer) => void bytes.fill(0, 4_096)],
    ['has lost its end', (bytes: Buffer) => bytes.subarray(0, 3 * 4_096)],
  ])('because it %s is kept aside whole, and a new one begun', async (_, damage) => {
    const folder = stateFolder();
    await somethingIn(folder, 'closed');
    const file = join(folder, 'ledger.sqlite');
    const bytes = readFileSync(file);
    writeFileSync(file, damage(bytes) ?? bytes);
    const damaged = readFileSync(file);
    const ledger = rescueIn(folder);
    const kept = readdirSync(folder).filter((name) => name.includes('damaged'));
    expect(kept).toEqual([expect.stringMatching(/^ledger\.sqlite\.damaged-\d{8}T\d{6}Z$/)]);
    const to = join(folder, kept[0]!);
    expect(ledger.rescue).toMatchObject({ kind: 'set-aside', to });
    expect(readFileSync(to)).toEqual(damaged);
    await ledger.commit(commitOf({ bans: [ban(1, '192.0.2.9')] }), true);
    ledger.close();
    expect(rescueIn(folder).rescue).toBeUndefined();
  });
});

describe('a ledger that is damaged while it is open', () => {
  const files = (folder: string) => readdirSync(folder).toSorted();

  it('is kept aside at the next commit, and nothing is written to the new one before all is brought', async () => {
    const folder = stateFolder();
    await somethingIn(folder, 'closed');
    const file = join(folder, 'ledger.sqlite');
    const ledger = rescueIn(folder);
    damage(file);
    const damaged = readFileSync(file);
    // Whoever asks it finds out first, and is refused.
    expect(() => ledger.bans({ all: true, limit: 9 })).toThrow(expect.objectContaining(UNAVAILABLE));
    const more = commitOf({ bans: [ban(2, '192.0.2.9')] });
    const aside = await ledger.commit(more, false);
    expect(aside).toMatchObject({ kind: 'set-aside', why: expect.stringContaining('damaged') });
    expect(readFileSync(aside!.to)).toEqual(damaged);
    expect(knownIn(ledger)).toEqual({ positions: 0, offenders: 0, bans: [], nextBanId: 1 });
    expect(await ledger.commit(more, true)).toBeUndefined();
    expect(ledger.bans({ limit: 9 }).map(({ id }) => id)).toEqual([2]);
    await ledger.upkeep.checkpoint();
    ledger.close();
    expect(knownIn(rescueIn(folder))).toMatchObject({ bans: [2] });
  });

  it('has its bans taken from the kernel where the daemon dies before it has filled the new one', async () => {
    const folder = stateFolder();
    await somethingIn(folder, 'closed');
    const ledger = rescueIn(folder);
    damage(join(folder, 'ledger.sqlite'));
    const { to } = (await ledger.commit(commitOf({ bans: [ban(2, '192.0.2.9')] }), false))!;
    ledger.close();
    const next = rescueIn(folder);
    expect(next.rescue).toMatchObject({ kind: 'set-aside', to });
    await next.commit(commitOf({ bans: [ban(1, '192.0.2.9')] }), false);
    next.close();
    expect(rescueIn(folder).rescue).toBeUndefined();
  });

  it.runIf(process.getuid?.() === 0)('waits on a full disk until a new one can be made', async () => {
    const folder = smallDisk();
    await somethingIn(folder, 'closed');
    const ledger = rescueIn(folder);
    damage(join(folder, 'ledger.sqlite'));
    const makeRoom = fill(folder);
    const more = commitOf({ bans: [ban(2, '192.0.2.9')] });
    await expect(ledger.commit(more, false)).rejects.toMatchObject(UNAVAILABLE);
    expect(() => ledger.bans({ limit: 9 })).toThrow(expect.objectContaining(UNAVAILABLE));
    await expect(ledger.commit(more, false)).rejects.toMatchObject(UNAVAILABLE);
    makeRoom();
    expect(await ledger.commit(more, false)).toMatchObject({ kind: 'set-aside' });
    expect(await ledger.commit(more, false)).toBeUndefined();
    expect(files(folder).filter((name) => /damaged-\w+$/.test(name))).toHaveLength(1);
  });
});

describe('a ledger that another program', () => {
  it('writes to at the start is opened, and commits wait for it', async () => {
    const folder = stateFolder();
    await somethingIn(folder, 'closed');
    const visitor = new Database(join(folder, 'ledger.sqlite'));
    onTestFinished(() => void visitor.close());
    visitor.exec('BEGIN IMMEDIATE');
    const ledger = rescueIn(folder);
    expect(ledger.rescue).toBeUndefined();
    expect(knownIn(ledger)).toEqual(SOMETHING);
    const more = commitOf({ bans: [ban(2, '192.0.2.9')] });
    await expect(ledger.commit(more, false)).rejects.toMatchObject(UNAVAILABLE);
    visitor.exec('ROLLBACK');
    await ledger.commit(more, false);
  });

  it('holds for itself alone is neither copied nor kept aside', async () => {
    const folder = stateFolder();
    await somethingIn(folder, 'closed');
    const visitor = new Database(join(folder, 'ledger.sqlite'));
    onTestFinished(() => void visitor.close());
    visitor.pragma('locking_mode = EXCLUSIVE');
    visitor.exec('BEGIN EXCLUSIVE');
    expect(() => rescueIn(folder)).toThrow(expect.objectContaining(UNAVAILABLE));
    visitor.close();
    expect(knownIn(rescueIn(folder))).toEqual(SOMETHING);
  });
});
