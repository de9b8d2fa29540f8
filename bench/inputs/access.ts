// An access log of a busy site: visitors, 1 % failed log-ins, 2 % scanners, a few who fetch far too much; IPv4 and IPv6.
import { counted, either } from '../lib/addresses.ts';
import type { Maker } from '../lib/inputs.ts';
import { randomFrom } from '../lib/random.ts';
import { reckon, type Verdict } from '../lib/verdicts.ts';
import { FIND_TIME, MAX_RETRY, PER_MINUTE, RULES } from './rules.ts';

/** Lines that arrive in a second. */
const PER_SECOND = 50;
/** Seconds since 1970 of the first line. */
const BEGIN = Date.UTC(2026, 0, 5) / 1_000;

/** What the jails must say: by rule, by shipped filter, and of the jail that counts everything. */
export interface AccessTruth {
  readonly rules: Readonly<Record<string, Verdict>>;
  readonly shipped: Readonly<Record<string, Verdict>>;
  readonly everything: Verdict;
  /** Lines that at least one rule, or one shipped filter, matches. */
  readonly union: { readonly rules: number; readonly shipped: number };
  readonly addresses: number;
}

/** A request, its answer, and which filters it is for. */
interface Probe {
  readonly request: string;
  readonly status: number;
  readonly rules: readonly string[];
  readonly shipped: readonly string[];
}

/** The shipped filters that are measured together. */
export const SHIPPED = ['nginx-login', 'nginx-botsearch', 'nginx-hidden-files'] as const;
const [LOGIN, BOTS, HIDDEN] = SHIPPED;

const LOGINS: readonly Probe[] = [
  { request: 'POST /login', status: 401, rules: ['login'], shipped: [LOGIN] },
  { request: 'POST /wp-login.php', status: 403, rules: ['login'], shipped: [LOGIN, BOTS] },
];
const SCANS: readonly Probe[] = [
  { request: 'GET /.env', status: 404, rules: ['dotfiles'], shipped: [BOTS, HIDDEN] },
  { request: 'GET /.git/config', status: 404, rules: ['dotfiles'], shipped: [BOTS, HIDDEN] },
  { request: 'GET /phpmyadmin/index.php', status: 404, rules: ['phpmyadmin'], shipped: [BOTS] },
  { request: 'GET /pma/', status: 404, rules: ['phpmyadmin'], shipped: [BOTS] },
  { request: 'POST /xmlrpc.php', status: 405, rules: ['xmlrpc'], shipped: [BOTS] },
  { request: 'GET /cgi-bin/luci', status: 404, rules: ['cgi'], shipped: [BOTS] },
  {
    ...{ request: 'GET /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php', status: 404 },
    ...{ rules: ['phpunit'], shipped: [BOTS] },
  },
];
const PAGES = [
  '/',
  '/about',
  '/products',
  '/blog/',
  '/cart',
  '/search?q=shoes',
  '/api/items',
  '/static/app.js',
];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0',
];
const SCANNER_AGENTS = ['-', 'curl/8.5.0', 'python-requests/2.32.3', 'Mozilla/5.0 zgrab/0.x'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (n: number): string => String(n).padStart(2, '0');
export function commonStamp(seconds: number): string {
  const date = new Date(seconds * 1_000);
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  return `${day}:${date.toISOString().slice(11, 19)} +0000`;
}

/** What a visitor's request leaves behind. */
export function visit(address: string, stamp: string, random: (below: number) => number): string {
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
  const status = pick([200, 200, 200, 200, 200, 304, 301, 404]);
  const from = random(3) === 0 ? '-' : `https://www.example.org${pick(PAGES)}`;
  return `${address} - - [${stamp}] "GET ${pick(PAGES)} HTTP/1.1" ${status} ${random(90_000)} "${from}" "${pick(AGENTS)}"`;
}

interface Actor {
  readonly address: string;
  readonly probes: readonly Probe[];
}

/**
 * @param begin the instant of the first line, in seconds since 1970.
 * @param perSecond lines that arrive in a second.
 * @returns a maker of such a log.
 */
export function accessLog(begin = BEGIN, perSecond = PER_SECOND): Maker<AccessTruth> {
  return (lines, write) => {
    const random = randomFrom(20_260_105);
    const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
    const { actors, whose } = cast(lines, random);
    const visitors = Math.max(100, Math.floor(lines / 100));
    const rules = new Map(RULES.map(({ name }) => [name, reckon(MAX_RETRY, FIND_TIME)]));
    const shipped = new Map(SHIPPED.map((name) => [name as string, reckon(MAX_RETRY, FIND_TIME)]));
    const everything = reckon(PER_MINUTE + 1, 60);
    const union = { rules: 0, shipped: 0 };
    const seen = new Set<string>();
    let [stamp, stamped] = ['', -1];

    for (let n = 0; n < lines; n++) {
      const at = begin + Math.floor(n / perSecond);
      if (at !== stamped) [stamp, stamped] = [commonStamp(at), at];
      const actor = actors[whose[n]! - 1];
      // Some visitors come far more often than others.
      const address =
        actor?.address ?? either(1_000_000 + Math.floor((random(visitors) * random(1_000)) / 1_000));
      const who = counted(address);
      seen.add(who);
      everything.match(who, at);
      if (actor === undefined || actor.probes.length === 0) {
        write(visit(address, stamp, random));
        continue;
      }
      const probe = pick(actor.probes);
      for (const name of probe.rules) rules.get(name)!.match(who, at);
      for (const name of probe.shipped) shipped.get(name)!.match(who, at);
      union.rules++;
      union.shipped++;
      write(
        `${address} - - [${stamp}] "${probe.request} HTTP/1.1" ${probe.status} ${100 + random(80)} "-" "${pick(SCANNER_AGENTS)}"`,
      );
    }
    const told = (all: Map<string, { verdict(): Verdict }>): Record<string, Verdict> =>
      Object.fromEntries([...all].map(([name, one]) => [name, one.verdict()]));
    return {
      ...{ rules: told(rules), shipped: told(shipped), everything: everything.verdict() },
      ...{ union, addresses: seen.size },
    };
  };
}

/** Who acts, and which line is whose: 0 is a visitor's, n that of the nth actor. */
function cast(lines: number, random: (below: number) => number): { actors: Actor[]; whose: Int32Array } {
  const actors: Actor[] = [];
  const whose = new Int32Array(lines);
  /** Gives the actor `count` lines that are still free, `stride` apart from a place of chance. */
  const place = (actor: Actor, count: number, stride: number): void => {
    actors.push(actor);
    let at = random(Math.max(1, lines - count * stride));
    for (let n = 0; n < count; n++, at += stride) {
      while (whose[at % lines] !== 0) at++;
      whose[at % lines] = actors.length;
    }
  };
  let next = 0;
  const address = (): string => either(next++);
  const share = (part: number): number => Math.round(lines * part);
  // Two thirds of the failed log-ins are those of attackers, twelve each within minutes, the rest mistyped once.
  for (let n = 0; n < share(0.007); n += 12) place({ address: address(), probes: LOGINS }, 12, 400);
  for (let n = 0; n < share(0.003); n++) place({ address: address(), probes: LOGINS }, 1, 1);
  // Scanners ask for what they know in twenty seconds; some only look once.
  for (let n = 0; n < share(0.018); n += 20) place({ address: address(), probes: SCANS }, 20, 50);
  for (let n = 0; n < share(0.002); n++) place({ address: address(), probes: SCANS }, 1, 1);
  // Who fetches too much: four hundred pages in forty seconds.
  for (let n = 0; n < share(0.01); n += 400) place({ address: address(), probes: [] }, 400, 5);
  return { actors, whose };
}
