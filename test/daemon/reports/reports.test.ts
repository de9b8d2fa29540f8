// What applications report: judged as lines are, answered when it is committed, counted once whatever is repeated.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Report } from '../../../src/api/contract.ts';
import type { JailConfig } from '../../../src/config/contract.ts';
import { createBans } from '../../../src/daemon/bans.ts';
import { createCommitter } from '../../../src/daemon/committer.ts';
import { createFaults } from '../../../src/daemon/telling/faults.ts';
import type { SittingJail } from '../../../src/daemon/judge.ts';
import { createRegulars } from '../../../src/daemon/intake/regulars.ts';
import { createReportMemory } from '../../../src/daemon/reports/report-memory.ts';
import { createReportSource } from '../../../src/daemon/reports/report-source.ts';
import { createReports, REPORTS_UNWRITTEN } from '../../../src/daemon/reports/reports.ts';
import { createSessions } from '../../../src/daemon/intake/sessions.ts';
import type { Sittings } from '../../../src/daemon/sitting.ts';
import { BailiffError } from '../../../src/errors.ts';
import { createJail } from '../../../src/jails/index.ts';
import type { Commit, Ledger } from '../../../src/ledger/contract.ts';
import { openLedger } from '../../../src/ledger/index.ts';
import type { JailRules } from '../../../src/model.ts';
import { silentLog } from '../../../src/ports.ts';
import type { ReadyJail } from '../../../src/setup/index.ts';
import { createTestClock } from '../clock.ts';
import { rememberedBy } from '../../support/remembered.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const DAY = 86_400_000;
const ALLOWED = '198.51.100.9';

interface Wanted {
  readonly reports?: boolean;
  readonly dryRun?: boolean;
  readonly filter?: string;
  readonly rules?: Partial<JailRules>;
}

const BAN_TIME = { first: 600_000, factor: 4, max: 7 * DAY, forget: 30 * DAY, scope: 'jail' } as const;

function sittingOf(name: string, remembered: ReturnType<typeof rememberedBy>, wanted: Wanted): SittingJail {
  const { reports = true, dryRun = false, rules: own = {} } = wanted;
  const usual = {
    maxRetry: 3,
    findTime: 600_000,
    banTime: BAN_TIME,
    ipv6Prefix: 64,
    resetOnSuccess: false,
    protectAfterSuccess: 0,
  };
  const rules: JailRules = { ...usual, ...own, name };
  const ignoring = {
    whyIgnored: ({ text }: { text: string }) => (text === ALLOWED ? 'allowed by "secret"' : undefined),
    isProtected: () => false,
  };
  const config = { name, reports, dryRun, zone: 'UTC', filters: [] } as unknown as JailConfig;
  const scope = { protocol: 'any', ports: [] } as const;
  const ignore = { networks: [], names: [] };
  const ready: ReadyJail = { config, rules, filters: [], scope, ignore, fingerprint: name };
  return { ready, jail: createJail(rules, ignoring, remembered.offenders, NOW), onlyDetects: dryRun };
}

/** A court without logs on a real ledger. */
function court(jails: Record<string, Wanted> = { app: {}, sshd: { reports: false } }, folder = temporary()) {
  const clock = createTestClock(NOW);
  const ledger = openLedger(folder);
  const remembered = rememberedBy(ledger);
  const commits: Commit[] = [];
  let isBroken = false;
  const tested: Ledger = {
    ...ledger,
    async commit(commit, durable) {
      if (isBroken) throw new BailiffError('E_LEDGER_UNAVAILABLE', 'no room');
      commits.push(commit);
      return ledger.commit(commit, durable);
    },
  };
  const faults = createFaults(clock);
  const all = Object.entries(jails).map(([name, wanted]) => sittingOf(name, remembered, wanted));
  const recidive = all.filter(({ ready }) => ready.rules.name === 'recidive');
  const sittings = {
    all,
    find: (name: string) => all.find(({ ready }) => ready.rules.name === name),
    isConfigured: () => false,
  } as unknown as Sittings;
  const bans = createBans(remembered.openBans, remembered.nextBanId);
  const memory = createReportMemory(tested);
  const ports = { clock, log: silentLog, faults, at() {} };
  const committer = createCommitter(
    tested,
    () => all.map(({ jail }) => jail),
    createSessions([]),
    bans,
    memory,
    { regulars: createRegulars(), brakes: { takeDirty: () => ({ brakes: [] }), restore() {}, rewrite() {} } },
    ports,
  );
  let enforced = 0;
  const source = createReportSource(sittings, clock);
  const reports = createReports({
    ...{ bans, committer, sittings, memory, clock, sentences: clock, faults, source },
    recidive: () => recidive,
    onVerdict: () => undefined,
    announce() {},
    enforce: async () => void enforced++,
  });
  let isOpen = true;
  const close = (): void => {
    if (isOpen) ledger.close();
    isOpen = false;
  };
  onTestFinished(close);
  return {
    ...{ clock, ledger, bans, reports, faults, source, commits, memory, close, folder },
    get enforced() {
      return enforced;
    },
    breakDisk: (broken: boolean) => void (isBroken = broken),
    /** The outcomes, in short. */
    say: async (...said: Partial<Report>[]) =>
      (await reports.report({ reports: said.map(report) })).map(
        ({ outcome, repeated }) => `${outcome}${repeated ? ' again' : ''}`,
      ),
  };
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-reports-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const report = (over: Partial<Report>): Report => ({
  ...{ jail: 'app', address: '192.0.2.7', outcome: 'failure' },
  ...over,
});

test('what is kept of a report holds on to nothing else of it', async () => {
  const { say, reports } = court({ app: { rules: { maxRetry: 1_000 } } });
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = (): number => process.memoryUsage().heapUsed;
  await say({});
  collect();
  const before = held();
  for (let i = 0; i < 100; i++)
    await reports.report({
      reports: [report({ address: `192.0.2.${i}`, fields: { note: `${i}é`.repeat(100_000) } })],
    });
  collect();
  // Each says over 200 000 characters, of which a thousand are kept.
  expect(held() - before).toBeLessThan(100 * 20_000);
});

describe('a report is one match', () => {
  test('the third failure bans, what comes then is recorded', async () => {
    const { say, bans, reports } = court();
    expect(await say({}, {}, {}, {})).toEqual(['counted', 'counted', 'banned', 'recorded']);
    expect([...bans.open()]).toMatchObject([
      { jail: 'app', by: 'jail', reason: '3 matches of reports within 10m', since: NOW },
    ]);
    expect((await reports.report({ reports: [report({})] }))[0]).toEqual({
      address: '192.0.2.7',
      outcome: 'recorded',
      why: 'the address is banned already',
    });
  });

  test('abuse bans at once, and never anybody who is not to be counted', async () => {
    const { say, bans } = court();
    expect(await say({ outcome: 'abuse' }, { outcome: 'abuse', address: ALLOWED })).toEqual([
      'banned',
      'ignored',
    ]);
    expect([...bans.open()]).toMatchObject([{ by: 'report', reason: 'reported as abuse' }]);
  });

  test('success never counts, and begins the count anew where the jail says so', async () => {
    const { say } = court({ app: { rules: { resetOnSuccess: true } }, other: {} });
    const story = [{}, {}, { outcome: 'success' as const }, {}, {}];
    expect(await say(...story)).toEqual(['counted', 'counted', 'success', 'counted', 'counted']);
    expect(await say(...story.map((each) => ({ ...each, jail: 'other' })))).toEqual([
      ...['counted', 'counted', 'success', 'banned', 'recorded'],
    ]);
  });

  test('its ban counts in a jail that counts bans, unless its jail only detects', async () => {
    const rules = { maxRetry: 2 };
    const { say, bans } = court({ app: {}, quiet: { dryRun: true }, recidive: { rules } });
    const abuse = (jail: string, at: number) => ({ jail, at: NOW - at, outcome: 'abuse' as const });
    expect(await say(abuse('quiet', 5), abuse('app', 4))).toEqual(['banned', 'banned']);
    expect([...bans.open()].map((ban) => [ban.jail, ban.scope === undefined])).toEqual([
      ['quiet', true],
      ['app', false],
    ]);
    expect(await say({ ...abuse('app', 0), address: '192.0.2.8' })).toEqual(['banned']);
    expect(bans.countIn('recidive')).toBe(0);
  });

  test('what it says of the application is evidence: cut to length, and of any shape', async () => {
    const { say, ledger } = court();
    const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) as unknown;
    await say(
      { fields: { user: 'x'.repeat(5_000) } },
      { fields: deep },
      { fields: { user: 'a"\n\u001b[31m' } },
    );
    const [ban] = ledger.bans({ limit: 1 });
    expect(ban!.evidence.map(({ file, line, text }) => [file, line, text.slice(0, 60)])).toEqual([
      ['report', 0, `failure {"user":"${'x'.repeat(43)}`],
      ['report', 0, 'failure (fields nested too deep to be shown)'],
      ['report', 0, 'failure {"user":"a\\"\\n\\u001b[31m"}'],
    ]);
    expect(ban!.evidence[0]!.text).toHaveLength(1_000);
  });

  test('addresses are read as in logs, IPv6 is banned by its prefix', async () => {
    const { say, bans } = court();
    expect(await say({ address: '::ffff:192.0.2.9' }, { address: '192.0.2.9:443' })).toEqual([
      ...['counted', 'counted'],
    ]);
    await say({ address: '[2001:db8::7]:443', outcome: 'abuse' }, { address: '192.0.2.9' });
    expect([...bans.open()].map(({ address }) => address.text)).toEqual(['2001:db8::/64', '192.0.2.9']);
  });
});

describe('its instant', () => {
  test('is the stamp, in any unit and spelling; else the arrival', async () => {
    const { say, bans, ledger } = court({ app: { rules: { maxRetry: 6 } } });
    const at = NOW - 60_000;
    const spellings = [at, at / 1_000, at * 1_000, String(at), '2026-01-05T11:59:00Z', '2026-01-05 11:59:00'];
    expect(await say(...spellings.map((each) => ({ at: each })))).toEqual([
      ...Array<string>(5).fill('counted'),
      'banned',
    ]);
    expect([...bans.open()]).toMatchObject([{ since: at }]);
    expect(ledger.bans({ limit: 1 })[0]!.evidence.map((each) => each.at)).toEqual(Array(6).fill(at));
  });

  test('that is too old to count with the others is late', async () => {
    const { say } = court();
    expect(await say({}, { at: NOW - 600_001 }, { at: NOW - 600_000 })).toEqual([
      'counted',
      'late',
      'counted',
    ]);
  });

  test('that lies ahead counts as the arrival, and is a fault until the next one is right', async () => {
    const { say, bans, faults } = court();
    await say({ at: NOW + 300_001, outcome: 'abuse' });
    expect([...bans.open()]).toMatchObject([{ since: NOW }]);
    expect(faults.list()).toMatchObject([{ code: 'W_STAMP_FUTURE', count: 1 }]);
    await say({ at: NOW + 300_000, address: '192.0.2.8' });
    expect(faults.list()).toEqual([]);
  });
});

describe('who may report what', () => {
  test('a jail that did not ask for reports gets none, and looks like one that does not exist', async () => {
    const { reports, bans, commits } = court();
    const asked = ['sshd', 'none'].map((jail) => report({ jail, outcome: 'abuse' }));
    const [one, two] = await reports.report({ reports: asked });
    expect(one).toMatchObject({ outcome: 'refused', code: 'E_UNKNOWN_JAIL' });
    expect(two!.why!.replace('none', 'sshd')).toBe(one!.why);
    expect([bans.size, commits.length]).toEqual([0, 0]);
  });

  test.each([
    [{ address: '192.0.2.0/24' }, 'E_ADDRESS'],
    [{ address: 'fe80::1%eth0' }, 'E_ADDRESS'],
    [{ at: 'yesterday' }, 'E_USAGE'],
    [{ at: 12 }, 'E_USAGE'],
  ])('%j is refused, and its id can be used again', async (wrong, code) => {
    const { reports, say } = court();
    const [answer] = await reports.report({ reports: [report({ ...wrong, id: 'a' })] });
    expect(answer).toMatchObject({ outcome: 'refused', code, id: 'a' });
    expect(await say({ id: 'a' })).toEqual(['counted']);
  });

  test('an answer tells neither the allow list nor a count', async () => {
    const { reports } = court();
    const answers = await reports.report({ reports: [report({ address: ALLOWED }), report({})] });
    expect(answers).toEqual([
      { address: ALLOWED, outcome: 'ignored', why: 'the address is allowed or protected' },
      { address: '192.0.2.7', outcome: 'counted' },
    ]);
  });
});

describe('a report that comes again under its id', () => {
  test('counts nothing and is answered as before: in one request, in another, at once', async () => {
    const { say, bans } = court();
    expect(await say({ id: 'a' }, { id: 'a' }, { id: 'a' })).toEqual([
      ...['counted', 'counted again', 'counted again'],
    ]);
    expect(await say({ id: 'a', outcome: 'abuse' })).toEqual(['counted again']);
    expect(await Promise.all([say({ id: 'b' }), say({ id: 'b' }), say({ id: 'c' })])).toEqual([
      ...[['counted'], ['counted again'], ['banned']],
    ]);
    expect(await say({ id: 'c' }, { id: 'd' })).toEqual(['banned again', 'recorded']);
    expect(bans.size).toBe(1);
  });

  test('ids belong to a jail: two applications may use the same', async () => {
    const { say } = court({ app: {}, other: {} });
    expect(await say({ id: 'a' }, { id: 'a', jail: 'other' })).toEqual(['counted', 'counted']);
  });

  test('is known to the next daemon, with its why', async () => {
    const first = court();
    await first.say({ id: 'a' }, { id: 'b', address: ALLOWED });
    first.close();
    const { reports } = court(undefined, first.folder);
    expect(await reports.report({ reports: [report({ id: 'a' }), report({ id: 'b' })] })).toEqual([
      { address: '192.0.2.7', outcome: 'counted', id: 'a', repeated: true },
      {
        ...{ address: ALLOWED, outcome: 'ignored', why: 'the address is allowed or protected' },
        ...{ id: 'b', repeated: true },
      },
    ]);
  });

  test('is new after a day', async () => {
    const { say, clock } = court();
    await say({ id: 'a' });
    clock.advance(DAY - 1);
    expect(await say({ id: 'a' })).toEqual(['counted again']);
    clock.advance(1);
    expect(await say({ id: 'a' })).toEqual(['counted']);
    expect(await say({ id: 'a' })).toEqual(['counted again']);
  });
});

describe('the answer', () => {
  test('comes after the commit that holds count, ban and id; many clients share one', async () => {
    const { say, commits, ledger } = court();
    const clients = Array.from({ length: 20 }, (_, n) => say({ id: `i${n}`, address: `192.0.2.${n % 5}` }));
    for (const answer of clients) {
      await answer;
      expect(ledger.report('app', 'i0')).toMatchObject({ outcome: 'counted' });
    }
    expect(commits).toHaveLength(1);
    expect(commits[0]!.reports).toHaveLength(20);
    expect(commits[0]!.bans).toHaveLength(5);
    expect(commits[0]!.offenders).toHaveLength(5);
  });

  test('waits for the kernel where it says that somebody is banned', async () => {
    const world = court();
    await world.say({});
    expect(world.enforced).toBe(0);
    await world.say({ outcome: 'abuse' });
    expect(world.enforced).toBe(1);
  });

  test('is a fault where the disk is full: it counts and blocks, and once there is room the id is known', async () => {
    const world = court();
    world.breakDisk(true);
    const said = { id: 'a', outcome: 'abuse' as const };
    await expect(world.say(said)).rejects.toMatchObject({ code: 'E_LEDGER_UNAVAILABLE', http: 503 });
    expect([world.bans.size, world.enforced]).toEqual([1, 1]);
    // For a second nothing is tried, and still everything counts.
    world.breakDisk(false);
    await expect(world.say(said, { address: '192.0.2.8', outcome: 'abuse' })).rejects.toMatchObject({
      code: 'E_LEDGER_UNAVAILABLE',
    });
    expect([world.bans.size, world.enforced]).toEqual([2, 2]);
    world.clock.advance(1_000);
    expect(await world.say(said)).toEqual(['banned again']);
    expect(world.ledger.load().openBans.size).toBe(2);
  });

  test('is a fault, and nothing counts, where too many wait for the disk', async () => {
    const world = court();
    world.breakDisk(true);
    for (let n = 0; n < 50; n++) {
      const said = Array.from({ length: 1_000 }, (_, i) => ({ id: `${n} ${i}`, address: ALLOWED }));
      await expect(world.say(...said)).rejects.toThrow(/counts, but/);
    }
    await expect(world.say({ outcome: 'abuse' })).rejects.toThrow(/was not counted/);
    expect(world.bans.size).toBe(0);
    world.breakDisk(false);
    world.clock.advance(1_000);
    await world.reports.attempt({ addresses: ['192.0.2.9'], jail: 'app' });
    expect(await world.say({ outcome: 'abuse' })).toEqual(['banned']);
  });
});

describe('an attempt by hand', () => {
  test('is one match in any jail', async () => {
    const { reports, bans } = court();
    const attempt = (...addresses: string[]) => reports.attempt({ addresses, jail: 'sshd' });
    expect(await attempt('192.0.2.7', '192.0.2.7')).toEqual([
      { address: '192.0.2.7', outcome: 'counted', why: 'number 1 of 3' },
      { address: '192.0.2.7', outcome: 'counted', why: 'number 2 of 3' },
    ]);
    expect(await attempt('192.0.2.7', '192.0.2.7', ALLOWED)).toEqual([
      { address: '192.0.2.7', outcome: 'banned' },
      { address: '192.0.2.7', outcome: 'ignored', why: 'the address is banned already' },
      { address: ALLOWED, outcome: 'ignored', why: 'allowed by "secret"' },
    ]);
    expect([...bans.open()]).toMatchObject([
      { jail: 'sshd', by: 'jail', reason: '3 matches of attempts by hand within 10m' },
    ]);
  });

  test('in no jail, or by no address, is a fault and counts nothing', async () => {
    const { reports, commits } = court();
    await expect(reports.attempt({ addresses: ['192.0.2.7'], jail: 'x' })).rejects.toMatchObject({
      code: 'E_UNKNOWN_JAIL',
    });
    const addresses = ['192.0.2.7', '192.0.2.0/24'];
    await expect(reports.attempt({ addresses, jail: 'app' })).rejects.toMatchObject({ code: 'E_ADDRESS' });
    expect(commits).toEqual([]);
  });

  test('says so where the disk does not have it yet', async () => {
    const { reports, breakDisk } = court();
    breakDisk(true);
    expect(await reports.attempt({ addresses: ['192.0.2.7'], jail: 'app' })).toMatchObject([
      { outcome: 'counted', durable: false },
    ]);
  });
});

test('more answers than may wait for the disk: reports are refused and counted, until it has them', async () => {
  const { reports, breakDisk, memory, say, clock } = court();
  breakDisk(true);
  const rest = { jail: 'app', at: clock.now(), address: '192.0.2.7', outcome: 'counted', why: undefined };
  for (let i = 0; i < REPORTS_UNWRITTEN; i++) memory.keep({ ...rest, id: `${i}` });
  for (const count of [1, 2])
    await expect(reports.report({ reports: Array(count).fill(report({})) })).rejects.toMatchObject({
      code: 'E_LEDGER_UNAVAILABLE',
      message: expect.stringContaining('was not counted'),
    });
  expect([memory.dirty, memory.refused]).toEqual([REPORTS_UNWRITTEN, 3]);
  breakDisk(false);
  // An attempt by hand is taken all the same, and brings everything to the disk.
  await reports.attempt({ addresses: ['192.0.2.9'], jail: 'app' });
  expect(memory.dirty).toBe(0);
  expect(await say({})).toEqual(['counted']);
  expect(memory.refused).toBe(3);
});

describe('reports as a source', () => {
  const row = { id: 'reports', kind: 'report', state: 'following', lag: 0, lines: 0, skipped: 0, faults: [] };

  test('are a row with what came and what was refused', async () => {
    const { say, source, clock } = court();
    expect([source.status(), source.last]).toEqual([[row], undefined]);
    await say({}, { address: 'rubbish' }, {});
    expect([source.status(), source.last]).toEqual([[{ ...row, lines: 3, skipped: 1 }], clock.now()]);
  });

  test('are none where no jail takes reports and none ever came', async () => {
    const { say, source } = court({ sshd: { reports: false } });
    expect(source.status()).toEqual([]);
    await say({});
    expect(source.status()).toMatchObject([{ state: 'waiting', lines: 1, skipped: 1 }]);
  });

  test('to a jail that takes none are a fault that counts up, and names the jail only where it is one', async () => {
    const { say, source } = court();
    await say({ jail: 'sshd' }, { jail: 'sshd' });
    const faults = () => source.status()[0]!.faults;
    expect(faults()).toMatchObject([
      {
        code: 'W_REPORT_REFUSED',
        count: 2,
        message: 'Reports to the jail "sshd" are refused: it takes none.',
      },
    ]);
    await say({ jail: '\u001b[31mhostile' });
    expect(faults()).toMatchObject([
      {
        code: 'W_REPORT_REFUSED',
        count: 3,
        message: 'Reports to a jail that there is not, or that is disabled, are refused.',
      },
    ]);
  });
});
