// Questions to the ledger.
import type { Database, Statement } from 'better-sqlite3';
import { ipv4, mask, toStored } from '../address.ts';
import type { Ban, BanEvent, Network, Offender } from '../model.ts';
import { createOpenBans } from '../open-bans.ts';
import type { AddedBan, OpenBans } from '../open-bans.ts';
import type { BanQuery, JailMemory, KeptReport, OffenderPage, Remembered } from './contract.ts';
import { createLeftBans } from './left.ts';
import {
  offenderOf,
  openBanOf,
  readBan,
  readDigits,
  readBrake,
  readEvent,
  readJournal,
  readLastLine,
  readOffender,
  readPosition,
  readRegular,
  readReport,
  readWelcome,
  type Row,
} from './rows.ts';
import { createSessionRows } from './sessions.ts';

const BAN = `id, jail, address, bits, since, until, nth, reason, by, evidence, scope, via, ended_at AS endedAt, ended_by AS endedBy`;

/** Offenders that are read together: a millisecond's worth, for it is read beside what is more urgent. */
const PAGE = 250;

/** IPv4 lies in ::ffff:0:0/96 here, but is no part of any IPv6 network. */
const IS_IPV4 = `(bits >= 96 AND substr(address, 1, 12) = x'00000000000000000000ffff')`;

export interface Reader {
  load(): Remembered;
  /** The offenders whose rows come after that one; undefined: there are no more. @returns where the next page begins. */
  offendersAfter(row: number): (OffenderPage & { readonly after: number }) | undefined;
  memoryOf(jail: string): JailMemory;
  bans(query: BanQuery): Ban[];
  report(jail: string, id: string): KeptReport | undefined;
  state(): string;
  events(ban: number): BanEvent[];
}

export function createReader(db: Database): Reader {
  const positions = db.prepare<[], Row>(`
    SELECT id, path, inode, head_length AS headLength, head_hash AS headHash, "offset", tail_hash AS tailHash,
      lines, skipping, finished FROM positions ORDER BY id`);
  const journals = db.prepare<[], Row>('SELECT id, cursor, since, lines, broken FROM journals ORDER BY id');
  // There may be hundreds of thousands of these: as arrays, and without a buffer for each address, they take a quarter of the time.
  const offenders = db
    .prepare<[number, number], unknown[]>(
      `SELECT rowid, jail, hex(address), bits, version, state FROM offenders WHERE rowid > ? ORDER BY rowid LIMIT ?`,
    )
    .raw();
  const offenderCount = db.prepare<[], number>('SELECT count(*) FROM offenders').pluck();
  const offendersOf = db.prepare<[string], Row>(
    'SELECT jail, address, bits, version, state FROM offenders WHERE jail = ? ORDER BY rowid',
  );
  const sessions = createSessionRows(db);
  const lastLines = db.prepare<[], Row>('SELECT source, line, at FROM last_lines ORDER BY source');
  const welcomes = db.prepare<[], Row>(
    'SELECT jail, address, bits, since, last, until, by FROM welcomes ORDER BY rowid',
  );
  const welcomesOf = db.prepare<[string], Row>(
    'SELECT jail, address, bits, since, last, until, by FROM welcomes WHERE jail = ? ORDER BY rowid',
  );
  const brakes = db.prepare<[], Row>('SELECT jail, version, state FROM brakes ORDER BY jail');
  const regulars = db.prepare<[], Row>('SELECT address, clean, spoiled, period FROM regulars ORDER BY rowid');
  // Their evidence is most of them, and is asked for with `bans` when somebody wants to see it.
  const openBans = db
    .prepare<[number, number], unknown[]>(
      `SELECT id, jail, hex(address), bits, since, until, nth, reason, by, scope, via
        FROM bans WHERE ended_at IS NULL AND id > ? ORDER BY id LIMIT ?`,
    )
    .raw();
  const openBanCount = db.prepare<[], number>('SELECT count(*) FROM bans WHERE ended_at IS NULL').pluck();
  const left = createLeftBans(db);
  const lastBan = db.prepare<[], number>('SELECT coalesce(max(id), 0) FROM bans').pluck();
  const events = db.prepare<[number], Row>(
    'SELECT ban, at, what, by, why FROM ban_events WHERE ban = ? ORDER BY id',
  );
  const report = db.prepare<[string, string], Row>(
    'SELECT jail, id, at, address, outcome, why FROM reports WHERE jail = ? AND id = ?',
  );
  /** One of these is another after whatever commit. */
  const marks = [
    'SELECT max(id) FROM bans',
    'SELECT max(id) FROM ban_events',
    'SELECT max(seq) FROM reports',
    'SELECT * FROM positions ORDER BY id',
    'SELECT * FROM journals ORDER BY id',
  ].map((sql) => db.prepare<[], Row>(sql).safeIntegers().raw());
  const holders = db
    .prepare<[Uint8Array, number], number>('SELECT id FROM bans WHERE address = ? AND bits = ?')
    .pluck();
  const anywhere = db.prepare<[Row], Row>(`
    SELECT ${BAN} FROM bans
    WHERE id > @after AND (@all OR ended_at IS NULL) AND (@jail IS NULL OR jail = @jail)
    ORDER BY id LIMIT @limit`);
  const touching = db.prepare<[Row], Row>(`
    SELECT ${BAN} FROM bans
    WHERE id > @after AND (@all OR ended_at IS NULL) AND (@jail IS NULL OR jail = @jail)
      AND ((address BETWEEN @low AND @high AND bits >= @bits AND ${IS_IPV4} = @isIpv4)
        OR id IN (SELECT value FROM json_each(@holders)))
    ORDER BY id LIMIT @limit`);

  /** Bans on the networks that hold `network`: one look-up for each shorter prefix. */
  const holdersOf = (network: Network): number[] => {
    const ids: number[] = [];
    for (let bits = 0; bits < network.bits; bits++) {
      const outer = toStored(mask(network, bits));
      ids.push(...holders.all(outer.bytes, outer.bits));
    }
    return ids;
  };

  /** Rows that are damaged are passed over, but never cut a page short: a short page says that nothing follows. */
  const page = (statement: Statement<[Row], Row>, query: Row, after: number, limit: number): Ban[] => {
    const found: Ban[] = [];
    for (let from = after; ;) {
      const wanted = limit - found.length;
      const rows = statement.all({ ...query, after: from, limit: wanted });
      for (const row of rows) found.push(...soundOnly([row], readBan).sound);
      if (rows.length < wanted || found.length === limit) return found;
      from = rows.at(-1)!['id'] as number;
    }
  };

  const offenderOfValues = createOffenderReader();

  return {
    load() {
      const sound = left.take();
      const bans = sound ? { sound, damaged: 0 } : readOpenBans(openBans, openBanCount.get() ?? 0);
      const known = {
        positions: soundOnly(positions.iterate(), readPosition),
        journals: soundOnly(journals.iterate(), readJournal),
        sessions: sessions.load(),
        lastLines: soundOnly(lastLines.iterate(), readLastLine),
        welcomes: soundOnly(welcomes.iterate(), readWelcome),
        brakes: soundOnly(brakes.iterate(), readBrake),
        regulars: soundOnly(regulars.iterate(), readRegular),
        bans,
      };
      // A damaged row that stayed open would refuse its place to the next ban of that address, and so every commit.
      if (!db.readonly && bans.damaged > 0) endAllBut(db, bans.sound);
      return {
        positions: [...known.positions.sound, ...known.journals.sound],
        offenderCount: offenderCount.get()!,
        sessions: known.sessions.sound,
        lastLines: known.lastLines.sound,
        welcomes: known.welcomes.sound,
        brakes: known.brakes.sound,
        regulars: known.regulars.sound,
        openBans: bans.sound,
        nextBanId: (lastBan.get() ?? 0) + 1,
        damaged: Object.values(known).reduce((sum, { damaged }) => sum + damaged, 0),
      };
    },
    offendersAfter(row) {
      const rows = offenders.all(row, PAGE);
      if (rows.length > 0) return { ...soundOnly(rows, offenderOfValues), after: rows.at(-1)![0] as number };
      return undefined;
    },
    memoryOf: (jail) => ({
      offenders: soundOnly(offendersOf.iterate(jail), readOffender).sound,
      welcomes: soundOnly(welcomesOf.iterate(jail), readWelcome).sound,
    }),
    bans({ jail, all, address, after, limit }) {
      const filter = { jail: jail ?? null, all: Number(all ?? false) };
      if (!address) return page(anywhere, filter, after ?? 0, limit);
      const { bytes, bits } = toStored(address);
      const range = { low: bytes, high: lastOf(bytes, bits), bits, isIpv4: Number(address.family === 4) };
      const outer = JSON.stringify(holdersOf(address));
      return page(touching, { ...filter, ...range, holders: outer }, after ?? 0, limit);
    },
    state: () =>
      JSON.stringify(
        marks.map((statement) => statement.all()),
        (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
      ),
    report(jail, id) {
      const row = report.get(jail, id);
      return row && readReport(row);
    },
    events: (ban) => soundOnly(events.all(ban), readEvent).sound,
  };
}

/** Ends every open ban that is not among these. */
function endAllBut(db: Database, sound: OpenBans): void {
  db.prepare(
    `UPDATE bans SET ended_at = coalesce(until, since), ended_by = 'damaged'
    WHERE ended_at IS NULL AND id NOT IN (SELECT value FROM json_each(?))`,
  ).run(JSON.stringify(Array.from(sound, ({ id }) => id)));
}

function createOffenderReader(): (values: unknown[]) => Offender | undefined {
  const jailOf = createSharing();
  return ([, jail, digits, bits, version, state]) =>
    offenderOf(jailOf(jail), networkOf(readDigits(digits, bits)), version, state);
}

function networkOf(address: Network | number | undefined): Network | undefined {
  return typeof address === 'number' ? ipv4(address) : address;
}

/** Straight into rows: an object for each would be copied, twice, by the collector of garbage. */
function readOpenBans(
  statement: Statement<[number, number], unknown[]>,
  expected: number,
): { readonly sound: OpenBans; readonly damaged: number } {
  const sound = createOpenBans(expected);
  const banOf = createOpenBanReader();
  let damaged = 0;
  eachRow(statement, (values) => {
    const ban = banOf(values);
    if (ban) sound.add(ban);
    else damaged++;
  });
  return { sound, damaged };
}

function createOpenBanReader(): (values: unknown[]) => AddedBan | undefined {
  const [jailOf, reasonOf, byOf, scopeOf] = [
    createSharing(),
    createSharing(),
    createSharing(),
    createSharing(),
  ];
  // By number: what is taken apart all at once asks an iterator for each of them, which at a start nobody has compiled.
  return (values) =>
    openBanOf(
      {
        id: values[0],
        jail: jailOf(values[1]),
        since: values[4],
        until: values[5],
        nth: values[6],
        reason: reasonOf(values[7]),
        by: byOf(values[8]),
        scope: scopeOf(values[9]),
        via: values[10],
      },
      readDigits(values[2], values[3]),
    );
}

/** Texts that stand in most rows. */
const texts = new Map<unknown, unknown>();
const MOST_SHARED = 1_000;

/** The same text, once in memory: each row brings a copy of its own. Of one column, in which mostly the same stands again. */
function createSharing(): (text: unknown) => unknown {
  let last: unknown;
  return (text) => {
    if (text === last) return last;
    const known = texts.get(text);
    if (known === undefined && texts.size < MOST_SHARED) texts.set(text, text);
    return (last = known ?? text);
  };
}

function soundOnly<R, T>(
  rows: Iterable<R>,
  read: (row: R) => T | undefined,
): { sound: T[]; damaged: number } {
  const sound: T[] = [];
  let damaged = 0;
  for (const row of rows) {
    const noun = read(row);
    if (noun === undefined) damaged++;
    else sound.push(noun);
  }
  return { sound, damaged };
}

/** Each row, by the number in front: a page at a time takes less than one row after the other. */
function eachRow(statement: Statement<[number, number], unknown[]>, take: (values: unknown[]) => void): void {
  for (let after = 0; ;) {
    const rows = statement.all(after, PAGE);
    for (const row of rows) take(row);
    const last = Number(rows.at(-1)?.[0]);
    // Beyond 2^53 numbers don't tell rows apart: whatever stands there is none of ours.
    if (rows.length < PAGE || !(last > after)) return;
    after = last;
  }
}

/** The last address of a network. */
function lastOf(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, index) => byte | (0xff >> Math.min(8, Math.max(0, bits - index * 8))));
}
