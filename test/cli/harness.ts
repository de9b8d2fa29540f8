// The command line as its users have it: a process of its own, started through bin/bailiff; and, where only the verb
// matters, the same call within this process.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from '../../src/api/index.ts';
import { bailiff } from '../../src/cli/bailiff.ts';
import { silentLog } from '../../src/ports.ts';
import { BAILIFF } from '../support/built.ts';
import { createFakeControl } from '../api/fake-control.ts';
import type { FakeControl } from '../api/fake-control.ts';

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly env?: Record<string, string>;
  /** Closes the reading end of its standard output before it writes. */
  readonly deaf?: boolean;
}

/** Where `npm test` keeps what it has compiled already. */
const { NODE_COMPILE_CACHE } = process.env;
const COMPILED = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };

/** A process of its own. */
export function start(args: readonly string[], { env = {}, deaf = false }: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', [BAILIFF, ...args], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...COMPILED, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    if (deaf) child.stdout.destroy();
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

export interface FakeDaemon {
  readonly control: FakeControl;
  readonly folder: string;
  /** Calls the CLI against this daemon, within this process, as if piped. */
  call(args: readonly string[]): Promise<Ran>;
  /** Starts the CLI against this daemon. */
  start(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Closes the sockets and opens them again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A scripted daemon on real sockets. */
export async function startFakeDaemon(): Promise<FakeDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-cli-'));
  const control = createFakeControl();
  const open = () => createServer(control, { folder, version: '0.1.0' }, { log: silentLog });
  let server = await open();
  return {
    control,
    folder,
    async call(args) {
      let [out, err] = ['', ''];
      const streams = {
        out: (text: string) => void (out += text),
        err: (text: string) => void (err += text),
        terminal: false,
      };
      return { code: await bailiff(['--runtime', folder, ...args], streams), out, err };
    },
    start: (args, options = {}) =>
      start(args, { ...options, env: { BAILIFF_RUNTIME: folder, ...options.env } }),
    async restart() {
      await server.close();
      server = await open();
    },
    async stop() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
