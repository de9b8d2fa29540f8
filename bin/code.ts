// Has V8 make the code of the built program's parts, and keeps it beside them, by running the program once as a daemon and
// once as `replay`: so the code of whatever these call is there. A part that neither loads goes without.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const KEEPING = ['--import', join(import.meta.dirname, 'keep-code.ts')];
/** Milliseconds. */
const LONGEST = 300_000;

/** @param dist what `bundle` made, with bin/loader.cjs as cli/main.js. */
export async function keepCode(dist: string): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'bailiff-code-'));
  try {
    const main = join(dist, 'cli/main.js');
    const config = furnish(place);
    const places = ['--config', config, '--runtime', join(place, 'run')];
    const start = (flags: readonly string[], ending: string, ...args: readonly string[]) =>
      spawn(process.execPath, [...flags, main, ...places, ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { PATH: process.env['PATH'], CODE_OF: ending },
      });
    const daemon = async (flags: readonly string[]): Promise<void> => {
      const child = start(flags, 'daemon', 'run', '--state', join(place, 'state'), '--firewall', 'memory');
      const ended = once(child, 'exit');
      await caughtUp([main, ...places, '--json', 'status']);
      child.kill('SIGTERM');
      mustBeDone(await ended);
    };
    // The first proves the filters, which is no part of a usual start.
    await daemon([]);
    await daemon(KEEPING);
    const logs = readdirSync(join(place, 'logs')).map((name) => join(place, 'logs', name));
    mustBeDone(await once(start(KEEPING, 'replay', 'replay', ...logs), 'exit'));
    for (const folder of ['cli', 'parts']) settle(join(dist, folder));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** What both have made of a part was made of more of it by one of them. */
function settle(folder: string): void {
  const size = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  for (const part of readdirSync(folder).filter((name) => name.endsWith('.js'))) {
    const [least, most] = ['daemon', 'replay']
      .map((ending) => join(folder, `${part}.${ending}`))
      .toSorted((a, b) => size(a) - size(b)) as [string, string];
    rmSync(least, { force: true });
    if (size(most) > 0) renameSync(most, join(folder, `${part}.${process.arch}.code`));
  }
}

/** Three logs of the usual kinds, in which some offend, and a config that reads them. @returns its path. */
function furnish(place: string): string {
  const logs = join(place, 'logs');
  mkdirSync(logs);
  const now = new Date();
  const [, day, month, year, time] = /, (\d+) (\w+) (\d+) ([\d:]+)/.exec(now.toUTCString())!;
  const kinds = {
    access: [
      'nginx-login',
      (address: string) =>
        `${address} - - [${day}/${month}/${year}:${time} +0000] "POST /login HTTP/1.1" 401 179 "-" "curl/8.5.0"`,
    ],
    sshd: [
      'sshd',
      (address: string) =>
        `${month} ${day!.replace(/^0/, ' ')} ${time} host sshd[71]: Failed password for root from ${address} port 4711 ssh2`,
    ],
    json: [
      'authelia-json',
      (address: string) =>
        JSON.stringify({
          ...{ level: 'error', time: now.toISOString(), remote_ip: address },
          msg: "Unsuccessful 1FA authentication attempt by user 'ops'",
        }),
    ],
  } as const;
  const jails = Object.entries(kinds).map(([name, [filter, line]]) => {
    const path = join(logs, `${name}.log`);
    const lines = Array.from({ length: 300 }, (_, n) => `${line(`198.51.100.${1 + (n % 50)}`)}\n`);
    writeFileSync(path, lines.join(''));
    return [name, { filter, logs: [path], start: 'beginning', zone: 'UTC', brake: 'off' }] as const;
  });
  const config = join(place, 'jails.json');
  writeFileSync(config, JSON.stringify({ jails: Object.fromEntries(jails) }), { mode: 0o600 });
  return config;
}

async function caughtUp(status: readonly string[]): Promise<void> {
  for (const began = performance.now(); performance.now() - began < LONGEST; await sleep(50)) {
    const { stdout } = spawnSync(process.execPath, status, { encoding: 'utf8' });
    if (/"caughtUp": ?true/.test(stdout)) return;
  }
  throw new Error('the daemon that was to make code did not catch up');
}

function mustBeDone([code, signal]: readonly unknown[]): void {
  if (code !== 0) throw new Error(`a program that was to make code ended with ${String(code ?? signal)}`);
}
