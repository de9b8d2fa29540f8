// What `check` says of a filter that looks at each line, and of texts that its author states.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { start, type Ran } from './harness.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-check-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** @param more lines of YAML behind the pattern. */
function check(more = ''): Promise<Ran> {
  mkdirSync(join(folder, 'filters'), { mode: 0o700 });
  const filter = `service: x
description: a service whose lines begin with a short code
layout: plain
match:
  - regex: '^(?:AU|AX)\\d+ <ip>$'
${more}samples:
  - line: 'AU12 198.51.100.7'
    yields: { ip: 198.51.100.7 }
`;
  writeFileSync(join(folder, 'filters/own.yaml'), filter, { mode: 0o600 });
  const config = join(folder, 'jails.json');
  const jails = { own: { filter: 'own', logs: ['/var/log/own.log'] } };
  writeFileSync(config, JSON.stringify({ jails }), { mode: 0o600 });
  return start(['--config', config, 'check']);
}

test('what it costs to look at each line is told', async () => {
  const { code, err } = await check();
  expect(code).toBe(0);
  expect(err).toMatch(
    /^warning: .*: no text stands in every line .*; here that takes some [\d.]+ µs a line\n$/,
  );
});

test('stated texts spare it', async () => {
  expect(await check('    literals: [AU, AX]\n')).toMatchObject({ code: 0, err: '' });
});

test('texts that are not in every line are refused, with such a line', async () => {
  const { code, err } = await check('    literals: AU\n');
  expect(code).toBe(78);
  expect(err).toContain('own.yaml:5:5: the pattern ');
  expect(err).toMatch(/it takes lines that hold none of its "literals", such as "AX\d /);
});
