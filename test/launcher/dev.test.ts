// bin/dev in a small checkout of its own: its npm is a script that notes each call and lays down a Node that only
// says how it was called. So what is tested is the script, on no network.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder, type TemporaryFolder } from '../support/leftovers.ts';
import { needs, findProgram } from '../support/programs.ts';
import { run } from '../support/run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ARCH = process.arch;

let folder: TemporaryFolder;
const at = (...names: string[]) => join(folder.path, ...names);
const script = (path: string, text: string) => {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
};

beforeEach(() => {
  folder = temporaryFolder('dev');
  for (const name of ['bin', 'path', 'src/cli', 'src/ledger/migrations'])
    mkdirSync(at(name), { recursive: true });
  for (const name of ['bin/dev', 'bin/bailiff']) copyFileSync(join(ROOT, name), at(name));
  writeFileSync(at('package-lock.json'), '{ "first": true }');
  writeFileSync(at('src/cli/main.ts'), '');
  const node = at('node_modules', `node-linux-${ARCH}`, 'bin');
  script(
    at('path/npm'),
    `echo "$*" >> npm-calls
     if [ -e npm-fails ]; then echo 'npm error 404 Not Found'; exit 1; fi
     rm -rf node_modules; mkdir -p ${node}
     printf '#!/bin/sh\\necho "checkout=\${BAILIFF_CHECKOUT:-} options=\${NODE_OPTIONS:-} $*"\\n' > ${node}/node
     chmod +x ${node}/node; echo 'added 137 packages'`,
  );
  // The Node of the host must never be asked.
  script(at('path/node'), 'echo "the wrong node"; exit 9');
});
afterEach(() => folder.remove());

/** Runs bin/dev with our npm ahead on PATH, as a host does that has no npm_execpath set. */
const dev = (...args: string[]) =>
  run('/bin/sh', [at('bin/dev'), ...args], {
    env: {
      PATH: `${at('path')}:${process.env['PATH']}`,
      npm_execpath: undefined,
      NODE_OPTIONS: '--not-an-option',
    },
  });
const npmCalls = () =>
  existsSync(at('npm-calls')) ? readFileSync(at('npm-calls'), 'utf8').trim().split('\n') : [];

describe('set-up', () => {
  it('runs npm ci once, and says so in two lines', async () => {
    const first = await dev('bailiff', 'ping');
    expect(first.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^Setting up: npm ci .*…$/),
      'Set up.',
    ]);
    expect(npmCalls()).toEqual([expect.stringMatching(/^ci .*--ignore-scripts/)]);

    const second = await dev('bailiff', 'ping');
    expect(second.stderr).toBe('');
    expect(npmCalls()).toHaveLength(1);
  });

  it('runs again when the lock file has changed, and when node_modules is gone', async () => {
    await dev('setup');
    writeFileSync(at('package-lock.json'), '{ "second": true }');
    await dev('setup');
    expect(npmCalls()).toHaveLength(2);
    rmSync(at('node_modules'), { recursive: true });
    await dev('setup');
    expect(npmCalls()).toHaveLength(3);
  });

  it('does not take an interrupted npm ci for a finished one', async () => {
    mkdirSync(at('node_modules'));
    await dev('setup');
    expect(npmCalls()).toHaveLength(1);
  });

  it('shows what npm said when it fails, ends with its failure, and tries again next time', async () => {
    writeFileSync(at('npm-fails'), '');
    const failed = await dev('bailiff', 'ping');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('npm error 404 Not Found');
    expect(failed.stdout).toBe('');
    rmSync(at('npm-fails'));
    expect((await dev('bailiff', 'ping')).code).toBe(0);
  });

  it('lets only one of two that start at once install', async () => {
    await Promise.all([dev('setup'), dev('setup'), dev('setup')]);
    expect(npmCalls()).toHaveLength(1);
  });
});

describe('what is started', () => {
  it('is the Node of the checkout, found by path, without the NODE_OPTIONS of the caller', async () => {
    const { stdout } = await dev('bailiff', 'ban', '192.0.2.7', '--reason', 'two words');
    expect(stdout).toContain(`checkout=${folder.path} options= `);
    expect(stdout.trim()).toMatch(/src\/cli\/main\.ts ban 192\.0\.2\.7 --reason two words$/);
  });

  it('is the daemon for start', async () => {
    const { stdout } = await dev('start', '--detect-only', '--state', '/tmp/a b');
    expect(stdout.trim()).toMatch(/src\/cli\/main\.ts run --detect-only --state \/tmp\/a b$/);
  });

  it('never sees --no-install, wherever it stands', async () => {
    for (const args of [
      ['--no-install', '--detect-only'],
      ['--detect-only', '--no-install'],
    ]) {
      const { stdout } = await dev('start', ...args);
      expect(stdout.trim()).toMatch(/main\.ts run --detect-only$/);
    }
  });

  it('stands where the caller stands, so that his file names hold', async () => {
    const node = at('node_modules', `node-linux-${ARCH}`, 'bin/node');
    await dev('setup');
    script(node, 'pwd');
    mkdirSync(at('logs'));
    const options = (npmSays: object) => ({
      cwd: at('logs'),
      env: { npm_lifecycle_event: undefined, ...npmSays },
    });
    const direct = await run('/bin/sh', ['../bin/dev', 'bailiff', 'ping'], options({}));
    expect(direct.stdout.trim()).toBe(at('logs'));
    const byNpm = options({ npm_lifecycle_event: 'bailiff', INIT_CWD: '/usr' });
    expect((await run('/bin/sh', ['../bin/dev', 'bailiff', 'ping'], byNpm)).stdout.trim()).toBe('/usr');
  });

  it('is nothing for an unknown word: usage, status 2', async () => {
    const { code, stderr } = await dev('stop');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^usage: /);
  });

  it('is found from any folder and through a symbolic link', async () => {
    await dev('setup');
    symlinkSync(at('bin/bailiff'), at('linked'));
    const { stdout } = await run(at('linked'), ['ping'], { cwd: '/' });
    expect(stdout.trim()).toMatch(new RegExp(`${folder.path}/src/cli/main\\.ts ping$`));
  });

  it('is explained where the Node is missing', async () => {
    const { code, stderr } = await run(at('bin/bailiff'), ['ping']);
    expect(code).toBe(69);
    expect(stderr).toMatch(/^bailiff: its Node is missing .*npm run setup\n$/);
  });
});

// In a mount namespace, where programs are hidden and apt-get is ours and only notes how it was called.
needs(
  'root',
  'unshare',
  'nft',
  'iptables',
  'ipset',
)('what npm start installs', () => {
  async function installedBy(hidden: readonly ('nft' | 'iptables' | 'ipset')[], ...args: string[]) {
    script(at('apt-get'), `echo "$*" >> ${at('apt-calls')}`);
    const files = hidden.map((name) => findProgram(name === 'iptables' ? 'iptables-restore' : name)!);
    const mounts = [
      `mount --bind ${at('apt-get')} /usr/bin/apt-get`,
      ...files.map((file) => `mount --bind /dev/null ${file}`),
    ].join(' && ');
    await dev('setup');
    const inside = ['--mount', '/bin/sh', '-c', `${mounts} && exec /bin/sh "$@"`, 'sh', at('bin/dev')];
    const ran = await run(findProgram('unshare')!, [...inside, 'start', ...args]);
    expect(ran.stdout).toMatch(/main\.ts run/);
    if (!existsSync(at('apt-calls'))) return undefined;
    return / Dpkg::Use-Pty=0 (.*)$/m.exec(readFileSync(at('apt-calls'), 'utf8'))?.[1];
  }

  it.each([
    { hidden: [], args: [], packages: undefined },
    { hidden: ['nft'], args: [], packages: undefined },
    { hidden: ['nft', 'ipset'], args: [], packages: 'nftables' },
    { hidden: ['nft', 'iptables'], args: [], packages: 'nftables' },
    { hidden: ['nft'], args: ['--firewall', 'nftables'], packages: 'nftables' },
    { hidden: ['ipset'], args: ['--firewall', 'iptables'], packages: 'iptables ipset' },
    { hidden: ['iptables'], args: ['--firewall=iptables'], packages: 'iptables ipset' },
    { hidden: ['nft'], args: ['--firewall', 'iptables'], packages: undefined },
    { hidden: ['nft', 'ipset'], args: ['--firewall', 'memory'], packages: undefined },
    { hidden: ['nft', 'ipset'], args: ['--firewall=dry-run'], packages: undefined },
    { hidden: ['nft', 'ipset'], args: ['--detect-only'], packages: undefined },
    { hidden: ['nft', 'ipset'], args: ['--firewall', 'iptables', '--no-install'], packages: undefined },
  ] as const)('without $hidden and with $args: $packages', async ({ hidden, args, packages }) => {
    expect(await installedBy(hidden, ...args)).toBe(packages);
  });
});
