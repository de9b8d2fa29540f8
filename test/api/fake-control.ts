// A daemon that answers from a script and remembers what it was asked.
import type {
  AttemptOutcome,
  BanOutcome,
  BanView,
  Control,
  EventsQuery,
  HistoryView,
  LiveEvent,
  LogPage,
  Page,
  ReportOutcome,
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
  /** Tells everyone who listens. */
  tell(event: LiveEvent): void;
  /** Who listens. */
  readonly listeners: ReadonlySet<(event: LiveEvent) => void>;
}

/** A match as only control.sock may tell it. */
export function match(changes: Partial<Extract<LiveEvent, { kind: 'match' }>> = {}): LiveEvent {
  return {
    ...{ id: 'fake-1', at: '2026-01-05T10:11:12.500Z', kind: 'match', jail: 'sshd', filter: 'sshd' },
    ...{ address: '192.0.2.7', outcome: 'counted', count: 3, of: 5, time: '2026-01-05T10:11:12.000Z' },
    ...{ file: '/var/log/auth.log', line: 12, fields: { user: HOSTILE }, text: HOSTILE },
    ...changes,
  };
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
    firewall: { kind: 'nftables', healthy: true, dropped: { packets: 12, bytes: 720 }, blocked: 1 },
    intent: 'enforcing',
    latency: { bans: 3, median: 0.002, p99: 0.004 },
    health: { ok: true, problems: [] },
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
        lastLine: '2026-01-05T10:19:50.000Z',
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
        hour: {
          step: 60,
          matches: [...Array<number>(58).fill(0), 3, 4],
          bans: [...Array<number>(59).fill(0), 1],
        },
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
    protected: [
      { jail: 'sshd', loggedIn: '2026-01-05T09:00:00.000Z', until: '2026-01-06T09:00:00.000Z', by: 'log-in' },
    ],
    next: [{ jail: 'sshd', nth: 2, for: 2_400 }],
  };
  const listeners = new Set<(event: LiveEvent) => void>();
  return {
    calls,
    listeners,
    tell(event) {
      for (const listener of listeners) listener(event);
    },
    events(query: EventsQuery, tell) {
      reply('events', query, undefined);
      listeners.add(tell);
      return { at: 'fake-0', stop: () => listeners.delete(tell) };
    },
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
    report: async (request) =>
      reply(
        'report',
        request,
        request.reports.map(({ address }): ReportOutcome => ({ address, outcome: 'counted' })),
      ),
    attempt: async (request) =>
      reply(
        'attempt',
        request,
        request.addresses.map((address): AttemptOutcome => ({ address, outcome: 'counted' })),
      ),
    present: async (request) =>
      reply('present', request, {
        ...request,
        outcome: 'protected' as const,
        until: '2026-01-06T10:11:12.000Z',
      }),
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
