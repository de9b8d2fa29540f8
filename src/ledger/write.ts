// Everything that changed, row by row, for the one transaction in which it is written.
import type { Database } from 'better-sqlite3';
import { toStored } from '../address.ts';
import { REPORTS_KEPT, REPORTS_KEPT_FOR } from './contract.ts';
import type { Commit } from './contract.ts';
import {
  addressRow,
  banValues,
  brakeRow,
  journalRow,
  lastLineRow,
  offenderValues,
  positionRow,
  reportRow,
  welcomeRow,
} from './rows.ts';
import { createSessionRows } from './sessions.ts';

/** So many old answers to reports go with a commit, besides as many as it brings. */
const OLD_DROPPED = 1_000;

/** @returns what writes a commit, one row a step. Values are bound by place where there may be thousands: it takes half the time. */
export function createWriter(db: Database): (commit: Commit) => Iterable<void> {
  const position = db.prepare(`
    INSERT INTO positions (id, path, inode, head_length, head_hash, "offset", tail_hash, lines, skipping, finished)
    VALUES (@id, @path, @inode, @headLength, @headHash, @offset, @tailHash, @lines, @skipping, @finished)
    ON CONFLICT (id) DO UPDATE SET
      path = excluded.path, inode = excluded.inode, head_length = excluded.head_length, head_hash = excluded.head_hash,
      "offset" = excluded."offset", tail_hash = excluded.tail_hash, lines = excluded.lines,
      skipping = excluded.skipping, finished = excluded.finished`);
  const journal = db.prepare(`
    INSERT OR REPLACE INTO journals (id, cursor, since, lines, broken)
    VALUES (@id, @cursor, @since, @lines, @broken)`);
  const forgetPosition = db.prepare('DELETE FROM positions WHERE id = ?');
  const offender = db.prepare(`
    INSERT INTO offenders (jail, address, bits, version, state) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (jail, address, bits) DO UPDATE SET version = excluded.version, state = excluded.state`);
  const forgetOffender = db.prepare('DELETE FROM offenders WHERE jail = ? AND address = ? AND bits = ?');
  const sessions = createSessionRows(db);
  const lastLine = db.prepare(
    'INSERT OR REPLACE INTO last_lines (source, line, at) VALUES (@source, @line, @at)',
  );
  const forgetLastLine = db.prepare('DELETE FROM last_lines WHERE source = ?');
  const welcome = db.prepare(`
    INSERT OR REPLACE INTO welcomes (jail, address, bits, since, last, until, by)
    VALUES (@jail, @address, @bits, @since, @last, @until, @by)`);
  const forgetWelcome = db.prepare(
    'DELETE FROM welcomes WHERE jail = @jail AND address = @address AND bits = @bits',
  );
  // Evidence that was written is not held in memory any more: a change of the ban leaves it as it is.
  const ban = db.prepare(`
    INSERT INTO bans (id, jail, address, bits, since, until, nth, reason, by, evidence, scope, via, ended_at, ended_by)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
      since = excluded.since, until = excluded.until, nth = excluded.nth, reason = excluded.reason, by = excluded.by,
      evidence = iif(excluded.evidence = '[]', evidence, excluded.evidence), ended_at = excluded.ended_at, ended_by = excluded.ended_by`);
  const event = db.prepare('INSERT INTO ban_events (ban, at, what, by, why) VALUES (?, ?, ?, ?, ?)');
  // An id that comes again was forgotten meanwhile, or its row was damaged.
  const report = db.prepare(`
    INSERT OR REPLACE INTO reports (jail, id, at, address, outcome, why)
    VALUES (@jail, @id, @at, @address, @outcome, @why)`);
  const dropSurplus = db.prepare('DELETE FROM reports WHERE seq <= (SELECT max(seq) FROM reports) - ?');
  const dropOld = db.prepare(
    'DELETE FROM reports WHERE seq < (SELECT min(seq) FROM reports) + @some AND at < @before',
  );
  const brake = db.prepare(
    'INSERT OR REPLACE INTO brakes (jail, version, state) VALUES (@jail, @version, @state)',
  );
  const regular = db.prepare(
    'INSERT OR REPLACE INTO regulars (address, clean, spoiled, period) VALUES (@address, @clean, @spoiled, @period)',
  );
  const forgetRegular = db.prepare('DELETE FROM regulars WHERE address = ?');

  return function* write(commit) {
    // Whoever was forgotten and has come back since is in both lists: he goes first and is then written anew.
    for (const id of commit.forgottenPositions) yield void forgetPosition.run(id);
    for (const { jail, address } of commit.forgottenOffenders) {
      const { bytes, bits } = toStored(address);
      yield void forgetOffender.run(jail, bytes, bits);
    }
    for (const source of commit.forgottenLastLines) yield void forgetLastLine.run(source);
    for (const { jail, address } of commit.forgottenWelcomes)
      yield void forgetWelcome.run({ jail, ...addressRow(address) });
    for (const address of commit.forgottenRegulars) yield void forgetRegular.run(address);
    for (const each of commit.positions)
      yield void (each.kind === 'file' ? position.run(positionRow(each)) : journal.run(journalRow(each)));
    for (const each of commit.offenders) yield void offender.run(...offenderValues(each));
    yield* sessions.write(commit);
    for (const each of commit.lastLines) yield void lastLine.run(lastLineRow(each));
    for (const each of commit.welcomes) yield void welcome.run(welcomeRow(each));
    // A ban that ended leaves its place to the one that replaces it.
    for (const each of commit.bans) if (each.endedAt !== undefined) yield void ban.run(...banValues(each));
    for (const each of commit.bans) if (each.endedAt === undefined) yield void ban.run(...banValues(each));
    for (const { ban: number, at, what, by, why } of commit.events)
      yield void event.run(number, at, what, by, why);
    for (const each of commit.brakes) yield void brake.run(brakeRow(each));
    for (const each of commit.regulars) yield void regular.run({ ...each });
    for (const each of commit.reports) yield void report.run(reportRow(each));
    const latest = commit.reports.at(-1);
    if (!latest) return;
    yield void dropSurplus.run(REPORTS_KEPT);
    // Somewhat more than came, but not a day's reports at once: that would hold everything up.
    yield void dropOld.run({
      some: commit.reports.length + OLD_DROPPED,
      before: latest.at - REPORTS_KEPT_FOR,
    });
  };
}
