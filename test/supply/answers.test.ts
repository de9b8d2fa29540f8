// The bill of materials, and the audit before registries that answer, refuse, and warn.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { npmCommand, ROOT } from '../support/checkout.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { run } from '../support/run.ts';
import { installed, type Lock } from './lock.ts';

const node = (program: string, args: readonly string[], env: Record<string, string | undefined> = {}) =>
  run(process.execPath, [join(ROOT, program), ...args], { env });

test('the bill of materials names every package of an installation, with its hash and licence; an npm that makes none is said to', async () => {
  const folder = temporaryFolder('sbom');
  onTestFinished(folder.remove);
  const file = join(folder.path, 'sbom.cdx.json');
  const ran = await node('bin/sbom.ts', [file]);
  const [npm, ...before] = npmCommand();
  const knows = (await run(npm, [...before, 'sbom', '--help'])).stdout.includes('Software Bill of Materials');
  expect(ran.code, ran.stderr).toBe(knows ? 0 : 69);
  if (!knows) {
    expect(ran.stderr).toContain('No bill of materials');
    return;
  }
  const bill = JSON.parse(readFileSync(file, 'utf8')) as {
    bomFormat: string;
    metadata: { component: { name: string } };
    components: { name: string; hashes: { alg: string }[]; licenses: object[] }[];
  };
  expect([bill.bomFormat, bill.metadata.component.name]).toEqual(['CycloneDX', 'bailiff']);
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
  expect(bill.components.map(({ name }) => name).toSorted()).toEqual(installed(lock).toSorted());
  for (const { name, hashes, licenses } of bill.components)
    expect([name, hashes[0]?.alg, licenses.length]).toEqual([name, 'SHA-512', 1]);
});

/** A registry that answers the question about advisories, and knows nothing else. @returns the environment that asks it. */
async function registry(status: number, advisories: object): Promise<Record<string, string>> {
  const server: Server = createServer((request, response) => {
    const isAsked = request.url!.includes('/security/');
    request.resume().once('end', () => {
      response.writeHead(isAsked ? status : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isAsked ? advisories : {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const cache = temporaryFolder('npm-cache');
  onTestFinished(cache.remove);
  return { npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_cache: cache.path };
}

const advisory = (severity: string) => [
  {
    id: 1,
    url: 'https://example.net/1',
    title: 'x',
    severity,
    vulnerable_versions: '<999.0.0',
    cwe: [],
    cvss: {},
  },
];

test('a registry that answers no audits is no failure, and it is said', async () => {
  const ran = await node('bin/audit.ts', [], await registry(405, {}));
  expect([ran.code, ran.stdout]).toEqual([
    0,
    expect.stringMatching(/^NOT AUDITED: .*Known vulnerabilities were not asked about/),
  ]);
  expect(ran.stdout).not.toContain('127.0.0.1');
});

test('one that nobody reaches is no failure either', async () => {
  const ran = await node('bin/audit.ts', [], { npm_config_registry: 'http://127.0.0.1:9/' });
  expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/^NOT AUDITED/)]);
});

test('a grave one in what users install fails', async () => {
  const grave = await node('bin/audit.ts', [], await registry(200, { yaml: advisory('critical') }));
  expect(grave.code).toBe(1);
  expect(grave.stdout).toMatch(/^audit: installed: yaml .*critical/m);
});

test('one that is slight, or in a tool, is told and is no failure', async () => {
  const ran = await node(
    'bin/audit.ts',
    [],
    await registry(200, { yaml: advisory('moderate'), vitest: advisory('high') }),
  );
  expect([ran.code, ran.stdout.split('\n').toSorted()]).toEqual([
    0,
    expect.arrayContaining([
      expect.stringMatching(/^audit: a tool: vitest .*high/),
      expect.stringMatching(/^audit: installed: yaml .*moderate/),
    ]),
  ]);
});
