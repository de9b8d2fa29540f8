// Reads what `nft monitor` says. A transaction is some lines, one for each thing that was added or deleted, and a last one
// that names who did it:
//
//   delete element inet bailiff ban4_32_any { 192.0.2.7 timeout 10m30s expires 9m12s }
//   delete rule ip raw PREROUTING handle 3
//   # new generation 7 by process 5179 (nft)
import { networkOf, parseAddress } from '../address.ts';
import type { Network } from '../model.ts';
import type { Announcements, Notice } from './contract.ts';
import { elementOf, readSetName, type SetSpec } from './sets.ts';

/** What a back end makes of a transaction. */
export interface MonitorReader {
  /**
   * Tables of ours, as the monitor writes them: `inet bailiff`. Of other tables nothing is read.
   * What begins with one of these is a change to what bans stand on.
   */
  readonly tables: readonly string[];
  /**
   * @param deleted elements by set that were there before the transaction and aren't after it.
   * @param added the other way round.
   */
  read(deleted: ElementsBySet, added: ElementsBySet): Pick<Notice, 'released' | 'unsure'>;
  /** Does this process speak for us? */
  isOurs(pid: number): boolean;
}

/** Without these nothing is blocked: a table of ours, our chain. Nothing that we do takes them away. */
function isVital(what: string, rest: string): boolean {
  return what === 'table' || (what === 'chain' && /^(?:bailiff-)?prerouting$/.test(rest));
}

/** Addresses as the monitor writes them, by the name of the set. */
export type ElementsBySet = ReadonlyMap<string, ReadonlySet<string>>;

const LINE =
  /^(add|create|insert|replace|delete|destroy|update|flush) (table|chain|rule|set|element|map|object|flowtable|counter|quota|limit) (\S+ \S+) ?(.*)$/;
const GENERATION = /^# new generation (\d+) by process (\d+) \((.*)\)$/;
/** `ban4_32_any { 192.0.2.7 timeout 10m30s expires 9m12s }`, `allow4_32 { 192.0.2.1, 192.0.2.2 }`. */
const ELEMENTS = /^(\S+) \{ (.*) \}/;
/** It was told more than it could take. */
const LOST = /^# ERROR: .*lost/;
/** A transaction with more elements than this is not read further: a listing is the faster way. */
const MOST_ELEMENTS = 20_000;

/** The kernel counts transactions in 32 bits; whatever is this far behind has been counted round. */
const ROUND = 2 ** 31;

/** @param heard is told whether announcements are heard. */
export function createMonitor(
  reader: MonitorReader,
  heard: (isHeard: boolean) => void = () => {},
): Announcements {
  /** The newest transaction that was told. Of two children that speak at once each tells it. */
  let newest = 0;

  function open(tell: (notice: Notice) => void): (line: string) => boolean {
    let structure = false;
    let isGone = false;
    let unsure = false;
    let deleted: Map<string, Set<string>> = new Map();
    let added: Map<string, Set<string>> = new Map();
    let count = 0;

    function take(line: string): boolean {
      const parts = LINE.exec(line);
      if (parts) {
        const [, verb, what, table, rest] = parts;
        if (!reader.tables.includes(table!)) return true;
        if (what !== 'element') {
          structure = true;
          if (verb === 'delete' && isVital(what!, rest!)) isGone = true;
        } else takeElements(verb === 'delete' || verb === 'destroy', rest!);
        return true;
      }
      const end = GENERATION.exec(line);
      if (!end) {
        if (!LOST.test(line)) return false;
        tell({ structure: true, isGone: false, unsure: true, released: [], by: undefined });
        return true;
      }
      close(Number(end[1]), Number(end[2]), end[3]!);
      return true;
    }

    /** What is deleted and added again within a transaction hasn't changed: that is how an end is set anew. */
    function takeElements(isDelete: boolean, rest: string): void {
      const parts = ELEMENTS.exec(rest);
      if (!parts) return void (unsure = true);
      const [, set, elements] = parts;
      const [here, there] = isDelete ? [deleted, added] : [added, deleted];
      for (const element of elements!.split(', ')) {
        if (++count > MOST_ELEMENTS) return void (unsure = true);
        const address = element.split(' ', 1)[0]!;
        if (there.get(set!)?.delete(address)) continue;
        const known = here.get(set!);
        if (known) known.add(address);
        else here.set(set!, new Set([address]));
      }
    }

    function close(generation: number, pid: number, by: string): void {
      const isTold = generation <= newest && newest - generation < ROUND;
      if (!isTold) newest = generation;
      if (!isTold && !reader.isOurs(pid)) {
        const { released, unsure: more } = reader.read(deleted, added);
        unsure ||= more;
        if (structure || unsure || released.length > 0) tell({ structure, isGone, unsure, released, by });
      } else if (unsure) tell({ structure, isGone: false, unsure, released: [], by: undefined });
      [structure, isGone, unsure, count] = [false, false, false, 0];
      [deleted, added] = [new Map(), new Map()];
    }

    return take;
  }

  return { program: 'nft', args: ['monitor'], open, heard };
}

/**
 * What a change to elements means for us: of ban sets, who isn't blocked any more; of the sets of allowed addresses, that they
 * aren't what they should be.
 */
export function readElements(
  deleted: ElementsBySet,
  added: ElementsBySet,
  sets: ReadonlyMap<string, SetSpec> | undefined,
  allowed: readonly Network[],
): Pick<Notice, 'released' | 'unsure'> {
  const released: { scope: SetSpec['scope']; network: Network }[] = [];
  let unsure = false;
  const isAllowed = (set: SetSpec, element: string): boolean =>
    allowed.some(
      (network) =>
        network.family === set.family && network.bits === set.bits && elementOf(network) === element,
    );
  for (const [name, elements] of deleted) {
    const set = sets?.get(name) ?? readSetName(name, undefined);
    // One whose name doesn't tell its ports, and that isn't known: a ban set all the same, perhaps.
    if (!set) unsure ||= name.startsWith('ban');
    else if (set.purpose === 'allow') unsure ||= [...elements].some((element) => isAllowed(set, element));
    else
      for (const element of elements) {
        const address = parseAddress(element);
        if (address?.family !== set.family) unsure = true;
        else released.push({ scope: set.scope, network: networkOf(set.family, address.bytes, set.bits) });
      }
  }
  for (const [name, elements] of added) {
    const set = sets?.get(name) ?? readSetName(name, undefined);
    if (set?.purpose === 'allow') unsure ||= [...elements].some((element) => !isAllowed(set, element));
  }
  return { released, unsure };
}
