// `npm run test:peer`: our filters over the sample logs that Debian's fail2ban package installs with its tests. They are
// read where they are installed and never copied: they are under the GPL. With names of logs only these are looked at.
//
// Exit status 1 where a difference has no reason in reasons.ts, where we name another address than the true one, and where
// less than 98 % agree over all services that both have.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { printable, utf8 } from '../../src/text.ts';
import { SHIPPED } from '../filters/shipped.ts';
import { findProgram } from '../support/programs.ts';
import { run } from '../support/run.ts';
import { RULE } from './compare.ts';
import { readSamples } from './expectations.ts';
import { REASONS } from './reasons.ts';
import { reportOn, type Difference, type Report } from './report.ts';
import { SERVICES } from './services.ts';

const LEAST_AGREEMENT = 0.98;

/** Where the sample logs are; undefined where fail2ban, or its tests, are not installed. */
async function findLogs(): Promise<string | undefined> {
  const dpkg = findProgram('dpkg');
  if (dpkg === undefined) return undefined;
  const { stdout } = await run(dpkg, ['-L', 'fail2ban']);
  return stdout.split('\n').find((path) => path.endsWith('/fail2ban/tests/files/logs') && existsSync(path));
}

async function main(wanted: readonly string[]): Promise<number> {
  const folder = await findLogs();
  if (folder === undefined) {
    console.error('The sample logs of fail2ban are not here. Install them: apt-get install fail2ban');
    return 1;
  }
  const logs = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());
  const unknown = wanted.filter((name) => !logs.includes(name));
  if (unknown.length > 0) {
    console.error(`No such sample log: ${unknown.join(', ')}. There are: ${logs.join(', ')}`);
    return 1;
  }
  console.log(`${RULE}\n`);
  const read = (name: string): string => readFileSync(join(folder, name), 'latin1');

  const total: Total = {
    agreed: 0,
    elsewhere: 0,
    otherTime: 0,
    differ: 0,
    names: 0,
    unexplained: 0,
    otherAddress: 0,
  };
  const missing: string[] = [];
  for (const [name, service] of Object.entries(SERVICES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const notShipped = service.filters.filter((filter) => !SHIPPED.includes(filter));
    if (!logs.includes(name) || notShipped.length > 0) {
      missing.push(
        logs.includes(name) ? `${name} (no filter ${notShipped.join(', ')})` : `${name} (no such log)`,
      );
      continue;
    }
    const report = reportOn(service, readSamples(name, read), REASONS[name] ?? []);
    show(name, service.filters, report);
    const { counts, differences } = report;
    total.agreed += counts.agreed;
    total.elsewhere += counts.elsewhere;
    total.names += counts['host name'];
    total.otherTime += counts['other time'];
    total.differ += counts.missed + counts['ours only'] + counts['other address'];
    total.unexplained += differences.filter(({ why }) => why === undefined).length;
    total.otherAddress += counts['other address'];
  }
  if (wanted.length === 0) {
    const others = logs.filter((name) => !(name in SERVICES));
    console.log(`\nLogs of services without a filter of ours: ${others.join(', ')}`);
  }
  if (missing.length > 0) console.log(`In services.ts, but not compared: ${missing.join(', ')}`);
  return judgement(total);
}

interface Total {
  agreed: number;
  elsewhere: number;
  /** Agreed but for their stamps. */
  otherTime: number;
  differ: number;
  /** Lines that name a host. */
  names: number;
  unexplained: number;
  otherAddress: number;
}

function judgement({
  agreed,
  elsewhere,
  otherTime,
  differ,
  names,
  unexplained,
  otherAddress,
}: Total): number {
  const all = agreed + elsewhere + otherTime + differ;
  const share = (all - differ) / Math.max(1, all);
  console.log(
    `\n${(share * 100).toFixed(2)} % agreed: ${agreed} of ${all} lines, ${elsewhere} whose attempt counts elsewhere, and ` +
      `${otherTime} with another stamp. ` +
      `${names} more name a host instead of an address.`,
  );
  const faults = [
    otherAddress > 0 ? `${otherAddress} lines name another address` : '',
    unexplained > 0 ? `${unexplained} differences have no reason in test/peer/reasons.ts` : '',
    share < LEAST_AGREEMENT ? `less than ${LEAST_AGREEMENT * 100} % agreed` : '',
  ].filter((fault) => fault !== '');
  console.log(faults.length === 0 ? 'Every difference has its reason.' : `FAILED: ${faults.join('; ')}.`);
  return faults.length === 0 ? 0 : 1;
}

function show(name: string, filters: readonly string[], report: Report): void {
  const { counts, lines, leftOut, unstamped, stale } = report;
  const more = [
    counts['other address'] > 0 ? `${counts['other address']} OTHER ADDRESS` : '',
    counts['other time'] > 0 ? `${counts['other time']} other time` : '',
    counts['host name'] > 0 ? `${counts['host name']} host names` : '',
    unstamped > 0 ? `${unstamped} without a stamp for us` : '',
    leftOut > 0 ? `${leftOut} left out` : '',
  ].filter((text) => text !== '');
  const figures = `${lines} lines: ${counts.agreed} agreed, ${counts.elsewhere} elsewhere, ${counts.missed} missed, ${counts['ours only']} ours only`;
  console.log(`${name} by ${filters.join(', ')}: ${[figures, ...more].join(', ')}`);
  for (const [why, differences] of Map.groupBy(report.differences, (difference) => difference.why)) {
    console.log(`    ${why ?? 'WITHOUT A REASON'}`);
    for (const difference of differences) console.log(`      ${described(difference)}`);
  }
  if (stale.length > 0) console.log(`    reasons for what doesn't differ (any more): ${stale.join(', ')}`);
}

function described({ sample, mode, told, outcome, digest, why }: Difference): string {
  const { match, host, time } = sample.expected;
  const theirs = match ? `${host ?? 'an earlier address'} ${time ?? ''}`.trim() : 'nobody';
  const at = told.at === undefined ? '' : ` ${new Date(told.at).toISOString()}`;
  const ours = told.says === 'nothing' ? 'nobody' : `${told.says} ${told.address}${at}`;
  const place = `${sample.file}:${sample.number} ${mode} ${digest} ${outcome}: ${theirs} | ${ours}`;
  return why === undefined ? `${place}\n        ${printable(utf8(sample.text), 300)}` : place;
}

process.exitCode = await main(process.argv.slice(2));
