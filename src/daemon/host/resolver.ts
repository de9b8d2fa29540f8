// What a name stands for on this host, as its other programs see it, and for how long that holds. `dns.lookup` tells no
// time to live, and a dead name server would keep Node's few threads from reading logs: DNS is asked by sockets, and
// `lookup` only where that finds nothing, one name at a time.
import { Resolver as DnsResolver, lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { parseAddress } from '../../address.ts';
import { reasonOf } from '../../errors.ts';
import type { Duration, Network } from '../../model.ts';

export interface Resolver {
  /** Never rejects: what can't be found out is part of the answer. `signal` ends the questions to the name servers. */
  resolve(name: string, signal?: AbortSignal): Promise<Answer>;
}

/** What was found out about a name. */
export interface Answer {
  /** By family; undefined where it can't be told: then what was known holds on. */
  readonly 4: readonly Network[] | undefined;
  readonly 6: readonly Network[] | undefined;
  /** How long it holds; undefined where nobody says. */
  readonly ttl: Duration | undefined;
  /** Why something can't be told: `ENOTFOUND`, `ETIMEOUT`, … */
  readonly why: string | undefined;
}

export interface ResolverOptions {
  /** Name servers, `address:port`. Left out: those of /etc/resolv.conf, as it is at each question. */
  readonly servers?: readonly string[];
  /** Left out: /etc/hosts. */
  readonly hosts?: string;
  /** The addresses that other programs get for a name. Left out: what `getaddrinfo` says. @throws where it has none. */
  readonly lookup?: (name: string) => Promise<string[]>;
}

/** Milliseconds until a name server is asked once more, or the next one. */
const PATIENCE = 2_000;
const TRIES = 2;
/** There is such a name, or there is none; in either case the server has told all that it knows. */
const NONE = new Set(['ENODATA', 'ENOTFOUND']);

export function createResolver(options: ResolverOptions = {}): Resolver {
  let lookups: Promise<unknown> = Promise.resolve();

  /** As every program asks that doesn't ask DNS itself: mDNS, LDAP and whatever else nsswitch.conf names. */
  function lookUp(name: string, whyNot: string): Promise<Answer> {
    const mine = lookups.then(async (): Promise<Answer> => {
      try {
        const found = await (options.lookup ?? everybodysLookup)(name);
        return { ...byFamily(found), ttl: undefined, why: undefined };
      } catch {
        return { 4: undefined, 6: undefined, ttl: undefined, why: whyNot };
      }
    });
    lookups = mine;
    return mine;
  }

  return {
    async resolve(name, signal) {
      const written = addressesIn(await textOf(options.hosts ?? '/etc/hosts'), name);
      if (written.length > 0) return { ...byFamily(written), ttl: undefined, why: undefined };
      // By RFC 6762 such a name is no name server's business.
      if (name.endsWith('.local')) return lookUp(name, 'ENOTFOUND');
      const dns = new DnsResolver({ timeout: PATIENCE, tries: TRIES });
      if (options.servers) dns.setServers(options.servers);
      const cancel = (): void => dns.cancel();
      signal?.addEventListener('abort', cancel);
      const [ipv4, ipv6] = await Promise.all([
        asked(dns.resolve4(name, { ttl: true })),
        asked(dns.resolve6(name, { ttl: true })),
      ]).finally(() => signal?.removeEventListener('abort', cancel));
      const found = [...(ipv4.records ?? []), ...(ipv6.records ?? [])];
      const why = ipv4.why ?? ipv6.why;
      if (found.length === 0) return signal?.aborted ? UNTOLD : lookUp(name, why ?? 'ENOTFOUND');
      return {
        4: ipv4.records && byFamily(ipv4.records.map(({ address }) => address))[4],
        6: ipv6.records && byFamily(ipv6.records.map(({ address }) => address))[6],
        ttl: Math.min(...found.map(({ ttl }) => ttl)) * 1000,
        why,
      };
    },
  };
}

const UNTOLD: Answer = { 4: undefined, 6: undefined, ttl: undefined, why: 'ECANCELLED' };

async function everybodysLookup(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

type Records = { readonly address: string; readonly ttl: number }[];

async function asked(
  question: Promise<Records>,
): Promise<{ readonly records?: Records; readonly why?: string }> {
  try {
    return { records: await question };
  } catch (error) {
    const why = reasonOf(error);
    return NONE.has(why) ? { records: [] } : { why };
  }
}

/** In an order of their own: name servers turn theirs round at each answer. */
function byFamily(addresses: readonly string[]): { readonly 4: Network[]; readonly 6: Network[] } {
  const found = new Map(
    addresses.flatMap((text) => parseAddress(text) ?? []).map((each) => [each.text, each]),
  );
  const sorted = [...found.values()].toSorted((a, b) => (a.text < b.text ? -1 : 1));
  return {
    4: sorted.filter(({ family }) => family === 4),
    6: sorted.filter(({ family }) => family === 6),
  };
}

/** hosts(5): an address, then its names; `#` begins a comment. A name may stand on several lines. */
function addressesIn(hosts: string, name: string): string[] {
  const found: string[] = [];
  for (const line of hosts.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address && names.some((each) => each.toLowerCase() === name)) found.push(address);
  }
  return found;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return ''; // A host may well have none.
  }
}
