// The package as a user installs it: built, packed, installed into a folder of its own, started.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyCheckout, npm, ROOT } from '../support/checkout.ts';
import { startDaemon } from '../support/daemon.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { run, runOk } from '../support/run.ts';

interface Lock {
  packages: Record<string, { dev?: boolean; [key: string]: unknown }>;
}

describe('the package', () => {
  let folder: TemporaryFolder;
  let prefix: string;
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const tarball = `bailiff-${manifest.version}.tgz`;
  let files: string[];

  beforeAll(async () => {
    folder = temporaryFolder('package');
    prefix = join(folder.path, 'prefix');
    const copy = join(folder.path, 'checkout');
    copyCheckout(copy);
    await runOk('/bin/sh', ['bin/dev', 'build'], { cwd: copy, timeout: 120_000 });

    mkdirSync(prefix);
    const packed = await npm(['pack', '--json', '--pack-destination', prefix], { cwd: copy });
    const listed = JSON.parse(packed) as
      { files: { path: string }[] }[] | Record<string, { files: { path: string }[] }>;
    files = Object.values(listed)[0]!.files.map(({ path }) => path);
    install();
    // From npm's cache, which the checkout's own set-up has filled; the network only where it was emptied since.
    await npm(['ci', '--prefer-offline', '--omit=dev', '--ignore-scripts', '--no-audit'], {
      cwd: prefix,
      timeout: 180_000,
    });
  }, 300_000);
  afterAll(() => folder.remove());

  /** Writes a project that depends on the tarball, with the versions that our own lock file names. */
  function install(): void {
    const dependencies = { bailiff: `file:${tarball}` };
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
    const { devDependencies: _, ...ours } = lock.packages['']!;
    const needed = Object.entries(lock.packages).filter(([path, entry]) => path !== '' && !entry.dev);
    const packages = {
      '': { name: 'host', version: '1.0.0', dependencies },
      'node_modules/bailiff': { ...ours, resolved: `file:${tarball}` },
      ...Object.fromEntries(needed),
    };
    writeFileSync(
      join(prefix, 'package.json'),
      JSON.stringify({ name: 'host', version: '1.0.0', dependencies }),
    );
    writeFileSync(
      join(prefix, 'package-lock.json'),
      JSON.stringify({ name: 'host', version: '1.0.0', lockfileVersion: 3, requires: true, packages }),
    );
  }

  it('holds the built program, its migrations and its filters, and neither sources nor tests', () => {
    expect(files).toEqual(
      expect.arrayContaining(['bin/bailiff', 'dist/cli/main.js', 'docs/man/bailiff.8', 'filters/sshd.yaml']),
    );
    // What makes a service of it comes along.
    expect(files).toEqual(
      expect.arrayContaining([
        'bin/install-service',
        'systemd/bailiff.service',
        'dist/ledger/checkpoint.js',
        'dist/cli/prover.js',
        'dist/firewall/nft-listen.pl',
        'dist/firewall/nft-tell.pl',
      ]),
    );
    const migrations = (names: string[]) => names.filter((name) => name.endsWith('.sql')).length;
    expect(migrations(files)).toBeGreaterThan(0);
    expect(files.filter((name) => /^(src|test|bench|docs(?!\/man\/))\//.test(name))).toEqual([]);
  });

  it('starts under the Node that came with it', async () => {
    const bailiff = join(prefix, 'node_modules/bailiff/bin/bailiff');
    const version = await run(bailiff, ['--version'], { cwd: '/' });
    expect(version).toMatchObject({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  it('finds its filters: check of a config', async () => {
    const bailiff = join(prefix, 'node_modules/bailiff/bin/bailiff');
    const config = join(folder.path, 'jails.json');
    writeFileSync(
      config,
      JSON.stringify({ jails: { sshd: { filter: 'sshd', logs: ['/nonexistent/auth.log'] } } }),
    );
    const checked = await run(bailiff, ['--config', config, '--json', 'check'], { cwd: '/' });
    expect(checked.code, checked.stderr).toBe(0);
    expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true, faults: [] });
  });

  it('finds its migrations and its database: run, until SIGTERM', async () => {
    const daemon = await startDaemon({
      folder: join(folder.path, 'host'),
      config: { jails: { sshd: { filter: 'sshd', logs: ['/nonexistent/auth.log'] } } },
      args: ['--firewall', 'memory'],
      bailiff: join(prefix, 'node_modules/bailiff/bin/bailiff'),
    });
    expect((await daemon.status()).jails.map(({ name }) => name)).toEqual(['sshd']);
    expect(await daemon.end()).toBe(0);
  });
});
