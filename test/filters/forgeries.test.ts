import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CLIENTS, forge, honestLine } from '../../src/filters/forgeries.ts';
import { escapedByNginx, skeletonOfFormat, skeletonsOfPattern } from '../../src/filters/skeletons.ts';
import type { Skeleton } from '../../src/filters/skeletons.ts';
import { needs, program } from '../support/programs.ts';
import { ended, eventually } from '../support/run.ts';

const frame = (message: string): string => `> ${message}`;
const skeletons = (regex: string): readonly Skeleton[] =>
  skeletonsOfPattern({ regex, counts: 1, mode: 'normal', line: 1, column: 1 });
const honest = (regex: string): string[] =>
  skeletons(regex).map((one) => honestLine(one, frame, '192.0.2.7'));
const forged = (regex: string): string[] =>
  [...forge(skeletons(regex)[0]!, [], frame)].map(({ line }) => line);

describe('the lines that a pattern takes', () => {
  test('are made with each alternative and each optional part, one changed at a time', () => {
    expect(honest('^(?:a|b) from <ip>(?: port \\d+)?$')).toEqual([
      '> a from 192.0.2.7 port 7',
      '> b from 192.0.2.7 port 7',
      '> a from 192.0.2.7',
    ]);
  });

  test('hold what a class takes, as often as it must be there', () => {
    expect(honest('^[A-Z]{3} \\w+ \\. [^x]<ip>$')).toEqual(['> AAA x . 7192.0.2.7']);
  });

  test('go on behind an open end', () => {
    expect(honest('^x <ip>$')).toEqual(['> x 192.0.2.7']);
    expect(forged('^x <ip>$')).toEqual([]);
    expect(forged('^x <ip>')).toContain('> x 192.0.2.7 203.0.113.66');
    expect(forged('^x <ip>').length).toBeGreaterThan(200);
  });
});

describe('forgeries', () => {
  test('are the same every time', () => {
    expect(forged('^a <user> from <ip> .*$')).toEqual(forged('^a <user> from <ip> .*$'));
  });

  test('speak the words of the pattern, for either family', () => {
    const lines = forged('^Failed for <user> from <ip> port \\d+$');
    for (const text of [
      'x from 203.0.113.66 port 7',
      'Failed for x from 203.0.113.66 port 7 x',
      'x> Failed for x from 203.0.113.66 port 7',
    ])
      expect(lines).toContain(`> Failed for ${text} from 192.0.2.7 port 7`);
    expect(lines).toContain('> Failed for x from 2001:db8:bad::66 port 7 from 2001:db8::7 port 7');
  });

  test('bring quotes, brackets, control characters, bytes that are no text, nothing, and far too much', () => {
    const lines = forged('^u <user> from <ip>$');
    for (const text of [
      '',
      '"',
      ']',
      '\0',
      '\x1b[31m',
      '\r',
      '\xa0',
      '\xff\xfe',
      '\xe2\x80\xae',
      'x'.repeat(8_300),
    ])
      expect(lines).toContain(`> u ${text} from 192.0.2.7`);
  });

  test('use the words of the other patterns too', () => {
    const [own, other] = [skeletons('^a <user> by <ip>$')[0]!, skeletons('^b <user> of <ip>!$')[0]!];
    const lines = [...forge(own, [other], frame)].map(({ line }) => line);
    expect(lines).toContain('> a x of 203.0.113.66! by 192.0.2.7');
    expect(lines).toContain('> a x b x of 203.0.113.66! by 192.0.2.7');
  });

  test('fill a word with what the pattern takes there, and with what it leaves out', () => {
    expect(forged('^u \\S+ from <ip>$')).toContain('> u 203.0.113.66 from 192.0.2.7');
    expect(forged('^u \\S+ from <ip>$')).toContain('> u x from 203.0.113.66 from 192.0.2.7');
    const [skeleton] = skeletonsOfPattern(
      { regex: '^u (?<user>\\S+) from <ip>$', counts: 1, mode: 'normal', line: 1, column: 1 },
      new Set(['user']),
    );
    const limited = [...forge(skeleton!, [], frame)];
    expect(limited.length).toBeGreaterThan(50);
    for (const { line, isBeyond } of limited) {
      expect(line).toMatch(/^> u [^\t-\r ]+ from [^ ]+$/);
      expect(isBeyond).toBeUndefined();
    }
    // What merely hopes that there is no quote is no word.
    expect(forged('^u "[^"]*" from <ip>$')).toContain('> u """ from 192.0.2.7');
  });

  test('believe a list that is no field, and numbers', () => {
    const beyond = (regex: string): boolean =>
      [...forge(skeletons(regex)[0]!, [], frame)].some(({ isBeyond }) => isBeyond);
    for (const regex of ['^u [\\w.-]+ from <ip>$', '^u (?<port>\\d+) from <ip>$', '^u <user> from <ip>$'])
      expect(beyond(regex), regex).toBe(false);
    for (const regex of ['^u [^\\s,]+ from <ip>$', '^u (?<user>[\\w.-]+) from <ip>$', '^u <ip>\\S*$'])
      expect(beyond(regex), regex).toBe(true);
  });

  test('name who really sent them', () => {
    const all = [...forge(skeletons('^u <user> from <ip>$')[0]!, [], frame)];
    expect(new Set(all.map((one) => one.honest))).toEqual(new Set(CLIENTS.map((one) => one.honest)));
    for (const { line, honest: sender } of all) expect(line.endsWith(` from ${sender}`)).toBe(true);
  });

  test('of an access log fill what clients choose, escaped, and leave alone what the server makes', () => {
    const skeleton = skeletonOfFormat('combined');
    expect(honestLine(skeleton, (line) => line, '192.0.2.7')).toBe(
      '192.0.2.7 - x [05/Jan/2026:10:11:12 +0000] "GET / HTTP/1.1" 401 179 "x" "x"',
    );
    const lines = [...forge(skeleton, [], (line) => line)].map(({ line }) => line);
    expect(lines.length).toBeGreaterThan(1_000);
    // Six quotes that are nginx's own, whatever clients write.
    for (const line of lines) expect(line.split('"')).toHaveLength(7);
    expect(lines).toContain('192.0.2.7 - - [05/Jan/2026:10:11:12 +0000] "GET / HTTP/1.1" 401 179 "x" "x"');
  });
});

needs('nginx')('nginx', () => {
  test('escapes as we say it does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bailiff-escape-'));
    const file = (name: string): string => join(folder, name);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${file(name)};`,
    );
    writeFileSync(
      file('nginx.conf'),
      `daemon off; pid ${file('pid')}; events {}
http { ${paths.join(' ')} log_format tried '<$remote_user><$http_user_agent>'; access_log ${file('access.log')} tried;
  server { listen unix:${file('web.sock')}; return 204; } }`,
    );
    const bytes = Array.from({ length: 255 }, (_, index) => String.fromCharCode(index + 1)).join('');
    const user = bytes.replace(':', '');
    const agent = `x${bytes.replaceAll(/[\r\n]/g, '')}x`;
    const nginx = spawn(program('nginx'), ['-p', folder, '-c', file('nginx.conf'), '-e', file('error.log')]);
    try {
      // Written once the sockets are open.
      await eventually('nginx runs', () => existsSync(file('pid')));
      const credentials = Buffer.from(`${user}:x`, 'latin1').toString('base64');
      const socket = connect(file('web.sock')).resume();
      socket.end(
        `GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Basic ${credentials}\r\nUser-Agent: ${agent}\r\n\r\n`,
        'latin1',
      );
      const logged = (): string => readFileSync(file('access.log'), 'latin1');
      await eventually('the request is logged', () => logged().endsWith('\n'));
      expect(logged()).toBe(`<${escapedByNginx(user)}><${escapedByNginx(agent)}>\n`);
    } finally {
      nginx.kill('SIGTERM');
      await ended(nginx);
      rmSync(folder, { recursive: true });
    }
  });
});
