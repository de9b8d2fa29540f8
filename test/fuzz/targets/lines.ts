// Whole lines through filters: all that are shipped at once, each trial of the prover with a client's text, formats.
import { parseAddress } from '../../../src/address.ts';
import { createAddressReader } from '../../../src/filters/addresses.ts';
import { compileFilter } from '../../../src/filters/compile.ts';
import type { Filter, LineVerdict, Scanner } from '../../../src/filters/contract.ts';
import { detectFormat } from '../../../src/filters/detect.ts';
import { unescaped } from '../../../src/filters/json.ts';
import { parseLogFormat } from '../../../src/filters/logformat.ts';
import { createScanner } from '../../../src/filters/scanner.ts';
import { createSearchRoom } from '../../../src/filters/search/room.ts';
import { trials, type Trial } from '../../../src/filters/trials.ts';
import type { Match } from '../../../src/model.ts';
import { definition, pattern } from '../../filters/engine.ts';
import { SHIPPED, shippedFilter } from '../../filters/shipped.ts';
import { holds, same, type Target } from '../target.ts';

const NOW = Date.UTC(2026, 0, 6);
const FRAMED = '203.0.113.66';
const HONEST = '192.0.2.7';

/** Address characters in a row, as every layout takes them. */
const RUN = /[0-9A-Fa-f:.]+/g;

/** Every way in which a match's address could stand in its line. */
function isInLine(line: string, address: string): boolean {
  const read = createAddressReader();
  const texts = [line, unescaped(line)];
  return texts.some((text) => (text.match(RUN) ?? []).some((run) => namesIn(run, read).has(address)));
}

/** What a run of address characters may be read as: as a whole, or one of its ends cut off. */
function namesIn(run: string, read: ReturnType<typeof createAddressReader>): Set<string> {
  const found = new Set<string>();
  for (let from = 0; from < run.length && from < 64; from++)
    for (let to = run.length; to > from && to > run.length - 64; to--) {
      const address = read(run.slice(from, to));
      if (address) found.add(address.text);
    }
  return found;
}

function addressOf(verdict: LineVerdict): string | undefined {
  return 'match' in verdict && verdict.outcome !== 'excepted' ? verdict.match.address.text : undefined;
}

function checkMatch(line: string, { address, via, counts, at, fields }: Match): void {
  for (const named of via ? [address, via] : [address]) {
    same(parseAddress(named.text)?.text, named.text, 'an address that is none');
    holds(isInLine(line, named.text), 'an address that does not stand in the line', named.text);
  }
  holds(Number.isInteger(counts) && counts >= 0, 'a count that is none', counts);
  holds(at === undefined || Number.isFinite(at), 'a stamp that is none', at);
  for (const value of Object.values(fields))
    holds(typeof value === 'string', 'a field that is no text', value);
}

/** A scanner is a program of its own: none is made for each input. */
const room = createSearchRoom();
const scanners = new WeakMap<readonly Filter[], Scanner>();
let logs = 0;

/** What a scan of one line, of a log of its own, finds for each filter. */
function scanned(filters: readonly Filter[], line: string): Map<number, string> {
  const scanner = scanners.get(filters) ?? createScanner(filters, room);
  scanners.set(filters, scanner);
  const found = new Map<number, string>();
  const visit = (filter: number, match: Match): void => {
    holds(!found.has(filter), 'a filter that takes a line twice', filter);
    found.set(filter, match.address.text);
    checkMatch(line, match);
  };
  scanner.scan(`${line}\n`, NOW, visit, `log ${logs++}`);
  return found;
}

/** A scan and a judge by itself say the same of a line. */
function agree(filters: readonly Filter[], line: string): void {
  const found = scanned(filters, line);
  for (const [index, filter] of filters.entries())
    same(found.get(index), addressOf(filter.judge(line, NOW)), `scan and judge of ${filter.definition.name}`);
}

/** A few of each layout: what they share is in the layouts, and what is their own has `trials`. */
function fewFilters(): Filter[] {
  const names = [
    'sshd',
    'postfix',
    'dovecot',
    'nginx-auth',
    'nginx-login',
    'app-login-json',
    'app-login-text',
    'apache-auth',
    'exim',
  ];
  return names
    .filter((name) => SHIPPED.includes(name))
    .map((name) => shippedFilter(name, { mode: 'aggressive' }));
}

function samplesOf(filters: readonly Filter[], most: number): string[] {
  return filters.flatMap(({ definition: { samples, forged } }) =>
    [...samples, ...forged]
      .slice(0, most)
      .map(({ text }) => Buffer.from(text.split('\n').at(-1)!, 'utf8').toString('latin1')),
  );
}

export function scanTarget(): Target {
  const filters = fewFilters();
  const scanner = createScanner(SHIPPED.map((name) => shippedFilter(name)));
  let source = 0;
  return {
    name: 'scan',
    holds:
      'any bytes: all shipped filters at once name canonical addresses that stand in the line; a scan and a judge agree',
    seeds: [
      ...samplesOf(filters, 3),
      '{"log":"192.0.2.7 - - [05/Jan/2026:10:11:12 +0000] \\"POST /login HTTP/1.1\\" 401 5\\n","stream":"stdout","time":"2026-01-05T10:11:12.123Z"}',
      '2026-01-05T10:11:12.123456789Z stdout F Jan  5 10:11:12 web sshd[812]: Invalid user x from 192.0.2.7 port 1',
      '<38>1 2026-01-05T10:11:12Z web sshd 812 - [a k="v"] Invalid user x from 192.0.2.7 port 1',
      'Jan  5 10:11:12 web sshd[812]: message repeated 3 times: [ Failed password for root from 192.0.2.7 port 1 ssh2]',
      'Jan  5 10:11:12 web last message repeated 3 times',
    ],
    words: [
      ' from ',
      ' port ',
      'sshd[812]: ',
      'Failed password for ',
      'invalid user ',
      ' ssh2',
      ' - - [',
      '] "',
      '" 401 ',
      '"ip":',
      '{"',
      '","stream":"stdout","time":"',
      'stdout F ',
      'stdout P ',
      '<34>1 ',
      'message repeated 3 times: [ ',
      'last message repeated 2 times',
    ],
    stepsPerByte: 4_000,
    share: 0.2,
    run(input) {
      scanner.scan(`${input}\n`, NOW, () => undefined, String(source++));
      agree(filters, input.replace(/\n/g, ' '));
    },
  };
}

/** Which trial, which of its skeletons, and the texts for its free places. */
export function forgeriesTarget(): Target {
  const all: Trial[] = SHIPPED.flatMap((name) =>
    trials(shippedFilter(name)).filter(({ skeletons }) => skeletons.length > 0),
  );
  return {
    name: 'forgeries',
    holds: 'whatever a client writes where a service lets him, no shipped filter names anybody but him',
    seeds: Array.from(
      { length: all.length },
      (_, index) => String.fromCharCode(index & 255, index >> 8, 0) + `x from ${FRAMED} port 1`,
    ),
    words: [
      '\x1e',
      FRAMED,
      ` from ${FRAMED} port 1`,
      '" 401 5 "-" "',
      '","ip":"',
      `remote_addr=${FRAMED}`,
      `rhost=${FRAMED}`,
      `[${FRAMED}]`,
      `client: ${FRAMED}, `,
      `host=${FRAMED} `,
      `for ${FRAMED}`,
      ' - - [',
    ],
    longest: 1_024,
    stepsPerByte: 2_000,
    share: 0.5,
    run(input) {
      const [low = 0, high = 0, way = 0] = [0, 1, 2].map((index) => input.charCodeAt(index) || 0);
      const trial = all[(low + high * 256) % all.length]!;
      const skeleton = trial.skeletons[way % trial.skeletons.length]!;
      const texts = input
        .slice(3)
        .replace(/[\n\r]/g, ' ')
        .split('\x1e');
      let place = 0;
      const line = skeleton.map((piece) => {
        if (piece.kind === 'free') return piece.write(texts[place++ % texts.length]!) ?? piece.benign;
        if (piece.kind === 'text') return piece.text;
        return piece.kind === 'address' ? HONEST : '812';
      });
      const verdict = trial.filter.judge(trial.frame(line.join(''), '812').replace(/\n/g, ' '), NOW);
      const named = addressOf(verdict);
      holds(named === undefined || named === HONEST, `${trial.filter.definition.name} names another`, named);
    },
  };
}

/** A log format in the first line of the input, a line of its log in the second. */
export function formatsTarget(): Target {
  return {
    name: 'formats',
    holds:
      'any log_format parses or says why not, and no line of it makes a filter throw or name who does not stand in it',
    seeds: [
      'combined\n192.0.2.7 - - [05/Jan/2026:10:11:12 +0000] "POST /login HTTP/1.1" 401 5 "-" "x"',
      '$remote_addr - $remote_user [$time_local] "$request" $status "$http_x_forwarded_for"\n10.0.0.1 - - [05/Jan/2026:10:11:12 +0000] "GET / HTTP/1.1" 401 "203.0.113.9, 192.0.2.7"',
      '%h %l %u %t "%r" %>s %b\n192.0.2.7 - - [05/Jan/2026:10:11:12 +0000] "GET / HTTP/1.1" 401 5',
      'escape=json {"ip":"$remote_addr","t":"$time_iso8601","r":"$request","s":$status}\n{"ip":"192.0.2.7","t":"2026-01-05T10:11:12+00:00","r":"POST /login HTTP/1.1","s":401}',
      'json\n{"remote_addr":"192.0.2.7","status":401,"request_method":"POST","uri":"/login"}',
      'traefik\n192.0.2.7 - - [05/Jan/2026:10:11:12 +0000] "GET / HTTP/1.1" 401 5 "-" "-" 1 "r" "s" 3ms',
      'haproxy\nJan  5 10:11:12 web haproxy[812]: 192.0.2.7:4711 [05/Jan/2026:10:11:12.123] f b/s 0/0/1/2/3 401 5 - - ---- 1/1/0/0/0 0/0 "POST /login HTTP/1.1"',
    ],
    words: [
      '$remote_addr',
      '$time_local',
      '$msec',
      '$request',
      '$status',
      '$http_x_forwarded_for',
      '$http_user_agent',
      '%h',
      '%a',
      '%t',
      '%>s',
      '%{X-Forwarded-For}i',
      'escape=json ',
      'escape=none ',
      'combined',
      'common',
      'vhost_combined',
      ' [',
      '] "',
      '" ',
      '-',
      '\\x22',
    ],
    longest: 2_048,
    stepsPerByte: 1_000,
    run(input) {
      const cut = input.indexOf('\n');
      const written = cut < 0 ? input : input.slice(0, cut);
      const line = cut < 0 ? '' : input.slice(cut + 1).replace(/\n/g, ' ');
      detectFormat([line]);
      const parsed = parseLogFormat(written);
      if (!parsed.ok) holds(parsed.message !== '', 'a refusal without a reason');
      const options = { zone: 'UTC', mode: 'normal', where: undefined, except: undefined } as const;
      const compiled = compileFilter(definition({ layout: 'access', where: {} }), {
        ...options,
        logFormat: written,
        trustedProxies: [parseAddress('10.0.0.1')!],
      });
      if (compiled.ok) agree([compiled.filter], line);
    },
  };
}

/** A pattern in the first line, a message in the second. */
export function patternsTarget(): Target {
  return {
    name: 'patterns',
    holds: 'any pattern compiles to a linear regex or says what is wrong with it',
    seeds: [
      '^Failed \\S+ for (?:invalid user )?<user> from <ip> port \\d+(?: ssh\\d)?$\nFailed password for x from 192.0.2.7 port 1 ssh2',
      '^<F-USER>.*?</F-USER> from <HOST>(?i: again)?$\nx from 192.0.2.7',
      '^(?P<x>[^]a-z\\d]{1,3}|[\\x41-Z])\\b <ip>(?#note)\nA 192.0.2.7',
      '^(?=x)<ip>(?!y)(?<=z)\\1\nx',
    ],
    words: [
      '<ip>',
      '<user>',
      '<HOST>',
      '<F-ID>',
      '</F-ID>',
      '(?:',
      '(?i)',
      '(?<name>',
      '(?P<name>',
      '(?P=name)',
      '[^',
      '\\S+',
      '\\d{1,3}',
      '.*?',
      '|',
      ')',
      '{2,}',
      '\\x41',
      '\\u00e9',
      '(?#',
      '$',
      '\\b',
    ],
    longest: 512,
    stepsPerByte: 20_000,
    run(input) {
      const cut = input.indexOf('\n');
      const regex = cut < 0 ? input : input.slice(0, cut);
      const line = cut < 0 ? '' : input.slice(cut + 1).replace(/\n/g, ' ');
      const compiled = compileFilter(definition({ layout: 'plain', match: [pattern(regex)] }), {
        ...{ logFormat: undefined, zone: 'UTC', mode: 'normal', where: undefined, except: undefined },
      });
      if (compiled.ok) agree([compiled.filter], line);
      else for (const { message } of compiled.faults) holds(message !== '', 'a fault without a message');
    },
  };
}
