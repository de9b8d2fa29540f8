// Who is logged in on this host from elsewhere: logind's sessions, or where there is no logind the list of logins (utmp).
import { parseAddress } from '../../address.ts';
import type { Instant, Network } from '../../model.ts';
import type { Exec } from '../../ports.ts';

/** A session that is open, and from where. */
export interface OpenSession {
  readonly address: Network;
  /** undefined where it can't be told. */
  readonly since: Instant | undefined;
}

const PATIENCE = 5_000;
/** More sessions than this are not looked at. */
const MOST = 500;
const PROPERTIES = ['Remote', 'RemoteHost', 'Class', 'State', 'Timestamp'].flatMap((name) => ['-p', name]);
/** As both write it: `Thu 2026-11-26 06:10:00 UTC`. The zone is the host's. */
const STAMP = /(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)/;
/**
 * `ops  pts/0  Nov 26 06:10 (192.0.2.7)`. What stands there is an address or nothing of ours: names are what whoever owns the
 * address makes them, and what goes on behind it (`via mosh`) was written by a user, who could write any.
 */
const LOGIN = /^\S+ +\S+ +([A-Z][a-z]{2} +\d{1,2} \d\d:\d\d) +\(([\da-fA-F.:]+)\)$/;

/** @returns undefined where neither can be asked. Sessions at the console, or of programs, are none of these. */
export async function listLoggedIn(exec: Exec, now: Instant): Promise<readonly OpenSession[] | undefined> {
  return (await askLogind(exec)) ?? (await askWho(exec, now));
}

async function askLogind(exec: Exec): Promise<OpenSession[] | undefined> {
  const loginctl = exec.find('loginctl');
  if (loginctl === undefined) return undefined;
  const listed = await ask(exec, loginctl, ['list-sessions', '--no-legend', '--no-pager']);
  if (listed === undefined) return undefined;
  const ids = listed.split('\n').flatMap((line) => /^\s*([A-Za-z0-9]+)\s/.exec(line)?.[1] ?? []);
  if (ids.length === 0) return [];
  const told = await ask(exec, loginctl, ['show-session', ...ids.slice(0, MOST), ...PROPERTIES]);
  // One that has ended meanwhile makes loginctl fail; the next look finds the others.
  return told?.split('\n\n').flatMap((block) => sessionOf(block) ?? []);
}

function sessionOf(block: string): OpenSession | undefined {
  const of = new Map(block.split('\n').map((line) => line.split(/=(.*)/s, 2) as [string, string]));
  const isOpen = of.get('Remote') === 'yes' && of.get('State') !== 'closing' && of.get('Class') === 'user';
  const address = isOpen ? addressIn(of.get('RemoteHost')) : undefined;
  return address && { address, since: instantIn(of.get('Timestamp') ?? '') };
}

async function askWho(exec: Exec, now: Instant): Promise<OpenSession[] | undefined> {
  const who = exec.find('who');
  const told = who === undefined ? undefined : await ask(exec, who, []);
  return told
    ?.split('\n')
    .slice(0, MOST)
    .flatMap((line): OpenSession[] => {
      const [, at, host] = LOGIN.exec(line) ?? [];
      const address = addressIn(host);
      return address ? [{ address, since: withoutYear(at!, now) }] : [];
    });
}

async function ask(exec: Exec, file: string, args: readonly string[]): Promise<string | undefined> {
  const { outcome, code, stdout } = await exec.run({ file, args, timeout: PATIENCE });
  return outcome === 'exited' && code === 0 ? stdout : undefined;
}

/** A link-local one may have its interface behind it. */
function addressIn(host: string | undefined): Network | undefined {
  return host === undefined ? undefined : parseAddress(host.split('%')[0]!);
}

function instantIn(text: string): Instant | undefined {
  const [year, month, day, hour, minute, second] = STAMP.exec(text)?.slice(1).map(Number) ?? [];
  return year === undefined ? undefined : new Date(year, month! - 1, day, hour, minute, second).getTime();
}

function withoutYear(text: string, now: Instant): Instant | undefined {
  const year = new Date(now).getFullYear();
  const at = [year, year - 1].map((each) => Date.parse(`${text} ${each}`)).find((each) => each <= now);
  return at;
}
