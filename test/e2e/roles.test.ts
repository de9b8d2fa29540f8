// Who may what, tried under user ids and groups of their own on a real daemon: every route on every socket, every verb that
// speaks to the daemon.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../src/api/contract.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { VERBS } from '../../src/cli/verbs.ts';
import { BAILIFF } from '../support/built.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { needs, program } from '../support/programs.ts';
import { run } from '../support/run.ts';

/** Numbers that no user and no group of a host has. */
const [USER, OWN_GROUP, STATUS, REPORTS] = [61_234, 61_234, 61_236, 61_235];
const SOCKETS: readonly Role[] = ['control', 'status', 'report'];

/** Each route, asked so that it would succeed and, where it can, change something. In this order it can be done by root. */
const ASKED: Readonly<Record<string, { readonly path: string; readonly body?: object }>> = {
  'GET /v1/ping': { path: '/v1/ping' },
  'GET /v1/status': { path: '/v1/status' },
  'GET /v1/bans': { path: '/v1/bans?all=true' },
  'GET /v1/history': { path: '/v1/history?address=203.0.113.7' },
  'GET /v1/events': { path: '/v1/events' },
  'GET /v1/log': { path: '/v1/log' },
  'GET /v1/openapi.json': { path: '/v1/openapi.json' },
  'POST /v1/reports': {
    path: '/v1/reports',
    body: { jail: 'app', address: '203.0.113.7', outcome: 'abuse' },
  },
  'POST /v1/bans': { path: '/v1/bans', body: { addresses: ['203.0.113.9'] } },
  'POST /v1/attempts': { path: '/v1/attempts', body: { addresses: ['203.0.113.10'], jail: 'app' } },
  'POST /v1/jails/disable': { path: '/v1/jails/disable', body: { jails: ['app'] } },
  'POST /v1/jails/enable': { path: '/v1/jails/enable', body: { jails: ['app'] } },
  'POST /v1/teardown': { path: '/v1/teardown', body: {} },
  'POST /v1/arm': { path: '/v1/arm', body: {} },
  'POST /v1/reload': { path: '/v1/reload', body: {} },
  'POST /v1/confirm': { path: '/v1/confirm', body: {} },
  'POST /v1/administrators': { path: '/v1/administrators', body: { address: '203.0.113.11' } },
  'DELETE /v1/bans': { path: '/v1/bans?all=true' },
};

/** What a member of the status group may ask on status.sock; of the report group, on report.sock. Anything else nobody but the owner. */
const MAY: Readonly<Record<'status' | 'report', readonly string[]>> = {
  status: ['GET /v1/ping', 'GET /v1/status', 'GET /v1/bans', 'GET /v1/events', 'GET /v1/openapi.json'],
  report: ['POST /v1/reports'],
};

/** Verbs that speak to the daemon, with the arguments that make them do something. */
const SPOKEN: Readonly<Record<string, readonly string[]>> = {
  ping: [],
  status: [],
  bans: [],
  ban: ['203.0.113.9'],
  unban: ['--all'],
  attempt: ['203.0.113.10', '--jail', 'app'],
  history: ['203.0.113.7'],
  logs: [],
  enable: ['app'],
  disable: ['app'],
  reload: [],
  confirm: [],
  arm: [],
  teardown: [],
};
/** These read files and no socket, or (`watch`) have no end: it asks the same route as the table above. */
const NOT_SPOKEN = [
  ...['run', 'check', 'replay', 'test', 'explain', 'filters', 'watch', 'config', 'completions'],
  // Tells what it may not see, and ends well.
  'doctor',
];

needs(
  'root',
  'setpriv',
  'curl',
)('under user ids of their own', () => {
  let folder: string;
  let daemon: Daemon;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-e2e-roles-'));
    chmodSync(folder, 0o711);
    const args = ['--status-group', String(STATUS), '--report-group', String(REPORTS)];
    daemon = await startDaemon({
      folder,
      config: { jails: { app: { reports: true, maxRetry: 2 } } },
      args: ['--firewall', 'memory', '--no-watch', ...args],
    });
  });
  afterAll(async () => {
    await daemon?.end('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a program as a user who belongs to `groups` besides his own; undefined: as root. */
  const as = (groups: readonly number[] | undefined, words: readonly string[]) => {
    if (!groups) return run(words[0]!, words.slice(1));
    const others = groups.length > 0 ? [`--groups=${groups.join(',')}`] : ['--clear-groups'];
    const ids = [`--reuid=${USER}`, `--regid=${OWN_GROUP}`, ...others, '--no-new-privs'];
    return run(program('setpriv'), [...ids, ...words], { cwd: '/' });
  };

  /** @returns the status of the answer; 0 where the socket may not be opened. */
  async function ask(groups: readonly number[] | undefined, socket: Role, route: string): Promise<number> {
    const { path, body } = ASKED[route]!;
    const method = route.split(' ')[0]!;
    const sent = body && ['--header', 'content-type: application/json', '--data', JSON.stringify(body)];
    // Events have no end: HEAD is answered as GET would be.
    const how = path === '/v1/events' ? ['--head'] : ['--request', method];
    const { stdout } = await as(groups, [
      ...[program('curl'), '--silent', '--output', '/dev/null', '--write-out', '%{http_code}', ...how],
      ...['--unix-socket', join(folder, 'run', `${socket}.sock`), ...(sent ?? [])],
      `http://bailiff${path}`,
    ]);
    return Number(stdout);
  }

  /** Every answer to a user of these groups: route → the statuses on control.sock, status.sock and report.sock. */
  async function answersTo(groups: readonly number[] | undefined): Promise<Record<string, number[]>> {
    const answers: Record<string, number[]> = {};
    for (const route of Object.keys(ASKED))
      answers[route] = await Promise.all(SOCKETS.map((socket) => ask(groups, socket, route)));
    return answers;
  }

  const tableOf = (statusesOf: (route: string) => number[]): Record<string, number[]> =>
    Object.fromEntries(Object.keys(ASKED).map((route) => [route, statusesOf(route)]));
  const served = (role: 'status' | 'report', route: string): number =>
    MAY[role].includes(route) ? 200 : 403;

  /** What somebody who may not change anything must leave as it is. */
  const standing = async () => {
    const { mode, jails } = await daemon.status();
    return {
      mode,
      jails: jails.map(({ name, state }) => [name, state]),
      bans: await daemon.bans('?all=true'),
    };
  };

  test('every route is asked, and every verb is known to this test', () => {
    expect(Object.keys(ASKED).toSorted()).toEqual(
      ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted(),
    );
    expect([...Object.keys(SPOKEN), ...NOT_SPOKEN].toSorted()).toEqual(Object.keys(VERBS).toSorted());
  });

  describe('by the sockets', () => {
    test('whoever is in neither group can do nothing', async () => {
      const before = await standing();
      expect(await answersTo([])).toEqual(tableOf(() => [0, 0, 0]));
      expect(await standing()).toEqual(before);
    });

    test('the status group sees and does not change', async () => {
      const before = await standing();
      expect(await answersTo([STATUS])).toEqual(tableOf((route) => [0, served('status', route), 0]));
      expect(await standing()).toEqual(before);
    });

    test('the report group reports, and neither sees nor changes', async () => {
      expect((await standing()).bans).toEqual([]);
      expect(await answersTo([REPORTS])).toEqual(tableOf((route) => [0, 0, served('report', route)]));
      // Its one report is all that came of it.
      const { mode, jails, bans } = await standing();
      expect([mode, jails]).toEqual(['enforcing', [['app', 'active']]]);
      expect(bans.map(({ address, by }) => [address, by])).toEqual([['203.0.113.7', 'report']]);
    });
  });

  describe('by the command', () => {
    /** verb → exit status. */
    async function exitsOf(groups: readonly number[]): Promise<Record<string, number | undefined>> {
      const said = Object.entries(SPOKEN).map(async ([verb, args]) => {
        const { code } = await as(groups, [BAILIFF, '--runtime', join(folder, 'run'), verb, ...args]);
        return [verb, code] as const;
      });
      return Object.fromEntries(await Promise.all(said));
    }
    const refusedBut = (...allowed: string[]): Record<string, number> =>
      Object.fromEntries(Object.keys(SPOKEN).map((verb) => [verb, allowed.includes(verb) ? 0 : 77]));

    test('the status group has the verbs that show facts', { timeout: 120_000 }, async () => {
      const before = await standing();
      expect(await exitsOf([STATUS])).toEqual(refusedBut('ping', 'status', 'bans'));
      expect(await standing()).toEqual(before);
    });

    test('the report group has none', { timeout: 120_000 }, async () => {
      const before = await standing();
      expect(await exitsOf([REPORTS])).toEqual(refusedBut());
      expect(await standing()).toEqual(before);
    });
  });

  // Last, since it changes all that there is to change; and it shows that the questions above are sound.
  test('the owner may do everything, on control.sock', async () => {
    expect(await answersTo(undefined)).toEqual(
      tableOf((route) => [200, served('status', route), served('report', route)]),
    );
    expect((await daemon.bans('?all=true')).map(({ address, state }) => [address, state])).toContainEqual([
      '203.0.113.9',
      'ended',
    ]);
  });
});

needs('root')('a group', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-e2e-roles-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const start = (...args: string[]) =>
    startDaemon({ folder, config: {}, args: ['--firewall', 'memory', ...args] });

  test.each(['--status-group', '--report-group'])(
    'that does not exist keeps the daemon from starting, with a word why: %s',
    async (option) => {
      await expect(start(option, 'no-such-group')).rejects.toThrow(
        /no group "no-such-group".*or name another/s,
      );
    },
  );

  test('that reports can not be the one that looks on', async () => {
    await expect(start('--status-group', '61235', '--report-group', '61235')).rejects.toThrow(
      /can't have both/,
    );
  });
});
