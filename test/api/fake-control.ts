// A daemon that answers from a script and remembers what it was asked.
import type {
  BanOutcome,
  BanView,
  Control,
  HistoryView,
  LogPage,
  Page,
  StatusView,
  UnbanOutcome,
} from '../../src/api/contract.ts';

/** ESC, a line end, a right-to-left override and a tab: all that must never reach a terminal raw. */
export const HOSTILE = 'a\u001b[31mb\nc\u202ed\te\u009bf';

export interface FakeControl extends Control {
  /** [method, argument], in order. */
  readonly calls: [string, unknown][];
  /** Replaces the answer of a method; an Error is thrown. */
  answer(method: keyof Control, value: unknown): void;
}

export function ban(changes: Partial<BanView> = {}): BanView {
  return {
    id: 1,
    address: '192.0.2.7',
    jail: 'sshd',
    state: 'blocked',
    since: '2026-01-05T10:11:12.000Z',
    until: '2026-01-05T10:21:12.000Z',
    nth: 1,
    reason: '5 matches',
    by: 'jail',
    ...changes,
  };
}

export function status(changes: Partial<StatusView> = {}): StatusView {
  return {
    version: '0.1.0',
    pid: 812,
    startedAt: '2026-01-05T10:00:00.000Z',
    mode: 'enforcing',
    firewall: { kind: 'nftables', healthy: true, dropped: { packets: 12, bytes: 720 } },
    caughtUp: true,
    sources: [
      {
        id: '/var/log/auth.log',
        kind: 'file',
        path: '/var/log/auth.log',
        state: 'following',
        lag: 0,
        lines: 40,
        skipped: 0,
        faults: [],
      },
    ],
    jails: [
      {
        name: 'sshd',
        state: 'active',
        filters: ['sshd'],
        matches: 7,
        ignored: 0,
        late: 0,
        offenders: 2,
        banned: 1,
        bansTotal: 1,
        evicted: 0,
      },
    ],
    faults: [],
    ...changes,
  };
}

export function logPage(items: LogPage['items'], changes: Partial<LogPage> = {}): LogPage {
  return { items, next: null, last: items.at(-1)?.n ?? 0, missed: 0, ...changes };
}

export function createFakeControl(): FakeControl {
  const calls: [string, unknown][] = [];
  const answers = new Map<string, unknown>();
  const reply = <T>(method: keyof Control, argument: unknown, usual: T): T => {
    calls.push([method, argument]);
    const value = answers.has(method) ? answers.get(method) : usual;
    if (value instanceof Error) throw value;
    return (typeof value === 'function' ? (value as (argument: unknown) => T)(argument) : value) as T;
  };
  const page: Page<BanView> = { items: [ban()], next: null };
  const history: HistoryView = {
    address: '192.0.2.7',
    bans: [
      {
        ...ban(),
        evidence: [
          { file: '/var/log/auth.log', line: 3, at: '2026-01-05T10:11:12.000Z', text: 'Failed password' },
        ],
      },
    ],
    offenders: [{ jail: 'sshd', count: 2, of: 5, window: 600, last: '2026-01-05T10:11:12.000Z' }],
    next: [{ jail: 'sshd', nth: 2, for: 2_400 }],
  };
  return {
    calls,
    answer: (method, value) => void answers.set(method, value),
    ping: () => reply('ping', undefined, { version: '0.1.0', pid: 812 }),
    status: async () => reply('status', undefined, status()),
    bans: async (query) => reply('bans', query, page),
    ban: async (request) =>
      reply(
        'ban',
        request,
        request.addresses.map((address): BanOutcome => ({ address, outcome: 'banned' })),
      ),
    unban: async (request) =>
      reply(
        'unban',
        request,
        (request.addresses ?? ['192.0.2.7']).map((address): UnbanOutcome => ({
          address,
          jail: 'sshd',
          outcome: 'released',
        })),
      ),
    history: async (address) => reply('history', address, history),
    teardown: async () => reply('teardown', undefined, { mode: 'stood-down' as const }),
    arm: async () => reply('arm', undefined, { mode: 'enforcing' as const }),
    reload: async (request) =>
      reply('reload', request, {
        jails: { added: ['api'], removed: [], changed: ['sshd'] },
        sources: [{ id: '/var/log/nginx/access.log', from: 41 }],
        released: 0,
        warnings: [],
        confirmBy: null,
      }),
    confirm: async () => reply('confirm', undefined, { outcome: 'confirmed' as const }),
    enable: async (jails) =>
      reply(
        'enable',
        jails,
        jails.map((jail) => ({ jail, outcome: 'enabled' as const })),
      ),
    disable: async (jails) =>
      reply(
        'disable',
        jails,
        jails.map((jail) => ({ jail, outcome: 'disabled' as const })),
      ),
    log: async (query) => reply('log', query, logPage([])),
  };
}
