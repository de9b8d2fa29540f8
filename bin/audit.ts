// npm run audit: asks the registry which packages of the lock file have known vulnerabilities. Exit 1 where what users
// install has one that is high or critical; those of tools are told. A registry that answers no audits, or none at all, is
// said to, in the words that it used, and is no failure: what can be checked offline test/supply checks.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Found {
  readonly severity: string;
  readonly range: string;
  /** Where it stands: keys of the lock file. */
  readonly nodes: readonly string[];
}

interface Audit {
  readonly vulnerabilities?: Readonly<Record<string, Found>>;
  readonly message?: string;
  readonly error?: { readonly summary?: string };
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>;
}

const ROOT = join(import.meta.dirname, '..');
const GRAVE = ['high', 'critical'];
const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;

/** @returns what the registry says of the packages, or why it says nothing. */
function ask(): Readonly<Record<string, Found>> | string {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  const [file, ...before] = cli?.endsWith('npm-cli.js') && node ? [node, cli] : ['npm'];
  const args = ['audit', '--json', '--package-lock-only', '--fetch-retries=0', '--fetch-timeout=20000'];
  const ran = spawnSync(file, [...before, ...args], { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
  try {
    const { vulnerabilities, message, error } = JSON.parse(ran.stdout) as Audit;
    return vulnerabilities ?? message ?? error?.summary ?? 'npm says no more';
  } catch {
    return ran.error?.message ?? (ran.stderr.trim().split('\n').at(-1) || 'npm said nothing');
  }
}

/** Does it come with an installation? */
function isInstalled({ nodes }: Found): boolean {
  return nodes.some((node) => !packages[node]?.dev && !packages[node]?.devOptional);
}

function main(): void {
  const found = ask();
  if (typeof found === 'string') {
    // Which registry it is, is nobody's business here.
    const why = found.replace(/ ?-? ?(?:GET|POST)? ?https?:\/\/\S+/g, '').trim();
    console.log(
      `NOT AUDITED: the registry in use answers no audits (${why}). Known vulnerabilities were not asked about.`,
    );
    return;
  }
  const all = Object.entries(found);
  for (const [name, each] of all)
    console.log(
      `audit: ${isInstalled(each) ? 'installed' : 'a tool'}: ${name} ${each.range} (${each.severity})`,
    );
  const grave = all.filter(([, each]) => isInstalled(each) && GRAVE.includes(each.severity));
  console.log(
    `audited: ${all.length} packages with known vulnerabilities, ${grave.length} of them grave and installed`,
  );
  if (grave.length > 0) process.exitCode = 1;
}

main();
