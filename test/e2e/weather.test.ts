// Faults from outside, as a table: what happens, how it is brought about, what must hold. Each row goes through the same
// drill with real nftables in a network namespace of its own:
//
//   before   one address is banned, another has one of its three matches
//   fault    a third address is banned by its lines; the second gets its second match
//   over     what was wrong is mended; nobody does anything to the daemon, unless the row says that it was restarted
//   after    the second address gets its third match, and the daemon ends
//
// In the end each of the three is banned once, for the first time, and stands in the kernel: no line was lost, none counted
// twice, no ban forgotten. docs/guarantees.md has the table for its readers.
import { mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StatusView } from '../../src/api/contract.ts';
import { damage } from '../support/damage.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { needs } from '../support/programs.ts';
import { createStage, memoryGroups, patiently } from './weather-stage.ts';
import type { Stage } from './weather-stage.ts';

interface Row {
  readonly fault: string;
  readonly how: 'real' | 'simulated';
  /** It is there when the daemon starts again, and not while it runs. */
  readonly whileDown?: true;
  /** Is who attacks during the fault in the kernel during the fault, or only after? */
  readonly blocks: 'during' | 'after';
  /** What status says during the fault: in its faults, those of its sources, or of its firewall. */
  readonly says: RegExp | undefined;
  /** Nobody can ask it meanwhile: its log says so. */
  readonly tellsAfter?: true;
  /** Only with BAILIFF_WEATHER=all: another row, or a quicker test, shows nearly the same. */
  readonly onDemand?: true;
  /** What must be taken care of before the daemon starts for the first time. */
  readonly prepare?: (stage: Stage) => unknown;
  readonly inject: (stage: Stage) => unknown;
  /** Left out: it is over when the daemon runs again. */
  readonly mend?: (stage: Stage) => unknown;
  /** It takes a restart to be over: the unit's, or an administrator's. */
  readonly restarts?: true;
  /** Status has no word of it left when it is over. */
  readonly forgets?: false;
}

const TABLE: readonly Row[] = [
  {
    fault: 'the disk is full',
    onDemand: true,
    ...{ how: 'real', blocks: 'during', says: /E_LEDGER_UNAVAILABLE.*the disk is full/ },
    prepare: (stage) => stage.mountState('tmpfs', 'size=1m'),
    inject: (stage) => stage.fillState(),
    mend: (stage) => stage.makeRoom(),
  },
  {
    fault: 'the disk is full when it starts',
    ...{ how: 'real', whileDown: true, blocks: 'during', says: /E_LEDGER_UNAVAILABLE.*the disk is full/ },
    prepare: (stage) => stage.mountState('tmpfs', 'size=1m'),
    inject: (stage) => stage.fillState(),
    mend: (stage) => stage.makeRoom(),
  },
  {
    fault: 'the disk is read-only when it starts',
    onDemand: true,
    ...{ how: 'real', whileDown: true, blocks: 'during', says: /E_LEDGER_UNAVAILABLE/ },
    prepare: (stage) => stage.mountState('tmpfs', 'size=1m'),
    inject: (stage) => stage.remount('ro'),
    mend: (stage) => stage.remount('rw'),
  },
  {
    fault: 'the disk turns read-only, as ext4 does after an error',
    onDemand: true,
    ...{ how: 'real', blocks: 'during', says: /E_LEDGER_UNAVAILABLE/, restarts: true },
    prepare: (stage) => stage.mountState('ext4', 'loop'),
    inject: (stage) => stage.abortState(),
    mend: (stage) => stage.mountState('ext4', 'loop'),
  },
  {
    fault: 'another program holds the ledger locked',
    onDemand: true,
    ...{ how: 'real', blocks: 'during', says: /E_LEDGER_UNAVAILABLE.*another program holds it locked/ },
    inject: (stage) => stage.lockLedger(),
    mend: (stage) => stage.unlockLedger(),
  },
  {
    fault: 'another program holds the ledger locked when it starts',
    onDemand: true,
    ...{ how: 'real', whileDown: true, blocks: 'during', says: /E_LEDGER_UNAVAILABLE/ },
    inject: (stage) => stage.lockLedger(),
    mend: (stage) => stage.unlockLedger(),
  },
  {
    fault: 'bytes of the ledger are overwritten',
    ...{
      how: 'real',
      whileDown: true,
      blocks: 'during',
      says: /W_LEDGER_SET_ASIDE.*ledger\.sqlite\.damaged-/,
    },
    // What the log said of the first address is gone as well: the kernel alone knows of it.
    inject(stage) {
      writeFileSync(join(stage.state, 'ledger.sqlite'), Buffer.alloc(40_000, 0xa5));
      rmSync(join(stage.state, 'ledger.sqlite-wal'), { force: true });
      writeFileSync(stage.log, stage.lines('half', 1));
    },
    forgets: false,
  },
  {
    fault: 'the ledger is damaged while it runs',
    onDemand: true,
    ...{ how: 'real', blocks: 'during', says: /W_LEDGER_SET_ASIDE.*ledger\.sqlite\.damaged-.*taken over/ },
    inject: (stage) => damage(join(stage.state, 'ledger.sqlite')),
    forgets: false,
  },
  {
    fault: 'a power cut; the ledger is as it was at an earlier sync',
    ...{ how: 'simulated', whileDown: true, blocks: 'during', says: undefined },
    async inject(stage) {
      stage.putBackLedger();
      await stage.flushKernel();
    },
  },
  {
    fault: 'a power cut; the log is as it was at an earlier sync',
    onDemand: true,
    ...{ how: 'simulated', whileDown: true, blocks: 'during', says: /E_SOURCE_SHRUNK/ },
    async inject(stage) {
      truncateSync(stage.log, readFileSync(stage.log).length - stage.lines('half', 1).length);
      await stage.flushKernel();
    },
    forgets: false,
  },
  {
    fault: 'nft is missing',
    onDemand: true,
    ...{ how: 'real', whileDown: true, blocks: 'after', says: /nft is not installed/ },
    prepare: (stage) => stage.putNftInFront(),
    inject: (stage) => stage.nft('missing'),
    mend: (stage) => stage.nft('works'),
  },
  {
    fault: 'nft fails',
    onDemand: true,
    ...{ how: 'real', blocks: 'after', says: /this kernel does not answer nft/ },
    prepare: (stage) => stage.putNftInFront(),
    async inject(stage) {
      stage.nft('fails');
      await stage.signalNft('SIGKILL');
    },
    mend: (stage) => stage.nft('works'),
  },
  {
    fault: 'nft hangs',
    onDemand: true,
    ...{ how: 'real', blocks: 'after', says: /it has not answered for \d+ seconds|nft did not answer/ },
    prepare: (stage) => stage.putNftInFront(),
    async inject(stage) {
      stage.nft('hangs');
      await stage.signalNft('SIGSTOP');
    },
    mend: (stage) => stage.nft('works'),
  },
  {
    fault: 'nft hangs when it starts',
    ...{ how: 'real', whileDown: true, blocks: 'after', says: /it has not answered for \d+ seconds/ },
    prepare: (stage) => stage.putNftInFront(),
    inject: (stage) => stage.nft('hangs'),
    mend: (stage) => stage.nft('works'),
  },
  {
    fault: 'the long-lived nft is killed',
    onDemand: true,
    ...{ how: 'real', blocks: 'during', says: undefined },
    inject: (stage) => stage.signalNft('SIGKILL'),
  },
  {
    fault: 'no descriptor is left (EMFILE)',
    ...{ how: 'real', blocks: 'after', says: /EMFILE/, tellsAfter: true },
    inject: (stage) => stage.limitDescriptors(),
    mend: (stage) => stage.raiseDescriptors(),
    forgets: false,
  },
  {
    fault: 'no inotify watch is left (ENOSPC)',
    ...{ how: 'real', whileDown: true, blocks: 'during', says: /E_SOURCE_WATCH/ },
    // Limits of inotify belong to a user namespace, in which nobody may change this firewall.
    prepare: (stage) => stage.moveIntoUserNamespace(),
    inject: (stage) => stage.limitWatches(0),
    mend: (stage) => stage.limitWatches(1_000),
    forgets: false,
  },
  {
    fault: 'the config is deleted',
    ...{ how: 'real', blocks: 'during', says: /E_RELOAD_REFUSED/ },
    inject: (stage) => renameSync(stage.config, `${stage.config}.away`),
    mend: (stage) => renameSync(`${stage.config}.away`, stage.config),
  },
  {
    fault: 'the memory that its unit may have is used up',
    // Without a memory controller that may be written, it is killed as the kernel would.
    ...{ how: memoryGroups === undefined ? 'simulated' : 'real', blocks: 'after', says: undefined },
    restarts: true,
    prepare: (stage) => stage.makeMemoryGroup(),
    inject: (stage) => stage.exhaustMemory(),
  },
];

const rows = TABLE.filter(({ onDemand }) => !onDemand || process.env['BAILIFF_WEATHER'] === 'all');

let stage: Stage;
let folder: ReturnType<typeof temporaryFolder>;

beforeEach(async () => {
  folder = temporaryFolder('weather');
  mkdirSync(join(folder.path, 'logs'));
  stage = await createStage(folder.path);
});
afterEach(async () => {
  await stage.strike();
  folder.remove();
});

/** Everything that is wrong, a line each. */
function wrongs({ faults, sources, firewall }: StatusView): string {
  const all = [...faults, ...sources.flatMap((source) => source.faults)];
  return [...all.map(({ code, message }) => `${code} ${message}`), firewall.fault ?? ''].join('\n');
}

needs(
  'root',
  'ip',
  'nft',
)('in bad weather nothing is lost, blocking goes on, and it mends by itself:', () => {
  test.each(rows)('$fault ($how)', { timeout: 180_000 }, async (row) => {
    await row.prepare?.(stage);
    await stage.start();
    stage.attack('old', 3);
    await stage.isBlocked('old');
    await stage.daemon.caughtUp();
    stage.keepLedger();
    stage.attack('half', 1);
    await stage.daemon.caughtUp();

    if (row.whileDown) await stage.daemon.end('SIGKILL');
    await row.inject(stage);
    if (row.whileDown) await stage.start();
    // Where nobody runs, they are there for whoever is started next.
    stage.attack('fresh', 3);
    stage.attack('half', 1);
    if (row.says && !row.tellsAfter)
      await patiently(`status says ${String(row.says)}`, async () =>
        row.says!.test(wrongs(await stage.daemon.status())),
      );
    if (row.blocks === 'during') await stage.isBlocked('fresh');
    // Who was in the kernel stays there, whatever happens to the daemon.
    expect(await stage.blocked()).toContain(stage.address('old'));

    if (row.restarts && stage.isRunning()) await stage.daemon.end('SIGKILL');
    await row.mend?.(stage);
    if (row.restarts) await stage.start();
    await stage.isBlocked('fresh');
    const over = await stage.daemon.caughtUp();
    if (row.says && row.tellsAfter) expect(stage.daemon.output()).toMatch(row.says);
    if (row.forgets !== false) {
      const wellAgain = await patiently('nothing is wrong any more', async () => {
        const status = await stage.daemon.status();
        return wrongs(status).trim() === '' && status;
      });
      expect(wellAgain.health!.problems).toEqual([]);
    }
    expect(over.caughtUp).toBe(true);
    expect((await stage.counts('half')).slice(-1)).toEqual([2]);
    stage.attack('half', 1);
    await stage.isBlocked('half');

    const bans = (await stage.daemon.bans('?all=true')).filter(({ jail }) => jail === 'login');
    const found = Object.fromEntries(bans.map(({ address, nth }) => [address, nth]));
    expect(bans).toHaveLength(Object.keys(found).length);
    const who = (['old', 'half', 'fresh'] as const).map((name) => stage.address(name));
    // A ledger that was lost has the first ban from the kernel, without its jail.
    const isLost = row.fault === 'bytes of the ledger are overwritten';
    expect(found).toEqual(Object.fromEntries(who.slice(isLost ? 1 : 0).map((address) => [address, 1])));
    expect((await stage.blocked()).toSorted()).toEqual(who.toSorted());
    // And the next daemon would know: it is read to its end, and every ban is there.
    await stage.daemon.caughtUp();
    expect(await stage.endAndRemember()).toEqual({ unread: 0, banned: who.toSorted() });
  });
});
