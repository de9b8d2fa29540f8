import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { commitOf, ledgerIn, offender, position, reopened, stateFolder } from './support.ts';
import { rememberedBy } from '../support/remembered.ts';

const UNAVAILABLE = { code: 'E_LEDGER_UNAVAILABLE' };

/** Fills what is left of a file system. @returns how to make room again. */
function fill(folder: string): () => void {
  const ballast = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(ballast, Buffer.alloc(Number(bavail) * Number(bsize)));
  return () => rmSync(ballast);
}

const crowd = (nth: number) =>
  Array.from({ length: 2_000 }, (_, i) => offender(`10.0.${i >> 8}.${i & 255}`, { nth }));

describe.runIf(process.getuid?.() === 0)('a full disk', () => {
  it('refuses the commit whole, goes on answering, and takes it once there is room', async () => {
    const folder = join(stateFolder(), 'small');
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', folder]);
    onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
    const ledger = ledgerIn(folder);
    await ledger.commit(
      commitOf({ positions: [position({ offset: 1 })], offenders: [offender('10.0.0.0')] }),
      false,
    );

    const makeRoom = fill(folder);
    const next = commitOf({ positions: [position({ offset: 2 })], offenders: crowd(2) });
    await expect(ledger.commit(next, true)).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining('full'),
      cause: expect.any(Database.SqliteError),
    });
    await expect(ledger.commit(next, false)).rejects.toMatchObject(UNAVAILABLE);
    expect(rememberedBy(ledger)).toMatchObject({ positions: [{ offset: 1 }], offenders: [{ nth: 1 }] });

    makeRoom();
    await ledger.commit(next, true);
    const remembered = rememberedBy(reopened(ledger, folder));
    expect(remembered).toMatchObject({ positions: [{ offset: 2 }], damaged: 0 });
    expect(remembered.offenders.filter(({ nth }) => nth === 2)).toHaveLength(2_000);
  });
});

describe('a lock that someone else holds', () => {
  it('refuses the commit whole, and it succeeds once the lock is gone', async () => {
    const folder = stateFolder();
    const ledger = ledgerIn(folder);
    const visitor = new Database(join(folder, 'ledger.sqlite'));
    onTestFinished(() => void visitor.close());
    visitor.exec('BEGIN IMMEDIATE');
    const commit = commitOf({ positions: [position()], offenders: crowd(1) });
    await expect(ledger.commit(commit, false)).rejects.toMatchObject(UNAVAILABLE);
    expect(() => ledger.remember('abc', 1)).toThrow(expect.objectContaining(UNAVAILABLE));
    expect(rememberedBy(ledger)).toMatchObject({ positions: [], offenders: [] });
    visitor.exec('ROLLBACK');
    await ledger.commit(commit, false);
    expect(rememberedBy(ledger).offenders).toHaveLength(2_000);
  });
});
