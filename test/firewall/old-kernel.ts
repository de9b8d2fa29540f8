// nftables as Linux before 6.12 has it, as far as Bailiff speaks it, behind an Exec: this machine's kernel won't show the
// old behaviour, and Debian 12 has it. A batch is atomic; `add element` on one that is there keeps the old end, silently;
// `delete element` of one that is not there, or has expired, fails the whole batch.
import type { Child, Clock, Exec, ExecRequest, ExecResult } from '../../src/ports.ts';

interface KernelSet {
  readonly type: string;
  readonly hasTimeouts: boolean;
  /** Undefined: no end. */
  readonly elements: Map<string, { timeout: number; endsAt: number } | undefined>;
}

interface Table {
  chain: { hook: string; priority: number; policy: string } | undefined;
  readonly rules: { text: string; set: string }[];
  /** The rules of the chain that rejects; undefined: there is none. */
  refuse: string[] | undefined;
  readonly sets: Map<string, KernelSet>;
}

export interface OldKernel extends Exec {
  /** Every transaction that was tried, as one line. */
  readonly transactions: readonly string[];
  /** How each was sent. */
  readonly routes: readonly ('session' | 'file')[];
  /** A transaction with this text in it is refused, for whatever reason kernels have. */
  refuse(text: string | undefined): void;
  /** What `nft flush ruleset` does. */
  flushRuleset(): void;
  /** Ends the session's child at its next line (`always`: at every line): before or after the transaction has happened. */
  endSessionAt(moment: 'before' | 'after' | 'always'): void;
  /** What `nft` as a program answers: it is there, is missing, or may not do anything. */
  setProgram(state: 'there' | 'missing' | 'not-permitted' | 'crashing'): void;
}

const NOT_PERMITTED = 'netlink: Error: cache initialization failed: Operation not permitted\n';
const END_MARK = 'datatype ipv4_addr (IPv4 address) (basetype integer), 32 bits\n';

class Refused extends Error {}

export function createOldKernel(clock: Pick<Clock, 'now'>): OldKernel {
  let table: Table | undefined;
  let refused: string | undefined;
  let dying: 'before' | 'after' | 'always' | undefined;
  let program: 'there' | 'missing' | 'not-permitted' | 'crashing' = 'there';
  const transactions: string[] = [];
  const routes: ('session' | 'file')[] = [];

  /** @returns the error, or undefined. */
  function transact(text: string): string | undefined {
    transactions.push(text);
    if (program === 'not-permitted') return NOT_PERMITTED;
    const before = structuredClone(table);
    try {
      for (const statement of splitStatements(text)) run(statement);
      if (refused !== undefined && text.includes(refused)) throw new Refused('Invalid argument');
      return undefined;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      table = before;
      return `Error: Could not process rule: ${error.message}\n${text}\n^^^^\n`;
    }
  }

  function run(statement: string): void {
    const parts = /^(\w+) (\w+) inet bailiff ?(.*)$/.exec(statement);
    if (!parts) throw new Error(`not a statement that Bailiff writes: ${statement}`);
    const [, verb, noun, rest] = parts as unknown as [string, string, string, string];
    if (noun === 'table') {
      if (verb === 'add') table ??= { chain: undefined, rules: [], refuse: undefined, sets: new Map() };
      else if (!table) throw new Refused('No such file or directory');
      else table = undefined;
      return;
    }
    if (!table) throw new Refused('No such file or directory');
    const [name, body] = [rest.split(' ')[0]!, rest.slice(rest.indexOf(' ') + 1)];
    if ((noun === 'chain' || noun === 'rule') && name === 'refuse')
      return changeRefuse(table, verb, noun, body);
    switch (`${verb} ${noun}`) {
      case 'add chain': {
        const [, hook, priority, policy] = /type filter hook (\w+) priority (-?\d+); policy (\w+);/.exec(
          body,
        )!;
        table.chain ??= { hook: hook!, priority: Number(priority), policy: policy! };
        return;
      }
      case 'flush chain':
        return void (table.rules.length = 0);
      case 'delete chain':
        table.chain = undefined;
        return;
      case 'add rule':
      case 'insert rule': {
        const set = /@(\S+)/.exec(body)![1]!;
        if (body.endsWith('goto refuse') && !table.refuse) throw new Refused('No such file or directory');
        if (!table.chain || !table.sets.has(set)) throw new Refused('No such file or directory');
        table.rules[verb === 'add' ? 'push' : 'unshift']({ text: body, set });
        return;
      }
      case 'add set': {
        const type = /type (\w+);/.exec(body)![1]!;
        const fresh = { type, hasTimeouts: body.includes('flags timeout'), elements: new Map() };
        if (!table.sets.has(name)) table.sets.set(name, fresh);
        return;
      }
    }
    const set = table.sets.get(name);
    if (!set) throw new Refused('No such file or directory');
    if (`${verb} ${noun}` === 'flush set') set.elements.clear();
    else for (const element of body.slice(2, -2).split(', ')) changeElement(set, verb, element);
  }

  function changeRefuse(within: Table, verb: string, noun: string, body: string): void {
    if (noun === 'chain' && verb === 'add') within.refuse ??= [];
    else if (!within.refuse) throw new Refused('No such file or directory');
    else if (noun === 'chain') within.refuse = [];
    else within.refuse.push(body);
  }

  function changeElement(set: KernelSet, verb: string, text: string): void {
    const [address, , seconds] = text.split(' ') as [string, string?, string?];
    if (address.includes(':') !== (set.type === 'ipv6_addr')) throw new Refused('Invalid argument');
    const there = set.elements.has(address) && !hasExpired(set.elements.get(address));
    if (verb === 'delete') {
      if (!there) throw new Refused('No such file or directory');
      set.elements.delete(address);
    } else if (!there) {
      if (seconds !== undefined && !set.hasTimeouts) throw new Refused('Invalid argument');
      const timeout = seconds === undefined ? undefined : secondsOf(seconds);
      set.elements.set(
        address,
        timeout === undefined ? undefined : { timeout, endsAt: clock.now() + timeout * 1_000 },
      );
    }
  }

  function hasExpired(end: { endsAt: number } | undefined): boolean {
    return end !== undefined && end.endsAt <= clock.now();
  }

  function list(args: readonly string[]): ExecResult {
    if (program === 'not-permitted') return failed(NOT_PERMITTED);
    const isTerse = args.includes('-t');
    if (!table && !isTerse) return failed('Error: No such file or directory\n');
    const objects: object[] = [{ metainfo: { version: '1.0.6', json_schema_version: 1 } }];
    if (table) {
      objects.push({ table: { family: 'inet', name: 'bailiff', handle: 1 } });
      for (const [name, set] of table.sets) objects.push({ set: describeSet(name, set, isTerse) });
      const { chain } = table;
      if (chain) {
        const { hook, priority: prio, policy } = chain;
        objects.push({
          chain: { family: 'inet', table: 'bailiff', name: 'prerouting', type: 'filter', hook, prio, policy },
        });
      }
      const ours = { family: 'inet', table: 'bailiff' };
      if (table.refuse) objects.push({ chain: { ...ours, name: 'refuse' } });
      for (const text of table.refuse ?? []) {
        const type = text.includes('tcp reset') ? 'tcp reset' : 'icmpx';
        const l4 = type === 'icmpx' ? [] : [match({ meta: { key: 'l4proto' } }, 'tcp')];
        objects.push({ rule: { ...ours, chain: 'refuse', expr: [...l4, { reject: { type } }] } });
      }
      for (const { text } of table.rules) {
        objects.push({
          rule: { family: 'inet', table: 'bailiff', chain: 'prerouting', expr: expressionsOf(text) },
        });
      }
    }
    const stdout = JSON.stringify({ nftables: objects }).replaceAll('":', '": ').replaceAll(',', ', ');
    return { outcome: 'exited', code: 0, stdout, stderr: '' };
  }

  function describeSet(name: string, set: KernelSet, isTerse: boolean): object {
    const elements = [...set.elements]
      .filter(([, end]) => !hasExpired(end))
      .map(([val, end]) =>
        end
          ? { elem: { val, timeout: end.timeout, expires: Math.floor((end.endsAt - clock.now()) / 1_000) } }
          : val,
      );
    const elem = isTerse || elements.length === 0 ? {} : { elem: elements };
    return { family: 'inet', name, table: 'bailiff', type: set.type, ...elem };
  }

  function startSession(): Child {
    let onOutput: (text: string) => void = () => {};
    let onExit: (why: string) => void = () => {};
    let isAlive = true;
    const end = (): void => {
      if (!isAlive) return;
      isAlive = false;
      queueMicrotask(() => onExit('SIGKILL'));
    };
    return {
      pid: 1,
      write(text) {
        if (!isAlive) return;
        const [line] = String(text).split('\n') as [string];
        const moment = dying;
        if (moment !== 'always') dying = undefined;
        if (moment === 'before' || moment === 'always') return end();
        routes.push('session');
        const error = transact(line);
        if (moment === 'after') return end();
        // In two pieces, as a pipe may deliver it.
        const answer = `${error ?? ''}${END_MARK}`;
        queueMicrotask(() => onOutput(answer.slice(0, -20)));
        queueMicrotask(() => onOutput(answer.slice(-20)));
      },
      onOutput: (listener) => void (onOutput = listener),
      hold: () => {},
      onExit: (listener) => void (onExit = listener),
      kill: end,
    };
  }

  return {
    transactions,
    routes,
    refuse: (text) => void (refused = text),
    flushRuleset: () => void (table = undefined),
    endSessionAt: (moment) => void (dying = moment),
    setProgram: (state) => void (program = state),
    // It understands nft's words and no others.
    find: (name) => (program === 'missing' || name === 'perl' ? undefined : `/usr/sbin/${name}`),
    spawn: startSession,
    async run({ args, input, output }: ExecRequest) {
      if (program === 'crashing') return failed('');
      if (args.includes('list')) {
        const listed = list(args);
        output?.(listed.stdout);
        return output ? { ...listed, stdout: '' } : listed;
      }
      routes.push('file');
      const error = transact((input ?? '').trim().replaceAll('\n', '; '));
      return error === undefined ? { outcome: 'exited', code: 0, stdout: '', stderr: '' } : failed(error);
    },
  };
}

/** `630s`, `1200d30s`; nft 1.0.6 reads no more than eight digits. */
function secondsOf(text: string): number {
  const [, days, seconds] = /^(?:(\d{1,8})d)?(\d{1,8})s$/.exec(text) ?? [];
  if (seconds === undefined) throw new Refused('value too large');
  return Number(days ?? 0) * 86_400 + Number(seconds);
}

function failed(stderr: string): ExecResult {
  return { outcome: 'exited', code: 1, stdout: '', stderr };
}

/** Statements are parted by semicolons; those inside braces belong to the statement. */
function splitStatements(text: string): string[] {
  return text.split(/;\s*(?![^{]*\})/).filter((statement) => statement !== '');
}

/** A rule in the JSON of `nft -j list`. */
function expressionsOf(rule: string): object[] {
  const [, protocol, mask, set] = /(?:^|\} |(?:tcp|udp) )(ip6?) saddr(?: & (\S+))? @(\S+)/.exec(rule)!;
  const saddr = { payload: { protocol, field: 'saddr' } };
  const expressions: object[] = [match(mask === undefined ? saddr : { '&': [saddr, mask] }, `@${set}`)];
  const l4 = /meta l4proto (?:\{ (.+?) \}|(\w+))/.exec(rule);
  if (l4) expressions.push(match({ meta: { key: 'l4proto' } }, l4[2] ?? { set: l4[1]!.split(', ') }));
  const ports = /(tcp|udp|th) dport \{ (.+?) \}/.exec(rule);
  if (ports) {
    const numbers = ports[2]!.split(', ').map(Number);
    const right = numbers.length === 1 ? numbers[0]! : { set: numbers };
    expressions.push(match({ payload: { protocol: ports[1], field: 'dport' } }, right));
  }
  const counter = /counter packets (\d+) bytes (\d+)/.exec(rule);
  if (counter) expressions.push({ counter: { packets: Number(counter[1]), bytes: Number(counter[2]) } });
  if (rule.endsWith('goto refuse')) return [...expressions, { goto: { target: 'refuse' } }];
  return [...expressions, rule.endsWith('accept') ? { accept: null } : { drop: null }];
}

function match(left: object, right: unknown): object {
  return { match: { op: '==', left, right } };
}
