// What a daemon leaves for its next start: found as the rows are, and never relied on where they may be others.
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { LEAST_LEFT, PICTURE_VERSION } from '../../src/ledger/left.ts';
import type { Ban } from '../../src/model.ts';
import { NetworkRows } from '../../src/network-rows.ts';
import { createOpenBans } from '../../src/open-bans.ts';
import { rememberedBy } from '../support/remembered.ts';
import { T0, ban, commitOf, ledgerIn, net, stateFolder } from './support.ts';

const MANY = LEAST_LEFT + 200;
const NO_TRIGGERS = ['begun', 'changed', 'gone'].map((what) => `DROP TRIGGER left_bans_${what}`).join(';');

function addressOf(n: number): string {
  if (n % 10 === 0) return `2001:db8::${n.toString(16)}`;
  return n % 10 === 1 ? `10.${n >> 8}.${n & 255}.0/24` : `203.${n >> 8}.113.${n & 255}`;
}

/** Of all that a ban may be. */
const bans: readonly Ban[] = Array.from({ length: MANY }, (_, n) =>
  ban(n + 1, addressOf(n), {
    evidence: [],
    ...(n % 3 === 0 && { jail: 'web', scope: undefined }),
    ...(n % 4 === 0 && { until: undefined, by: 'admin', reason: `because of ${n}` }),
    ...(n % 5 === 0 && { via: '198.51.100.1', nth: 2 ** 40 }),
    ...(n % 7 === 0 && { endedAt: T0 + 1, endedBy: 'admin' }),
  }),
);

/** A state whose daemon has ended in order. */
async function leftState(): Promise<string> {
  const folder = stateFolder();
  const ledger = ledgerIn(folder);
  await ledger.commit(commitOf({ bans }), false);
  expect(ledger.leave(ledger.load().openBans)).toBe(true);
  ledger.close();
  return folder;
}

/** As an administrator would, or another program. */
function change(folder: string, sql: string): void {
  const db = new Database(join(folder, 'ledger.sqlite'));
  db.exec(sql);
  db.close();
}

function openIn(folder: string): Ban[] {
  const ledger = ledgerIn(folder);
  const { openBans } = rememberedBy(ledger);
  ledger.close();
  return openBans;
}

const pictureIn = (folder: string): string => join(folder, 'ledger.sqlite-bans');
/** Which ban is another one in the rows, and not in the picture. */
const FORGED = 3;
const forge = (folder: string): void =>
  change(folder, `${NO_TRIGGERS}; UPDATE bans SET nth = 77 WHERE id = ${FORGED}`);
const nthOfForged = (folder: string): number | undefined =>
  openIn(folder).find(({ id }) => id === FORGED)?.nth;

describe('what a daemon leaves', () => {
  it('is what its next start reads, and the same as the rows say', async () => {
    const folder = await leftState();
    const open = bans.filter(({ endedAt }) => endedAt === undefined);
    expect(openIn(folder)).toEqual(open);
    expect(statSync(pictureIn(folder)).mode & 0o777).toBe(0o600);
    const again = await leftState();
    forge(again);
    expect(nthOfForged(again)).toBe(1);
  });

  it('goes on as if the rows had been read', async () => {
    const ledger = ledgerIn(await leftState());
    const { openBans, nextBanId } = ledger.load();
    const next = ban(nextBanId, '192.0.2.1', { evidence: [] });
    openBans.add(next);
    openBans.remove(2);
    await ledger.commit(commitOf({ bans: [next, { ...bans[1]!, endedAt: T0, endedBy: 'admin' }] }), false);
    expect(rememberedBy(ledger).openBans).toEqual([...openBans]);
    expect(openBans.on(net('192.0.2.1'))).toEqual([next]);
  });

  it.each([
    [
      'begins',
      `INSERT INTO bans SELECT ${MANY + 1}, 'other', address, bits, since, until, nth, reason, by, evidence, scope, NULL, NULL, via FROM bans WHERE id = 3`,
    ],
    ['is changed', 'UPDATE bans SET until = 1 WHERE id = 3'],
    ['ends', "UPDATE bans SET ended_at = 5, ended_by = 'me' WHERE id = 3"],
    ['is deleted', 'DELETE FROM bans WHERE id = 3'],
    ['is opened again', 'UPDATE bans SET ended_at = NULL WHERE id = 1'],
    [
      'is replaced by one that is over',
      `INSERT OR REPLACE INTO bans SELECT id, jail, address, bits, since, until, nth, reason, by, evidence, scope, 5, 'me', via
        FROM bans WHERE id = 3`,
    ],
  ])('is no longer relied on once a ban %s, by whatever program', async (_, sql) => {
    const folder = await leftState();
    change(folder, sql);
    forge(folder);
    const there = openIn(folder);
    expect(there.find(({ id }) => id === FORGED)?.nth ?? 77).toBe(77);
    expect(there).not.toEqual(bans.filter(({ endedAt }) => endedAt === undefined));
  });

  it('is left anew by each daemon, also where the last ban of a kind has ended', async () => {
    const folder = await leftState();
    for (const id of [5, 9, 13]) {
      const ledger = ledgerIn(folder);
      const { openBans } = ledger.load();
      const ended = bans.find((each) => each.id === id)!;
      openBans.remove(id);
      await ledger.commit(commitOf({ bans: [{ ...ended, endedAt: T0 + 2, endedBy: 'admin' }] }), false);
      expect(ledger.leave(openBans)).toBe(true);
      ledger.close();
    }
    const there = openIn(folder).map(({ id }) => id);
    expect(there).toEqual(
      bans.flatMap(({ id, endedAt }) => (endedAt === undefined && ![5, 9, 13].includes(id) ? id : [])),
    );
    forge(folder);
    expect(nthOfForged(folder)).toBe(1);
  });

  it('gives no number out twice where the newest bans were deleted', async () => {
    const folder = stateFolder();
    const ledger = ledgerIn(folder);
    const ended = ban(MANY + 1, '192.0.2.1', { evidence: [], endedAt: T0, endedBy: 'admin' });
    await ledger.commit(commitOf({ bans: [...bans, ended] }), false);
    const { openBans } = ledger.load();
    openBans.add({ ...ended, endedAt: undefined, endedBy: undefined });
    openBans.remove(ended.id);
    expect(ledger.leave(openBans)).toBe(true);
    ledger.close();
    change(
      folder,
      `${NO_TRIGGERS}; UPDATE bans SET nth = 77 WHERE id = ${FORGED}; DELETE FROM bans WHERE id > ${MANY}`,
    );
    expect(nthOfForged(folder)).toBe(77);
  });

  it.each<[string, (picture: string) => void]>([
    ['cut short', (picture) => truncateSync(picture, statSync(picture).size - 4_096)],
    ['empty', (picture) => truncateSync(picture, 0)],
    ['cut in its head', (picture) => truncateSync(picture, 40)],
    ['missing', (picture) => rmSync(picture)],
    [
      'a folder',
      (picture) => {
        rmSync(picture);
        mkdirSync(picture);
      },
    ],
    [
      'senseless, whatever its sum',
      (picture) => {
        const text = JSON.stringify({ byId: { highest: 1 }, kinds: [null] });
        writeFileSync(picture, text);
        change(dirname(picture), `UPDATE left_bans SET text = ${text.length}, sum = ${crc32(text)}`);
      },
    ],
    ['another', (picture) => writeFileSync(picture, JSON.stringify({ kinds: [null] }).padEnd(9_000))],
    [
      'damaged',
      (picture) => {
        const bytes = readFileSync(picture);
        bytes[bytes.length - 5_000]! ^= 1;
        writeFileSync(picture, bytes);
      },
    ],
  ])('is not relied on where the file is %s', async (_, damage) => {
    const folder = await leftState();
    forge(folder);
    damage(pictureIn(folder));
    expect(nthOfForged(folder)).toBe(77);
  });

  it('is not looked at where another version wrote it', async () => {
    const folder = await leftState();
    forge(folder);
    change(folder, `UPDATE left_bans SET version = ${PICTURE_VERSION + 1}`);
    expect(nthOfForged(folder)).toBe(77);
  });

  it('is nothing where few are banned, and what was left before is cleared away', async () => {
    const folder = await leftState();
    const ledger = ledgerIn(folder);
    expect(existsSync(pictureIn(folder))).toBe(true);
    const ended = bans.map((each) => ({ ...each, endedAt: T0 + 2, endedBy: 'admin' }));
    await ledger.commit(commitOf({ bans: ended }), false);
    expect(ledger.leave(ledger.load().openBans)).toBe(false);
    expect(existsSync(pictureIn(folder))).toBe(false);
  });
});

/** Each array by its kind. */
function shapeOf(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return value.constructor.name;
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shapeOf(each)]));
}

// Whoever has to change this gives the picture another version: else a start after an update finds nobody in it.
it('version 1 of the picture looks so, and finds networks so', () => {
  const open = createOpenBans();
  const answer = { do: 'throttle', rate: { packets: 5, per: 'second' } } as const;
  open.add(ban(1, '192.0.2.7', { scope: { protocol: 'tcp', ports: [22], answer } }));
  const rows = NetworkRows.of({
    ...open.image().networks,
    keys: Int32Array.from({ length: 9 }, (_, n) => 0x9e3779b1 * (n + 1)),
  });
  for (let n = 0; n < 6; n++) rows.remove(rows.add(net(`192.0.2.${n}`)));
  const chains = Array.from({ length: 40 }, (_, n) =>
    rows.add(net(n % 2 ? `2001:db8:${n}::/48` : `198.51.${n}.1`)),
  );
  expect(chains).toHaveLength(40);
  const { heads, pages, ...rest } = rows.image();
  expect(PICTURE_VERSION).toBe(1);
  expect([...heads[0]!.subarray(0, rest.chains)]).toMatchInlineSnapshot(`
    [
      28,
      32,
      19,
      -1,
      25,
      8,
      12,
      0,
      2,
      11,
      27,
      1,
      17,
      7,
      23,
      10,
      29,
      3,
      4,
      9,
      36,
    ]
  `);
  expect(shapeOf(open.image())).toMatchInlineSnapshot(`
    {
      "byId": {
        "highest": "number",
        "pieces": [
          {
            "filled": "number",
            "left": "number",
            "numbers": "Float64Array",
            "rows": "Int32Array",
          },
        ],
        "size": "number",
      },
      "kinds": [
        {
          "count": "number",
          "kind": {
            "by": "string",
            "jail": "string",
            "reason": "string",
            "scope": {
              "answer": {
                "do": "string",
                "rate": {
                  "packets": "number",
                  "per": "string",
                },
              },
              "ports": [
                "number",
              ],
              "protocol": "string",
            },
            "via": "undefined",
          },
        },
      ],
      "networks": {
        "chains": "number",
        "counts": "Int32Array",
        "distinct": "number",
        "heads": [
          "Int32Array",
        ],
        "keys": "Int32Array",
        "mask": "number",
        "pages": [
          {
            "behind": "Int32Array",
            "bits": "Uint8Array",
            "words": "Int32Array",
          },
        ],
        "size": "number",
      },
      "pages": [
        {
          "ids": "Float64Array",
          "kinds": "Int32Array",
          "nth": "Float64Array",
          "since": "Float64Array",
          "until": "Float64Array",
        },
      ],
    }
  `);
  expect(pages).toHaveLength(1);
});
