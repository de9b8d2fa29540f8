// How nf_tables is asked: elements, which come every time, through a script of ours that hands the kernel its own words;
// everything else, and whatever the script can't do, through nft: transactions through a session, short ones as a line, long
// ones as a file that it includes; listings, and what the session can't be given, by starting it. What nft can't do at all
// becomes E_FIREWALL_UNAVAILABLE with what to do; what it refuses is an answer.
import { fileURLToPath } from 'node:url';
import type { Clock, Exec, ExecRequest, ExecResult, Log } from '../ports.ts';
import { batchOf } from './nft-batch.ts';
import { type ElementStatement, type Statement, textOf } from './nft-script.ts';
import { createSession } from './session.ts';
import { createRecentPids } from './recent-pids.ts';
import { forbidden, unavailable } from './unavailable.ts';

export type Answer =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'refused'; readonly why: string }
  /** nft ended in the middle: look at the kernel before anything is sent again. */
  | { readonly outcome: 'unknown'; readonly why: string };

export interface NftProgram {
  /** All of it happens or none. @throws BailiffError E_FIREWALL_UNAVAILABLE */
  transact(statements: readonly Statement[]): Promise<Answer>;
  /**
   * @param output takes the JSON as it comes, in the place of what is returned.
   * @returns JSON, or undefined where there is no such table. @throws BailiffError E_FIREWALL_UNAVAILABLE
   */
  list(args: readonly string[], output?: (text: string) => void): Promise<string | undefined>;
  /** Is this a process that we told something lately? In a container the kernel may know it by another number. */
  isOurs(pid: number): boolean;
  /** See {@link Session.expect}. */
  expect(): void;
  /** The same of all sessions. */
  wake(): void;
  close(): void;
}

/**
 * Characters up to which a line is the faster way: nft's line reader takes about 2.5 µs for each, a file 0.1 ms to write and to
 * open. A new ban is about 80.
 */
const SHORT = 200;
/** The same where only starting nft is left, which takes 5 ms. */
const MAX_LINE = 3_000;
/** Longer ones have an nft of their own, for it keeps the memory that it needed: 10 000 bans are 9 MB. */
const MAX_SCRIPT = 1_000_000;
const PATIENCE = 60_000;
/** So often in a row the script may end before it answers, until it isn't asked any more. */
const MOST_LOSSES = 3;
const TELLER = fileURLToPath(new URL('./nft-tell.pl', import.meta.url));

export function createNftProgram(ports: { exec: Exec; clock: Clock; log: Log }): NftProgram {
  const { exec, clock, log } = ports;
  const recent = createRecentPids();
  const session = createSession(exec, clock, {
    program: path,
    args: ['-i'],
    question: 'describe ipv4_addr',
    endMark: /^datatype ipv4_addr .*\n/m,
    include: (path) => `include "${path}"`,
    ended: (pid) => recent.add(pid),
  });
  const teller = createSession(exec, clock, {
    program: () => exec.find('perl') ?? '',
    args: [TELLER],
    endMark: /\n/,
    ended: (pid) => recent.add(pid),
  });
  /** Until nft does what it could not. undefined: nobody has looked yet whether there is a perl. */
  let isTelling: boolean | undefined;
  /** One after the other. */
  let losses = 0;
  /** After a loss the next transaction goes the other way, so that a session that never works costs no more. */
  let isDoubtful = false;
  /** Until the session refuses a file and a program of its own takes it: that one has the last word. */
  let takesFiles = true;

  function path(): string {
    const found = exec.find('nft');
    if (found !== undefined) return found;
    throw unavailable(
      'nft is not installed: install the package nftables (Debian, Ubuntu: apt-get install nftables), or run with --detect-only',
    );
  }

  async function start(
    args: readonly string[],
    how: Pick<ExecRequest, 'input' | 'output'>,
  ): Promise<ExecResult> {
    const shared = { file: path(), args, timeout: PATIENCE, started: recent.add };
    const result = await exec.run({ ...shared, ...how });
    if (result.outcome === 'not-started') throw unavailable(`nft could not be started: ${result.stderr}`);
    if (result.outcome === 'timeout')
      throw unavailable(`nft did not answer within ${PATIENCE / 1_000} seconds`);
    return result;
  }

  /** @param isRefused by the session, which perhaps could not open its file: it says so in many ways. */
  async function byFile(script: string, isRefused: boolean): Promise<Answer> {
    const result = await start(['-f', '-'], { input: script });
    isDoubtful = false;
    if (result.code !== 0) return refusal(result.stderr);
    takesFiles &&= !isRefused;
    return { outcome: 'done' };
  }

  const tells = (): boolean => (isTelling ??= exec.find('perl') !== undefined);

  async function byNft(statements: readonly string[]): Promise<Answer> {
    const script = `${statements.join('\n')}\n`;
    const mayInclude = takesFiles && script.length > SHORT && script.length <= MAX_SCRIPT;
    let answer = mayInclude && !isDoubtful ? await session.runScript(script) : undefined;
    const isRefused = answer?.outcome === 'refused';
    if (!answer && !isDoubtful && script.length <= MAX_LINE)
      answer = await session.run(statements.join('; '));
    if (!answer || isRefused) return byFile(script, isRefused);
    if (answer.outcome === 'refused') return refusal(answer.text);
    if (answer.outcome === 'unknown') {
      isDoubtful = true;
      log.warn({ why: answer.why }, 'the nft session ended and will be started again');
      throwIfUnavailable(answer.why);
    }
    return answer;
  }

  return {
    async transact(statements) {
      if (!tells() || !statements.every(isAboutElements)) return byNft(statements.map(textOf));
      const told = await teller.run(batchOf(statements));
      losses = told.outcome === 'unknown' ? losses + 1 : 0;
      if (told.outcome === 'done') return told;
      // Whether it has happened or not: it may be done twice.
      const answer = await byNft(statements.map(textOf));
      const isWorse = answer.outcome === 'done' && (told.outcome === 'refused' || losses === MOST_LOSSES);
      if (isWorse) {
        isTelling = false;
        const why = told.outcome === 'refused' ? told.text : told.why;
        log.warn({ why }, 'the kernel could not be told directly; from here on it is told by nft');
      }
      return answer;
    },
    async list(args, output) {
      const result = await start(args, output ? { output } : {});
      if (result.code === 0) return result.stdout;
      throwIfUnavailable(result.stderr);
      if (isGone(result.stderr)) return undefined;
      throw unavailable(`nft could not list its table: ${firstError(result.stderr)}`);
    },
    isOurs: (pid) => pid === session.pid || pid === teller.pid || recent.has(pid),
    expect: () => (tells() ? teller : session).expect(),
    wake() {
      session.expect();
      if (tells()) teller.expect();
    },
    close() {
      teller.close();
      session.close();
    },
  };
}

function isAboutElements(statement: Statement): statement is ElementStatement {
  return typeof statement !== 'string';
}

/** Does a refusal say that something that we took for granted isn't there any more? */
export function isGone(why: string): boolean {
  return why.includes('No such file or directory');
}

function refusal(text: string): Answer {
  throwIfUnavailable(text);
  return { outcome: 'refused', why: firstError(text) };
}

function throwIfUnavailable(text: string): void {
  if (/Operation not permitted|Permission denied|must be root/.test(text))
    throw forbidden('change the firewall', 'the capability CAP_NET_ADMIN');
  // In nft's own words, where the kernel lacks what it asks for.
  if (/cache initialization failed|[Pp]rotocol not supported|not implemented/.test(text))
    throw unavailable(
      `this kernel does not answer nft (${firstError(text)}): load the module nf_tables, or run with --detect-only`,
    );
}

/**
 * The first line that names an error, without its place; nft repeats the statement below it, which may be very long. One that
 * was killed, or crashed, says nothing.
 */
function firstError(text: string): string {
  const named = /Error: (.*)/.exec(text)?.[1] ?? text.trim();
  return named.slice(0, 200) || 'it failed without a word';
}
