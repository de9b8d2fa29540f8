// The daemons that do the same: fail2ban over an access log, and how long fail2ban and sshguard take from a line to the kernel.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../../test/support/leftovers.ts';
import { createInternet, type Host } from '../../test/support/namespaces.ts';
import { findProgram, program } from '../../test/support/programs.ts';
import { ended } from '../../test/support/run.ts';
import { accessLog } from '../inputs/access.ts';
import { FIND_TIME, MAX_RETRY, RULES } from '../inputs/rules.ts';
import { syslogStamp } from '../inputs/sshd.ts';
import { counted, ipv4 } from '../lib/addresses.ts';
import type { Bench } from '../lib/bench.ts';
import { failedLogin } from '../lib/enforcing.ts';
import { fail2banServer, startFail2ban, told, type Fail2ban } from '../lib/fail2ban.ts';
import { digits, median, rank, rate, type Figure } from '../lib/figures.ts';
import { writeLines } from '../lib/inputs.ts';
import { now, spread, startMonitor } from '../lib/kernel.ts';
import { readByDaemon, type Took } from '../lib/reading.ts';
import { processorTime } from '../lib/timing.ts';
import { mustBe, mustEqual } from '../lib/verdicts.ts';
import { accessInput, ruleFilters, ruleJails } from './access.ts';

/** Lines that arrive in a second: fast, so that none is older than `findtime`, which fail2ban would pass over. */
const PER_SECOND = 400;

export const fail2ban: Bench = {
  name: 'fail2ban',
  what: 'six equal rules over an access log, beside the fail2ban daemon, which gets a smaller one',
  async run(stage) {
    if (fail2banServer() === undefined) {
      stage.leaveOut('against fail2ban', 'it is not installed');
      return [];
    }
    const input = accessInput(stage);
    const reading = { input, jails: ruleJails(), filters: ruleFilters(), verdicts: input.truth.rules };
    const ours: Took[] = [];
    const theirs: Took[] = [];
    const lines = stage.small ? 5_000 : 100_000;
    for (let round = 0; round < stage.rounds; round++) {
      stage.say('fail2ban reads');
      theirs.push(await readByFail2ban(lines));
      stage.say('ours reads');
      ours.push(await readByDaemon(stage, reading));
    }
    const of = (all: Took[], key: keyof Took, count: number): number =>
      median(all.map((one) => one[key])) / count;
    const [a, b] = [of(ours, 'seconds', input.lines), of(theirs, 'seconds', lines)];
    const [c, d] = [of(ours, 'cpu', input.lines), of(theirs, 'cpu', lines)];
    const figures: Figure[] = [
      {
        ...{ what: 'lines a second, times those of fail2ban', value: b / a, unit: '×', atLeast: 150 },
        detail: `ours ${rate(1, a)}, fail2ban ${rate(1, b)} over ${lines} lines`,
      },
      {
        ...{ what: 'processor per line, fail2ban’s against ours', value: d / c, unit: '×', atLeast: 150 },
        detail: `ours ${digits(c * 1e6)} µs, fail2ban ${digits(d * 1e6)} µs a line`,
      },
    ];
    return figures;
  },
};

/** Gives it all lines at once. @throws WrongVerdict */
async function readByFail2ban(lines: number): Promise<Took> {
  const internet = await createInternet();
  const folder = temporaryFolder('bench-fail2ban-log');
  let server: Fail2ban | undefined;
  try {
    const [log, made] = [join(folder.path, 'access.log'), join(folder.path, 'made.log')];
    const begin = Math.floor(Date.now() / 1_000) - Math.ceil(lines / PER_SECOND) - 20;
    const { truth } = writeLines(made, lines, accessLog(begin, PER_SECOND));
    writeFileSync(log, '');
    const limits = { maxRetry: MAX_RETRY, findTime: FIND_TIME };
    const jails = Object.fromEntries(RULES.map(({ name, regex }) => [name, { failregex: regex, ...limits }]));
    server = await startFail2ban(internet.server, log, jails, false);
    const running = server;
    // It takes a moment after it has said that it is there.
    await sleep(1_500);
    const [began, cpu] = [performance.now(), processorTime(running.pid)];
    appendFileSync(log, readFileSync(made));
    const due = Object.entries(truth.rules);
    let took: Took = { seconds: Number.NaN, cpu: Number.NaN };
    // Each of its threads reads the log for one jail: the last one ends it.
    for (const [name, { matches }] of due)
      for (;;) {
        const seen = await told(running, name);
        took = { seconds: (performance.now() - began) / 1_000, cpu: processorTime(running.pid) - cpu };
        if (seen.matches >= matches) break;
        if (took.seconds > 300) mustEqual(`matches of ${name} by fail2ban`, seen.matches, matches);
        await sleep(100);
      }
    // Bans follow a moment later.
    await sleep(2_000);
    for (const [name, verdict] of due) {
      const seen = await told(running, name);
      mustEqual(`matches of ${name} by fail2ban`, seen.matches, verdict.matches);
      mustBe(`bans of ${name} by fail2ban`, seen.banned.map(counted), verdict.banned);
    }
    return took;
  } finally {
    await server?.end();
    await internet.remove();
    folder.remove();
  }
}

export const peerLatency: Bench = {
  name: 'peers',
  what: 'from a written line to the element in the kernel, by fail2ban and by sshguard, beside the benchmark "latency"',
  async run(stage) {
    const figures: Figure[] = [];
    const count = stage.small ? 3 : 40;
    if (fail2banServer() === undefined) stage.leaveOut('fail2ban', 'it is not installed');
    else
      figures.push(
        ...(await lineToElement('fail2ban', count, failedLogin, async (host, log) => {
          const { regex } = RULES.find(({ name }) => name === 'login')!;
          const jails = { login: { failregex: regex, maxRetry: 1, findTime: FIND_TIME } };
          return startFail2ban(host, log, jails, true);
        })),
      );
    if (findProgram('sshguard') === undefined) stage.leaveOut('sshguard', 'it is not installed');
    else figures.push(...(await lineToElement('sshguard', count, failedPassword, startSshguard)));
    return figures;
  },
};

const failedPassword = (address: string): string =>
  `${syslogStamp(Date.now() / 1_000)} web sshd[812]: Failed password for root from ${address} port 40022 ssh2\n`;

/**
 * sshguard that blocks at the first attack: its four programs in a row, as its script starts them. The script itself reads
 * one config only, that of the host, and at its end it ends whoever is in its group.
 */
async function startSshguard(host: Host, log: string): Promise<{ end(): Promise<void> }> {
  const at = (name: string): string => `/usr/libexec/sshguard/sshg-${name}`;
  const row = `${at('logtail')} "$1" | ${at('parser')} | ${at('blocker')} -a 10 -p 3600 -s 1800 | ${at('fw-nft-sets')}`;
  const child = host.spawn(program('unshare'), [
    '--kill-child',
    '--fork',
    '--pid',
    '/bin/sh',
    '-c',
    row,
    'sh',
    log,
  ]);
  child.stdout!.resume();
  child.stderr!.resume();
  await sleep(2_000);
  return {
    async end() {
      // Whatever it has started is in a world of processes of its own, which ends with it.
      child.kill('SIGKILL');
      await ended(child);
    },
  };
}

/** One offender after another. */
async function lineToElement(
  name: string,
  count: number,
  line: (address: string) => string,
  start: (host: Host, log: string) => Promise<{ end(): Promise<void> }>,
): Promise<Figure[]> {
  const internet = await createInternet();
  const folder = temporaryFolder('bench-peer');
  try {
    mkdirSync(join(folder.path, 'logs'));
    const log = join(folder.path, 'logs/peer.log');
    writeFileSync(log, '');
    const peer = await start(internet.server, log);
    const monitor = await startMonitor(internet.server);
    try {
      const took: number[] = [];
      for (let n = 0; n <= count; n++) {
        const address = ipv4(50_000 + n);
        const seen = monitor.seen(address, 20_000);
        const began = now();
        appendFileSync(log, line(address));
        const at = await seen;
        // The first one makes the sets.
        if (n > 0) took.push(at - began);
        await sleep(200 + (n % 7));
      }
      return [
        {
          what: `line written → element, ${name}, p50`,
          value: rank(took, 0.5),
          unit: 'ms',
          detail: spread(took),
        },
      ];
    } finally {
      monitor.end();
      await peer.end();
    }
  } finally {
    await internet.remove();
    folder.remove();
  }
}
