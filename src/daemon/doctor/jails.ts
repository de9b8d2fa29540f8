// Do the jails fit this host, and each other?
import { matchesGlob } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Surroundings } from '../../firewall/index.ts';
import type { Step } from '../../model.ts';
import type { ReadyJail } from '../../setup/index.ts';
import type { Socket } from '../host/sockets.ts';
import { fault, fine, note, some } from './findings.ts';
import type { Finding } from './findings.ts';
import { filesOf } from './logs.ts';

/** The ports of web servers: whoever covers one may have forgotten the other. */
const WEB = [80, 443] as const;

/** @param sockets of this host. */
export function checkPorts(
  jails: readonly ReadyJail[],
  sockets: readonly Socket[],
  surroundings: Pick<Surroundings, 'published'> | undefined,
): Finding[] {
  const published = surroundings?.published ?? [];
  const open = new Set([
    ...sockets
      .filter(({ isListening, local }) => isListening && !isLocal(local.text))
      .map(({ port }) => port),
    ...published.map(({ port }) => port),
  ]);
  const found = jails
    .filter(({ scope }) => scope.ports.length > 0)
    .flatMap(({ rules: { name }, scope: { ports }, filters }): Finding[] => {
      if (!ports.some((port) => open.has(port))) {
        const inner = published.find(({ to }) => ports.some((port) => to.endsWith(`:${port}`)));
        const hint = inner
          ? `${ports.join(', ')} is a port behind the published port ${inner.port}`
          : `it listens on ${some([...open].toSorted((a, b) => a - b).map(String), 12) || 'none'}`;
        return [
          fault(
            'ports',
            'E_PORTS_UNUSED',
            `nothing on this host can be reached on the ports of the jail ${name} (${ports.join(', ')}), so its bans stop nobody; ${hint}`,
            'Name the ports under which the service is reached in "ports" of the jail, or leave "ports" out: then all are covered.',
          ),
        ];
      }
      const missing = WEB.filter((port) => open.has(port) && !ports.includes(port));
      const isWeb = filters.some(({ definition }) => definition.layout === 'access');
      if (!isWeb || missing.length === 0 || !WEB.some((port) => ports.includes(port))) return [];
      return [
        note(
          'ports',
          `the bans of ${name} cover ${ports.join(', ')}, and this host serves ${missing.join(', ')} as well`,
          'If its log holds requests to that port too, add it to "ports" of the jail.',
        ),
      ];
    });
  return found.length > 0 ? found : [fine('ports', 'the ports of the jails are those that are served')];
}

function isLocal(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** Two jails that count the same lines, of which one bans nobody whom the other has not banned before. */
export function checkOverlaps(jails: readonly ReadyJail[]): Finding[] {
  const found = jails.flatMap((jail, index) =>
    jails.slice(index + 1).flatMap((other): Finding[] => {
      if (!isSameInput(jail, other)) return [];
      const idle = isIdleBeside(jail, other) ? jail : isIdleBeside(other, jail) ? other : undefined;
      const pair = `${jail.rules.name} and ${other.rules.name}`;
      if (!idle)
        return [
          note(
            'jails',
            `${pair} count the same lines, by different measures: an address may be banned in both`,
          ),
        ];
      const busy = idle === jail ? other : jail;
      return [
        fault(
          'jails',
          'W_JAILS_OVERLAP',
          `${pair} count the same lines, and ${busy.rules.name} bans before ${idle.rules.name} ever does`,
          `Disable ${idle.rules.name}, or narrow one of them by "where".`,
        ),
      ];
    }),
  );
  return found.length > 0 ? found : [fine('jails', 'no two jails count the same lines')];
}

function isSameInput({ config: a }: ReadyJail, { config: b }: ReadyJail): boolean {
  return (
    a.filters.some((filter) => b.filters.includes(filter)) &&
    (a.logs.some((one) => b.logs.some((two) => isMet(one, two))) ||
      (a.journal.length > 0 && isDeepStrictEqual(a.journal, b.journal))) &&
    isDeepStrictEqual([a.where, a.except, a.mode], [b.where, b.except, b.mode])
  );
}

/** Do two patterns of `logs` name the same file? */
function isMet(one: string, two: string): boolean {
  if (covers(one, two) || covers(two, one)) return true;
  const others = filesOf(two);
  return filesOf(one).some((file) => others.includes(file));
}

/** Does `pattern` name whatever `log` names, now and later? */
function covers(pattern: string, log: string): boolean {
  return pattern === log || matchesGlob(log, pattern);
}

/** Does `busy` ban whoever `idle` would ban, at the same line or before, and all of his traffic that `idle` drops? */
function isIdleBeside(idle: ReadyJail, busy: ReadyJail): boolean {
  const includes =
    busy.scope.ports.length === 0 ||
    (idle.scope.ports.length > 0 && idle.scope.ports.every((port) => busy.scope.ports.includes(port)));
  return (
    includes &&
    (busy.scope.protocol === 'any' || busy.scope.protocol === idle.scope.protocol) &&
    busy.config.dryRun === idle.config.dryRun &&
    busy.config.respond.every(isShutOut) &&
    busy.rules.maxRetry <= idle.rules.maxRetry &&
    busy.rules.findTime >= idle.rules.findTime &&
    idle.config.filters.every((filter) => busy.config.filters.includes(filter)) &&
    idle.config.logs.every((log) => busy.config.logs.some((pattern) => covers(pattern, log)))
  );
}

/** Does a step keep out whom the jail bans? Who is throttled, or may come to other ports, goes on with what others count. */
function isShutOut({ answer, ports }: Step): boolean {
  return answer?.do !== 'throttle' && (ports === undefined || ports.length === 0);
}
