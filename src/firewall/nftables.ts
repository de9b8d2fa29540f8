// The back end for nftables: everything is in the table `inet bailiff`, and nothing outside it is touched.
import type { Instant, Network } from '../model.ts';
import type { Clock, Exec, Log } from '../ports.ts';
import type { Applied, Change, Firewall, Owner } from './contract.ts';
import { droppedBy } from './dropped.ts';
import { createElementCutter } from './nft-elements.ts';
import { isInOrder, type Layout, NO_TABLE, type Plan } from './nft-layout.ts';
import { readLayout, readOwners, readTable } from './nft-listing.ts';
import { createMonitor, readElements } from './nft-monitor.ts';
import { chunksOf, createCrowd, planChanges, planFoundation } from './nft-plan.ts';
import { type Answer, createNftProgram, isGone } from './nft-program.ts';
import { addOwner, addTable, deleteOwner, deleteTable, TABLE } from './nft-script.ts';
import { isReadable, listStructure } from './nft-structure.ts';
import { BailiffError } from '../errors.ts';
import { unavailable } from './unavailable.ts';

const LIST_ALL = ['-j', 'list', 'table', ...TABLE.split(' ')];

/** One object for all of them: a boot may have 100 000. */
const APPLIED: Applied = { outcome: 'applied' };
const REBUILT: Applied = { outcome: 'applied', rebuilt: true };

/** What became of a plan, once it is known. */
type Settled = Exclude<Answer, { outcome: 'unknown' }>;

export function createNftables(ports: { exec: Exec; clock: Clock; log: Log; owner?: Owner }): Firewall {
  const { clock, log, owner } = ports;
  let isMarked = false;
  /** The table was made just now, and nobody can have been blocked in it. */
  let isFresh = false;
  const nft = createNftProgram(ports);
  /** What {@link claim} came to, where it was begun ahead. */
  let begun: Promise<void> | undefined;
  /** What we know to be in the table; undefined: look first. */
  let known: Layout | undefined;
  /** What others had taken out was met, and made anew, on the way to something else. Nobody was told yet. */
  let wasMissed = false;
  let allowed: readonly Network[] = [];
  let tail: Promise<unknown> = Promise.resolve();

  /** One conversation with the kernel at a time, in the order of the calls. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const mine = tail.then(task);
    tail = mine.catch(() => undefined);
    return mine;
  }

  async function look(): Promise<Layout> {
    const json = await awake(() => listStructure(nft.list));
    return json === undefined ? NO_TABLE : readLayout(json);
  }

  /** Nobody but whoever put it to sleep gives our table flags; adding it once more takes them away. */
  async function awake(list: () => Promise<string | undefined>): Promise<string | undefined> {
    const json = await list();
    // Who only looks changes nothing.
    if (!owner || json === undefined || isReadable(json)) return json;
    await nft.transact([addTable()]);
    wasMissed = true;
    return list();
  }

  /**
   * Runs a plan made for what is known; where that proves wrong, looks and plans once more.
   * @returns `isRebuilt` where sets had vanished, with what was in them.
   */
  async function run(plan: (layout: Layout) => Plan): Promise<Settled & { isRebuilt?: boolean }> {
    const before = known;
    for (let attempt = 1; ; attempt++) {
      known ??= await look();
      const isRebuilt = before !== undefined && hasLost(before, known);
      // Also where the plan is refused: whoever asks next must know.
      wasMissed ||= isRebuilt;
      const { statements, after } = plan(known);
      const answer: Answer = statements.length === 0 ? { outcome: 'done' } : await nft.transact(statements);
      if (answer.outcome === 'done') {
        known = after;
        return { ...answer, isRebuilt };
      }
      // A table that vanished, or a child that died before it could say whether the transaction had happened.
      const isStale = answer.outcome === 'unknown' || isGone(answer.why);
      if (isStale) known = undefined;
      if (!isStale || attempt === 2) return { outcome: 'refused', why: answer.why };
    }
  }

  /** Leaves our mark and takes away those of the dead. */
  async function claim({ id, isAlive }: Owner): Promise<void> {
    const json = await awake(() => listStructure(nft.list));
    known = json === undefined ? NO_TABLE : readLayout(json);
    isFresh = !known.hasTable;
    const others = json === undefined ? [] : readOwners(json).filter((other) => other !== id);
    const rival = others.find(isAlive);
    if (rival !== undefined) {
      const pid = rival.split('_')[0];
      throw new BailiffError(
        'E_ALREADY_RUNNING',
        `Another Bailiff (pid ${pid}) enforces in this network namespace; end it first, or start this one with --detect-only.`,
        { pid: Number(pid) },
      );
    }
    await nft.transact([addTable(), addOwner(id), ...others.map(deleteOwner)]);
    isMarked = true;
  }

  async function lay(networks: readonly Network[]): Promise<void> {
    allowed = networks;
    const answer = await run((layout) => planFoundation(layout, networks));
    if (answer.outcome === 'refused')
      throw unavailable(`the table ${TABLE} could not be made: ${answer.why}`);
  }

  /** One transaction. */
  async function transact(plan: (layout: Layout) => Plan): Promise<Applied> {
    const answer = await run(plan);
    if (answer.outcome === 'refused') return answer;
    if (answer.isRebuilt) log.warn({}, 'sets had vanished from the kernel and were made anew');
    return answer.isRebuilt ? REBUILT : APPLIED;
  }

  /** One transaction; where it is refused, its halves, so that one bad change doesn't sink the others. */
  async function applySome(changes: readonly Change[], now: Instant): Promise<Applied[]> {
    const outcome = await transact((layout) => planChanges(layout, allowed, changes, now));
    if (outcome.outcome === 'applied') return changes.map(() => outcome);
    if (changes.length === 1) return [outcome];
    const half = changes.length >> 1;
    return [
      ...(await applySome(changes.slice(0, half), now)),
      ...(await applySome(changes.slice(half), now)),
    ];
  }

  return {
    kind: 'nftables',
    enforces: true,
    announcements: createMonitor({
      tables: [TABLE],
      isOurs: nft.isOurs,
      read: (elements) => readElements(elements, known?.sets, allowed),
    }),
    begin() {
      if (!owner) return;
      // Not in turn, but at once: it comes before all others.
      begun = claim(owner);
      tail = begun.catch(() => {});
    },
    prepare: (networks) =>
      inTurn(async () => {
        const claiming = begun;
        begun = undefined;
        if (!claiming) known = undefined;
        const isFirst = !isMarked || claiming !== undefined;
        if (owner) await (claiming ?? claim(owner));
        await lay(networks);
        // What was so before we came is nobody's doing.
        if (isFirst) wasMissed = false;
      }),
    allow: (networks) => inTurn(() => lay(networks)),
    list: () =>
      inTurn(async () => {
        if (isFresh) {
          isFresh = false;
          return [];
        }
        const listing = createElementCutter();
        const isThere = (await nft.list(LIST_ALL, listing.take)) !== undefined;
        const table = isThere ? readTable(listing, clock.now()) : { layout: NO_TABLE, blocks: [] };
        known = table.layout;
        return table.blocks;
      }),
    apply: (changes, now) =>
      inTurn(async () => {
        isFresh = false;
        const outcomes: Applied[] = [];
        for (const some of chunksOf(changes)) outcomes.push(...(await applySome(some, now)));
        return outcomes;
      }),
    fill(now) {
      const crowd = createCrowd(now);
      const tell = async (): Promise<Applied> => {
        isFresh = false;
        // Ahead of its elements, which are told in another way than all else.
        const sets = await transact((layout) => crowd.planSets(layout, allowed));
        if (sets.outcome === 'refused') return sets;
        const told = await transact((layout) => crowd.plan(layout, allowed));
        return told.outcome === 'applied' ? (sets.rebuilt ? sets : told) : told;
      };
      return { add: crowd.add, tell: () => inTurn(tell) };
    },
    dropped: () =>
      inTurn(async () => {
        const { rules } = await look();
        return droppedBy(rules.filter(({ verdict }) => verdict === 'drop' || verdict === 'refuse'));
      }),
    isWhole: () =>
      inTurn(async () => {
        const before = known;
        const now = await look();
        const isMissed = wasMissed;
        wasMissed = false;
        // What can't be compared is looked at before the next change anyway.
        if (isMissed || before === undefined) return !isMissed;
        return !hasLost(before, now) && (isInOrder(now) || !isInOrder(before));
      }),
    teardown: () =>
      inTurn(async () => {
        // It needs to know nothing: a table that isn't there can't be deleted, but one can always be added first.
        known = NO_TABLE;
        isMarked = false;
        const answer = await run(() => ({ statements: [addTable(), deleteTable()], after: NO_TABLE }));
        if (answer.outcome === 'refused')
          throw unavailable(`the table ${TABLE} could not be removed: ${answer.why}`);
      }),
    expect: nft.expect,
    wake: nft.wake,
    close: () =>
      inTurn(async () => {
        // What is refused here (the table is gone, say) leaves no mark either.
        if (owner && isMarked) await nft.transact([deleteOwner(owner.id)]).catch(() => undefined);
        isMarked = false;
        nft.close();
      }),
  };
}

/** Is a set gone that was there, and its bans with it; or a rule, so that they hold no more? */
function hasLost(before: Layout, now: Layout): boolean {
  if (before === now) return false;
  if (now.isAsleep || (before.chain === 'ours' && now.chain !== 'ours')) return true;
  if (before.rules.length > now.rules.length || (before.refuses && !now.refuses)) return true;
  return (before.hasTable && !now.hasTable) || [...before.sets.keys()].some((name) => !now.sets.has(name));
}
