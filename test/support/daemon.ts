// A real daemon, started through bin/bailiff as a user would, with config, state and sockets in a folder of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { BanView, Page, StatusView } from '../../src/api/contract.ts';
import { BAILIFF } from './built.ts';
import { removeAtExit } from './leftovers.ts';
import type { Host } from './namespaces.ts';
import { gatherProofs, lendProofs } from './proofs.ts';
import { ended, eventually, run, type Ran } from './run.ts';

export interface DaemonOptions {
  /** Holds jails.json, state/ and run/; made where missing. Start again with the same one to go on. */
  folder: string;
  /** Written to jails.json; left out: what lies there stays. */
  config?: object | string;
  /** The namespace to run in; the test's own where left out (then use a firewall that touches no kernel). */
  host?: Host;
  /** More arguments for `run`, such as `--firewall memory`. */
  args?: readonly string[];
  env?: Record<string, string | undefined>;
  /** Another launcher than that of what the tests have built. */
  bailiff?: string;
}

export interface Daemon {
  readonly pid: number;
  /** Everything that it has written to standard output and error so far. */
  output(): string;
  /** GET on one of its sockets. @throws where nobody answers. */
  get<T>(path: string, socket?: 'status' | 'control'): Promise<T>;
  status(): Promise<StatusView>;
  bans(query?: string): Promise<BanView[]>;
  /** Waits until all that lies on the disk now is read and committed. */
  caughtUp(): Promise<StatusView>;
  /** Waits for a ban of `address` that answers `wanted`. */
  ban(address: string, wanted?: (ban: BanView) => boolean): Promise<BanView>;
  /** Runs another verb against it. `args` begin with the verb. */
  verb(...args: string[]): Promise<Ran>;
  /** Lets it go on after SIGSTOP; harmless where it runs. */
  wake(): void;
  /** Sends a signal and waits for the end. @returns its exit status; undefined where the signal ended it. */
  end(signal?: NodeJS.Signals): Promise<number | undefined>;
  /** Resolves when it has ended for whatever reason. */
  readonly ended: Promise<{ code: number | undefined; signal: NodeJS.Signals | undefined }>;
}

/** Starts the daemon and waits until it answers. @throws with its output where it ends instead. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const state = join(options.folder, 'state');
  // Another launcher may put its state on a disk of its own, or start it as somebody else.
  if (options.bailiff === undefined) lendProofs(state);
  const daemon = launchDaemon(options);
  const died = daemon.ended.then(({ code, signal }) => {
    throw new Error(`bailiff run ended with ${code ?? signal}:\n${daemon.output()}`);
  });
  died.catch(() => {});
  const answers = eventually('the daemon answers', () => daemon.status().catch(() => undefined));
  answers.catch(() => {});
  await Promise.race([answers, died]);
  gatherProofs(state);
  return daemon;
}

/** Starts the daemon and waits for nothing. */
export function launchDaemon(options: DaemonOptions): Daemon {
  const { folder } = options;
  const places = ['--config', join(folder, 'jails.json'), '--runtime', join(folder, 'run')];
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (options.config !== undefined) {
    const text =
      typeof options.config === 'string' ? options.config : JSON.stringify(options.config, null, 2);
    writeFileSync(join(folder, 'jails.json'), text, { mode: 0o600 });
  }

  const args = [...places, 'run', '--state', join(folder, 'state'), ...(options.args ?? [])];
  const launcher = options.bailiff ?? BAILIFF;
  const child = start(launcher, args, options);
  let output = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (output += text));
  const get = <T>(path: string, socket: 'status' | 'control' = 'control') =>
    getJson<T>(join(folder, 'run', `${socket}.sock`), path);

  const daemon: Daemon = {
    pid: child.pid!,
    output: () => output,
    ended: ended(child),
    get,
    status: () => get<StatusView>('/v1/status'),
    bans: async (query = '') => (await get<Page<BanView>>(`/v1/bans${query}`)).items,
    caughtUp: () =>
      eventually('the daemon has caught up', async () => {
        const status = await daemon.status();
        return status.caughtUp && status;
      }),
    ban: (address, wanted = () => true) =>
      eventually(`${address} is banned`, async () =>
        (await daemon.bans('?all=true')).find((ban) => ban.address === address && wanted(ban)),
      ),
    verb: (...verb) => {
      const more = { env: options.env ?? {} };
      const all = [...places, ...verb];
      return options.host ? options.host.run(launcher, all, more) : run(launcher, all, more);
    },
    wake: () => void child.kill('SIGCONT'),
    async end(signal = 'SIGTERM') {
      child.kill(signal);
      return (await ended(child)).code;
    },
  };
  return daemon;
}

function start(launcher: string, args: readonly string[], options: DaemonOptions): ChildProcess {
  if (options.host) return options.host.spawn(launcher, args, options.env);
  const child = spawn(launcher, args, { env: { ...process.env, ...options.env }, stdio: 'pipe' });
  const takeBack = removeAtExit(() => child.kill('SIGKILL'));
  child.once('exit', takeBack);
  return child;
}

function getJson<T>(socketPath: string, path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, timeout: 20_000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      answer.on('error', reject);
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(JSON.parse(text) as T);
        else reject(new Error(`${path} answered ${answer.statusCode}: ${text}`));
      });
    });
    asked.on('timeout', () => asked.destroy(new Error(`${path} did not answer`)));
    asked.on('error', reject);
    asked.end();
  });
}
