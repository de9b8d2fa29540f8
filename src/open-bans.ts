// Bans that are open, as rows of numbers: the ledger reads them into such rows, and the daemon keeps them there. Of a hundred
// thousand bans nearly all have one jail, reason, scope and author, which stand once. A ban is made an object when it is asked for.
import type { Ban, Evidence, Instant, Network } from './model.ts';
import { NetworkRows, IN_PAGE, isSpare, PAGE_BITS, ROWS_A_PAGE } from './network-rows.ts';
import type { NetworkImage } from './network-rows.ts';
import { createNumbered } from './numbered.ts';
import type { NumberedImage } from './numbered.ts';

/** What many bans have in common. */
type Kind = Pick<Ban, 'jail' | 'reason' | 'by' | 'scope' | 'via'>;

/** Nearly all are on a single IPv4 address, which may come as a number: 0xc0000207 for 192.0.2.7. */
export type AddedBan = Omit<Ban, 'address'> & { readonly address: Network | number };

export interface OpenBans extends Iterable<Ban> {
  readonly size: number;
  /** How many networks they are on. */
  readonly networks: number;
  /** Its number must be higher than all that there were. */
  add(ban: AddedBan): void;
  extend(id: number, until: Instant | undefined): void;
  remove(id: number): void;
  /** Infinity: it never ends; undefined: it isn't there. */
  endOf(id: number): Instant | undefined;
  get(id: number): Ban | undefined;
  /** In order of number. */
  on(network: Network): readonly Ban[];
  /**
   * In order of number; what is added or removed meanwhile is met or not.
   * @param after only those with a higher number. @param jail only its own.
   */
  values(after?: number, jail?: string): Generator<Ban>;
  /** Those on networks shorter than so many bits, by family; in no order. */
  wide(bits: Readonly<Record<Network['family'], number>>): Generator<Ban>;
  /** Those on a network that lies in this one, or on it; in no order. */
  within(network: Network): Generator<Ban>;
  /** Numbers and ends of those that end, in no order. */
  endings(): Generator<readonly [id: number, until: Instant]>;
  countIn(jail: string): number;
  /** The lengths of the networks that they are on. */
  lengths(family: 4 | 6): readonly number[];
  /** Each once. What comes meanwhile is not met; where something goes meanwhile, another one may be met twice. */
  eachNetwork(): Generator<Network>;
  /** It stands elsewhere by now. */
  forgetEvidence(id: number): void;
  image(): BansImage;
}

/** All that there is but evidence, for {@link createOpenBans}: numbers, texts, lists and typed arrays, some of them its own. */
export interface BansImage {
  readonly networks: NetworkImage;
  readonly byId: NumberedImage;
  readonly pages: readonly Page[];
  readonly kinds: readonly { readonly kind: Kind; readonly count: number }[];
}

const NO_BANS: readonly never[] = [];
const NO_EVIDENCE: readonly Evidence[] = [];

interface Page {
  readonly ids: Float64Array;
  readonly since: Float64Array;
  /** Infinity: no end. */
  readonly until: Float64Array;
  readonly nth: Float64Array;
  readonly kinds: Int32Array;
}

/** @param expected so many will come at once. @param image as they were when that was taken, instead of none; it is handed over. */
export function createOpenBans(expected = 0, image?: BansImage): OpenBans {
  const networks = image ? NetworkRows.of(image.networks) : new NetworkRows(expected);
  const byId = createNumbered(image?.byId);
  const pages = [...(image?.pages ?? [])];
  const kinds = createKinds(image?.kinds);
  const evidence = new Map<number, readonly Evidence[]>();

  const pageOf = (row: number): Page => pages[row >> PAGE_BITS]!;

  function banAt(row: number, address: Network): Ban {
    const { ids, since, until, nth, kinds: kind } = pageOf(row);
    const at = row & IN_PAGE;
    const end = until[at]!;
    const id = ids[at]!;
    const { jail, reason, by, scope, via } = kinds.at(kind[at]!);
    // By name: what is spread takes several times as long.
    return {
      id,
      address,
      jail,
      since: since[at]!,
      until: end === Infinity ? undefined : end,
      nth: nth[at]!,
      reason,
      by,
      evidence: evidence.get(id) ?? NO_EVIDENCE,
      scope,
      via,
      endedAt: undefined,
      endedBy: undefined,
    };
  }

  function put(row: number, { id, since, until, nth }: AddedBan, kind: number): void {
    if (row === pages.length << PAGE_BITS) pages.push(newPage());
    const page = pageOf(row);
    const at = row & IN_PAGE;
    page.ids[at] = id;
    page.since[at] = since;
    page.until[at] = until ?? Infinity;
    page.nth[at] = nth;
    page.kinds[at] = kind;
  }

  function move(from: number, to: number): void {
    const [source, target] = [pageOf(from), pageOf(to)];
    for (const column of COLUMNS) target[column][to & IN_PAGE] = source[column][from & IN_PAGE]!;
    byId.set(target.ids[to & IN_PAGE]!, to);
  }

  function* values(after?: number, jail?: string): Generator<Ban> {
    for (const row of byId.rows(after)) {
      if (jail !== undefined && kinds.at(pageOf(row).kinds[row & IN_PAGE]!).jail !== jail) continue;
      yield banAt(row, networks.networkAt(row));
    }
  }

  return {
    get size() {
      return networks.size;
    },
    get networks() {
      return networks.distinct;
    },
    add(ban) {
      const row = networks.add(ban.address);
      put(row, ban, kinds.take(ban));
      byId.set(ban.id, row);
      if (ban.evidence.length > 0) evidence.set(ban.id, ban.evidence);
    },
    extend(id, until) {
      const row = byId.get(id);
      if (row >= 0) pageOf(row).until[row & IN_PAGE] = until ?? Infinity;
    },
    remove(id) {
      const row = byId.get(id);
      if (row < 0) return;
      byId.delete(id);
      evidence.delete(id);
      kinds.letGo(pageOf(row).kinds[row & IN_PAGE]!);
      const last = networks.remove(row);
      if (last !== row) move(last, row);
      if (isSpare(pages, last)) pages.pop();
    },
    endOf(id) {
      const row = byId.get(id);
      return row < 0 ? undefined : pageOf(row).until[row & IN_PAGE]!;
    },
    get(id) {
      const row = byId.get(id);
      return row < 0 ? undefined : banAt(row, networks.networkAt(row));
    },
    on(network) {
      const first = networks.first(network);
      if (first < 0) return NO_BANS;
      const bans = [banAt(first, network)];
      for (let row = networks.next(first); row >= 0; row = networks.next(row)) bans.push(banAt(row, network));
      return bans;
    },
    values,
    [Symbol.iterator]: () => values(),
    *wide(bits) {
      for (const row of networks.rows())
        if (networks.bitsAt(row) < bits[networks.familyAt(row)]) yield banAt(row, networks.networkAt(row));
    },
    *within(network) {
      for (const row of networks.within(network)) yield banAt(row, networks.networkAt(row));
    },
    *endings() {
      for (const row of networks.rows()) {
        const { ids, until } = pageOf(row);
        const end = until[row & IN_PAGE]!;
        if (end !== Infinity) yield [ids[row & IN_PAGE]!, end];
      }
    },
    countIn: kinds.countIn,
    lengths: (family) => networks.lengths(family),
    *eachNetwork() {
      for (const row of networks.rows()) if (networks.isFirst(row)) yield networks.networkAt(row);
    },
    forgetEvidence: (id) => void evidence.delete(id),
    image: () => ({ networks: networks.image(), byId: byId.image(), pages, kinds: kinds.image() }),
  };
}

const COLUMNS = ['ids', 'since', 'until', 'nth', 'kinds'] as const;

function newPage(): Page {
  return {
    ids: new Float64Array(ROWS_A_PAGE),
    since: new Float64Array(ROWS_A_PAGE),
    until: new Float64Array(ROWS_A_PAGE),
    nth: new Float64Array(ROWS_A_PAGE),
    kinds: new Int32Array(ROWS_A_PAGE),
  };
}

interface Kinds {
  at(number: number): Kind;
  /** One more ban has it. @returns its number, as long as any has it. */
  take(kind: Kind): number;
  /** One less. */
  letGo(number: number): void;
  countIn(jail: string): number;
  /** By number; those of which there are none are free. */
  image(): BansImage['kinds'];
}

function createKinds(image: BansImage['kinds'] = []): Kinds {
  const all: { kind: Kind; readonly key: string; count: number; readonly jail: { count: number } }[] = [];
  const byKey = new Map<string, number>();
  const jails = new Map<string, { count: number }>();
  const free: number[] = [];
  /** Nearly always the next one has it too. */
  let latest = -1;

  const isSame = (a: Kind, b: Kind): boolean =>
    a.jail === b.jail && a.reason === b.reason && a.by === b.by && a.scope === b.scope && a.via === b.via;

  function count(number: number, by: number): number {
    const entry = all[number]!;
    entry.jail.count += by;
    return (entry.count += by);
  }

  function numberOf(kind: Kind): number {
    const key = keyOf(kind);
    return byKey.get(key) ?? enter(free.pop() ?? all.length, kind, key);
  }

  function enter(number: number, { jail, reason, by, scope, via }: Kind, key: string): number {
    const ofJail = jails.get(jail) ?? { count: 0 };
    jails.set(jail, ofJail);
    byKey.set(key, number);
    all[number] = { kind: { jail, reason, by, scope, via }, key, count: 0, jail: ofJail };
    return number;
  }

  for (const [number, { kind, count: ofIt }] of image.entries()) {
    const key = keyOf(kind);
    if (ofIt > 0) {
      count(enter(number, kind, key), ofIt);
    } else {
      all[number] = { kind, key, count: 0, jail: { count: 0 } };
      free.push(number);
    }
  }

  return {
    at: (number) => all[number]!.kind,
    take(kind) {
      const before = all[latest];
      if (!before || before.count === 0 || !isSame(before.kind, kind)) latest = numberOf(kind);
      count(latest, 1);
      return latest;
    },
    letGo(number) {
      if (count(number, -1) > 0) return;
      const { kind, key, jail } = all[number]!;
      byKey.delete(key);
      free.push(number);
      if (jail.count === 0) jails.delete(kind.jail);
    },
    countIn: (jail) => jails.get(jail)?.count ?? 0,
    image: () => all.map(({ kind, count: ofIt }) => ({ kind, count: ofIt })),
  };
}

function keyOf({ jail, reason, by, scope, via }: Kind): string {
  return JSON.stringify([jail, reason, by, scope ?? null, via ?? null]);
}
