// The table of paths against the real nginx, and conditions on what it wrote into its log.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { splitRequest } from '../../src/filters/path.ts';
import { needs, program } from '../support/programs.ts';
import { ended, eventually } from '../support/run.ts';
import { NOW, filterOf } from './engine.ts';
import { PATHS } from './paths.ts';

needs('nginx')('the path that conditions see', () => {
  let folder: string;
  let nginx: ChildProcess;
  const file = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bailiff-path-'));
    mkdirSync(file('temp'));
    writeFileSync(file('nginx.conf'), configuration(folder));
    nginx = spawn(program('nginx'), ['-p', folder, '-c', file('nginx.conf'), '-e', file('error.log')]);
    await eventually('nginx answers', () =>
      ask('/').then(
        (answer) => answer !== undefined,
        () => false,
      ),
    );
  });
  afterAll(async () => {
    nginx.kill('SIGTERM');
    await ended(nginx);
    rmSync(folder, { recursive: true });
  });

  /** The path that nginx's `location` blocks see; undefined where it refuses the request. */
  function ask(target: string): Promise<string | undefined> {
    return request(`GET ${target} HTTP/1.1`);
  }

  function request(line: string): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(file('web.sock'));
      socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
      socket.on('error', reject);
      socket.on('end', () => resolve(/^HTTP\/1\.1 200 [^]*?\r\n\r\n<([^]*)>$/.exec(answer)?.[1]));
      socket.end(Buffer.from(`${line}\r\nHost: www.example.net\r\nConnection: close\r\n\r\n`, 'latin1'));
    });
  }

  // An empty target is no request line that one could send.
  const sent = PATHS.filter(([target]) => target !== '');

  it.each(sent)('is the one that nginx sees: %s → %s', async (target, path) => {
    expect(await ask(target)).toBe(path);
  });

  it.each([
    'GET   /login HTTP/1.1',
    'GET /login   HTTP/1.1',
    'GET /login HTTP/1.1  ',
    'GET /log in HTTP/1.1',
  ])('is the one that nginx sees, or of a request that it refuses: %s', async (line) => {
    const seen = await request(line);
    expect(seen ?? splitRequest(line).target).toBe(splitRequest(line).target);
  });

  it('is found again in what nginx logged', async () => {
    // nginx may answer before it writes its log: an orderly end waits until every request has its line.
    nginx.kill('SIGQUIT');
    await ended(nginx);
    const filter = filterOf({ layout: 'access', where: { path: { present: true } } });
    const lines = readFileSync(file('access.log'), 'latin1').trimEnd().split('\n');
    const logged = lines.map((line) => {
      const verdict = filter.judge(line.replace(/^unix:/, '192.0.2.7'), NOW);
      return verdict.outcome === 'match'
        ? Buffer.from(verdict.match.fields.path!, 'utf8').toString('latin1')
        : undefined;
    });
    expect(new Set(logged)).toEqual(new Set([...sent.map(([, path]) => path), '/log in']));
    expect(logged.length).toBeGreaterThanOrEqual(sent.length);
  });
});

function configuration(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
pid ${folder}/nginx.pid;
worker_processes 1;
events {}
http {
  access_log ${folder}/access.log combined;
  ${temporary.map((name) => `${name}_temp_path ${folder}/temp/${name};`).join('\n  ')}
  server {
    listen unix:${folder}/web.sock;
    default_type text/plain;
    location / { return 200 "<$uri>"; }
  }
}
`;
}
