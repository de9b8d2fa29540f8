import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileFilter } from '../../src/filters/compile.ts';
import type { Filter } from '../../src/filters/contract.ts';
import { parseFilter } from '../../src/filters/definition.ts';
import { forge } from '../../src/filters/forgeries.ts';
import { proveFilter } from '../../src/filters/prove.ts';
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
      for (const [index, skeleton] of skeletons.entries())
        for (const { line } of forge(skeleton, index === 0 ? others : undefined, frame)) lines.add(line);
      expect(lines.size, pattern?.regex).toBeGreaterThan(400);
    }
  });

  test('has a sample for each of its patterns', () => {
    const { definition } = shipped(name);
    const seen = new Set<string>();
    for (const mode of ['normal', 'aggressive'] as const)
      for (const { text } of definition.samples) {
        const verdict = shipped(name, mode).judge(Buffer.from(text).toString('latin1'), NOW);
        if ('match' in verdict) seen.add(`${verdict.match.outcome} ${verdict.match.pattern}`);
      }
    for (const index of definition.match.keys())
      expect(seen, definition.match[index]!.regex).toContain(`failure ${index}`);
    for (const index of definition.success.keys()) expect(seen).toContain(`success ${index}`);
  });
});

describe('sshd counts one attempt once', () => {
  const ssh = (...messages: string[]): string[] =>
    messages.map((message) => `Jan  5 10:11:12 web sshd[812]: ${message}`);

  test('a wrong password through PAM, for a user that does not exist', () => {
    const lines = ssh(
      'Invalid user admin from 192.0.2.7 port 40022',
      'pam_unix(sshd:auth): check pass; user unknown',
      'pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7 ',
      'Failed password for invalid user admin from 192.0.2.7 port 40022 ssh2',
      'Received disconnect from 192.0.2.7 port 40022:11: Bye Bye [preauth]',
      'Disconnected from invalid user admin 192.0.2.7 port 40022 [preauth]',
    );
    expect(counts(shipped('sshd'), lines)).toEqual([0, undefined, 0, 1, 0, 0]);
  });

  test('three wrong passwords on one connection, folded by rsyslog', () => {
    const lines = ssh(
      'Failed password for root from 192.0.2.7 port 40022 ssh2',
      'message repeated 2 times: [ Failed password for root from 192.0.2.7 port 40022 ssh2]',
      'error: maximum authentication attempts exceeded for root from 192.0.2.7 port 40022 ssh2 [preauth]',
      'Disconnecting authenticating user root 192.0.2.7 port 40022: Too many authentication failures [preauth]',
      'PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user=root',
      'PAM service(sshd) ignoring max retries; 3 > 3',
    );
    expect(counts(shipped('sshd'), lines)).toEqual([1, 2, 0, 0, 0, undefined]);
  });

  test('a wrong answer to the prompt of PAM, whether sshd reports the method too or not', () => {
    const lines = ssh(
      'error: PAM: Authentication failure for root from 192.0.2.7',
      'Failed keyboard-interactive/pam for root from 192.0.2.7 port 40022 ssh2',
      'Connection closed by authenticating user root 192.0.2.7 port 40022 [preauth]',
    );
    expect(counts(shipped('sshd'), lines)).toEqual([1, 0, 0]);
  });

  test('who offers six keys and gets in with none has guessed nothing', () => {
    const key =
      'Failed publickey for ops from 192.0.2.7 port 40022 ssh2: ED25519 SHA256:Pp7Qw1ZrVm0B3yF4f2p3';
    const lines = ssh(
      ...Array.from({ length: 6 }, () => key),
      'error: maximum authentication attempts exceeded for ops from 192.0.2.7 port 40022 ssh2 [preauth]',
      'Disconnecting authenticating user ops 192.0.2.7 port 40022: Too many authentication failures [preauth]',
    );
    expect(counts(shipped('sshd'), lines)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    // Where keys are all that is taken, the connection is the attempt.
    expect(counts(shipped('sshd', 'aggressive'), lines).reduce<number>((sum, count) => sum + count!, 0)).toBe(
      1,
    );
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
