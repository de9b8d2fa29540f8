// How elements get into a real kernel: by nft-tell.pl in the kernel's own words, and by nft where that can't be.
import { basename } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createElementWriter } from '../../src/firewall/nft-element-bytes.ts';
import { createFirewall, type Firewall } from '../../src/firewall/index.ts';
import { batchOf } from '../../src/firewall/nft-batch.ts';
import { type ElementStatement, textOf } from '../../src/firewall/nft-script.ts';
import type { Child, Exec } from '../../src/ports.ts';
import { needs, program } from '../support/programs.ts';
import { eventually } from '../support/run.ts';
import { block, net, release, summary, type World } from './conformance.ts';
import { createRecordingLog, onThisKernel } from './worlds.ts';

const APPLIED = { outcome: 'applied' };
const HOUR = 3_600_000;

let world: World;
beforeEach(async () => {
  world = await onThisKernel('nftables');
});
afterEach(() => world.remove());

/** @returns what it says. */
async function nft(args: readonly string[], input = ''): Promise<string> {
  const ran = await world.ports.exec.run({ file: program('nft'), args, input, timeout: 30_000 });
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  return ran.stdout;
}

const nftRuns = (script: string): Promise<string> => nft(['-f', '-'], script);

needs(
  'root',
  'ip',
  'nft',
  'perl',
)('nft-tell.pl', () => {
  const SETS = [
    'add table inet bailiff',
    'add set inet bailiff four { type ipv4_addr; flags timeout; }',
    'add set inet bailiff six { type ipv6_addr; flags timeout; }',
  ].join('\n');
  let teller: Child;
  let said: string;

  beforeEach(() => {
    const script = new URL('../../src/firewall/nft-tell.pl', import.meta.url).pathname;
    teller = world.ports.exec.spawn(program('perl'), [script])!;
    said = '';
    teller.onOutput((text) => (said += text));
  });
  afterEach(() => teller.kill());

  async function tell(...statements: ElementStatement[]): Promise<string> {
    said = '';
    teller.write(batchOf(statements));
    await eventually('it answers', () => said.endsWith('\n'));
    return said.slice(0, -1);
  }

  function statement(
    what: ElementStatement['what'],
    set: string,
    ...elements: [address: string, timeout?: number][]
  ): ElementStatement {
    const writer = createElementWriter();
    for (const [address, timeout] of elements) writer.add(net(address), timeout);
    return { what, set, elements: writer.bytes };
  }

  /** Addresses with their timeouts in seconds, in no order. */
  async function elements(set: string): Promise<unknown[]> {
    const { nftables } = JSON.parse(await nft(['-j', 'list', 'set', 'inet', 'bailiff', set]));
    const elems: (string | { elem: { val: string; timeout: number } })[] =
      nftables.find((each: object) => 'set' in each).set.elem ?? [];
    return elems
      .map((each) => (typeof each === 'string' ? [each] : [each.elem.val, each.elem.timeout]))
      .toSorted(([a], [b]) => String(a).localeCompare(String(b)));
  }

  it('puts in what nft puts in, whatever the family and the end', async () => {
    const four = statement(
      'add',
      'four',
      ['192.0.2.7'],
      ['192.0.2.8', 1_000],
      ['203.0.113.255', 8_640_000_000],
    );
    const six = statement('add', 'six', ['2001:db8::1', 99_999_999], ['2001:db8:ffff::']);
    await nftRuns(`${SETS}\n${textOf(four)}\n${textOf(six)}`);
    const byNft = [await elements('four'), await elements('six')];
    await nftRuns('flush ruleset');
    await nftRuns(SETS);
    expect(await tell(four, six)).toBe('');
    expect([await elements('four'), await elements('six')]).toEqual(byNft);
    expect(byNft.flat()).toHaveLength(5);
  });

  it('does all of a transaction or nothing, and says why it does nothing', async () => {
    await nftRuns(SETS);
    const isThere = statement('add', 'four', ['192.0.2.7', 60]);
    expect(await tell(isThere, statement('add', 'none', ['192.0.2.8', 60]))).toBe(
      'No such file or directory',
    );
    expect(await tell(isThere, statement('delete', 'four', ['192.0.2.9']))).toBe('No such file or directory');
    expect(await tell(statement('add', 'six', ['192.0.2.7', 60]))).toBe('Invalid argument');
    expect(await elements('four')).toEqual([]);
    expect(await tell(isThere)).toBe('');
    expect(await elements('four')).toEqual([['192.0.2.7', 60]]);
  });

  it('takes no error for one of the next transaction, though the kernel has more of them than it keeps', async () => {
    await nftRuns(SETS);
    const wrong = Array.from({ length: 1_500 }, () => statement('add', 'none', ['192.0.2.8', 60]));
    expect(await tell(...wrong)).toBe('No such file or directory');
    expect(await tell(statement('add', 'four', ['192.0.2.7', 60]))).toBe('');
    expect(await elements('four')).toEqual([['192.0.2.7', 60]]);
  });

  it('sets an end anew, and takes out', async () => {
    await nftRuns(SETS);
    const old = statement('add', 'four', ['192.0.2.7'], ['192.0.2.8']);
    await tell(statement('add', 'four', ['192.0.2.7', 60], ['192.0.2.8', 60]));
    expect(await tell(old, { ...old, what: 'delete' }, statement('add', 'four', ['192.0.2.7', 900]))).toBe(
      '',
    );
    expect(await elements('four')).toEqual([['192.0.2.7', 900]]);
  });

  it('takes as many at once as the daemon tells', async () => {
    await nftRuns(SETS);
    const pages = Array.from({ length: 10 }, (_, page) =>
      statement(
        'add',
        'six',
        ...Array.from({ length: 1_000 }, (__, n): [string, number] => [
          `2001:db8:${page}::${n.toString(16)}`,
          60,
        ]),
      ),
    );
    expect(await tell(...pages)).toBe('');
    expect(await elements('six')).toHaveLength(10_000);
  });
});

needs(
  'root',
  'ip',
  'nft',
  'perl',
)('nftables', () => {
  let log: ReturnType<typeof createRecordingLog>;
  let started: string[];
  let tellers: Child[];
  let firewall: Firewall;

  beforeEach(() => {
    log = createRecordingLog();
    [started, tellers] = [[], []];
  });
  afterEach(() => firewall.close());

  /** @param perl what is started in its place; undefined: there is none. */
  async function open(perl: string | undefined): Promise<void> {
    const { exec, clock } = world.ports;
    const watched: Exec = {
      find: (name) => (name === 'perl' ? perl : exec.find(name)),
      run(request) {
        started.push(basename(request.file));
        return exec.run(request);
      },
      spawn(file, args, reads) {
        started.push(basename(file));
        const child = exec.spawn(file, args, reads)!;
        if (file === perl) tellers.push(child);
        return child;
      },
    };
    firewall = createFirewall('nftables', { exec: watched, clock, log });
    await firewall.prepare([]);
    // The first one needs its set.
    expect(await apply(block('192.0.2.7', world.ports.clock.now() + HOUR))).toEqual([APPLIED]);
    started.length = 0;
  }

  const apply = (...changes: Parameters<Firewall['apply']>[0]) =>
    firewall.apply(changes, world.ports.clock.now());
  const blocked = async (): Promise<string[]> =>
    summary(await firewall.list(), world.ports.clock.now()).map((text) => text.split(' ')[0]!);

  describe('where there is a perl', () => {
    beforeEach(() => open(program('perl')));

    it('starts nft for none of them once the sets are there', async () => {
      const until = world.ports.clock.now() + HOUR;
      expect(await apply(block('192.0.2.8', until))).toEqual([APPLIED]);
      expect(await apply(block('192.0.2.9', undefined), release('192.0.2.7'))).toEqual([APPLIED, APPLIED]);
      expect(await apply(block('192.0.2.8', until + HOUR))).toEqual([APPLIED]);
      expect(started).toEqual(['perl']);
      expect(await blocked()).toEqual(['192.0.2.8', '192.0.2.9']);
    });

    it('takes nft for what stands in the way, and the script again afterwards', async () => {
      await nftRuns('flush ruleset');
      const until = world.ports.clock.now() + HOUR;
      expect(await apply(block('192.0.2.8', until))).toEqual([{ ...APPLIED, rebuilt: true }]);
      expect(started).toContain('nft');
      started.length = 0;
      expect(await apply(block('192.0.2.9', until))).toEqual([APPLIED]);
      expect(started).toEqual([]);
      expect(await blocked()).toEqual(['192.0.2.8', '192.0.2.9']);
      expect(log.entries.map(({ message }) => message)).toEqual([
        'sets had vanished from the kernel and were made anew',
      ]);
    });

    it('starts another where one was killed', async () => {
      const until = world.ports.clock.now() + HOUR;
      await apply(block('192.0.2.8', until));
      const [first] = tellers;
      const ended = new Promise((resolve) => first!.onExit(resolve));
      process.kill(first!.pid, 'SIGKILL');
      await ended;
      expect(await apply(block('192.0.2.9', until))).toEqual([APPLIED]);
      expect(started).toEqual(['perl', 'perl']);
      expect(await blocked()).toEqual(['192.0.2.7', '192.0.2.8', '192.0.2.9']);
    });

    it('takes nft for what one was killed over, and starts another afterwards', async () => {
      const until = world.ports.clock.now() + HOUR;
      await apply(block('192.0.2.8', until));
      process.kill(tellers[0]!.pid, 'SIGKILL');
      expect(await apply(block('192.0.2.9', until))).toEqual([APPLIED]);
      expect(await apply(block('192.0.2.10', until))).toEqual([APPLIED]);
      expect(tellers).toHaveLength(2);
      expect(await blocked()).toEqual(['192.0.2.10', '192.0.2.7', '192.0.2.8', '192.0.2.9']);
      expect(log.entries).toEqual([]);
    });
  });

  it.each([
    { what: 'always ends at once', perl: '/usr/bin/false', tries: ['false', 'false', 'false'], told: 1 },
    { what: 'is none', perl: undefined, tries: [], told: 0 },
  ])('tells by nft where perl $what, which is found out once', async ({ perl, tries, told }) => {
    await open(perl);
    const until = world.ports.clock.now() + HOUR;
    const more = ['192.0.2.11', '192.0.2.12', '192.0.2.13', '192.0.2.14'];
    for (const address of more) expect(await apply(block(address, until))).toEqual([APPLIED]);
    expect(await blocked()).toEqual([...more, '192.0.2.7']);
    expect(started.filter((name) => name !== 'nft')).toEqual(tries);
    expect(log.entries).toHaveLength(told);
  });
});
