// Where the cases play: a server and two clients in network namespaces, and a sandbox in which packages count as installed.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from '../support/http.ts';
import { createInternet, type Client, type Host } from '../support/namespaces.ts';
import { findProgram } from '../support/programs.ts';
import { ended, eventually, run } from '../support/run.ts';
import type { Act, Case, LogCase, Who } from './case.ts';
import { expectedOf, namer, verdictsOf } from './verdicts.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
/** Milliseconds for which a log must not grow before it counts as written. */
const QUIET = 400;
/** The same where something is missing in it. */
const PATIENCE = 6_000;

/** What came of one log. */
export interface Outcome {
  readonly log: LogCase;
  readonly expected: readonly string[];
  readonly got: readonly string[];
  /** What was read, to be shown where the two differ. */
  readonly text: string;
}

export interface Stage {
  /**
   * Plays a case; everything that it started has ended when it returns.
   * @param unpacked where its packages are; without it, it plays on the host as it is, where that gives what it needs.
   */
  play(one: Case, unpacked?: string): Promise<Outcome[]>;
  remove(): Promise<void>;
}

/** @param folder where the cases write; the caller removes it. */
export async function createStage(folder: string): Promise<Stage> {
  // Services that shed their rights must get to their logs.
  chmodSync(folder, 0o711);
  const internet = await createInternet('attacker', 'friend');
  const { server, clients } = internet;
  const nameOf = namer(clients);
  return {
    remove: () => internet.remove(),
    async play(one, unpacked) {
      const own = mkdtempSync(join(folder, `${one.name}-`));
      chmodSync(own, 0o711);
      const sandbox = makeSandbox(own, unpacked);
      const [file, args] = sandbox(one.start(own));
      const service = server.spawn(file, args, PLAIN);
      const said = collect(service.stdout, service.stderr);
      try {
        await eventually(`${one.name} listens`, async () => {
          if (service.exitCode !== null) throw new Error(`it ended with ${service.exitCode}`);
          return isListening(server, one.ports);
        });
        for (const six of [false, true]) await one.play(actOf(six, server, clients, sandbox));
        const read = () => one.logs.map((log) => textOf(join(own, log.file)));
        const judge = (texts: readonly string[]) =>
          one.logs.map((log, index) => outcomeOf(log, texts[index]!, nameOf));
        return await settled(read, judge, one.quiet ?? QUIET);
      } catch (error) {
        const logs = one.logs.map((log) => textOf(join(own, log.file)).slice(-3_000));
        throw new Error([String(error), said.text().slice(-3_000), ...logs].join('\n'), { cause: error });
      } finally {
        service.kill('SIGKILL');
        await ended(service);
      }
    },
  };
}

/** Stamps in UTC, messages in English. */
const PLAIN = {
  TZ: 'UTC',
  LANG: 'C',
  LC_ALL: 'C',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};

type Sandbox = (script: string) => [string, string[]];

/** Makes the command that runs a script in a sandbox; what it started ends with it. */
function makeSandbox(own: string, unpacked: string | undefined): Sandbox {
  let count = 0;
  return (script) => {
    const scratch = join(own, `.scratch-${++count}`);
    mkdirSync(scratch);
    const file = `${scratch}.sh`;
    writeFileSync(file, `set -eu\n${script}\n`);
    const unshare = findProgram('unshare');
    if (unshare === undefined) throw new Error('unshare is missing: install the package util-linux');
    // Process 1 is a shell that waits: some services behave differently where they are it.
    const inside = ['/bin/sh', '-c', '/bin/sh "$1"; exit $?', 'case', file];
    const args = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    if (unpacked === undefined) return [unshare, [...args, ...inside]];
    return [unshare, [...args, '/bin/sh', here('sandbox.sh'), unpacked, scratch, ...inside]];
  };
}

function actOf(six: boolean, server: Host, clients: Record<Who, Client>, sandbox: Sandbox): Act {
  const address = six ? server.ipv6 : server.ipv4;
  const host = six ? `[${address}]` : address;
  return {
    server: address,
    host,
    talk: (who, port, ...steps) =>
      clients[who].runOk(process.execPath, [here('talk.ts'), address, String(port)], {
        input: JSON.stringify(steps),
      }),
    http: (who, path, options) => request(clients[who], `http://${host}${path}`, options),
    run(who, script) {
      const [file, args] = sandbox(script);
      return clients[who].run(file, args, { env: PLAIN });
    },
  };
}

/** Asks the kernel, not the service: a connection would be in its log. */
async function isListening(server: Host, ports: readonly number[]): Promise<boolean> {
  const table = await server.runOk('/bin/cat', ['/proc/net/tcp', '/proc/net/tcp6']);
  const LISTEN = '0A';
  const rows = table.split('\n');
  return ports.every((port) => rows.some((row) => isRow(row, port, LISTEN)));
}

function isRow(row: string, port: number, state: string): boolean {
  const [, local, , is] = row.trim().split(/\s+/);
  return is === state && Number.parseInt(local?.split(':')[1] ?? '', 16) === port;
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'latin1') : '';
}

function outcomeOf(log: LogCase, text: string, nameOf: (address: string) => string): Outcome {
  return { log, expected: expectedOf(log), got: verdictsOf(text, log, nameOf), text };
}

/**
 * Services write some lines after they have answered: waits until their logs have stopped growing, and longer where some
 * verdict is still missing.
 */
function settled(
  read: () => string[],
  judge: (texts: readonly string[]) => Outcome[],
  quiet: number,
): Promise<Outcome[]> {
  let last = '';
  let outcomes: Outcome[] = [];
  let since = 0;
  return eventually('the logs are written', () => {
    const texts = read();
    if (outcomes.length === 0 || texts.join('\n') !== last) {
      last = texts.join('\n');
      outcomes = judge(texts);
      since = performance.now();
    }
    const isWhole = outcomes.every(({ got, expected }) => got.length >= expected.length);
    return performance.now() - since > (isWhole ? quiet : PATIENCE) && outcomes;
  });
}

function collect(...streams: readonly (NodeJS.ReadableStream | null)[]): { text(): string } {
  let text = '';
  for (const stream of streams) stream?.setEncoding('utf8').on('data', (part: string) => (text += part));
  return { text: () => text };
}

/**
 * Can sandboxes be made here? Not where mounting is forbidden, nor where `home`, for unpacked packages, is itself in one of
 * the folders that a sandbox lays them over.
 */
export async function canSandbox(folder: string, home: string): Promise<boolean> {
  const unpacked = join(home, 'none');
  for (const tree of ['usr', 'etc', 'var']) mkdirSync(join(unpacked, tree), { recursive: true });
  const own = mkdtempSync(join(folder, 'trial-'));
  const [file, args] = makeSandbox(own, unpacked)('true');
  return (await run(file, args)).code === 0;
}
