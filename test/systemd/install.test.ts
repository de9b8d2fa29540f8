// bin/install-service into a root of its own: what it writes, what it leaves alone, and whom it refuses.
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ROOT } from '../support/checkout.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { needs, program } from '../support/programs.ts';
import { run } from '../support/run.ts';

const SCRIPT = join(ROOT, 'bin/install-service');

needs(
  'root',
  'systemd-sysusers',
  'setpriv',
)('the install script', () => {
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = temporaryFolder('install');
  });
  afterEach(() => folder.remove());
  const at = (path: string): string => join(folder.path, path);
  const install = () => run('/bin/sh', [SCRIPT], { env: { DESTDIR: folder.path, PROGRAM: '/opt/bailiff' } });

  it('writes unit, user, folders, command, man pages, completions and a first config, and starts nothing', async () => {
    const { code, stdout, stderr } = await install();
    expect(code, stderr).toBe(0);
    expect(readlinkSync(at('usr/local/bin/bailiff'))).toBe('/opt/bailiff/bin/bailiff');
    const shipped = (name: string) => readFileSync(join(ROOT, name), 'utf8');
    for (const [where, what] of [
      ['usr/local/lib/systemd/system/bailiff.service', 'systemd/bailiff.service'],
      ['usr/local/lib/sysusers.d/bailiff.conf', 'systemd/bailiff.sysusers'],
      ['usr/local/lib/tmpfiles.d/bailiff.conf', 'systemd/bailiff.tmpfiles'],
      ['etc/bailiff/jails.json', 'jails.example.json'],
      ['usr/local/share/man/man8/bailiff.8', 'docs/man/bailiff.8'],
      ['usr/local/share/man/man5/jails.json.5', 'docs/man/jails.json.5'],
    ] as const) {
      expect(readFileSync(at(where), 'utf8')).toBe(shipped(what));
      expect(statSync(at(where)).mode & 0o777).toBe(0o644);
      expect(stdout).toContain(at(where));
    }
    for (const [where, begins] of [
      ['usr/local/share/bash-completion/completions/bailiff', '# bash completions for bailiff'],
      ['usr/local/share/zsh/site-functions/_bailiff', '#compdef bailiff'],
      ['usr/local/share/fish/vendor_completions.d/bailiff.fish', '# fish completions for bailiff'],
    ] as const) {
      expect(readFileSync(at(where), 'utf8').startsWith(begins)).toBe(true);
      expect(statSync(at(where)).mode & 0o777).toBe(0o644);
    }
    for (const made of ['etc/bailiff/jails.d', 'etc/bailiff/filters'])
      expect(statSync(at(made)).mode & 0o777).toBe(0o755);
    expect(readFileSync(at('etc/passwd'), 'utf8')).toMatch(/^bailiff:x:[1-9]\d*:.*:\/usr\/sbin\/nologin$/m);
    expect(readFileSync(at('etc/group'), 'utf8')).toMatch(/^adm:x:\d+:bailiff$/m);
    expect(readFileSync(at('etc/group'), 'utf8')).toMatch(/^bailiff-report:x:\d+:bailiff$/m);
    expect(existsSync(at('etc/systemd'))).toBe(false);
  });

  it('brings all up to date a second time, but for the config', async () => {
    await install();
    const passwd = readFileSync(at('etc/passwd'), 'utf8');
    writeFileSync(at('etc/bailiff/jails.json'), '{}');
    writeFileSync(at('usr/local/lib/systemd/system/bailiff.service'), 'old');
    expect((await install()).code).toBe(0);
    expect(readFileSync(at('etc/bailiff/jails.json'), 'utf8')).toBe('{}');
    expect(readFileSync(at('usr/local/lib/systemd/system/bailiff.service'), 'utf8')).toContain('Type=notify');
    expect(readFileSync(at('etc/passwd'), 'utf8')).toBe(passwd);
    expect(lstatSync(at('usr/local/bin/bailiff')).isSymbolicLink()).toBe(true);
  });

  it('refuses, without DESTDIR, whoever is not root', async () => {
    const { code, stderr, stdout } = await run(
      program('setpriv'),
      ['--reuid=65534', '--regid=65534', '--clear-groups', '/bin/sh', '-c', `cat "$0" | sh -s`, SCRIPT],
      { env: { DESTDIR: undefined }, cwd: '/usr/bin' },
    );
    expect([code, stderr.trim(), stdout]).toEqual([1, 'install-service: run it as root', '']);
  });
});
