// The clients of docs/clients, each run as an application would run it: against a daemon, against none, against one that hangs.
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HistoryView } from '../../src/api/contract.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Daemon } from '../support/daemon.ts';
import { needs, program } from '../support/programs.ts';
import { run } from '../support/run.ts';
import type { Ran } from '../support/run.ts';

const CLIENTS = join(import.meta.dirname, '..', '..', 'docs', 'clients');
/** Text that ends a JSON string, a shell word, a line; and one that no terminal should see. */
const HOSTILE = `a"b\\c'$(id)\`\u001b[31m\u202e}],`;

/** What the application does: reports of `address` in the jail `app`, then goes on. */
interface Application {
  /** @param address is banned by three failures; `other` by abuse; `friend` was successful. */
  run(socket: string, address: string, other: string, friend: string): Promise<Ran>;
}

const node: Application = {
  run: (socket, ...addresses) =>
    run(process.execPath, ['--input-type=module'], {
      input: `
        import { createReporter } from ${JSON.stringify(join(CLIENTS, 'bailiff-report.mjs'))};
        const [socket, address, other, friend] = ${JSON.stringify([socket, ...addresses])};
        let dropped = 0;
        const onDrop = (reports) => { dropped += reports.length; throw new Error('careless'); };
        const bailiff = createReporter({ jail: 'app', socket, timeout: 2000, delay: 5, tries: 2, onDrop });
        const circle = {}; circle.self = circle;
        for (const user of [${JSON.stringify(HOSTILE)}, 1n, circle]) bailiff.failure(address, { user });
        bailiff.abuse(other);
        bailiff.success(friend);
        bailiff.failure(undefined);
        await bailiff.flush();
        console.log('went on, dropped ' + dropped);`,
    }),
};

const python: Application = {
  run: (socket, ...addresses) =>
    run(program('python3'), ['-'], {
      env: { PYTHONPATH: CLIENTS, PYTHONDONTWRITEBYTECODE: '1' },
      input: `
import json
from bailiff_report import Reporter
socket, address, other, friend = json.loads(r'''${JSON.stringify([socket, ...addresses])}''')
dropped = []
def careless(reports, why):
    dropped.extend(reports)
    raise Exception("careless")
bailiff = Reporter("app", socket, timeout=2.0, delay=0.005, tries=2, on_drop=careless)
circle = {}
circle["self"] = circle
for user in [json.loads(${JSON.stringify(JSON.stringify(HOSTILE))}), float("nan"), circle]:
    bailiff.failure(address, user=user)
bailiff.abuse(other)
bailiff.success(friend)
bailiff.failure(None)
bailiff.flush(30)
print("went on, dropped", len(dropped))`,
    }),
};

const php: Application = {
  run: (socket, ...addresses) =>
    run(program('php'), [], {
      input: `<?php
require ${JSON.stringify(join(CLIENTS, 'BailiffReporter.php'))};
[$socket, $address, $other, $friend] = json_decode('${JSON.stringify([socket, ...addresses])}');
$dropped = 0;
$careless = function (array $reports) use (&$dropped) { $dropped += count($reports); throw new Exception('careless'); };
$bailiff = new BailiffReporter('app', $socket, timeout: 2.0, onDrop: $careless);
$circle = []; $circle['self'] = &$circle;
foreach ([json_decode('${JSON.stringify(HOSTILE).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'), "\\xff", $circle] as $user) {
    $bailiff->failure($address, ['user' => $user]);
}
$bailiff->abuse($other);
$bailiff->success($friend);
$bailiff->failure(null);
register_shutdown_function(function () use (&$dropped) { echo "went on, dropped $dropped\\n"; });`,
    }),
};

const SCRIPT = `
set -eu
report() { sh "$CLIENT" app "$@"; }
report "$1" failure "user=$HOSTILE" "what=log in
again"
printf '%s failure %s\\n%s failure\\n%s abuse\\n' "$1" "$HOSTILE" "$1" "$2" | report
report "$3" success
report '' failure
echo "went on"`;

const shell: Application = {
  run: (socket, ...addresses) =>
    run('/bin/sh', ['-c', SCRIPT, 'sh', ...addresses], {
      env: {
        CLIENT: join(CLIENTS, 'bailiff-report.sh'),
        BAILIFF_REPORT_SOCK: socket,
        BAILIFF_REPORT_TIMEOUT: socket.endsWith('hung.sock') ? '0.3' : '5',
        HOSTILE,
      },
    }),
};

needs(
  'python3',
  'php',
  'curl',
)('the clients of docs/clients', () => {
  let folder: string;
  let daemon: Daemon;
  let hung: Server;
  const socketOf = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-clients-'));
    daemon = await startDaemon({
      folder,
      config: { jails: { app: { reports: true, maxRetry: 3 } } },
      args: ['--firewall', 'memory'],
    });
    hung = createServer((socket) => socket.on('error', () => {}).resume()).listen(socketOf('hung.sock'));
  });
  afterAll(async () => {
    hung.close();
    await daemon.end();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    ['node', node, 1],
    ['python', python, 2],
    ['php', php, 3],
    ['shell', shell, 4],
  ] as const)(
    '%s: what was reported counts, and only what makes no sense is dropped',
    async (name, app, n) => {
      const [address, other, friend] = [`203.0.113.${n}`, `198.51.100.${n}`, `203.0.113.10${n}`] as const;
      const ran = await app.run(join(folder, 'run', 'report.sock'), address, other, friend);
      expect(ran).toMatchObject({ code: 0, stdout: `went on${name === 'shell' ? '' : ', dropped 1'}\n` });
      if (name === 'shell') expect(ran.stderr.match(/bailiff-report: refused/g)).toHaveLength(1);
      else expect(ran.stderr).toBe('');

      const bans = (await daemon.bans()).map((ban) => [ban.address, ban.reason, ban.by]);
      expect(bans).toContainEqual([address, '3 matches of reports within 10m', 'jail']);
      expect(bans).toContainEqual([other, 'reported as abuse', 'report']);
      expect(bans.some(([banned]) => banned === friend)).toBe(false);
      const history = await daemon.get<HistoryView>(`/v1/history?address=${address}`);
      const texts = history.bans.flatMap((ban) => ban.evidence.map(({ file, text }) => `${file} ${text}`));
      expect(texts).toHaveLength(3);
      expect(texts[0]).toMatch(/^report failure \{"user":"a\\"b\\\\c'\$\(id\)`/);
    },
  );

  test.each([
    ['node', node],
    ['python', python],
    ['php', php],
    ['shell', shell],
  ] as const)('%s: the application goes on where no daemon is, and where it hangs', async (name, app) => {
    for (const socket of ['none.sock', 'hung.sock']) {
      const ran = await app.run(socketOf(socket), '192.0.2.77', '192.0.2.78', '192.0.2.79');
      expect(ran.code).toBe(0);
      expect(ran.stdout).toBe(`went on${name === 'shell' ? '' : ', dropped 6'}\n`);
    }
    expect((await daemon.bans()).some((ban) => ban.address === '192.0.2.78')).toBe(false);
  });
});
