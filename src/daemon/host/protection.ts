// Whom we never ban: `allow` and `ignore` are what the administrator wrote; protected addresses are the host's own.
import { createNetworkSet } from '../../address.ts';
import type { NetworkSet } from '../../address.ts';
import type { Ignoring } from '../../jails/contract.ts';
import type { Network } from '../../model.ts';
import type { Resolved } from '../../setup/index.ts';
import type { Host } from './host.ts';

export interface Protection {
  /** What the kernel lets through ahead of every drop. */
  allowed(): readonly Network[];
  /** The entry of `allow` that holds the network, as the administrator wrote it. */
  whyAllowed(network: Network): string | undefined;
  /** The host's own addresses and its gateways. */
  own(): readonly Network[];
  /** Why the network may be banned by nobody but an administrator who insists. */
  whyProtected(network: Network): string | undefined;
  /** What a jail asks; its own `ignore` on top: what it is now, also after a reload. */
  forJail(ignore: () => Resolved): Ignoring;
  /** Other lists are in force from now on. Names keep what they were found to stand for. */
  replace(allow: Resolved, ignores: readonly Resolved[]): void;
  /** Names that `allow` and the jails' `ignore` hold. */
  readonly names: readonly string[];
  /** What a name stands for from now on. @returns whether that changed anything. */
  resolved(name: string, addresses: readonly Network[]): boolean;
  /**
   * The host's addresses may have changed. @returns which came and which went.
   * @throws where the system doesn't tell; then the known ones stay protected.
   */
  refresh(): { readonly came: readonly string[]; readonly went: readonly string[] };
}

/** A set of networks that knows what the administrator wrote for each. */
interface Written {
  readonly set: NetworkSet;
  readonly as: ReadonlyMap<string, string>;
}

const NOBODY: Written = { set: createNetworkSet([]), as: new Map() };

export function createProtection(
  allowList: Resolved,
  ignoreLists: readonly Resolved[],
  host: Pick<Host, 'protectedNetworks'>,
): Protection {
  let allow = allowList;
  let ignores = ignoreLists;
  const resolvedNames = new Map<string, readonly Network[]>();
  let allowSet: Written;
  let ignoreSets: ReadonlyMap<Resolved, Written>;
  /** Of all that is said here; see Ignoring. */
  let edition = 0;
  rebuild();
  let own = new Map<string, string>();
  let ownSet = createNetworkSet([]);

  function rebuild(): void {
    edition++;
    allowSet = writtenOf(allow);
    ignoreSets = new Map(ignores.map((ignore) => [ignore, writtenOf(ignore)]));
  }

  function writtenOf(list: Resolved): Written {
    const as = new Map(list.networks.map(({ network, written }) => [network.text, written]));
    const named = list.names.flatMap((name) =>
      (resolvedNames.get(name) ?? []).map((network) => ({ network, name })),
    );
    for (const { network, name } of named) as.set(network.text, name);
    return { set: createNetworkSet([...list.networks, ...named].map(({ network }) => network)), as };
  }

  function refresh(): ReturnType<Protection['refresh']> {
    const found = host.protectedNetworks();
    const before = own;
    edition++;
    own = new Map(found.map(({ network, why }) => [network.text, why]));
    ownSet = createNetworkSet(found.map(({ network }) => network));
    return {
      came: [...own.keys()].filter((text) => !before.has(text)),
      went: [...before.keys()].filter((text) => !own.has(text)),
    };
  }
  refresh();

  /** A list that was replaced meanwhile ignores nobody: its jail is not in session. */
  const ignoredBy = (list: Resolved): Written => ignoreSets.get(list) ?? NOBODY;
  const entryOf = (written: Written, network: Network): string | undefined => {
    const found = written.set.holding(network);
    return found && written.as.get(found.text);
  };
  const whyAllowed = (network: Network): string | undefined => entryOf(allowSet, network);
  const whyProtected = (network: Network): string | undefined => {
    const found = ownSet.touching(network);
    return found && `${found.text} is ${own.get(found.text)}`;
  };

  function forJail(ignore: () => Resolved): Ignoring {
    let list = ignore();
    return {
      whyIgnored(address) {
        const entry = whyAllowed(address) ?? entryOf(ignoredBy(ignore()), address);
        if (entry !== undefined) return `allowed by "${entry}"`;
        const why = whyProtected(address);
        return why && `protected: ${why}`;
      },
      edition() {
        if (ignore() !== list) {
          list = ignore();
          edition++;
        }
        return edition;
      },
      // Whoever is never to be dropped must not share a /64 with an offender: then each address stands for itself.
      isProtected: (network) =>
        [ownSet, allowSet.set, ignoredBy(ignore()).set].some((set) => set.touching(network) !== undefined),
      whySpared(network) {
        for (const { set, as } of [allowSet, ignoredBy(ignore())]) {
          const found = set.touching(network);
          if (found) return `${found.text} is allowed by "${as.get(found.text)}"`;
        }
        return whyProtected(network);
      },
    };
  }

  return {
    get names() {
      return [...new Set([allow, ...ignores].flatMap((list) => list.names))];
    },
    replace(allowList, ignoreLists) {
      allow = allowList;
      ignores = ignoreLists;
      rebuild();
    },
    allowed: () => allowSet.set.networks,
    own: () => ownSet.networks,
    whyAllowed,
    whyProtected,
    refresh,
    forJail,
    resolved(name, addresses) {
      const before = resolvedNames.get(name) ?? [];
      const same =
        before.length === addresses.length &&
        before.every((old, index) => old.text === addresses[index]!.text);
      if (same) return false;
      resolvedNames.set(name, addresses);
      rebuild();
      return true;
    },
  };
}
