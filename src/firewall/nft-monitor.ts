// Reads what `nft monitor` says, or nft-listen.pl in its words. A transaction is some lines, one for each thing that was added or deleted, and a last one
// that names who did it:
//
//   delete element inet bailiff ban4_32_any { 192.0.2.7 timeout 10m30s expires 9m12s }
//   delete rule ip raw PREROUTING handle 3
//   # new generation 7 by process 5179 (nft)
import { fileURLToPath } from 'node:url';
import { networkOf, parseAddress } from '../address.ts';
import type { Network } from '../model.ts';
import type { Announcements, AnnouncingProgram, Notice } from './contract.ts';
import { elementOf, readSetName, type SetSpec } from './sets.ts';

/** What a back end makes of a transaction. */
export interface MonitorReader {
  /**
   * Tables of ours, as the monitor writes them: `inet bailiff`. Of other tables nothing is read.
   * What begins with one of these is a change to what bans stand on.
   */
  readonly tables: readonly string[];
  /** @param elements what was done last to each. */
  read(elements: ElementsBySet): Pick<Notice, 'released' | 'unsure'>;
  /** Does this process speak for us? */
  isOurs(pid: number): boolean;
}

/**
 * Addresses as the monitor writes them, by the name of the set: is it there after the transaction? What is deleted and added
 * again is: that is how an end is set anew.
 */
export type ElementsBySet = ReadonlyMap<string, ReadonlyMap<string, boolean>>;

/** Beside this file, in the sources as in a built package. */
const LISTENER = fileURLToPath(new URL('./nft-listen.pl', import.meta.url));

const LINE =
  /^(add|create|insert|replace|delete|destroy|update|flush) (table|chain|rule|set|element|map|object|flowtable|counter|quota|limit) (\S+ \S+) ?(.*)$/;
const GENERATION = /^# new generation (\d+) by process (\d+) \((.*)\)$/;
/** `ban4_32_any { 192.0.2.7 timeout 10m30s expires 9m12s }`, `allow4_32 { 192.0.2.1, 192.0.2.2 }`. */
const ELEMENTS = /^(\S+) \{ (.*) \}/;
/** It was told more than it could take. */
const LOST = /^# ERROR: .*lost/;
/**
 * Sets that are made anew under an old name, as after a flush, it can't tell apart: of their elements it says nothing but
 * "W: Received event for an unknown set." (nft 1.0.6). One that is started then knows them.
 */
const CONFUSED = /^W: /;
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

  function open(tell: (notice: Notice) => void): (line: string) => boolean | 'confused' {
    let structure = false;
    let unsure = false;
    let bySet = new Map<string, Map<string, boolean>>();
    let count = 0;

    function take(line: string): boolean | 'confused' {
      const parts = LINE.exec(line);
      if (parts) {
        const [, verb, what, table, rest] = parts;
        if (!reader.tables.includes(table!)) return true;
        if (what !== 'element') structure = true;
        else takeElements(verb !== 'delete' && verb !== 'destroy', rest!);
        return true;
      }
      const end = GENERATION.exec(line);
      if (!end) {
        if (CONFUSED.test(line)) return 'confused';
        if (!LOST.test(line)) return false;
        tell({ structure: true, unsure: true, released: [], by: undefined });
        return true;
      }
      close(Number(end[1]), Number(end[2]), end[3]!);
      return true;
    }

    function takeElements(isThere: boolean, rest: string): void {
      const parts = ELEMENTS.exec(rest);
      if (!parts) return void (unsure = true);
      const [, name, elements] = parts;
      const set = bySet.get(name!) ?? new Map<string, boolean>();
      bySet.set(name!, set);
      for (const element of elements!.split(', ')) {
        if (++count > MOST_ELEMENTS) return void (unsure = true);
        set.set(element.split(' ', 1)[0]!, isThere);
      }
    }

    function close(generation: number, pid: number, by: string): void {
      const isTold = generation <= newest && newest - generation < ROUND;
      const isOurs = reader.isOurs(pid);
      if (!isTold) newest = generation;
      if (!isTold && !isOurs) {
        const { released, unsure: more } = reader.read(bySet);
        unsure ||= more;
        if (structure || unsure || released.length > 0) tell({ structure, unsure, released, by });
      } else if (unsure && !isOurs) tell({ structure, unsure, released: [], by: undefined });
      [structure, unsure, count] = [false, false, 0];
      bySet = new Map();
    }

    return take;
  }

  const programs: AnnouncingProgram[] = [
    { program: 'perl', args: [LISTENER, ...reader.tables] },
    { program: 'nft', args: ['monitor'], tellsAll: true },
  ];
  return { programs, open, heard };
}

/**
 * What a change to elements means for us: of ban sets, who isn't blocked any more; of the sets of allowed addresses, that they
 * aren't what they should be.
 */
export function readElements(
  bySet: ElementsBySet,
  sets: ReadonlyMap<string, SetSpec> | undefined,
  allowed: readonly Network[],
): Pick<Notice, 'released' | 'unsure'> {
  const released: { scope: SetSpec['scope']; network: Network }[] = [];
  let unsure = false;
  for (const [name, elements] of bySet) {
    const set = sets?.get(name) ?? readSetName(name, undefined);
    if (set?.purpose === 'ban') {
      for (const [element, isThere] of elements) {
        if (isThere) continue;
        const network = networkIn(set, element);
        if (network) released.push({ scope: set.scope, network });
        else unsure = true;
      }
    } else if (set) unsure ||= isAmiss(set, elements, allowed);
    // One whose name doesn't tell its ports, and that isn't known.
    else unsure ||= name.startsWith('ban') && [...elements.values()].includes(false);
  }
  return { released, unsure };
}

function networkIn({ family, bits }: SetSpec, element: string): Network | undefined {
  const address = parseAddress(element);
  return address?.family === family ? networkOf(family, address.bytes, bits) : undefined;
}

/** Is an allowed address missing, or another one there? */
function isAmiss(set: SetSpec, elements: ReadonlyMap<string, boolean>, allowed: readonly Network[]): boolean {
  const { family, bits } = set;
  const wanted = new Set(
    allowed.filter((each) => each.family === family && each.bits === bits).map(elementOf),
  );
  return [...elements].some(([element, isThere]) => {
    const network = networkIn(set, element);
    return network === undefined || isThere !== wanted.has(elementOf(network));
  });
}
