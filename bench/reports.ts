// A program: what reports by applications cost. `node bench/reports.ts` starts a real daemon (which blocks nobody) and lets
// 50 clients report: one report a request on a connection that is kept, one on a connection of its own, and a hundred a
// request. It prints reports a second, the daemon's processor time for each, and how many commits they shared.
// With `--cpu-prof FOLDER` the daemon writes its profile there.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../src/api/index.ts';
import { commitsIn } from '../test/support/commits.ts';

const CLIENTS = 50;
const BATCH = 100;
const ROOT = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-'));
const state = join(folder, 'state');
const socket = join(folder, 'run', 'report.sock');
/** Milliseconds that one tick of /proc/PID/stat stands for. */
const TICK = 1_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

interface Way {
  readonly name: string;
  /** Reports of each client. */
  readonly reports: number;
  /** Reports in a request. */
  readonly batch: number;
  readonly keepsConnection: boolean;
}

const WAYS: readonly Way[] = [
  { name: 'single, connection kept', reports: 400, batch: 1, keepsConnection: true },
  { name: 'single, a connection each', reports: 200, batch: 1, keepsConnection: false },
  { name: `${BATCH} a request, connection kept`, reports: 2_000, batch: BATCH, keepsConnection: true },
];

function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user! + system!) * TICK;
}

/** Written by hand: the clients share this process, and must not be what is measured. */
function requestOf(client: number, first: number, { batch, keepsConnection, name }: Way): string {
  const report = (n: number): object => ({
    ...{
      jail: 'app',
      address: `198.18.${client}.${n % 200}`,
      outcome: 'failure',
      id: `${name} ${client} ${n}`,
    },
    fields: { what: 'log-in', user: 'root' },
  });
  const reports = Array.from({ length: batch }, (_, index) => report(first + index));
  const body = JSON.stringify(batch === 1 ? reports[0] : { reports });
  const head = [
    ...['POST /v1/reports HTTP/1.1', 'host: bailiff', 'content-type: application/json'],
    ...[`content-length: ${body.length}`, `connection: ${keepsConnection ? 'keep-alive' : 'close'}`],
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** Resolves with the body of the next answer. */
function answerOn(connection: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (piece: string): void => {
      text += piece;
      const end = text.indexOf('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      if (end < 0 || text.length < end + 4 + Number(length)) return;
      connection.off('data', hear).off('error', reject).off('close', cut);
      if (text.startsWith('HTTP/1.1 200')) resolve(text.slice(end + 4));
      else reject(new Error(text));
    };
    const cut = (): void => reject(new Error('cut off'));
    connection.on('data', hear).once('error', reject).once('close', cut);
  });
}

async function report(client: number, way: Way): Promise<void> {
  let connection: Socket | undefined;
  for (let first = 0; first < way.reports; first += way.batch) {
    connection ??= connect(socket).setEncoding('latin1');
    const answer = answerOn(connection);
    connection.write(requestOf(client, first, way));
    const outcomes = JSON.parse(await answer) as { outcome: string }[];
    if (outcomes.length !== way.batch || outcomes.some(({ outcome }) => outcome !== 'counted'))
      throw new Error(`not counted: ${JSON.stringify(outcomes)}`);
    if (way.keepsConnection) continue;
    connection.destroy();
    connection = undefined;
  }
  connection?.destroy();
}

async function measure(pid: number, way: Way): Promise<void> {
  await Promise.all(
    Array.from({ length: CLIENTS }, (_, n) => report(n, { ...way, name: 'warm', reports: way.batch * 20 })),
  );
  const [before, commitsBefore, start] = [processorTime(pid), commitsIn(state), performance.now()];
  await Promise.all(Array.from({ length: CLIENTS }, (_, n) => report(n, way)));
  const [processor, took] = [processorTime(pid) - before, performance.now() - start];
  const count = CLIENTS * way.reports;
  const shared = count / (commitsIn(state) - commitsBefore);
  const rate = (count / took) * 1_000;
  console.log(
    `${way.name}: ${rate.toFixed(0)} reports/s, ${((processor / count) * 1_000).toFixed(0)} µs of the daemon's processor time each` +
      ` (${((count / processor) * 1_000).toFixed(0)} reports/s on a core of its own), ${shared.toFixed(1)} a commit`,
  );
}

const commit = execFileSync('git', ['-C', ROOT, 'describe', '--always', '--dirty'], { encoding: 'utf8' });
console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, commit ${commit.trim()}`);
writeFileSync(
  join(folder, 'jails.json'),
  JSON.stringify({ jails: { app: { reports: true, maxRetry: 1_000_000, findTime: '10m' } } }),
  { mode: 0o600 },
);
const at = process.argv.indexOf('--cpu-prof');
const profile = at > 0 ? ['--cpu-prof', `--cpu-prof-dir=${process.argv[at + 1]}`] : [];
const places = ['--config', join(folder, 'jails.json'), '--runtime', join(folder, 'run')];
const daemon = spawn(
  process.execPath,
  [
    ...['--enable-experimental-regexp-engine', '--enable-experimental-regexp-engine-on-excessive-backtracks'],
    ...['--regexp-backtracks-before-fallback=300', ...profile, join(ROOT, 'src/cli/main.ts'), ...places],
    ...['run', '--state', state, '--firewall', 'memory'],
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
const gone = new Promise((resolve) => daemon.once('exit', resolve));
try {
  const client = createClient(join(folder, 'run'));
  for (let tries = 0; tries < 300 && !(await client.ping().catch(() => undefined)); tries++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  for (const way of WAYS) await measure(daemon.pid!, way);
} finally {
  daemon.kill('SIGTERM');
  await gone;
  rmSync(folder, { recursive: true });
}
