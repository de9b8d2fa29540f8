import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../src/filters/compile.ts';
import type { Filter } from '../../src/filters/contract.ts';
import { parseFilter } from '../../src/filters/definition.ts';
import { forge } from '../../src/filters/forgeries.ts';
import { proveFilter } from '../../src/filters/prove.ts';
import { judgeLast } from '../../src/filters/samples.ts';
import { trials } from '../../src/filters/trials.ts';

const FOLDER = new URL('../../filters/', import.meta.url);
const NAMES = readdirSync(FOLDER).map((file) => file.replace(/\.yaml$/, ''));
const NOW = Date.UTC(2026, 0, 6);

function shipped(name: string, mode: 'normal' | 'aggressive' = 'normal'): Filter {
  const { definition, faults } = parseFilter(
    readFileSync(new URL(`${name}.yaml`, FOLDER), 'utf8'),
    `filters/${name}.yaml`,
  );
  expect(faults).toEqual([]);
  const options = { logFormat: undefined, zone: 'UTC', mode, where: undefined, except: undefined };
  const compiled = compileFilter(definition!, options);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults));
  return compiled.filter;
}

/** How often the lines count, one after another: undefined where one is no match. */
function counts(filter: Filter, lines: readonly string[]): (number | undefined)[] {
  return lines.map((line) => {
    const verdict = filter.judge(Buffer.from(line).toString('latin1'), NOW);
    return verdict.outcome === 'match' ? verdict.match.counts : undefined;
  });
}

test('the filters that jails and docs name are there', () => {
  for (const name of ['sshd', 'nginx-auth', 'nginx-login', 'nginx-api', 'nginx-websocket', 'nginx-upload'])
    expect(NAMES).toContain(name);
});

describe.each(NAMES)('%s', (name) => {
  test('keeps its samples, and no forgery bends it', () => {
    const filter = shipped(name);
    expect(proveFilter(filter)).toEqual([]);
    expect(filter.definition.description).not.toBe('');
    expect(filter.definition.samples.some(({ yields }) => yields === 'none')).toBe(true);
    expect(filter.definition.forged.length).toBeGreaterThan(0);
  });

  test('is tried with more than four hundred forgeries wherever a client can write', () => {
    for (const { pattern, skeletons, others, frame } of trials(shipped(name))) {
      if (
        !others ||
        !skeletons.some((skeleton) =>
          skeleton.some((piece) => piece.kind === 'free' && piece.write('a b"') !== undefined),
        )
      )
        continue;
      const lines = new Set<string>();
      forging: for (const [index, skeleton] of skeletons.entries())
        for (const { line } of forge(skeleton, index === 0 ? others : undefined, frame))
          if (lines.add(line).size > 400) break forging;
      expect(lines.size, pattern?.regex).toBeGreaterThan(400);
    }
  });

  test('has a sample for each of its patterns', () => {
    const { definition } = shipped(name);
    const seen = new Set<string>();
    for (const filter of [shipped(name), shipped(name, 'aggressive')])
      for (const { text } of definition.samples) {
        const verdict = judgeLast(filter, Buffer.from(text).toString('latin1'), NOW);
        if ('match' in verdict) seen.add(`${verdict.match.outcome} ${verdict.match.pattern}`);
      }
    for (const index of [...definition.match, ...definition.matchWhere].keys())
      expect(seen, `pattern ${index}`).toContain(`failure ${index}`);
    for (const index of [...definition.success, ...definition.successWhere].keys())
      expect(seen, `success ${index}`).toContain(`success ${index}`);
  });
});

describe('nginx-login', () => {
  const filter = shipped('nginx-login');
  const post = (path: string, status = 401): string =>
    `192.0.2.7 - - [05/Jan/2026:10:11:12 +0000] "POST ${path} HTTP/1.1" ${status} 1 "-" "-"`;

  test.each(['', '/api', '/admin', '/api/v1'])('takes the usual paths below "%s"', (prefix) => {
    for (const path of [
      '/login',
      '/signin',
      '/sign-in',
      '/auth',
      '/session',
      '/sessions',
      '/auth/login',
      '/login/',
      '/login.php',
    ])
      expect(counts(filter, [post(prefix + path)]), prefix + path).toEqual([1]);
  });

  test.each([
    '/wp-login.php',
    '/blog/wp-login.php',
    '/users/sign_in',
    '/accounts/login/',
    '/login?next=/',
    '/Login',
    '/login;a=b',
  ])('takes %s', (path) =>
    expect(
      counts(
        filter,
        [400, 401, 403, 422, 429].map((status) => post(path, status)),
      ),
    ).toEqual([1, 1, 1, 1, 1]),
  );

  test.each([
    '/',
    '/logins',
    '/xlogin',
    '/login/help',
    '/logout',
    '/author',
    '/authors/',
    '/sessionstorage',
    '/api',
    '/x?/login',
  ])('leaves %s alone', (path) => expect(counts(filter, [post(path)])).toEqual([undefined]));

  test('leaves answers alone that refuse nobody', () => {
    expect(
      counts(
        filter,
        [200, 204, 302, 404, 500].map((status) => post('/login', status)),
      ),
    ).toEqual(Array.from({ length: 5 }, () => undefined));
  });
});
