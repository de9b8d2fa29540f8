// How ipset and iptables are asked. What they can't do at all becomes E_FIREWALL_UNAVAILABLE with what to do; what they
// refuse is an answer.
import type { Clock, Exec, ExecResult, Log } from '../ports.ts';
import { noTable } from './iptables-rules.ts';
import type { Family } from './iptables-sets.ts';
import { createRecentPids } from './recent-pids.ts';
import { createSession } from './session.ts';
import { forbidden, unavailable } from './unavailable.ts';

export type IpsetAnswer =
  | { readonly outcome: 'done' }
  /** Line `line` (from 1) was refused. Those ahead of it took effect, those behind it did not. */
  | { readonly outcome: 'refused'; readonly line: number; readonly why: string };

/** Every call throws BailiffError E_FIREWALL_UNAVAILABLE where a program is missing, not permitted or unanswered. */
export interface IptablesProgram {
  /** Runs lines of `ipset restore` in their order; what is there already is set anew, what is gone already is no fault. */
  change(lines: readonly string[]): Promise<IpsetAnswer>;
  /** The names of all sets in this network namespace, and how many elements each has. */
  sets(): Promise<Map<string, number>>;
  /** The set as `ipset save` writes it; empty where there is none. */
  save(set: string): Promise<string>;
  /** The raw table, or the named one, as `iptables-save -c` writes it; as a refusal where the kernel has no such family. */
  saveRules(family: Family, table?: Table): Promise<{ readonly text: string } | { readonly why: string }>;
  /** Is there such a table? To list it would show one in any case. */
  hasTable(family: Family, table?: Table): Promise<boolean>;
  /** One transaction. @returns why it was refused, or undefined. */
  restoreRules(family: Family, input: string): Promise<string | undefined>;
  /** Removes the table of a family with all that is in it. */
  removeTable(family: Family, table?: Table): Promise<void>;
  /** Is this a process that we started lately? In a container the kernel may know it by another number. */
  isOurs(pid: number): boolean;
  /** Ends child processes. */
  /** See {@link Session.expect}. */
  expect(): void;
  close(): void;
}

/** Raw, unless said otherwise. */
export type Table = 'raw' | 'filter';

/** Which iptables there is: the nft variant wherever it can be had. */
export interface Variant {
  readonly name: 'nft' | 'legacy';
  /** What its programs are called, apart from the family: `iptables-nft` or `iptables`. */
  readonly suffix: '' | '-nft';
}

const PATIENCE = 60_000;
/** Seconds that the legacy variant waits for whoever holds its lock; the nft variant needs none. */
const LOCK = '10';
const INSTALL =
  'install the packages iptables and ipset (Debian, Ubuntu: apt-get install iptables ipset), or run with --detect-only';

/** @returns undefined where a program is missing. */
export async function findVariant(exec: Exec): Promise<Variant | undefined> {
  const has = (suffix: Variant['suffix']): boolean =>
    ['iptables', 'ip6tables'].every(
      (name) => exec.find(`${name}${suffix}-restore`) && exec.find(`${name}${suffix}-save`),
    );
  if (!exec.find('ipset')) return undefined;
  if (has('-nft')) return { name: 'nft', suffix: '-nft' };
  if (!has('')) return undefined;
  const { stdout } = await exec.run({
    file: exec.find('iptables-restore')!,
    args: ['--version'],
    timeout: PATIENCE,
  });
  return { name: stdout.includes('nf_tables') ? 'nft' : 'legacy', suffix: '' };
}

/**
 * Changes of more lines than this are given to `ipset restore`, which takes 2 ms to start and half as long for each line as
 * the session does.
 */
const MOST_LINES = 60;
/** What `ipset -` says of a command that it can't know: it says nothing after a line that went well. */
const MARK = 'bailiff-said';

/** @param onVariant is told once which iptables is used. */
export function createIptablesProgram(
  { exec, clock, log }: { exec: Exec; clock: Clock; log: Log },
  onVariant: (variant: Variant) => void,
): IptablesProgram {
  const session = createSession(exec, clock, {
    program: () => pathOf('ipset'),
    args: ['-exist', '-'],
    question: `flush bailiff-none ${MARK}`,
    endMark: /^(?:[ipset> ]*)ipset v\S+: Unknown argument bailiff-said\n/m,
    noise: /^(?:(?:ipset> )+|Try `ipset help'.*\n)/gm,
  });
  /** After a loss the next change goes the other way, so that a session that never works costs no more. */
  let isDoubtful = false;
  const recent = createRecentPids();
  let variant: Promise<Variant | undefined> | undefined;

  /** Looked for until it is found, by one call at a time. */
  function ourVariant(): Promise<Variant | undefined> {
    variant ??= findVariant(exec).then((found) => {
      if (found) onVariant(found);
      else variant = undefined;
      return found;
    });
    return variant;
  }

  function pathOf(program: string): string {
    const file = exec.find(program);
    if (file === undefined) throw unavailable(`${program} is not installed: ${INSTALL}`);
    return file;
  }

  async function run(program: string, args: readonly string[], input = ''): Promise<ExecResult> {
    const file = pathOf(program);
    const result = await exec.run({ file, args, input, timeout: PATIENCE, started: recent.add });
    if (result.outcome === 'not-started')
      throw unavailable(`${program} could not be started: ${result.stderr}`);
    if (result.outcome === 'timeout')
      throw unavailable(`${program} did not answer within ${PATIENCE / 1_000} seconds`);
    if (result.code !== 0) throwIfUnavailable(program, result.stderr);
    return result;
  }

  async function tables(family: Family, action: 'save' | 'restore', args: string[], input?: string) {
    const found = await ourVariant();
    if (!found) throw unavailable(`iptables or ipset is not installed: ${INSTALL}`);
    return run(`${family === 4 ? 'iptables' : 'ip6tables'}${found.suffix}-${action}`, args, input);
  }

  async function ask(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run('ipset', args);
    if (code === 0) return stdout;
    if (isGone(stderr)) return '';
    throw unavailable(`ipset could not list its sets: ${firstError(stderr)}`);
  }

  /** Line by line, as `restore` does it. @returns undefined where nobody knows what was done. */
  async function changeInSession(lines: readonly string[]): Promise<IpsetAnswer | undefined> {
    for (const [index, line] of lines.entries()) {
      const answer = await session.run(line);
      if (answer.outcome === 'refused') {
        throwIfUnavailable('ipset', answer.text);
        return { outcome: 'refused', line: index + 1, why: firstError(answer.text) };
      }
      if (answer.outcome === 'unknown') {
        isDoubtful = true;
        log.warn({ why: answer.why }, 'the ipset session ended and will be started again');
        return undefined;
      }
    }
    return { outcome: 'done' };
  }

  return {
    expect: session.expect,
    close: session.close,
    isOurs: recent.has,
    async change(lines) {
      if (lines.length <= MOST_LINES && !isDoubtful) {
        const answer = await changeInSession(lines);
        if (answer) return answer;
      }
      // What the session did already is done once more, which is harmless.
      isDoubtful = false;
      const { code, stderr } = await run('ipset', ['-exist', 'restore'], `${lines.join('\n')}\n`);
      if (code === 0) return { outcome: 'done' };
      const named = /Error in line (\d+): (.*)/.exec(stderr);
      if (!named) throw unavailable(`ipset does not answer as expected: ${firstError(stderr)}`);
      return { outcome: 'refused', line: Number(named[1]), why: named[2]!.slice(0, 200) };
    },
    async sets() {
      const counts = new Map<string, number>();
      let name = '';
      for (const line of (await ask(['list', '-terse'])).split('\n')) {
        const [key, value] = line.split(': ');
        if (key === 'Name') counts.set((name = value!), 0);
        if (key === 'Number of entries') counts.set(name, Number(value));
      }
      return counts;
    },
    save: (set) => ask(['save', set]),
    async saveRules(family, table = 'raw') {
      const { code, stdout, stderr } = await tables(family, 'save', ['-c', '-t', table]);
      return code === 0 ? { text: stdout } : { why: firstError(stderr) };
    },
    async hasTable(family, table = 'raw') {
      const { stdout, stderr } = await tables(family, 'save', []);
      // Of a table that nft filled with what iptables doesn't know there is but a remark.
      const said = stdout + stderr;
      return said.split('\n').includes(`*${table}`) || said.includes(`able \`${table}' `);
    },
    async restoreRules(family, input) {
      const { code, stderr } = await tables(family, 'restore', ['-c', '-n', '-w', LOCK], input);
      return code === 0 ? undefined : firstError(stderr);
    },
    async removeTable(family, table = 'raw') {
      await tables(family, 'restore', ['-w', LOCK], noTable(table));
    },
  };
}

/** Does a refusal say that a set that we took for granted isn't there any more? */
export function isGone(why: string): boolean {
  return why.includes('set with the given name does not exist');
}

function throwIfUnavailable(program: string, text: string): void {
  if (/Operation not permitted|Permission denied|must be root/.test(text))
    throw forbidden('change the firewall', 'the capability CAP_NET_ADMIN');
  // Which capability it lacks is not said: it asks for the names of sets over a raw socket.
  if (text.includes("Can't open socket to ipset"))
    throw forbidden('use sets in iptables', 'CAP_NET_RAW beside CAP_NET_ADMIN');
  if (program === 'ipset' && /Cannot open session|protocol version|set type not supported/.test(text))
    throw unavailable(
      `this kernel does not answer ipset (${firstError(text)}): load the modules ip_set and ip_set_hash_net, or run with --detect-only`,
    );
}

/** What a program said was wrong, without its own name and the warnings around it. */
function firstError(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return (lines[0] ?? 'it says nothing').replace(/^\S+ v\S+(?: \(\w+\))?: /, '').slice(0, 200);
}
