// What else stands in this kernel: chains of other programs, flowtables, addresses that are rewritten. Reads alone.
import type { Exec, ExecResult } from '../ports.ts';

/** A chain of another program that the kernel calls at a hook. */
export interface OtherChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly hook: string;
  readonly priority: number;
  readonly policy: string;
  /** What its own rules do, each word once: `accept`, `drop`, `jump`, `mangle`, `flow`, … */
  readonly does: readonly string[];
}

/** Connections that are put into it bypass every chain of the host, Bailiff's too. */
export interface Flowtable {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly devices: readonly string[];
}

/** A port of this host that is handed on to another address: a container's, say. */
export interface Published {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly to: string;
}

export interface Surroundings {
  /** Names of tables as nft has them, `inet bailiff` among them: `ip nat`, `inet firewalld`. */
  readonly tables: readonly string[];
  readonly chains: readonly OtherChain[];
  readonly flowtables: readonly Flowtable[];
  readonly published: readonly Published[];
}

const PATIENCE = 10_000;
/** So many are listed one by one. */
const MOST_TABLES = 100;
const NOTHING: Surroundings = { tables: [], chains: [], flowtables: [], published: [] };
const PUBLISHED = /^-A \S+ .*-p (tcp|udp) .*--dport (\d+) .*-j DNAT --to-destination (\S+)/gm;
/** What a rule may consist of that decides nothing. */
const IDLE = new Set(['match', 'counter', 'log', 'comment', 'limit', 'xt']);

/** @returns undefined where nft is missing or does not tell. */
export async function readSurroundings(exec: Exec): Promise<Surroundings | undefined> {
  const nft = exec.find('nft');
  if (nft === undefined) return undefined;
  const list = (...args: readonly string[]): Promise<ExecResult> =>
    exec.run({ file: nft, args, timeout: PATIENCE });
  const { code, stdout } = await list('-j', '-t', 'list', 'ruleset');
  if (code !== 0) return undefined;
  const found = readRuleset(stdout) ?? (await readOneByOne(list));
  return { ...found, published: [...found.published, ...(await publishedByIptables(exec))] };
}

/** Where one table spoils the JSON of all (nft-structure.ts): that one is known by its name alone. */
async function readOneByOne(
  list: (...args: readonly string[]) => Promise<ExecResult>,
): Promise<Surroundings> {
  const { stdout } = await list('list', 'tables');
  const tables = Array.from(stdout.matchAll(/^table (\S+ \S+)$/gm), ([, table]) => table!);
  const read: Surroundings[] = [];
  for (const table of tables.slice(0, MOST_TABLES)) {
    const listed = await list('-j', '-t', 'list', 'table', ...table.split(' '));
    read.push(readRuleset(listed.stdout) ?? NOTHING);
  }
  return {
    tables,
    chains: read.flatMap(({ chains }) => chains),
    flowtables: read.flatMap(({ flowtables }) => flowtables),
    published: read.flatMap(({ published }) => published),
  };
}

/** @param json what `nft -j -t list ruleset` says. @returns undefined where it can't be read. */
export function readRuleset(json: string): Surroundings | undefined {
  let objects: Json[];
  try {
    objects = listOf(objectOf(JSON.parse(json))['nftables']).map(objectOf);
  } catch {
    return undefined;
  }
  const all = (key: string): Json[] =>
    objects.filter((each) => key in each).map((each) => objectOf(each[key]));
  const rules = Map.groupBy(all('rule'), (rule) => wordsOf(rule, 'family', 'table', 'chain'));
  const chains = all('chain')
    .filter((chain) => chain['hook'] !== undefined && wordsOf(chain, 'family', 'table') !== 'inet bailiff')
    .map((chain): OtherChain => ({
      ...{ family: word(chain['family']), table: word(chain['table']), name: word(chain['name']) },
      ...{ type: word(chain['type']), hook: word(chain['hook']), policy: word(chain['policy']) },
      priority: Number(chain['prio']),
      does: doneBy(rules.get(wordsOf(chain, 'family', 'table', 'name')) ?? []),
    }));
  const flowtables = all('flowtable').map((table): Flowtable => ({
    ...{ family: word(table['family']), table: word(table['table']), name: word(table['name']) },
    devices: (Array.isArray(table['dev']) ? table['dev'] : [table['dev']]).filter(Boolean).map(String),
  }));
  const tables = all('table').map((table) => wordsOf(table, 'family', 'name'));
  return { tables, chains, flowtables, published: all('rule').flatMap(publishedBy) };
}

function doneBy(rules: readonly Json[]): string[] {
  const words = rules.flatMap(({ expr }) => listOf(expr).flatMap((each) => Object.keys(objectOf(each))));
  return [...new Set(words)].filter((word) => !IDLE.has(word));
}

/** `tcp dport 8080 dnat to 172.17.0.2:80`, as nft itself writes it. */
function publishedBy({ expr }: Json): Published[] {
  const parts = listOf(expr).map(objectOf);
  const target = objectOf(
    parts.find((part) => 'dnat' in part)?.['dnat'] ?? parts.find((part) => 'redirect' in part)?.['redirect'],
  );
  if (!parts.some((part) => 'dnat' in part || 'redirect' in part)) return [];
  const to = `${word(target['addr']) || 'this host'}:${word(target['port'])}`;
  return parts.flatMap((part) => {
    const { left, right } = objectOf(part['match']);
    const { protocol, field } = objectOf(objectOf(left)['payload']);
    if (field !== 'dport' || (protocol !== 'tcp' && protocol !== 'udp')) return [];
    const ports = typeof right === 'number' ? [right] : listOf(objectOf(right)['set']);
    return ports.filter((port) => typeof port === 'number').map((port) => ({ protocol, port, to }));
  });
}

/** What iptables hands on stands in nft's listing as "xt", without its ports. */
async function publishedByIptables(exec: Exec): Promise<Published[]> {
  const found: Published[] = [];
  for (const program of ['iptables-save', 'ip6tables-save']) {
    const file = exec.find(program);
    if (file === undefined) continue;
    const { code, stdout } = await exec.run({ file, args: ['-t', 'nat'], timeout: PATIENCE });
    if (code !== 0) continue;
    for (const [, protocol, port, to] of stdout.matchAll(PUBLISHED))
      found.push({ protocol: protocol as Published['protocol'], port: Number(port), to: to! });
  }
  return found;
}

type Json = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function wordsOf(object: Json, ...keys: readonly string[]): string {
  return keys.map((key) => word(object[key])).join(' ');
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
