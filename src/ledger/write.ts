// The one transaction in which everything that changed is written.
import type { Database } from 'better-sqlite3';
import { REPORTS_KEPT, REPORTS_KEPT_FOR } from './contract.ts';
import type { Commit } from './contract.ts';
import {
  addressRow,
  banRow,
  brakeRow,
  journalRow,
  lastLineRow,
  offenderRow,
  positionRow,
  reportRow,
  sessionRow,
  welcomeRow,
} from './rows.ts';

/** So many old answers to reports go with a commit, besides as many as it brings. */
const OLD_DROPPED = 1_000;

export function createWriter(db: Database): (commit: Commit) => void {
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
    INSERT INTO offenders (jail, address, bits, version, state) VALUES (@jail, @address, @bits, @version, @state)
    ON CONFLICT (jail, address, bits) DO UPDATE SET version = excluded.version, state = excluded.state`);
  const forgetOffender = db.prepare(
    'DELETE FROM offenders WHERE jail = @jail AND address = @address AND bits = @bits',
  );
  // Replaced, not updated: the row is the last one then.
  const session = db.prepare(`
    INSERT OR REPLACE INTO sessions (source, filter, session, address, bits, waiting, until)
    VALUES (@source, @filter, @session, @address, @bits, @waiting, @until)`);
  const forgetSession = db.prepare(
    'DELETE FROM sessions WHERE source = @source AND filter = @filter AND session = @session',
  );
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
    VALUES (@id, @jail, @address, @bits, @since, @until, @nth, @reason, @by, @evidence, @scope, @via, @endedAt, @endedBy)
    ON CONFLICT (id) DO UPDATE SET
      since = excluded.since, until = excluded.until, nth = excluded.nth, reason = excluded.reason, by = excluded.by,
      evidence = iif(excluded.evidence = '[]', evidence, excluded.evidence), ended_at = excluded.ended_at, ended_by = excluded.ended_by`);
  const event = db.prepare(
    'INSERT INTO ban_events (ban, at, what, by, why) VALUES (@ban, @at, @what, @by, @why)',
  );
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

  return db.transaction((commit: Commit) => {
    // Whoever was forgotten and has come back since is in both lists: he goes first and is then written anew.
    for (const id of commit.forgottenPositions) forgetPosition.run(id);
    for (const { jail, address } of commit.forgottenOffenders)
      forgetOffender.run({ jail, ...addressRow(address) });
    for (const { source, filter, session: id } of commit.forgottenSessions)
      forgetSession.run({ source, filter, session: id });
    for (const source of commit.forgottenLastLines) forgetLastLine.run(source);
    for (const { jail, address } of commit.forgottenWelcomes)
      forgetWelcome.run({ jail, ...addressRow(address) });
    for (const address of commit.forgottenRegulars) forgetRegular.run(address);
    for (const each of commit.positions)
      if (each.kind === 'file') position.run(positionRow(each));
      else journal.run(journalRow(each));
    for (const each of commit.offenders) offender.run(offenderRow(each));
    for (const each of commit.sessions) session.run(sessionRow(each));
    for (const each of commit.lastLines) lastLine.run(lastLineRow(each));
    for (const each of commit.welcomes) welcome.run(welcomeRow(each));
    // A ban that ended leaves its place to the one that replaces it.
    for (const each of commit.bans) if (each.endedAt !== undefined) ban.run(banRow(each));
    for (const each of commit.bans) if (each.endedAt === undefined) ban.run(banRow(each));
    for (const each of commit.events) event.run({ ...each });
    for (const each of commit.brakes) brake.run(brakeRow(each));
    for (const each of commit.regulars) regular.run({ ...each });
    for (const each of commit.reports) report.run(reportRow(each));
    const latest = commit.reports.at(-1);
    if (!latest) return;
    dropSurplus.run(REPORTS_KEPT);
    // Somewhat more than came, but not a day's reports at once: that would hold everything up.
    dropOld.run({ some: commit.reports.length + OLD_DROPPED, before: latest.at - REPORTS_KEPT_FOR });
  });
}
