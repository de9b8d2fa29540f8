import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { Gentle, Scope } from '../../src/model.ts';
import { openLedger } from '../../src/ledger/index.ts';
import { T0, ban, commitOf, ledgerIn, offender, position, reopened, stateFolder } from './support.ts';
import { rememberedBy } from '../support/remembered.ts';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** Changes the ledger behind Bailiff's back. */
function tamper(folder: string, sql: string): void {
  const db = new Database(join(folder, 'ledger.sqlite'));
  db.exec(sql);
  db.close();
}

function versionOf(folder: string): number {
  const db = new Database(join(folder, 'ledger.sqlite'));
  const version = db.pragma('user_version', { simple: true }) as number;
  db.close();
  return version;
}

describe('the files', () => {
  it('are for their owner alone, whatever the umask says, and the folder too where it is made', async () => {
    const state = join(stateFolder(), 'lib', 'bailiff');
    const before = process.umask(0);
    try {
      const ledger = ledgerIn(state);
      await ledger.commit(commitOf({ positions: [position()] }), false);
    } finally {
      process.umask(before);
    }
    expect(modeOf(state)).toBe('700');
    const modes = readdirSync(state).map((name) => `${name} ${modeOf(join(state, name))}`);
    expect(modes.toSorted()).toEqual([
      'ledger.sqlite 600',
      'ledger.sqlite-shm 600',
      'ledger.sqlite-wal 600',
      'lock.sqlite 600',
    ]);
  });

  it('that others may read are closed to them', () => {
    const folder = stateFolder();
    const ledger = ledgerIn(folder);
    ledger.close();
    chmodSync(join(folder, 'ledger.sqlite'), 0o644);
    ledgerIn(folder);
    expect(modeOf(join(folder, 'ledger.sqlite'))).toBe('600');
  });

  it('are one when the ledger is closed: the log has been written back', async () => {
    const folder = stateFolder();
    const ledger = ledgerIn(folder);
    await ledger.commit(commitOf({ positions: [position()] }), false);
    ledger.close();
    ledger.close();
    expect(existsSync(join(folder, 'ledger.sqlite-wal'))).toBe(false);
    expect(rememberedBy(ledgerIn(folder)).positions).toHaveLength(1);
  });
});

describe('opening', () => {
  it('an empty ledger gives nothing, and bans from number 1', () => {
    const nothing = {
      ...{
        positions: [],
        offenders: [],
        offenderCount: 0,
        sessions: [],
        lastLines: [],
        welcomes: [],
        openBans: [],
      },
      ...{ brakes: [], regulars: [] },
      ...{ nextBanId: 1, damaged: 0 },
    };
    expect(rememberedBy(ledgerIn(stateFolder()))).toEqual(nothing);
  });

  it('is refused while another has the state', () => {
    const folder = stateFolder();
    const first = ledgerIn(folder);
    expect(() => openLedger(folder)).toThrow(
      expect.objectContaining({ code: 'E_ALREADY_RUNNING', exit: 75 }),
    );
    // The refusal must not have loosened the lock.
    expect(() => openLedger(folder)).toThrow(expect.objectContaining({ code: 'E_ALREADY_RUNNING' }));
    first.close();
    ledgerIn(folder);
  });

  it('for reading goes beside a daemon, and may not write', async () => {
    const folder = stateFolder();
    const daemon = ledgerIn(folder);
    await daemon.commit(commitOf({ bans: [ban(1, '192.0.2.7')] }), false);
    const reader = ledgerIn(folder, { readOnly: true });
    expect(reader.bans({ limit: 9 })).toHaveLength(1);
    await daemon.commit(commitOf({ bans: [ban(2, '192.0.2.8')] }), false);
    expect(reader.bans({ limit: 9 })).toHaveLength(2);
    await expect(reader.commit(commitOf({ positions: [position()] }), false)).rejects.toMatchObject({
      code: 'E_LEDGER_UNAVAILABLE',
    });
  });

  it('for reading makes nothing where there is nothing', () => {
    const folder = stateFolder();
    expect(() => openLedger(folder, { readOnly: true })).toThrow(
      expect.objectContaining({ code: 'E_LEDGER_UNAVAILABLE' }),
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a ledger that a newer Bailiff wrote, and lets go of it', () => {
    const folder = stateFolder();
    ledgerIn(folder).close();
    const version = versionOf(folder);
    tamper(folder, 'PRAGMA user_version = 9999');
    for (const readOnly of [false, false, true])
      expect(() => openLedger(folder, { readOnly })).toThrow(
        expect.objectContaining({
          code: 'E_LEDGER_NEWER',
          exit: 78,
          facts: expect.objectContaining({ version: 9999 }),
        }),
      );
    tamper(folder, `PRAGMA user_version = ${version}`);
    ledgerIn(folder);
  });

  it('knows the sessions of a ledger whose sessions all had an address', () => {
    const folder = stateFolder();
    ledgerIn(folder).close();
    tamper(
      folder,
      `DROP INDEX bans_by_end;
       DROP TABLE welcomes;
       DROP TABLE brakes;
       DROP TABLE regulars;
       DROP TABLE last_lines;
       DROP TABLE journals;
       DROP TABLE reports;
       DROP TABLE session_changes;
       DROP TRIGGER left_bans_begun; DROP TRIGGER left_bans_changed; DROP TRIGGER left_bans_gone; DROP TABLE left_bans;
       CREATE TABLE sessions (
         source TEXT NOT NULL, filter TEXT NOT NULL, session TEXT NOT NULL,
         address BLOB NOT NULL CHECK (length(address) = 16), bits INTEGER NOT NULL CHECK (bits BETWEEN 0 AND 128),
         until INTEGER NOT NULL, UNIQUE (source, filter, session)
       ) STRICT;
       INSERT INTO sessions VALUES
         ('b.log', 'slapd', '2', x'00000000000000000000ffffc0000208', 128, 9),
         ('a.log', 'slapd', '1', x'00000000000000000000ffffc0000207', 128, 5);
       PRAGMA user_version = 3`,
    );
    const sessions = rememberedBy(ledgerIn(folder)).sessions;
    expect(sessions.map((each) => ({ ...each, address: each.address?.text }))).toEqual([
      { source: 'b.log', filter: 'slapd', session: '2', address: '192.0.2.8', waiting: undefined, until: 9 },
      { source: 'a.log', filter: 'slapd', session: '1', address: '192.0.2.7', waiting: undefined, until: 5 },
    ]);
  });

  it('for reading refuses one that is older, and migrates nothing', () => {
    const folder = stateFolder();
    tamper(folder, 'PRAGMA user_version = 0');
    expect(() => openLedger(folder, { readOnly: true })).toThrow(
      expect.objectContaining({
        code: 'E_LEDGER_UNAVAILABLE',
        message: expect.stringContaining('start the daemon'),
      }),
    );
  });

  it.each([
    ['that is no database', 'not a ledger at all, but long enough to be looked at as one'.repeat(20)],
    ['whose first page is zeros but for its name', `SQLite format 3\0${'\0'.repeat(4_080)}`],
  ])('says what to do about a file %s', (_, content) => {
    const folder = stateFolder();
    writeFileSync(join(folder, 'ledger.sqlite'), content);
    expect(() => openLedger(folder)).toThrow(
      expect.objectContaining({
        code: 'E_LEDGER_UNAVAILABLE',
        message: expect.stringContaining('moves it away'),
      }),
    );
    rmSync(join(folder, 'ledger.sqlite'));
    ledgerIn(folder);
  });

  it('says so where the folder can’t be made', () => {
    const folder = stateFolder();
    writeFileSync(join(folder, 'file'), '');
    expect(() => openLedger(join(folder, 'file', 'state'))).toThrow(
      expect.objectContaining({
        code: 'E_LEDGER_UNAVAILABLE',
        facts: expect.objectContaining({ code: 'ENOTDIR' }),
      }),
    );
  });
});

describe('what bans do', () => {
  it('is kept; those of before there was a choice drop, and what makes no sense is damaged', async () => {
    const folder = stateFolder();
    const ledger = ledgerIn(folder);
    const answers: (Gentle | undefined)[] = [
      undefined,
      { do: 'reject' },
      { do: 'throttle', rate: { packets: 10, per: 'minute' } },
    ];
    const scopeOf = (answer: Gentle | undefined): Scope => ({
      ...{ protocol: 'tcp', ports: [22] },
      ...(answer && { answer }),
    });
    const bans = [...answers, ...answers, ...answers].map((answer, i) =>
      ban(i + 1, `192.0.2.${i}`, { scope: scopeOf(answer) }),
    );
    const slow = offender('192.0.2.2', { throttled: true });
    await ledger.commit(commitOf({ bans, offenders: [slow] }), false);
    ledger.close();
    tamper(
      folder,
      `UPDATE bans SET scope = json_set(scope, '$.answer', json('{"do":"tarpit"}')) WHERE id = 4;
       UPDATE bans SET scope = json_set(scope, '$.answer.do', 'throttle') WHERE id = 5;
       UPDATE bans SET scope = json_set(scope, '$.answer.rate.per', 'year') WHERE id = 6;
       UPDATE bans SET scope = json_set(scope, '$.answer', 'reject') WHERE id = 7`,
    );
    const again = reopened(ledger, folder);
    const remembered = rememberedBy(again);
    expect(again.bans({ limit: 99 })).toEqual(bans.filter(({ id }) => id <= 3 || id >= 8));
    expect(remembered.openBans.map(({ id }) => id)).toEqual([1, 2, 3, 8, 9]);
    expect(remembered.damaged).toBe(4);
    expect(remembered.offenders).toEqual([slow]);
  });
});

describe('damaged rows', () => {
  it('are passed over, counted, and leave the others alone', async () => {
    const folder = stateFolder();
    const ledger = ledgerIn(folder);
    const offenders = [1, 2, 3, 4, 5, 6, 7].map((i) => offender(`192.0.2.${i}`));
    const bans = [1, 2, 3, 4].map((i) => ban(i, `192.0.2.${i}`));
    const key = { source: 'a.log', filter: 'f', until: T0 };
    const waiting = { pattern: 1, counts: 1 };
    const sessions = ['1', '2', '3', '4'].map((session) => ({
      ...key,
      session,
      address: undefined,
      waiting,
    }));
    await ledger.commit(
      commitOf({ offenders, bans, sessions, positions: [position(), position({ id: 'two' })] }),
      false,
    );
    ledger.close();
    tamper(
      folder,
      `UPDATE offenders SET state = '{' WHERE rowid = 1;
       UPDATE offenders SET state = '{}' WHERE rowid = 2;
       UPDATE offenders SET version = 99 WHERE rowid = 3;
       UPDATE offenders SET state = json_set(state, '$.stamps[0][0]', 9007199254740993) WHERE rowid = 4;
       UPDATE offenders SET state = json_set(state, '$.stamps[1][0]', 5) WHERE rowid = 5;
       UPDATE offenders SET state = json_set(state, '$.lastUntil', 'soon') WHERE rowid = 6;
       UPDATE offenders SET state = json_set(state, '$.sessions', json('[812]')) WHERE rowid = 7;
       UPDATE session_changes SET state = json_set(state, '$[0][5]', '{');
       UPDATE session_changes SET state = json_set(state, '$[1][5].counts', -1);
       UPDATE session_changes SET state = json_set(state, '$[2][2]', '192.0.2.07');
       INSERT INTO session_changes (source, version, entries, state) VALUES
         ('a.log', 2, 1, '[["f","4"]]'), ('a.log', 1, 1, '[["f","4"'), ('a.log', 1, 2, '[["f"],"f"]');
       UPDATE bans SET evidence = '[{"file":1}]' WHERE id = 1;
       UPDATE bans SET until = 9223372036854775807 WHERE id = 2;
       UPDATE positions SET inode = 'x' WHERE id = 'two'`,
    );
    const again = reopened(ledger, folder);
    const remembered = rememberedBy(again);
    expect(remembered.damaged).toBe(15);
    expect(remembered.sessions).toEqual(sessions.slice(3));
    // Sessions only keep an attempt from counting twice: without them an offender is as good.
    expect(remembered.offenders).toEqual(offenders.slice(6));
    // Without its lines a ban is as good.
    expect(remembered.openBans.map(({ id }) => id)).toEqual([1, 3, 4]);
    expect(remembered.positions.map(({ id }) => id)).toEqual(['one']);
    expect(remembered.nextBanId).toBe(5);
    // A short page says that nothing follows: damage must not make one short.
    expect(again.bans({ limit: 3 }).map(({ id, evidence }) => [id, evidence.length > 0])).toEqual([
      [1, false],
      [3, true],
      [4, true],
    ]);
  });

  it('are written over when the offender comes back', async () => {
    const folder = stateFolder();
    const ledger = ledgerIn(folder);
    await ledger.commit(commitOf({ offenders: [offender('192.0.2.7')] }), false);
    ledger.close();
    tamper(folder, `UPDATE offenders SET state = ''`);
    const again = reopened(ledger, folder);
    await again.commit(commitOf({ offenders: [offender('192.0.2.7', { lastUntil: T0 })] }), false);
    expect(rememberedBy(again)).toMatchObject({ damaged: 0, offenders: [{ lastUntil: T0 }] });
  });
});
