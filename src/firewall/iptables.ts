// The back end for iptables with ipset: bans are elements of sets, and one chain in the raw table of each family asks them.
// Nothing but that chain, the jump to it and the sets is touched.
//
// ipset knows no transaction: its lines take effect one by one, and the first that is refused ends them. So an outcome is
// exact for each change, but a batch may happen in part. The rules of a family are one transaction.
import { setTimeout } from 'node:timers/promises';
import { BailiffError } from '../errors.ts';
import type { Block, Instant, Network } from '../model.ts';
import type { Cancel, Clock, Exec, Log } from '../ports.ts';
import type { Applied, Change, Firewall, Owner } from './contract.ts';
import { droppedBy } from './dropped.ts';
import { gathered } from './gathered.ts';
import { readBans, readPorts } from './iptables-listing.ts';
import { isThere, planLines } from './iptables-plan.ts';
import { createIptablesProgram, isGone } from './iptables-program.ts';
import { createRefusing } from './iptables-refusing.ts';
import * as rules from './iptables-rules.ts';
import * as names from './iptables-sets.ts';
import type { Family } from './iptables-sets.ts';
import { createMonitor } from './nft-monitor.ts';
import { isBlock } from './nft-plan.ts';
import { unavailable } from './unavailable.ts';

/** Changes for one start of ipset: about 13 µs each, beside 2 ms for the start. */
const CHUNK = 2_000;
/** So often a set may refuse different addresses before it is taken to refuse all: it is full, then. */
const PATIENCE_WITH_SET = 3;
/** How often ends that ipset can't count to are looked after, in milliseconds: five days. */
const RENEWAL = 5 * 86_400_000;
/** The kernel lets go of the sets of a rule a little after the rule itself. */
const DESTROY_TRIES = 8;
const DESTROY_WAIT = 10;

const APPLIED: Applied = { outcome: 'applied' };
const REBUILT: Applied = { outcome: 'applied', rebuilt: true };

/** What we know to be in the kernel. */
interface Known {
  readonly sets: Set<string>;
  /** How many of our rules traffic comes by. */
  readonly counts: Record<Family, number>;
  /** How many elements a set has at least. */
  readonly entries: Map<string, number>;
  /** In which families something is to be rejected. */
  readonly refuses: Set<Family>;
}

type Found = rules.Rules | { readonly why: string };

export function createIptables(ports: { exec: Exec; clock: Clock; log: Log; owner?: Owner }): Firewall {
  const { exec, clock, log, owner } = ports;
  const programs = createIptablesProgram({ exec, clock, log }, ({ name }) => {
    if (name === 'legacy')
      log.warn({ variant: name }, 'no nft variant of iptables is installed; the legacy one is used');
  });
  /** Undefined: look first. */
  let known: Known | undefined;
  const refusing = createRefusing(programs);
  let allowed: readonly Network[] = [];
  let isMarked = false;
  /** Would it be announced if somebody took our rules out? */
  let isHeard = false;
  /** That there is no IPv6 is said once. */
  let isTold = false;
  let cancelRenewal: Cancel | undefined;
  let tail: Promise<unknown> = Promise.resolve();

  /** One conversation with the kernel at a time, in the order of the calls. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const mine = tail.then(task);
    tail = mine.catch(() => undefined);
    return mine;
  }

  // ── what is there ──

  async function findRules(family: Family): Promise<Found> {
    const saved = await programs.saveRules(family);
    if ('text' in saved) return rules.readRules(saved.text);
    if (family === 6) return saved;
    throw unavailable(`the raw table of iptables can't be read: ${saved.why}`);
  }

  async function look(): Promise<Pick<Known, 'sets' | 'entries'> & { found: Record<Family, Found> }> {
    const [entries, four, six] = await Promise.all([programs.sets(), findRules(4), findRules(6)]);
    return { sets: new Set(entries.keys()), entries, found: { 4: four, 6: six } };
  }

  function count(found: Found): number {
    return 'why' in found || found.jumps === 0 ? 0 : found.rules.length;
  }

  /** Do our rules stand as they should, and nothing ahead of them that lets packets by? */
  function isInForce(family: Family, found: Found, { sets, counts }: Known): boolean {
    if ('why' in found) return counts[family] === 0;
    if (count(found) < counts[family]) return false;
    return rules.completeRules(found, rules.wantedRules(family, banSetsIn(sets)), false) === undefined;
  }

  const banSetsIn = (sets: ReadonlySet<string>): names.BanSet[] =>
    [...sets].flatMap((name) => names.readBanSet(name) ?? []).filter((set) => isThere(sets, set));

  // ── the chain ──

  /** Makes the chain of a family ask every set that is there. @returns why that was refused, or undefined. */
  async function complete(family: Family, found: Found, now: Known): Promise<string | undefined> {
    if ('why' in found) return found.why;
    const wanted = rules.wantedRules(family, banSetsIn(now.sets));
    const makesTable = !found.hasChain && !found.isMade && !(await programs.hasTable(family));
    const input = rules.completeRules(found, wanted, makesTable);
    const refused = input === undefined ? undefined : await programs.restoreRules(family, input);
    if (refused !== undefined) return refused;
    now.counts[family] = wanted.length;
    return refuse(family, now);
  }

  const rejectsIn = (family: Family, sets: ReadonlySet<string>): boolean =>
    banSetsIn(sets).some((set) => set.family === family && set.answer?.do === 'reject');

  /** What the raw table marks is rejected in the filter table. @returns why that can't be, or undefined. */
  async function refuse(family: Family, now: Known): Promise<string | undefined> {
    if (!rejectsIn(family, now.sets)) return undefined;
    const refused = await refusing.lay(family);
    if (refused === undefined) now.refuses.add(family);
    return refused;
  }

  /** Lays what bans stand on: the sets of allowed addresses and the chains. Bans that are there are in force after it. */
  async function lay(networks: readonly Network[], looking = look()): Promise<Known> {
    allowed = networks;
    const { sets, entries, found } = await looking;
    const answer = await programs.change(
      names.FAMILIES.flatMap((family) => names.makeAllowSet(family, networks)),
    );
    if (answer.outcome === 'refused')
      throw unavailable(`the sets of allowed addresses can't be made: ${answer.why}`);
    for (const family of names.FAMILIES) {
      sets.add(names.allowSetName(family));
      entries.delete(names.allowSetName(family));
    }
    known = { sets, entries, counts: { 4: 0, 6: 0 }, refuses: new Set() };
    const now = known;
    const refusals = await Promise.all(
      names.FAMILIES.map(async (family) => [family, await complete(family, found[family], now)] as const),
    );
    for (const [family, refused] of refusals) {
      if (refused === undefined) continue;
      if (family === 4) throw unavailable(`the chain in the raw table can't be made: ${refused}`);
      if (!isTold) log.warn({ why: refused }, 'IPv6 can not be blocked on this host');
      isTold = true;
    }
    return now;
  }

  /** Leaves our mark and takes away those of the dead. */
  async function claim({ id, isAlive }: Owner): Promise<void> {
    const others = [...(await programs.sets()).keys()]
      .flatMap((name) => names.readOwner(name) ?? [])
      .filter((other) => other !== id);
    const rival = others.find(isAlive);
    if (rival !== undefined) {
      const pid = Number(rival.split('_')[0]);
      throw new BailiffError(
        'E_ALREADY_RUNNING',
        `Another Bailiff (pid ${pid}) enforces in this network namespace; end it first, or start this one with --detect-only.`,
        { pid },
      );
    }
    await programs.change([
      names.makeOwner(id),
      ...others.map((other) => `destroy ${names.ownerSetName(other)}`),
    ]);
    isMarked = true;
  }

  // ── changes ──

  /** What became of some changes, and which families have them. */
  async function tellSets(
    now: Known,
    changes: readonly Change[],
    instant: Instant,
  ): Promise<{ outcomes: Applied[]; isRebuilt: boolean; now: Known }> {
    const outcomes: Applied[] = changes.map(() => APPLIED);
    const refusals = new Map<string, { count: number; why: string }>();
    let isRebuilt = false;
    const hasGivenUp = (change: Change): boolean =>
      isBlock(change, instant) && (refusals.get(banSetNameOf(change))?.count ?? 0) >= PATIENCE_WITH_SET;
    for (let from = 0; ;) {
      const lines = planLines(now.sets, changes, from, instant, hasGivenUp);
      const answer =
        lines.length === 0
          ? ({ outcome: 'done' } as const)
          : await programs.change(lines.map(({ text }) => text));
      const done = answer.outcome === 'done' ? lines : lines.slice(0, answer.line - 1);
      for (const { text, makes } of done) {
        for (const name of makes) now.sets.add(name);
        const [verb, name] = text.split(' ', 2);
        // Whether it was there nobody says.
        if (verb === 'del') now.entries.set(name!, (now.entries.get(name!) ?? 0) - 1);
      }
      if (answer.outcome === 'done') break;
      const change = lines[answer.line - 1]?.change ?? from;
      if (isGone(answer.why) && !isRebuilt) {
        // What we took for granted has vanished: everything is laid anew, and what was under way goes on.
        isRebuilt = true;
        now = await lay(allowed);
        from = change;
        continue;
      }
      outcomes[change] = { outcome: 'refused', why: answer.why };
      const name = banSetNameOf(changes[change]!);
      refusals.set(name, { count: (refusals.get(name)?.count ?? 0) + 1, why: answer.why });
      from = change + 1;
      changes.forEach((each, index) => {
        if (index >= from && banSetNameOf(each) === name && hasGivenUp(each))
          outcomes[index] = { outcome: 'refused', why: answer.why };
      });
    }
    return { outcomes, isRebuilt, now };
  }

  async function applySome(changes: readonly Change[], instant: Instant): Promise<Applied[]> {
    const before = known ?? (await lay(allowed));
    // Where there is no such set there is nothing to release.
    if (!changes.some((change) => isBlock(change, instant) || before.sets.has(banSetNameOf(change))))
      return changes.map(() => APPLIED);
    const families = names.FAMILIES.filter((family) =>
      changes.some((change) => change.network.family === family),
    );
    const expected = { ...before.counts };
    const setCount = before.sets.size;
    // Sets outlive the rules that ask them: whether those still stand must be seen, and costs no time beside the sets. Where
    // it would be announced, nobody needs to look.
    const finding = isHeard ? undefined : Promise.all(families.map(findRules));
    finding?.catch(() => undefined);
    const told = await tellSets(before, changes, instant);
    let { isRebuilt } = told;
    if (!finding && !isRebuilt && told.now.sets.size === setCount) return told.outcomes;
    const found = await (finding ?? Promise.all(families.map(findRules)));
    const refused: Partial<Record<Family, string>> = {};
    for (const [index, family] of families.entries()) {
      if (count(found[index]!) < expected[family]) isRebuilt = true;
      const seen = told.isRebuilt ? await findRules(family) : found[index]!;
      const why = await complete(family, seen, told.now);
      if (why !== undefined) refused[family] = why;
    }
    if (isRebuilt) log.warn({}, 'rules or sets had vanished from the kernel and were made anew');
    return told.outcomes.map((outcome, index) => {
      const change = changes[index]!;
      const why = refused[change.network.family];
      if (outcome.outcome === 'refused') return outcome;
      if (why !== undefined && isBlock(change, instant)) return { outcome: 'refused', why };
      return isRebuilt ? REBUILT : outcome;
    });
  }

  // ── listing ──

  async function list(): Promise<Block[]> {
    const { sets, entries, found } = await look();
    const refuses = new Set<Family>();
    for (const family of names.FAMILIES)
      if (rejectsIn(family, sets) && (await refusing.isWhole(family))) refuses.add(family);
    known = { sets, entries, counts: { 4: count(found[4]), 6: count(found[6]) }, refuses };
    const blocks: Block[] = [];
    for (const set of banSetsIn(sets)) {
      const chain = found[set.family];
      if ('why' in chain || !rules.isEnforced(chain, rules.banRule(set))) continue;
      if (set.answer?.do === 'reject' && !refuses.has(set.family)) continue;
      const held = set.ports === undefined ? [] : readPorts(await programs.save(set.ports));
      const scope = names.scopeOf(set, held);
      if (!scope) {
        // The ports were changed by hand: the next block in this scope writes them anew.
        known.sets.delete(set.ports!);
        continue;
      }
      const listed = await readBans(await programs.save(set.name), set, scope, clock.now());
      for (const block of listed.blocks) blocks.push(block);
      if (listed.renewals.length > 0) await programs.change(listed.renewals);
    }
    return blocks;
  }

  function scheduleRenewal(): void {
    cancelRenewal?.();
    cancelRenewal = clock.schedule(RENEWAL, () => {
      scheduleRenewal();
      inTurn(list).catch((error: unknown) => log.warn({ error: String(error) }, 'renewal failed'));
    });
  }

  function apply(changes: readonly Change[], instant: Instant): Promise<Applied[]> {
    return inTurn(async () => {
      const outcomes: Applied[] = [];
      for (let at = 0; at < changes.length; at += CHUNK)
        outcomes.push(...(await applySome(changes.slice(at, at + CHUNK), instant)));
      return outcomes;
    });
  }

  // ── the end ──

  async function removeRules(family: Family): Promise<void> {
    const found = await findRules(family);
    if ('why' in found) return;
    const input = rules.removeRules(found);
    if (input === undefined) return;
    const refused = await programs.restoreRules(family, input);
    if (refused !== undefined) throw unavailable(`the chain in the raw table can't be removed: ${refused}`);
    // The table was made by us, and goes too where nobody else has come to use it.
    if (found.isMade && !found.hasOthers) await programs.removeTable(family);
  }

  async function removeSets(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const ours = [...(await programs.sets()).keys()].filter(names.isOurs);
      if (ours.length === 0) return;
      const answer = await programs.change(ours.map((name) => `destroy ${name}`));
      if (answer.outcome === 'done') return;
      if (attempt === DESTROY_TRIES)
        throw unavailable(`the set ${ours[answer.line - 1]} can't be removed: ${answer.why}`);
      await setTimeout(DESTROY_WAIT * 2 ** (attempt - 1));
    }
  }

  const announcements = createMonitor(
    { tables: ['ip raw', 'ip6 raw'], isOurs: programs.isOurs, read: () => ({ released: [], unsure: false }) },
    (now) => void (isHeard = now),
  );

  return {
    kind: 'iptables',
    enforces: true,
    get announcements() {
      // What the legacy variant does is not announced.
      return exec.find('iptables-nft-restore') === undefined ? undefined : announcements;
    },
    prepare: (networks) =>
      inTurn(async () => {
        known = undefined;
        const looking = look();
        looking.catch(() => undefined);
        if (owner) await claim(owner);
        await lay(networks, looking);
        scheduleRenewal();
      }),
    allow: (networks) => inTurn(async () => void (await lay(networks))),
    list: () => inTurn(list),
    apply,
    fill: (instant) => gathered(apply, instant),
    dropped: () =>
      inTurn(async () => {
        const found = await Promise.all(names.FAMILIES.map(findRules));
        return droppedBy(found.flatMap((each) => ('why' in each ? [] : rules.dropsOf(each))));
      }),
    isWhole: () =>
      inTurn(async () => {
        if (known === undefined) return true;
        const before = known;
        const now = await look();
        for (const family of before.refuses) if (!(await refusing.isWhole(family))) return false;
        const isWhole =
          [...before.sets].every((name) => now.sets.has(name)) &&
          [...before.entries].every(([name, least]) => (now.entries.get(name) ?? 0) >= least) &&
          names.FAMILIES.every((family) => isInForce(family, now.found[family], before));
        if (isWhole) known = { ...before, entries: now.entries };
        return isWhole;
      }),
    teardown: () =>
      inTurn(async () => {
        known = undefined;
        isMarked = false;
        cancelRenewal?.();
        for (const family of names.FAMILIES) {
          await removeRules(family);
          await refusing.remove(family);
        }
        await removeSets();
      }),
    expect: programs.expect,
    close: () =>
      inTurn(async () => {
        cancelRenewal?.();
        if (owner && isMarked)
          await programs.change([`destroy ${names.ownerSetName(owner.id)}`]).catch(() => undefined);
        isMarked = false;
        programs.close();
      }),
  };
}

function banSetNameOf({ scope, network }: Change): string {
  return names.banSetOf(scope, network).name;
}
