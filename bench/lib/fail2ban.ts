// fail2ban as a peer: its server with a config, socket, database and log of our own, in a namespace where its rules hurt nobody.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../test/support/leftovers.ts';
import type { Host } from '../../test/support/namespaces.ts';
import { findProgram } from '../../test/support/programs.ts';
import { ended, eventually, type Ran } from '../../test/support/run.ts';

export interface Fail2banJail {
  readonly failregex: string;
  readonly maxRetry: number;
  readonly findTime: number;
}

export interface Fail2ban {
  readonly pid: number;
  /** Asks it, as `fail2ban-client` does. */
  ask(...words: readonly string[]): Promise<Ran>;
  end(): Promise<void>;
}

/** The server's program, where it is installed. */
export const fail2banServer = (): string | undefined => findProgram('fail2ban-server');

/**
 * Starts it with some jails on one log, whose stamps are those of an access log.
 * @param blocks by nftables; otherwise it only counts.
 */
export async function startFail2ban(
  host: Host,
  log: string,
  jails: Readonly<Record<string, Fail2banJail>>,
  blocks: boolean,
): Promise<Fail2ban> {
  const folder = temporaryFolder('bench-fail2ban');
  const at = (...parts: string[]): string => join(folder.path, ...parts);
  for (const part of ['filter.d', 'action.d']) mkdirSync(at(part));
  const places = { socket: at('sock'), pidfile: at('pid'), dbfile: at('db.sqlite'), logtarget: at('log') };
  const lines = (all: object): string =>
    Object.entries(all)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join('');
  const server = { loglevel: 'ERROR', syslogsocket: 'auto', dbpurgeage: 86_400, ...places };
  writeFileSync(at('fail2ban.conf'), `[Definition]\n${lines(server)}`);
  const nft = findProgram('nft');
  writeFileSync(
    at('action.d/bench.conf'),
    `[Definition]\nactionstart = ${nft} add table inet f2b\n  ${nft} add set inet f2b banned { type ipv4_addr\\; }\nactionban = ${nft} add element inet f2b banned { <ip> }\nactionunban = ${nft} delete element inet f2b banned { <ip> }\n`,
  );
  const common = { backend: 'auto', usedns: 'no', bantime: -1, logpath: log, enabled: 'true' };
  let conf = `[DEFAULT]\n${lines({ ...common, banaction: blocks ? 'bench' : '', action: blocks ? '%(banaction)s' : '' })}`;
  for (const [name, jail] of Object.entries(jails)) {
    // fail2ban takes the stamp away with its brackets; the blanks around it stay.
    const failregex = `^<HOST> \\S+ \\S+ +${jail.failregex}`.replaceAll('%', '%%');
    const datepattern = '\\[%%d/%%b/%%Y:%%H:%%M:%%S %%z\\]';
    writeFileSync(at('filter.d', `bench-${name}.conf`), `[Definition]\n${lines({ failregex, datepattern })}`);
    conf += `[${name}]\n${lines({ filter: `bench-${name}`, maxretry: jail.maxRetry, findtime: jail.findTime })}`;
  }
  writeFileSync(at('jail.conf'), conf);
  const shared = ['-c', folder.path, '-s', places.socket, '-p', places.pidfile];
  const child = host.spawn(fail2banServer()!, [...shared, '-xf', 'start']);
  let said = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ask = (...words: readonly string[]): Promise<Ran> =>
    host.run(findProgram('fail2ban-client')!, [...shared, ...words]);
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended(child);
    clearTimeout(late);
    folder.remove();
  };
  try {
    await eventually(
      'fail2ban has started its jails',
      async () => {
        if (child.exitCode !== null) throw new Error(`fail2ban ended with ${child.exitCode}: ${said}`);
        const ran = await ask('status');
        return Object.keys(jails).every((name) => ran.stdout.includes(name));
      },
      30_000,
      200,
    );
  } catch (error) {
    const own = existsSync(places.logtarget) ? readFileSync(places.logtarget, 'utf8') : '';
    await end();
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}${own}`, {
      cause: error,
    });
  }
  return { pid: child.pid!, ask, end };
}

/** What `fail2ban-client status JAIL` tells of the lines that matched and of those who are banned. */
export async function told(fail2ban: Fail2ban, jail: string): Promise<{ matches: number; banned: string[] }> {
  const { stdout } = await fail2ban.ask('status', jail);
  const banned = /Banned IP list:\s*(.*)/.exec(stdout)?.[1]?.trim() ?? '';
  return {
    matches: Number(/Total failed:\s*(\d+)/.exec(stdout)?.[1] ?? Number.NaN),
    banned: banned === '' ? [] : banned.split(/\s+/),
  };
}
