// npm run sbom [-- FILE]: the packages of an installation as a CycloneDX bill of materials, made by npm from the lock file;
// no network. FILE is dist/sbom.cdx.json where none is named, so that `npm run build` puts it into the package.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

interface Bill {
  components: { name: string; version: string }[];
}

interface Package {
  dev?: boolean;
  devOptional?: boolean;
  devDependencies?: object;
}

type Json = Record<string, unknown>;

const ROOT = join(import.meta.dirname, '..');
const read = (name: string): Json => JSON.parse(readFileSync(join(ROOT, name), 'utf8')) as Json;

/**
 * Writes what an installation is made of, as if there were no tools. npm's own `--omit=dev` leaves out packages that a tool
 * needs as well, `yaml` among them (npm 11).
 * @returns how many packages there are.
 */
function writeProject(folder: string): number {
  const { devDependencies: _tools, ...manifest } = read('package.json');
  const lock = read('package-lock.json');
  const packages = lock['packages'] as Record<string, Package>;
  const kept = Object.entries(packages).filter(([, { dev, devOptional }]) => !dev && !devOptional);
  const { devDependencies: _own, ...root } = packages['']!;
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const needed = { ...Object.fromEntries(kept), '': root };
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ ...lock, packages: needed }));
  return kept.length - 1;
}

/** By the npm that called us, else the one on PATH. */
function makeBill(folder: string): string {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  const [file, ...before] = cli?.endsWith('npm-cli.js') && node ? [node, cli] : ['npm'];
  const options = ['--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  return execFileSync(file, [...before, 'sbom', ...options], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

function main(file: string): void {
  const temporary = mkdtempSync(join(tmpdir(), 'bailiff-sbom-'));
  try {
    // npm names the bill for the folder.
    const folder = join(temporary, 'bailiff');
    mkdirSync(folder);
    const expected = writeProject(folder);
    const bill = makeBill(folder);
    const { components } = JSON.parse(bill) as Bill;
    if (components.length !== expected)
      throw new Error(`the lock file has ${expected} packages, and npm named ${components.length}`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bill);
    console.log(`${file}: ${components.length} packages`);
  } catch (error) {
    const [why] = (error as Error).message.split('\n');
    console.error(`No bill of materials: ${why}. npm makes them from version 10 on.`);
    process.exitCode = 69;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

main(process.argv[2] ?? join(ROOT, 'dist/sbom.cdx.json'));
