// A setup whose proofs are made by another process: the same as any other, and nothing is held up by them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runBeside } from '../../src/daemon/system.ts';
import { prepareAside, prepareSetup } from '../../src/setup/index.ts';
import type { Proofs, ProverAnswer, ProverTask, SetupOptions } from '../../src/setup/index.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'bailiff-aside-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600 });
}

function memory(): Proofs & { readonly known: Set<string> } {
  const known = new Set<string>();
  return { known, isProven: (hash) => known.has(hash), remember: (hash) => void known.add(hash) };
}

const optionsWith = (proofs: Proofs): SetupOptions => ({
  configFile: join(folder, 'jails.json'),
  shippedFilters: join(import.meta.dirname, '../../filters'),
  trusted: { uid: process.geteuid!() },
  version: 'test',
  proofs,
});

const PROVER = join(import.meta.dirname, '../../src/cli/prover.ts');

async function ask(task: ProverTask): Promise<ProverAnswer | undefined> {
  const said = await runBeside(true, PROVER, JSON.stringify(task));
  return JSON.parse(said!) as ProverAnswer;
}

const FILTER = `service: an own one
layout: plain
match: ['^refused <ip>$']
samples:
  - line: refused 192.0.2.7
    yields: { ip: 192.0.2.7 }
`;

test('filters that nobody has proven are proven in between, and never again', async () => {
  write('filters/own.yaml', FILTER);
  write('jails.json', '{ "jails": { "own": { "filter": ["own", "nginx-login"], "logs": ["/a"] } } }');
  const proofs = memory();
  let hasTurned = false;
  setImmediate(() => (hasTurned = true));
  const result = await prepareAside(optionsWith(proofs), ask);
  expect(result).toMatchObject({ ok: true, warnings: [] });
  expect(hasTurned).toBe(true);
  expect(proofs.known.size).toBe(2);
  const refuse: Proofs = { isProven: (hash) => proofs.known.has(hash), remember: () => expect.fail() };
  expect(prepareSetup(optionsWith(refuse))).toMatchObject({ ok: true });
  expect(await prepareAside(optionsWith(refuse), ask)).toMatchObject({ ok: true });
});

test('every fault is told, as without another process', async () => {
  write('filters/own.yaml', FILTER.replace('ip: 192.0.2.7', 'ip: 192.0.2.8'));
  write('jails.json', '{ "jails": { "own": { "filter": "own", "logs": ["/a"], "maxRety": 1 } } }');
  const told = await prepareAside(optionsWith(memory()), ask);
  expect(told).toEqual(prepareSetup(optionsWith(memory())));
  write('jails.json', '{ "jails": { "own": { "filter": "own", "logs": ["/a"] } } }');
  const refuted = await prepareAside(optionsWith(memory()), ask);
  expect(refuted).toEqual(prepareSetup(optionsWith(memory())));
  expect(refuted).toMatchObject({ ok: false, faults: [{ code: 'E_FILTER_UNPROVEN' }] });
});

test('what was written meanwhile is proven as well before it is in force', async () => {
  write('filters/own.yaml', FILTER);
  write('jails.json', '{ "jails": { "own": { "filter": "own", "logs": ["/a"] } } }');
  const preparing = prepareAside(optionsWith(memory()), ask);
  write('filters/own.yaml', FILTER.replace('refused <ip>$', '.*<ip>'));
  expect(await preparing).toEqual(prepareSetup(optionsWith(memory())));
});
